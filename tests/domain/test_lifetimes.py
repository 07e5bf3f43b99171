"""The runtime's reference counting, on hand-made plans and against the planner's executable check."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

import pytest

from arenascope.domain.lifetimes import Lifetime, Step, lifetimes, of_aliases

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "design" / "reference_planner.py"


def test_inputs_live_throughout_and_outputs_from_their_producer() -> None:
    found = lifetimes([Step((0,), (1,)), Step((1,), (2,))], inputs=[0], outputs=[2])
    assert found == {0: Lifetime(0, None), 1: Lifetime(0, 1), 2: Lifetime(1, None)}


def test_an_output_nobody_reads_is_kept_to_the_end() -> None:
    found = lifetimes([Step((0,), (1, 2)), Step((1,), (3,))], inputs=[0], outputs=[3])
    assert found[2] == Lifetime(0, None)


def test_constants_and_absent_inputs_have_no_lifetime() -> None:
    found = lifetimes([Step((0, 9, -1), (1,))], inputs=[0], outputs=[1])
    assert 9 not in found and -1 not in found


def test_a_temporary_lives_for_its_operator_only() -> None:
    found = lifetimes([Step((0,), (1,)), Step((1,), (2,), (7,))], inputs=[0], outputs=[2])
    assert found[7] == Lifetime(1, 1)


def test_reading_an_alias_keeps_its_root() -> None:
    plan = [Step((0,), (1,)), Step((1,), (2,)), Step((0,), (3,)), Step((2, 3), (4,)), Step((4,), (5,))]
    found = lifetimes(plan, inputs=[0], outputs=[5], aliases={2: 1})
    assert found[1] == Lifetime(0, 3)
    assert found[2] == Lifetime(1, None)  # the runtime never gives an alias back
    assert of_aliases(plan, found, {2: 1}) == {2: Lifetime(1, 3)}


def test_an_alias_that_nobody_reads_does_not_keep_its_root() -> None:
    plan = [Step((0,), (1,)), Step((1,), (2,)), Step((0,), (3,))]
    found = lifetimes(plan, inputs=[0], outputs=[3], aliases={2: 1})
    assert found[1] == Lifetime(0, 1)
    assert of_aliases(plan, found, {2: 1}) == {2: Lifetime(1, 1)}


def test_an_alias_of_a_kept_tensor_is_needed_until_it_is_read() -> None:
    plan = [Step((0,), (1,)), Step((1,), (2,)), Step((2,), (3,)), Step((3,), (4,))]
    found = lifetimes(plan, inputs=[0], outputs=[1, 4], aliases={2: 1})
    assert found[1] == Lifetime(0, None)
    assert of_aliases(plan, found, {2: 1}) == {2: Lifetime(1, 2)}


def test_nothing_ends_when_everything_is_preserved() -> None:
    plan = [Step((0,), (1,), (5,)), Step((1,), (2,))]
    found = lifetimes(plan, inputs=[0], outputs=[2], preserve_all=True)
    assert all(life.last is None for life in found.values())


def test_a_read_before_the_producer_does_not_count() -> None:
    found = lifetimes([Step((1,), (2,)), Step((0,), (1,))], inputs=[0], outputs=[2])
    assert found[1] == Lifetime(1, None)


def test_variables_live_throughout() -> None:
    found = lifetimes([Step((0, 4), (1,))], inputs=[0], outputs=[1], variables=[4])
    assert found[4] == Lifetime(0, None)


@pytest.mark.parametrize("seed", range(40))
def test_agrees_with_the_executable_check_of_the_planner_rules(seed: int) -> None:
    if not REFERENCE.exists():
        pytest.skip("../shared/design/reference_planner.py is not here")
    spec = importlib.util.spec_from_file_location("reference_planner", REFERENCE)
    assert spec is not None and spec.loader is not None
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    rng = random.Random(seed)
    nodes, tensors = [], [0, 1]
    for _ in range(rng.randint(1, 40)):
        read = [rng.choice([*tensors, -1]) for _ in range(rng.randint(1, 3))]
        made = [len(tensors) + i for i in range(rng.randint(1, 3))]
        tensors += made
        nodes.append(("CUSTOM", read, made))
    outputs = rng.sample(tensors[2:], 1)
    planned = reference.plan(
        [64] * len(tensors), ["rw"] * len(tensors), nodes, [0, 1], outputs, [], [[] for _ in nodes],
        reference.profile("litert"),
    )  # fmt: skip
    found = lifetimes([Step(tuple(i), tuple(o)) for _, i, o in nodes], inputs=[0, 1], outputs=outputs)
    for tensor in tensors:
        last = planned["last"][tensor]
        assert found[tensor] == Lifetime(planned["first"][tensor], None if last == reference.NA else last)
