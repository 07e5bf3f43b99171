"""Which tensors are alive at a step, what they sum to, and where that sum is largest.

Tensors that share memory in place (a RESHAPE's output at its input's address) are counted once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from . import in_place
from .layout import Kind, MemoryLayout, Placement
from .memo import once_per_layout

Key = tuple[int, int]


@dataclass(frozen=True)
class AliveSet:
    """Tensors of one arena alive at ``step``, largest first. ``bytes`` counts shared memory once."""

    subgraph: int
    step: int
    tensors: tuple[Placement, ...]
    shared: frozenset[Key]  #: members of ``tensors`` that lie in another member's memory
    bytes: int


@once_per_layout
def shared_in_place(layout: MemoryLayout, subgraph: int = 0) -> dict[Key, Key]:
    """In-place outputs → the tensor in whose memory they lie (the root of a chain)."""

    def offset(index: int) -> int | None:
        placed = layout.by_key.get((subgraph, index))
        return placed.offset if placed and placed.kind is Kind.ARENA_RW and placed.in_arena else None

    found = in_place.roots(((node.inputs, node.outputs) for node in layout.plan(subgraph)), offset)
    return {(subgraph, output): (subgraph, root) for output, root in found.items()}


def alive_set(layout: MemoryLayout, step: int, subgraph: int = 0, kind: Kind = Kind.ARENA_RW) -> AliveSet:
    alive = [p for p in layout.in_arena(subgraph, kind) if p.alive_at(step)]
    alive.sort(key=lambda p: (-(p.bytes or 0), p.index))
    keys = {p.key for p in alive}
    roots = shared_in_place(layout, subgraph) if kind is Kind.ARENA_RW else {}
    shared = frozenset(k for k in keys if roots.get(k) in keys)
    total = sum(p.bytes or 0 for p in alive if p.key not in shared)
    return AliveSet(subgraph, step, tuple(alive), shared, total)


@once_per_layout
def alive_bytes(layout: MemoryLayout, subgraph: int = 0, kind: Kind = Kind.ARENA_RW) -> list[int]:
    """Bytes alive at each step of the plan, in O(tensors + steps)."""
    steps = len(layout.plan(subgraph))
    changes = [0] * (steps + 1)
    roots = shared_in_place(layout, subgraph) if kind is Kind.ARENA_RW else {}
    for placement in layout.in_arena(subgraph, kind):
        if placement.first_op is None or placement.first_op >= steps or placement.key in roots:
            continue
        end = steps if placement.last_op is None else min(placement.last_op + 1, steps)
        changes[placement.first_op] += placement.bytes or 0
        changes[end] -= placement.bytes or 0
    return list(_running(changes[:steps]))


@once_per_layout
def busiest_step(layout: MemoryLayout, subgraph: int = 0, kind: Kind = Kind.ARENA_RW) -> int | None:
    """The first step with the largest sum of bytes alive: no arena can be smaller than that sum."""
    sums = alive_bytes(layout, subgraph, kind)
    largest = max(sums, default=0)
    return sums.index(largest) if largest else None


@once_per_layout
def high_water_step(layout: MemoryLayout, subgraph: int = 0, kind: Kind = Kind.ARENA_RW) -> int | None:
    """The first step at which a tensor that reaches the top of the arena is alive."""
    arena = layout.arena(subgraph, kind)
    if arena is None:
        return None
    top = [
        p.first_op
        for p in layout.in_arena(subgraph, kind)
        if p.first_op is not None and p.offset is not None and p.offset + (p.bytes or 0) == arena.bytes
    ]
    return min(top, default=None)


def lower_bound(layout: MemoryLayout, subgraph: int = 0) -> int:
    """The largest sum of bytes alive at one operator of the subgraph, in its arena."""
    return max(alive_bytes(layout, subgraph), default=0)


def _running(changes: Iterable[int]) -> Iterable[int]:
    total = 0
    for change in changes:
        total += change
        yield total
