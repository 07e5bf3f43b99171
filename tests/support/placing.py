"""A small planner for captures of tests: tensors in, places without overlaps out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from arenascope.domain.graph import tensor_bytes
from arenascope.domain.layout import Arena, Kind, Placement

ALIGNMENT = 64
ARENA_BASE = 0xB3C0_1040
PERSISTENT_BASE = 0xB3A0_0040


@dataclass(frozen=True)
class Slot:
    """A tensor before it has a place."""

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    kind: Kind
    first: int | None
    last: int | None
    producer: int | None = None
    consumers: tuple[int, ...] = ()
    temporary: bool = False

    @property
    def bytes(self) -> int:
        size = tensor_bytes(self.dtype, self.shape)
        assert size is not None
        return size


def place(
    subgraph: int, slots: Iterable[Slot], base: int, persistent_base: int
) -> tuple[tuple[Placement, ...], tuple[Arena, ...]]:
    """Largest first, each at the lowest offset that is free for its whole life."""
    slots = list(slots)
    final = max((s.last or s.first or 0 for s in slots), default=0)
    offsets: dict[int, int] = {}
    for kind in (Kind.ARENA_RW, Kind.ARENA_RW_PERSISTENT):
        busy: dict[int, list[Slot]] = {}  # step → what lies in the arena then
        for slot in sorted((s for s in slots if s.kind is kind), key=lambda s: (-s.bytes, s.index)):
            steps = range(slot.first or 0, (final if slot.last is None else slot.last) + 1)
            others = {other.index: other for step in steps for other in busy.get(step, ())}
            offset = 0
            for other in sorted(others.values(), key=lambda s: offsets[s.index]):
                if offsets[other.index] < offset + slot.bytes:
                    end = offsets[other.index] + other.bytes
                    offset = max(offset, -(-end // ALIGNMENT) * ALIGNMENT)
            offsets[slot.index] = offset
            for step in steps:
                busy.setdefault(step, []).append(slot)
    bases = {Kind.ARENA_RW: base, Kind.ARENA_RW_PERSISTENT: persistent_base}
    placements = tuple(
        Placement(
            subgraph, s.index, s.name, s.dtype, s.shape, s.bytes, s.kind,
            _address(s, offsets, bases), offsets.get(s.index), s.first, s.last,
            s.producer, s.consumers, s.temporary,
        )
        for s in slots
    )  # fmt: skip
    arenas = tuple(
        Arena(subgraph, kind, start, max(p.offset + p.bytes for p in inside))  # type: ignore[operator]
        for kind, start in bases.items()
        if (inside := [p for p in placements if p.kind is kind])
    )
    return placements, arenas


def _address(slot: Slot, offsets: dict[int, int], bases: dict[Kind, int]) -> int | None:
    if slot.kind in bases:
        return bases[slot.kind] + offsets[slot.index]
    return 0xB5D0_0000 + slot.index * 0x1000 if slot.kind is Kind.MMAP_RO else None
