"""A planned layout and one that was read: which tensors lie elsewhere, or are larger."""

from __future__ import annotations

from dataclasses import dataclass

from .alive import Key
from .layout import MemoryLayout, Placement


@dataclass(frozen=True, slots=True)
class Difference:
    """One tensor. ``planned`` or ``read`` is None where only the other layout has it in an arena."""

    key: Key
    planned: Placement | None
    read: Placement | None

    @property
    def what(self) -> str:
        """'offset', 'size', 'offset and size', 'arena', 'only planned' or 'only read'."""
        if self.planned is None:
            return "only read"
        if self.read is None:
            return "only planned"
        if self.planned.kind is not self.read.kind:
            return "arena"
        changed = [
            name
            for name, a, b in (
                ("offset", self.planned.offset, self.read.offset),
                ("size", self.planned.bytes, self.read.bytes),
            )
            if a != b
        ]
        return " and ".join(changed)


@dataclass(frozen=True)
class LayoutDifference:
    """``tensors``: how many lie in an arena in either layout; ``differences`` in the order of their keys."""

    tensors: int
    differences: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        return not self.differences


def difference(planned: MemoryLayout, read: MemoryLayout) -> LayoutDifference:
    """Compares what lies in an arena; addresses and what lies elsewhere do not count."""
    ours, theirs = _in_arenas(planned), _in_arenas(read)
    keys = sorted(ours.keys() | theirs.keys())
    found = (Difference(key, ours.get(key), theirs.get(key)) for key in keys)
    return LayoutDifference(len(keys), tuple(d for d in found if d.what))


def _in_arenas(layout: MemoryLayout) -> dict[Key, Placement]:
    return {p.key: p for p in layout.placements if p.in_arena}
