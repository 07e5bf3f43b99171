"""Plans from the real runtime's shapes: what they agree with, what they refuse, what they ask again."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arenascope.domain.layout import ARENA_KINDS
from arenascope.domain.measurement import Status
from arenascope.domain.plan import Plan
from arenascope.domain.profiles import PROFILES, by_name
from arenascope.domain.reading import RawNode, RawSubgraph
from arenascope.domain.shapes import Delegation, Shapes
from arenascope.domain.whatif import WhatIf
from arenascope.errors import BoardError, Cancelled, InputError, UsageError
from arenascope.remote.shapes import Divide, Question, ShapeService
from arenascope.tflite.reader import read_model
from arenascope.workflow import planning as module
from arenascope.workflow.connect import connect
from arenascope.workflow.inspect import InspectRequest, inspect
from arenascope.workflow.jobs import CancelToken
from arenascope.workflow.planning import Planning, refused, this_machine
from tests.data import refusing
from tests.support.models import MODELS, own, shared

PROFILE = by_name("litert-2.3")
OLD = by_name("tflite-2.14")


@pytest.fixture
def planning() -> Iterator[Planning]:
    with Planning() as made:
        yield made


def plan(
    planning: Planning, model: Path, asked: WhatIf | None = None, profile: str = "", machine: str = "x86_64"
) -> Plan:
    rules = by_name(profile) if profile else PROFILE
    return planning.plan(model, read_model(model), asked or WhatIf(), rules, machine)


@pytest.mark.parametrize("delegate", ["none", "default"])
@pytest.mark.parametrize("batch", [None, 3])
@pytest.mark.parametrize("name", ["cnn_float", "cnn_int8", "mean", "fp16_weights", "two_signatures"])
def test_a_plan_for_this_computer_is_what_is_read_on_it(
    planning: Planning, name: str, batch: int | None, delegate: str
) -> None:
    model = own(f"{name}.tflite")
    planned = planning.plan(
        model, read_model(model), WhatIf(batch, delegate=delegate), planning.here(), this_machine()
    )
    request = InspectRequest(batch, delegate=delegate, invoke=False)
    with connect() as device:
        read = inspect(device, model, request).layout
    places = {p.key: (p.kind, p.offset, p.bytes) for p in read.placements if p.in_arena}
    assert {p.key: (p.kind, p.offset, p.bytes) for p in planned.layout.placements if p.in_arena} == places
    assert planned.totals.arena_rw == sum(a.bytes for a in read.arenas if a.kind is ARENA_KINDS[0])
    assert planned.totals.process_peak is None
    assert all(p.address is None for p in planned.layout.placements)


def test_many_are_what_each_is_alone_in_their_order(planning: Planning) -> None:
    """Twice the same, other knobs on the same shapes, and a refusal in the middle."""
    model = own("inplace_chain.tflite")
    graph = read_model(model)
    wanted = [
        WhatIf(),
        WhatIf(threads=2),
        WhatIf(batch=3),
        WhatIf(),
        WhatIf(delegate="none"),
        WhatIf(batch=3),
        WhatIf(inputs={graph.main.tensors[graph.main.inputs[0]].name: (2, 8)}, preserve_all=True),
    ]
    many = list(planning.plan_many(model, graph, wanted, PROFILE, "x86_64"))
    assert [made.asked for made in many] == wanted
    assert [made.refusal is not None for made in many] == [False, False, True, False, False, True, False]
    for asked, made in zip(wanted, many, strict=True):
        with Planning() as fresh:
            assert plan(fresh, model, asked) == made


def test_a_knob_that_changes_no_shape_asks_the_runtime_nothing(planning: Planning) -> None:
    model = own("cnn_float.tflite")
    first = plan(planning, model, WhatIf(batch=2))
    planning.close()
    assert planning._service.pid is None
    other = plan(planning, model, WhatIf(batch=2, threads=4), "litert-1.2", "aarch64")
    assert planning._service.pid is None
    assert other.inputs == first.inputs
    plan(planning, model, WhatIf(batch=3))
    assert planning._service.pid is not None


def test_answers_are_not_kept_for_ever(planning: Planning, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEPT", 8)
    model = own("cnn_float.tflite")
    graph = read_model(model)
    wanted = [WhatIf(batch=batch) for batch in (*range(1, 20), *range(1, 20))]
    made = list(planning.plan_many(model, graph, wanted, PROFILE, "x86_64"))
    assert [m.inputs["image"][0] for m in made] == [w.batch for w in wanted]
    assert len(planning._shapes) <= 8


@pytest.mark.parametrize(
    ("name", "operator", "tensor", "words"),
    [
        ("inplace_chain", "RESHAPE", None, "fixed shape [4, 4]"),
        ("lstm_fused", "UNIDIRECTIONAL_SEQUENCE_LSTM", "lstm/output_state", "fixed shape [1, 5]"),
        ("dynamic_reshape", "MUL", "zeros", "do not fit together"),
        ("while_loop", "WHILE", None, "does not take these shapes"),
    ],
)
def test_a_model_that_does_not_take_the_shapes_says_where_and_why(
    planning: Planning, name: str, operator: str, tensor: str | None, words: str
) -> None:
    made = plan(planning, own(f"{name}.tflite"), WhatIf(batch=3))
    assert made.refusal is not None
    assert made.refusal.operator_name == operator
    assert tensor is None or made.refusal.tensor_name == tensor
    assert words in made.refusal.reason
    assert made.refusal.said.endswith("failed to prepare.")
    assert made.layout.placements == ()
    assert made.totals.arena_rw is None
    error = refused(made)
    assert error is not None
    assert made.refusal.reason in error.message


@pytest.mark.parametrize(
    ("name", "operator"),
    [
        ("mnist_lstm_float", "UNIDIRECTIONAL_SEQUENCE_LSTM"),
        ("mnist_lstm_int8", "UNIDIRECTIONAL_SEQUENCE_LSTM"),
        ("lstm", "LSTM"),
        ("mobilenet_v2_1.0_224_quant", "RESHAPE"),
    ],
)
def test_real_models_that_keep_their_batch_say_so(planning: Planning, name: str, operator: str) -> None:
    made = plan(planning, shared(f"{name}.tflite"), WhatIf(batch=8))
    assert made.refusal is not None
    assert made.refusal.operator_name == operator
    assert made.refusal.tensor is not None


@pytest.mark.parametrize(
    ("made", "operator", "tensor", "words"),
    [
        (refusing.added, "ADD", "rows", "do not fit together"),
        (refusing.joined, "CONCATENATION", "token", "cannot join"),
        (refusing.detections, "TFLite_Detection_PostProcess", "boxes", "one image at a time"),
    ],
)
def test_each_way_to_refuse_a_batch_names_what_is_fixed(
    planning: Planning, tmp_path: Path, made: Callable[[], bytes], operator: str, tensor: str, words: str
) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(made())
    assert plan(planning, model).refusal is None
    refusal = plan(planning, model, WhatIf(batch=3)).refusal
    assert refusal is not None
    assert (refusal.operator_name, refusal.tensor_name) == (operator, tensor)
    assert words in refusal.reason
    with connect() as device:
        ran = inspect(device, model, InspectRequest(3, delegate="none"))
    assert ran.outcome.status is Status.FAILED


def test_a_model_that_looks_at_one_sample_is_noted(planning: Planning, tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(refusing.first_only())
    made = plan(planning, model, WhatIf(batch=3))
    assert made.refusal is None
    assert any("GATHER (operator 1)" in note and "stays [1, 8]" in note for note in made.notes)
    assert not plan(planning, model).notes


@pytest.mark.parametrize(
    ("made", "words"),
    [(refusing.hangs_in_its_run, "did not come to an end"), (refusing.crashes_in_its_run, "SIGABRT")],
)
def test_a_run_that_ends_badly_leaves_its_sizes_unknown(
    tmp_path: Path, made: Callable[[], bytes], words: str
) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(made())
    with Planning(limit=1.0) as planning:
        planning.runtime()  # the limit is for the model alone
        found = plan(planning, model)
        assert any(words in note and "unknown" in note for note in found.notes)
        assert found.planned.unknown
        assert found.delegation
        assert plan(planning, own("cnn_float.tflite")).refusal is None


def test_without_a_runtime_it_is_said_that_plans_need_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("ai_edge_litert", "tflite_runtime", "tensorflow"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(f"raise ImportError('no {package} here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Planning() as planning, pytest.raises(BoardError) as caught:
        plan(planning, own("cnn_float.tflite"))
    assert caught.value.board_code == "no_runtime"
    assert "no tflite_runtime here" in caught.value.detail
    assert caught.value.hint


def test_an_output_that_stops_following_is_noted(planning: Planning) -> None:
    made = plan(planning, own("transpose_conv.tflite"), WhatIf(batch=3))
    assert made.refusal is None
    assert any(
        "TRANSPOSE_CONV (operator 0)" in note and "stays [1, 16, 16, 2]" in note for note in made.notes
    )


@pytest.mark.parametrize("name", ["crash_load", "crash_allocate", "unknown_operator"])
def test_a_model_that_the_runtime_cannot_take_is_an_error_and_the_next_has_a_plan(
    planning: Planning, name: str
) -> None:
    with pytest.raises(InputError) as caught:
        plan(planning, own(f"{name}.tflite"))
    assert f"{name}.tflite" in caught.value.message
    assert caught.value.hint
    assert plan(planning, own("cnn_float.tflite")).refusal is None


@pytest.mark.parametrize("name", ["crash_invoke", "crash_input", "hang_while"])
def test_nothing_runs_for_a_plan_so_what_would_end_a_run_does_not_end_it(
    planning: Planning, name: str
) -> None:
    assert plan(planning, own(f"{name}.tflite")).totals.arena_rw


def test_a_runtime_that_says_nothing_is_told_with_its_limit() -> None:
    with Planning(limit=0.01) as planning:
        planning.runtime()
        assert planning._service.pid is not None
        os.kill(planning._service.pid, signal.SIGSTOP)
        with pytest.raises(InputError, match=r"within 0\.01 s"):
            plan(planning, own("cnn_float.tflite"))


def test_sizes_that_a_run_told_are_noted(planning: Planning) -> None:
    made = plan(planning, own("dynamic_where.tflite"))
    assert any("run with zeros" in note for note in made.notes)
    assert made.planned.unknown


def test_a_run_that_fails_leaves_them_unknown(planning: Planning) -> None:
    made = plan(planning, own("refused_invoke.tflite"), WhatIf(delegate="none"))
    assert made.refusal is None
    assert any("failed" in note for note in made.notes)


def test_a_refusal_inside_a_run_is_one_only_where_the_files_shapes_run(planning: Planning) -> None:
    model = shared("dynamic_shapes.tflite")
    made = plan(planning, model, WhatIf(batch=3))
    assert made.refusal is not None
    assert made.refusal.operator_name == "BATCH_MATMUL"
    assert plan(planning, model).refusal is None


@pytest.mark.parametrize("model", MODELS or [own("cnn_float.tflite")], ids=lambda path: path.name)
def test_a_larger_batch_alone_changes_nothing_for_the_delegate(model: Path) -> None:
    """So one answer about the delegate serves a whole sweep."""
    graph = read_model(model)
    shapes = {
        index: (2, *graph.main.tensors[index].shape[1:])
        for index in graph.main.inputs
        if graph.main.tensors[index].shape
    }
    if not shapes or model.name == "conv_huge_im2col.tflite":  # 1.2 GiB more than the first needs
        shapes = {}
    with ShapeService() as service:
        found = [
            answer.divided
            for answer in service.shapes(
                model, [Question({}, Divide(inputs, preserve_all=False)) for inputs in ({}, shapes)], 120.0
            )
        ]
    once, twice = found
    assert once
    assert twice
    assert _divisions(once) == _divisions(twice)


def _divisions(subgraphs: Iterable[RawSubgraph]) -> list[Any]:
    """The delegate's nodes and the plan. Scratch tensors are left out: kernels may refuse the batch."""
    return [
        (s.plan, [(n.index, n.inputs, n.outputs) for n in s.nodes or () if n.delegate]) for s in subgraphs
    ]


