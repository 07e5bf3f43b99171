"""Raw readings joined with the file."""

from __future__ import annotations

from dataclasses import replace

from arenascope.domain.graph import Graph
from arenascope.domain.layout import Arena, Kind
from arenascope.domain.reading import RawNode, RawSubgraph, RawTensor, assemble

from .layouts import BASE, graph_of, layout_of


def test_offsets_count_from_the_lowest_address_and_the_arena_ends_at_its_highest_byte() -> None:
    layout = layout_of([("ADD", [0], [1])], {0: (0, 64), 1: (64, 100)}, inputs=[0], outputs=[1])
    assert layout.arenas == (Arena(0, Kind.ARENA_RW, BASE, 164),)
    assert [p.offset for p in layout.placements] == [0, 64]


def test_persistent_tensors_have_their_own_base_and_live_to_the_end() -> None:
    layout = layout_of(
        [("CONV_2D", [0], [1])],
        {0: (0, 64), 1: (64, 64), 2: (8192, 64)},
        inputs=[0],
        outputs=[1],
        temporaries={0: [2]},
        kinds={2: Kind.ARENA_RW_PERSISTENT},
    )
    kept = layout.by_key[0, 2]
    assert (kept.offset, kept.first_op, kept.last_op, kept.temporary) == (0, 0, None, True)
    assert kept.producer == 0 and kept.consumers == (0,)


def test_producers_and_consumers_are_operator_indices() -> None:
    layout = layout_of(
        [("A", [0], [1]), ("B", [1, 1], [2]), ("C", [1], [3])],
        {t: (64 * t, 64) for t in range(4)},
        inputs=[0],
        outputs=[3],
    )
    assert layout.by_key[0, 1].producer == 0
    assert layout.by_key[0, 1].consumers == (1, 2)


def test_a_replaced_operator_has_no_step_and_the_delegate_is_the_producer() -> None:
    graph = graph_of([("CONV_2D", [0], [1]), ("ADD", [1], [2])], 3, [0], [2])
    tensors = (
        RawTensor(0, "in", "float32", (16,), 64, Kind.ARENA_RW, BASE),
        RawTensor(1, "mid", "float32", (16,), 64, Kind.DELEGATE, None),
        RawTensor(2, "out", "float32", (16,), 64, Kind.ARENA_RW, BASE + 64),
    )
    nodes = (
        RawNode(0, "CONV_2D", (0,), (1,), (), False),
        RawNode(1, "ADD", (1,), (2,), (), False),
        RawNode(2, "DELEGATE", (0,), (2,), (), True),
    )
    raw = RawSubgraph(0, "after_invoke", "test", (0,), (2,), (), tensors, nodes, (2,))
    layout = assemble([raw], graph)
    assert [o.step for o in layout.operators] == [None, None, 0]
    assert layout.by_key[0, 2].producer == 2
    assert layout.by_key[0, 0].consumers == (2,)
    inside = layout.by_key[0, 1]
    assert (inside.offset, inside.first_op, inside.producer, inside.consumers) == (None, None, 0, (1,))


def test_without_the_runtimes_nodes_the_files_operators_stand_in() -> None:
    graph = graph_of([("ADD", [0], [1])], 2, [0], [1])
    tensors = (
        RawTensor(0, "in", "float32", (16,), 64, Kind.ARENA_RW, BASE),
        RawTensor(1, "out", "float32", (16,), 64, Kind.ARENA_RW, BASE + 64),
    )
    raw = RawSubgraph(0, "after_invoke", "public interface", (0,), (1,), (), tensors, None, None)
    layout = assemble([raw], graph)
    assert [(o.name, o.step, o.temporaries) for o in layout.operators] == [("ADD", 0, None)]
    assert layout.by_key[0, 1].producer == 0


def test_a_nameless_node_takes_its_name_from_the_file() -> None:
    graph = graph_of([("ADD", [0], [1])], 2, [0], [1])
    nodes = (RawNode(0, None, (0,), (1,), (), False),)
    raw = RawSubgraph(0, "after_invoke", "test", (0,), (1,), (), (), nodes, (0,))
    assert assemble([raw], graph).operators[0].name == "ADD"


def test_a_subgraph_that_the_file_does_not_have_is_still_shown() -> None:
    empty = Graph("x", "0" * 64, 1, ())
    raw = RawSubgraph(
        0, "after_invoke", "test", (0,), (), (),
        (RawTensor(0, "a", "float32", (1,), 4, Kind.ARENA_RW, BASE),), None, None,
    )  # fmt: skip
    layout = assemble([raw], empty)
    assert layout.by_key[0, 0].offset == 0
    assert layout.operators == ()


def test_tensors_without_bytes_have_no_offset_and_move_no_base() -> None:
    layout = layout_of([("ADD", [0], [1])], {0: (64, 64), 1: (128, 64), 2: (0, 0)}, inputs=[0], outputs=[1])
    assert layout.by_key[0, 2].offset is None
    assert layout.arenas[0].base == BASE + 64


def test_everything_preserved_has_no_end() -> None:
    plan = [("A", [0], [1]), ("B", [1], [2])]
    offsets = {t: (64 * t, 64) for t in range(3)}
    layout = layout_of(plan, offsets, inputs=[0], outputs=[2], preserve_all=True)
    assert all(p.last_op is None for p in layout.placements)
    assert replace(layout.placements[0], last_op=3).last_op == 3
