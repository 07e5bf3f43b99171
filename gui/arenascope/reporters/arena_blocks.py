"""What there is to draw of one arena: blocks in steps and bytes, before anything has a place on paper."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..domain.alive import alive_bytes, busiest_step, high_water_step
from ..domain.layout import ARENA_KINDS, Kind, MemoryLayout, Overlap, Placement
from ..domain.overlaps import find_overlaps
from ..domain.roles import role_of


@dataclass(frozen=True, slots=True)
class Block:
    """A tensor's place: steps ``first`` to ``end`` (exclusive), bytes ``low`` to ``high`` (exclusive)."""

    placement: Placement
    role: str
    first: int
    end: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Clash:
    """Where two blocks that are both needed lie on one another."""

    overlap: Overlap
    names: tuple[str, str]
    first: int
    end: int
    low: int
    high: int


@dataclass(frozen=True)
class ArenaBlocks:
    """One arena. ``sums``: bytes alive at each step; ``bound`` the largest of them."""

    subgraph: int
    kind: Kind
    bytes: int
    steps: int
    operators: tuple[str, ...]
    blocks: tuple[Block, ...]
    clashes: tuple[Clash, ...]
    sums: tuple[int, ...]
    bound: int
    busiest: int | None
    high_water: int | None

    @property
    def title(self) -> str:
        name = "Persistent arena" if self.kind is Kind.ARENA_RW_PERSISTENT else "Arena"
        return f"{name} of subgraph {self.subgraph}" if self.subgraph else name

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that occur."""
        return tuple(dict.fromkeys(b.role for b in self.blocks))


def arenas_of(layout: MemoryLayout) -> tuple[ArenaBlocks, ...]:
    """Every arena that holds a tensor, the main one first."""
    overlaps = find_overlaps(layout)
    found = (
        _arena(layout, subgraph, kind, overlaps) for subgraph in layout.subgraphs for kind in ARENA_KINDS
    )
    return tuple(arena for arena in found if arena.blocks)


def _arena(layout: MemoryLayout, subgraph: int, kind: Kind, overlaps: Iterable[Overlap]) -> ArenaBlocks:
    plan = layout.plan(subgraph)
    steps = max(1, len(plan))
    blocks = tuple(_block(p, steps) for p in layout.in_arena(subgraph, kind))
    by_key = {b.placement.key: b for b in blocks}
    arena = layout.arena(subgraph, kind)
    sums = tuple(alive_bytes(layout, subgraph, kind))
    return ArenaBlocks(
        subgraph=subgraph,
        kind=kind,
        bytes=max(arena.bytes if arena else 0, max((b.high for b in blocks), default=0)),
        steps=steps,
        operators=tuple(o.name for o in plan),
        blocks=blocks,
        clashes=tuple(
            _clash(o, by_key[o.first], by_key[o.second])
            for o in overlaps
            if o.first in by_key and o.second in by_key
        ),
        sums=sums,
        bound=max(sums, default=0),
        busiest=busiest_step(layout, subgraph, kind),
        high_water=high_water_step(layout, subgraph, kind),
    )


def _block(p: Placement, steps: int) -> Block:
    """A tensor that no step was planned for takes its bytes for the whole program."""
    first = min(p.first_op or 0, steps - 1)
    end = steps if p.first_op is None or p.last_op is None else min(p.last_op + 1, steps)
    low = p.offset or 0
    return Block(p, role_of(p), first, max(end, first + 1), low, low + (p.bytes or 0))


def _clash(overlap: Overlap, a: Block, b: Block) -> Clash:
    first = max(a.first, b.first)
    return Clash(
        overlap,
        (a.placement.name, b.placement.name),
        first,
        max(first + 1, min(a.end, b.end)),
        max(a.low, b.low),
        min(a.high, b.high),
    )
