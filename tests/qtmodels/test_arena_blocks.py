"""The arrays behind the arena map agree with the domain, which counts one tensor at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from arenascope.domain.alive import alive_set, busiest_step, high_water_step, lower_bound
from arenascope.domain.layout import Kind, MemoryLayout
from arenascope.qtmodels.arena_blocks import ArenaBlocks
from tests.support.captures import big_capture, example_capture, loop_capture


@pytest.mark.parametrize(
    "layout",
    [example_capture().layout, loop_capture().layout, big_capture(300).layout],
    ids=["example", "loop", "big"],
)
def test_sums_and_steps_are_those_of_the_domain(layout: MemoryLayout) -> None:
    for subgraph in layout.subgraphs:
        for kind in (Kind.ARENA_RW, Kind.ARENA_RW_PERSISTENT):
            blocks = ArenaBlocks.of(layout, subgraph, kind)
            assert len(blocks) == len(layout.in_arena(subgraph, kind))
            assert blocks.busiest == busiest_step(layout, subgraph, kind)
            assert blocks.high_water == high_water_step(layout, subgraph, kind)
            for step in range(len(layout.plan(subgraph))):
                alive = alive_set(layout, step, subgraph, kind)
                assert blocks.sum_at(step) == alive.bytes
                here = {blocks.placements[row].key for row in np.flatnonzero(blocks.alive(step))}
                assert here == {p.key for p in alive.tensors}
        assert ArenaBlocks.of(layout, subgraph).lower_bound == lower_bound(layout, subgraph)


def test_a_point_belongs_to_the_block_around_it() -> None:
    blocks = ArenaBlocks.of(example_capture().layout, 0)
    for row, placement in enumerate(blocks.placements):
        middle = (blocks.first[row] + blocks.end[row]) / 2, blocks.offset[row] + blocks.size[row] / 2
        assert blocks.hit(*middle) == row, placement
    assert blocks.hit(-1, 0) is None
    assert blocks.hit(0.5, blocks.arena_bytes) is None


def test_of_two_tensors_in_the_same_memory_the_later_is_hit_and_marked() -> None:
    layout = example_capture().layout
    first = layout.by_key[(0, 22)]
    inside = layout.by_key[(0, 23)]
    shared = replace(inside, offset=first.offset, address=first.address, first_op=8)
    placements = tuple(shared if p.key == shared.key else p for p in layout.placements)
    blocks = ArenaBlocks.of(MemoryLayout(placements, layout.operators, layout.arenas), 0)
    assert first.last_op == shared.first_op
    assert blocks.shares_memory[blocks.rows[shared.key]]
    assert not blocks.shares_memory[blocks.rows[first.key]]
    assert blocks.hit(8.5, (first.offset or 0) + 1) == blocks.rows[shared.key]


def test_nothing_is_read_yet() -> None:
    blocks = ArenaBlocks.of(MemoryLayout((), (), ()), 0)
    assert (len(blocks), blocks.steps, blocks.busiest, blocks.lower_bound) == (0, 0, None, 0)
    assert blocks.hit(0, 0) is None
    assert blocks.sum_at(0) is None


def test_a_tensor_that_is_kept_reaches_to_the_last_step() -> None:
    blocks = ArenaBlocks.of(example_capture().layout, 0)
    kept = blocks.rows[(0, 0)]
    assert (blocks.first[kept], blocks.end[kept], blocks.steps) == (0, 12, 12)
