"""An output that does not follow the inputs, and the operator at which it stops."""

from __future__ import annotations

from arenascope.domain import following
from arenascope.domain.graph import Graph, Operator, Subgraph, Tensor
from arenascope.domain.layout import Kind
from arenascope.domain.reading import RawSubgraph, RawTensor

#: input → TANH → GATHER (of a constant row) → TANH, and a SHAPE of the input on the side.
OPERATORS = (
    Operator(0, "SHAPE", (0,), (4,)),
    Operator(1, "TANH", (0,), (1,)),
    Operator(2, "GATHER", (1, 4), (2,)),
    Operator(3, "TANH", (2,), (3,)),
)
FILE = [(1, 8), (1, 8), (1, 4), (1, 4), (2,)]


def graph(outputs: tuple[int, ...] = (3,)) -> Graph:
    tensors = tuple(Tensor(i, f"t{i}", "float32", s, None, 0, 0, False) for i, s in enumerate(FILE))
    return Graph("m", "", 0, (Subgraph(0, "main", tensors, OPERATORS, (0,), outputs),))


def read(shapes: list[tuple[int, ...]], dynamic: int | None = None) -> RawSubgraph:
    tensors = tuple(
        RawTensor(i, "", "float32", s, 0, Kind.DYNAMIC if i == dynamic else Kind.ARENA_RW, None)
        for i, s in enumerate(shapes)
    )
    return RawSubgraph(0, "", "", (0,), (3,), (), tensors, None, None)


def test_the_first_operator_behind_which_nothing_changes_is_named() -> None:
    note = following.note(graph(), read([(5, 8), (5, 8), (1, 4), (1, 4), (2,)]), {0: (5, 8)})
    assert note is not None
    assert "GATHER (operator 2)" in note
    assert "“t3” stays [1, 4]" in note


def test_nothing_is_said_where_the_output_follows() -> None:
    assert following.note(graph(), read([(5, 8), (5, 8), (5, 4), (5, 4), (2,)]), {0: (5, 8)}) is None


def test_nothing_is_said_where_nothing_was_asked_for() -> None:
    assert following.note(graph(), read(FILE), {}) is None


def test_an_operator_that_tells_a_shape_is_not_where_it_stops() -> None:
    """SHAPE reads what changed and makes two numbers, whatever it reads."""
    note = following.note(graph((4,)), read([(5, 8), (5, 8), (5, 4), (5, 4), (2,)]), {0: (5, 8)})
    assert note is None


def test_what_only_a_run_can_tell_is_left_out() -> None:
    """Behind an output that is sized when it runs, tensors have the file's shapes until then."""
    shapes = [(5, 8), (5, 8), (1, 4), (1, 4), (2,)]
    assert following.note(graph(), read(shapes, dynamic=2), {0: (5, 8)}) is None


def test_a_delegate_that_takes_the_operator_may_follow() -> None:
    shapes = [(5, 8), (5, 8), (1, 4), (1, 4), (2,)]
    notes = [following.note(graph(), read(shapes), {0: (5, 8)}, left) for left in (None, {2}, {0, 1})]
    assert [note is not None and "the delegate" in note for note in notes] == [False, False, True]