@pytest.mark.parametrize(
    ("asked", "profile", "words"),
    [
        (WhatIf(), "tflite-2.7", "has no delegate"),
        (WhatIf(preserve_all=True), "tflite-2.14", "all tensors are to be preserved"),
    ],
)
def test_runtimes_without_a_delegate_are_planned_without_one(
    planning: Planning, asked: WhatIf, profile: str, words: str
) -> None:
    model = own("cnn_float.tflite")
    made = plan(planning, model, asked, profile)
    assert made.delegation == ""
    assert any(words in note for note in made.notes)
    alone = plan(planning, model, replace(asked, delegate="none"), profile)
    assert alone.layout == made.layout
    assert not any("delegate" in note for note in alone.notes)


def test_old_runtimes_refuse_the_delegate_for_tensors_of_unknown_size(planning: Planning) -> None:
    made = plan(planning, own("dynamic_where.tflite"), profile="tflite-2.14")
    assert made.delegation == ""
    assert any("refuses the delegate" in note for note in made.notes)


def test_the_division_of_another_runtime_is_told_to_be_this_computers(planning: Planning) -> None:
    model = own("cnn_float.tflite")
    here = plan(planning, model, machine=this_machine())
    assert here.delegation.endswith("on this computer")
    assert not any("divide" in note for note in here.notes)
    there = plan(planning, model, profile="tflite-2.14", machine="aarch64")
    assert there.delegation == here.delegation
    assert any("may divide it otherwise" in note for note in there.notes)


