"""The runtime's words about shapes it does not take → the operator, the tensor and the reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenascope.domain import refusals
from arenascope.domain.graph import Graph, Operator, Subgraph, Tensor
from arenascope.domain.layout import Kind
from arenascope.domain.reading import RawSubgraph, RawTensor


def tensor(
    index: int, shape: tuple[int, ...], *, constant: bool = False, variable: bool = False, name: str = ""
) -> Tensor:
    return Tensor(index, name or f"t{index}", "float32", shape, None, index, 4 if constant else 0, variable)


def graph(*operators: Operator, tensors: tuple[Tensor, ...], body: tuple[Operator, ...] = ()) -> Graph:
    main = Subgraph(0, "main", tensors, operators, (0,), (1,))
    return Graph("m", "", 0, (main, Subgraph(1, "body", tensors, body, (0,), (1,))))


def read(shapes: dict[int, tuple[int, ...]]) -> tuple[RawSubgraph, ...]:
    tensors = tuple(RawTensor(i, f"t{i}", "float32", s, 0, Kind.ARENA_RW, None) for i, s in shapes.items())
    return (RawSubgraph(0, "", "", (0,), (1,), (), tensors, None, None),)


X, Y = tensor(0, (1, 8)), tensor(1, (1, 4))
RESHAPE = Operator(0, "RESHAPE", (0, 2), (1,))
FIXED = tensor(2, (2,), constant=True, name="shape")


def test_a_reshape_names_its_fixed_shape_and_the_constant_that_holds_it() -> None:
    said = "num_input_elements != num_output_elements (16 != 4)Node number 0 (RESHAPE) failed to prepare."
    found = refusals.diagnose(said, graph(RESHAPE, tensors=(X, Y, FIXED)))
    assert (found.operator, found.operator_name, found.tensor, found.tensor_name) == (
        0,
        "RESHAPE",
        2,
        "shape",
    )
    assert "[1, 4] of 4 elements" in found.reason
    assert "16" in found.reason
    assert found.said == said


def test_a_state_of_fixed_batch_is_named_before_anything_else() -> None:
    state = tensor(2, (1, 20), variable=True, name="state")
    lstm = Operator(0, "UNIDIRECTIONAL_SEQUENCE_LSTM", (0, 2), (1,))
    said = (
        "tflite/kernels/unidirectional_sequence_lstm.cc:980 NumElements(output_state) != "
        "static_cast<int64_t>(n_batch) * n_output (20 != 60)"
        "Node number 0 (UNIDIRECTIONAL_SEQUENCE_LSTM) failed to prepare."
    )
    found = refusals.diagnose(said, graph(lstm, tensors=(X, Y, state)))
    assert found.tensor_name == "state"
    assert "variable of the fixed shape [1, 20]" in found.reason


def test_only_the_end_of_the_words_counts() -> None:
    """Messages of an interpreter accumulate; the last failure is the one that was raised."""
    old = "old (9 != 8)Node number 1 (ADD) failed to prepare."
    said = old + "x (16 != 4) num_output_elements Node number 0 (RESHAPE) failed to prepare."
    add = Operator(1, "ADD", (0, 1), (1,))
    found = refusals.diagnose(said, graph(RESHAPE, add, tensors=(X, Y, FIXED)))
    assert found.operator_name == "RESHAPE"


def test_in_a_loop_the_operator_of_its_body_is_named() -> None:
    loop = Operator(0, "WHILE", (0,), (1,), (1,))
    said = (
        "Given shapes, [3] and [2], are not broadcastable.Node number 0 (ADD) failed to prepare."
        "Node number 0 (WHILE) failed to prepare."
    )
    body = (Operator(0, "ADD", (0, 1), (1,)),)
    found = refusals.diagnose(said, graph(loop, tensors=(X, Y), body=body))
    assert (found.subgraph, found.operator_name) == (1, "ADD")


def test_shapes_that_do_not_fit_are_those_of_the_moment() -> None:
    add = Operator(0, "ADD", (0, 2), (1,))
    fixed = tensor(2, (1, 8), constant=True, name="bias")
    found = refusals.diagnose(
        "Given shapes, [4,9] and [1,8], are not broadcastable.Node number 0 (ADD) failed to prepare.",
        graph(add, tensors=(X, Y, fixed)),
        read({0: (4, 9), 1: (1, 4), 2: (1, 8)}),
    )
    assert "[4, 9]" in found.reason
    assert "“bias” has a fixed size" in found.reason
    assert found.tensor_name == "bias"


@pytest.mark.parametrize(
    ("name", "said", "words"),
    [
        ("CONV_2D", "Conv im2col elements (12441600000) exceed the 32-bit integer limit.", "12,441,600,000"),
        ("CONV_2D", "util.cc BytesRequired number of bytes overflowed.\n", "too large for the runtime"),
        ("CONCATENATION", "t->dims->data[d] != t0->dims->data[d] (3 != 1)", "cannot join"),
        ("FULLY_CONNECTED", "input_size % filter->dims->data[1] != 0", "no multiple of it"),
        (
            "TFLite_Detection_PostProcess",
            "SizeOfDimension(x, 0) != kBatchSize (2 != 1)",
            "one image at a time",
        ),
        ("GATHER", "something (7 != 3)", "7 instead of 3"),
        ("CONV_2D", "std::bad_alloc", "more memory than this computer"),
    ],
)
def test_each_kind_of_refusal_has_its_words(name: str, said: str, words: str) -> None:
    weights = tensor(2, (4, 8), constant=True, name="weights")
    operator = Operator(0, name, (0, 2), (1,))
    found = refusals.diagnose(
        f"{said}Node number 0 ({name}) failed to prepare.", graph(operator, tensors=(X, Y, weights))
    )
    assert words in found.reason
    assert name in found.reason
    assert found.operator == 0


def test_without_an_operator_the_input_is_meant() -> None:
    model = graph(RESHAPE, tensors=(X, Y, FIXED))
    assert (
        "constant in the file" in refusals.diagnose("Attempting to resize a fixed-size tensor.", model).reason
    )
    assert "more elements" in refusals.diagnose("BytesRequired number of bytes overflowed.", model).reason
    found = refusals.diagnose("anything else", model)
    assert (found.operator, "anything else" in found.reason) == (None, True)


@given(st.text(max_size=200), st.integers(-5, 50), st.sampled_from(["RESHAPE", "", "ADD", "(", "X (Y)"]))
def test_any_text_becomes_a_refusal(text: str, number: int, name: str) -> None:
    said = f"{text}Node number {number} ({name}) failed to prepare."
    found = refusals.diagnose(said, graph(RESHAPE, tensors=(X, Y, FIXED)))
    assert found.reason
    assert "\n" not in found.reason


def test_an_empty_text_is_only_missing_memory() -> None:
    assert refusals.is_out_of_memory("", "RuntimeError")
    assert refusals.is_out_of_memory("std::bad_alloc", "MemoryError")
    assert not refusals.is_out_of_memory("Node number 0 (ADD) failed to prepare.", "RuntimeError")


def test_a_negative_dimension_has_passed_32_bits() -> None:
    model = graph(replace(RESHAPE, outputs=(1,)), tensors=(X, Y, FIXED))
    assert refusals.overflow(read({0: (1, 8), 1: (1, 4)}), model) is None
    found = refusals.overflow(read({0: (1, 8), 1: (-4, 4)}), model)
    assert found is not None
    assert (found.operator, found.tensor) == (0, 1)


def test_what_refuses_only_when_it_runs_is_known_before() -> None:
    operator = Operator(0, "TFLite_Detection_PostProcess", (0,), (1,))
    model = graph(operator, tensors=(tensor(0, (1, 6, 4), name="boxes"), Y))
    assert refusals.in_a_run(model, read({0: (1, 6, 4)})) is None
    found = refusals.in_a_run(model, read({0: (3, 6, 4)}))
    assert found is not None
    assert (found.operator, found.tensor_name) == (0, "boxes")
