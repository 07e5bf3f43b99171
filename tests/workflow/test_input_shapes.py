"""What a request means for a model's inputs, and words for what cannot be meant."""

from __future__ import annotations

import pytest

from arenascope.domain.graph import Graph, Signature, Subgraph, Tensor
from arenascope.domain.whatif import input_shapes
from arenascope.errors import UsageError
from arenascope.workflow.inspect import InspectRequest


def model(*shapes: tuple[int, ...]) -> Graph:
    tensors = tuple(Tensor(i, f"in{i}", "float32", s, None, 0, 0, False) for i, s in enumerate(shapes))
    inputs = tuple(range(len(shapes)))
    signature = Signature("serve", 0, (("image", 0),), ())
    return Graph("m", "", 1, (Subgraph(0, "main", tensors, (), inputs, ()),), (signature,))


def test_a_batch_replaces_the_first_dimension_of_every_input() -> None:
    found = input_shapes(model((1, 28, 28), (1, 4), ()), InspectRequest(batch=8))
    assert found == {0: (8, 28, 28), 1: (8, 4)}


def test_a_named_shape_wins_over_the_batch_and_a_signatures_name_is_a_name() -> None:
    found = input_shapes(model((1, 28), (1, 4)), InspectRequest(batch=2, inputs={"image": (5, 28)}))
    assert found == {0: (5, 28), 1: (2, 4)}


def test_nothing_asked_changes_nothing() -> None:
    assert input_shapes(model((1, 28)), InspectRequest()) == {}


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (InspectRequest(batch=0), "from 1 to"),
        (InspectRequest(batch=-3), "from 1 to"),
        (InspectRequest(batch=10**12), "from 1 to"),
        (InspectRequest(inputs={"nobody": (1,)}), "no input named 'nobody'"),
        (InspectRequest(inputs={"in0": (1, 2, 3)}), "has 2 dimensions"),
        (InspectRequest(inputs={"in0": (0, 28)}), "outside 1 to"),
        (InspectRequest(inputs={"in0": (1, 2**31)}), "outside 1 to"),
    ],
)
def test_what_cannot_be_meant_is_said(request_: InspectRequest, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        input_shapes(model((1, 28)), request_)
    assert caught.value.hint


def test_a_model_of_scalars_has_no_batch() -> None:
    with pytest.raises(UsageError, match="no input with a batch dimension"):
        input_shapes(model(()), InspectRequest(batch=2))


def test_an_unknown_name_is_answered_with_few_and_clean_ones() -> None:
    many = model(*[(1,)] * 40)
    with pytest.raises(UsageError) as caught:
        input_shapes(many, InspectRequest(inputs={"nobody": (1,)}))
    assert caught.value.hint.endswith("and 29 more.") and "in0 [1], in1 [1]" in caught.value.hint
    odd = Tensor(0, "a\x1b[31m" + "x" * 999, "float32", (1,), None, 0, 0, False)
    graph = Graph("m", "", 1, (Subgraph(0, "main", (odd,), (), (0,), ()),), ())
    with pytest.raises(UsageError) as caught:
        input_shapes(graph, InspectRequest(inputs={"nobody": (1,)}))
    assert "\x1b" not in caught.value.hint and len(caught.value.hint) < 100