def test_the_division_of_a_device_is_taken_where_it_is_given(planning: Planning) -> None:
    model = own("cnn_float.tflite")
    graph = read_model(model)
    plans = {
        0: tuple(RawNode(o.index, o.name, o.inputs, o.outputs, None, False) for o in graph.main.operators)
    }
    given = Delegation(plans, "tflite_runtime 2.14.0 on pi2")
    made = planning.plan(model, graph, WhatIf(), PROFILE, "x86_64", given)
    alone = plan(planning, model, WhatIf(delegate="none"))
    assert made.delegation == "tflite_runtime 2.14.0 on pi2"
    assert made.totals == alone.totals


def test_bytes_end_at_4_gib_on_a_32_bit_board_alone(planning: Planning) -> None:
    model = own("refused_allocate.tflite")  # 32 MiB for each of the batch
    asked = WhatIf(batch=128, delegate="none")
    assert plan(planning, model, asked, machine="aarch64").totals.arena_rw == 2 * 128 * 32 * 1024**2
    made = plan(planning, model, asked, machine="armv7l")
    assert made.refusal is not None
    assert "4,294,967,296" in made.refusal.reason
    assert plan(planning, model, replace(asked, batch=127), machine="armv7l").refusal is None


def test_an_arena_that_this_computer_cannot_hold_is_planned(planning: Planning) -> None:
    """Two times 512 TiB."""
    made = plan(planning, own("refused_allocate.tflite"), WhatIf(batch=2**24, delegate="none"))
    assert made.totals.arena_rw == 2**50


