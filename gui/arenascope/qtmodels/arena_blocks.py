"""The blocks of one arena as NumPy arrays: what the arena map draws, hits and sums.

Built once a capture; every question of a mouse move is then a comparison of arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..domain.alive import Key, alive_bytes, high_water_step
from ..domain.layout import Kind, MemoryLayout, Placement

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ArenaBlocks:
    """Row i of every array is ``placements[i]``. Bytes and steps; ``end`` is exclusive.

    A tensor without a first step (not planned) spans the whole program: its bytes are taken.
    """

    subgraph: int
    kind: Kind
    placements: tuple[Placement, ...]
    offset: Ints
    size: Ints
    first: Ints
    end: Ints
    steps: int
    arena_bytes: int
    sums: Ints  #: bytes alive at each step, memory shared in place counted once
    busiest: int | None  #: first step with the largest sum
    high_water: int | None  #: first step at which the top of the arena is in use
    rows: dict[Key, int]
    shares_memory: Bools  #: begins at the offset of another block that is still alive

    @classmethod
    def of(cls, layout: MemoryLayout, subgraph: int, kind: Kind = Kind.ARENA_RW) -> ArenaBlocks:
        placements = layout.in_arena(subgraph, kind)
        arena = layout.arena(subgraph, kind)
        planned = len(layout.plan(subgraph))
        steps = max([planned, *(max(p.last_op or 0, p.first_op or 0) + 1 for p in placements)])
        first = np.array([p.first_op or 0 for p in placements], np.int64)
        end = np.array(
            [steps if p.last_op is None or p.first_op is None else p.last_op + 1 for p in placements],
            np.int64,
        )
        sums = np.array(alive_bytes(layout, subgraph, kind), np.int64)
        offset = np.array([p.offset or 0 for p in placements], np.int64)
        size = np.array([p.bytes or 0 for p in placements], np.int64)
        return cls(
            subgraph=subgraph,
            kind=kind,
            placements=placements,
            offset=offset,
            size=size,
            first=first,
            end=end,
            steps=steps,
            arena_bytes=arena.bytes if arena is not None else int((offset + size).max(initial=0)),
            sums=sums,
            busiest=int(np.argmax(sums)) if sums.any() else None,
            high_water=high_water_step(layout, subgraph, kind),
            rows={p.key: row for row, p in enumerate(placements)},
            shares_memory=_shares_memory(offset, first, end),
        )

    def __len__(self) -> int:
        return len(self.placements)

    @property
    def lower_bound(self) -> int:
        """The largest sum of bytes alive at one step."""
        return int(self.sums.max(initial=0))

    def alive(self, step: int) -> Bools:
        """Mask of the rows whose block spans ``step``."""
        return (self.first <= step) & (step < self.end)

    def sum_at(self, step: int) -> int | None:
        """Bytes alive at ``step``; None where the plan has no such step."""
        return int(self.sums[step]) if 0 <= step < len(self.sums) else None

    def hit(self, x: float, y: float) -> int | None:
        """Row of the block at program position ``x`` and offset ``y``; of two there, the later born."""
        inside = (self.first <= x) & (x < self.end) & (self.offset <= y) & (y < self.offset + self.size)
        rows = np.flatnonzero(inside)
        if not len(rows):
            return None
        return int(rows[np.argmax(self.first[rows])])


def _shares_memory(offset: Ints, first: Ints, end: Ints) -> Bools:
    order = np.lexsort((first, offset))
    shares = np.zeros(len(order), bool)
    same = (offset[order][1:] == offset[order][:-1]) & (first[order][1:] < end[order][:-1])
    shares[order[1:][same]] = True
    return shares