@pytest.mark.parametrize("asked", [WhatIf(batch=0), WhatIf(inputs={"nobody": (1,)}), WhatIf(threads=0)])
def test_a_request_that_makes_no_sense_is_told_before_anything_is_asked(
    planning: Planning, asked: WhatIf
) -> None:
    with pytest.raises(UsageError):
        plan(planning, own("cnn_float.tflite"), asked)


def test_a_cancel_ends_a_sweep(planning: Planning) -> None:
    model, token = own("cnn_float.tflite"), CancelToken()
    graph = read_model(model)
    sweep = planning.plan_many(
        model, graph, (WhatIf(batch=b) for b in range(1, 10**6)), PROFILE, "x86_64", cancel=token
    )
    next(sweep)
    token.cancel()
    with pytest.raises(Cancelled):
        next(sweep)
    assert plan(planning, model, WhatIf(batch=5)).inputs["image"][0] == 5


@pytest.mark.parametrize("profile", PROFILES)
def test_every_runtime_can_be_planned_for(planning: Planning, profile: str) -> None:
    made = plan(planning, own("cnn_float.tflite"), profile=profile, machine="armv7l")
    assert made.totals.arena_rw
    assert made.profile.name == profile


def test_a_reading_without_scratch_tensors_says_so() -> None:
    """As on computers where the runtime's own records cannot be read."""
    model = own("mean.tflite")
    graph = read_model(model)
    with ShapeService() as service:
        (answer,) = service.shapes(model, [Question({})], 60.0)
    shapes = module._shapes_of(answer, graph, {}, "here")
    assert isinstance(shapes, Shapes)
    assert not shapes.notes
    poorer = tuple(replace(s, source="public interface", nodes=None, plan=None) for s in answer.allocated)
    shapes = module._shapes_of(replace(answer, allocated=poorer), graph, {}, "here")
    assert isinstance(shapes, Shapes)
    assert any("does not show scratch tensors" in note for note in shapes.notes)
