"""Where the tensors of a model lie: placements, arenas, and what can be asked of them.

The same shape serves a layout that was read on a device and one that was planned
(``address`` is None then). Addresses and offsets are bytes; steps are positions in the
execution plan, inclusive on both ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from .memo import once_per_layout


class Kind(StrEnum):
    """The runtime's own allocation types (tflite-memory.md §1), lower case."""

    MMAP_RO = "mmap_ro"
    ARENA_RW = "arena_rw"
    ARENA_RW_PERSISTENT = "arena_rw_persistent"
    DYNAMIC = "dynamic"
    PERSISTENT_RO = "persistent_ro"
    CUSTOM = "custom"
    DELEGATE = "delegate"  #: interior of a delegated partition: no address
    NONE = "none"  #: no data at all (empty scratch slot, tensor without bytes, not prepared)


ARENA_KINDS = (Kind.ARENA_RW, Kind.ARENA_RW_PERSISTENT)


@dataclass(frozen=True, slots=True)
class Placement:
    """One tensor and its place. ``last_op`` None: kept to the end. ``first_op`` None: not planned.

    ``producer`` and ``consumers`` are operator indices of its subgraph (not steps).
    ``bytes`` is None where it is not known. ``shape`` is None for a tensor without dimensions yet.
    """

    subgraph: int
    index: int
    name: str
    dtype: str
    shape: tuple[int, ...] | None
    bytes: int | None
    kind: Kind
    address: int | None
    offset: int | None
    first_op: int | None
    last_op: int | None
    producer: int | None
    consumers: tuple[int, ...]
    temporary: bool

    @property
    def key(self) -> tuple[int, int]:
        """Identity of a tensor in a capture: (subgraph, index)."""
        return (self.subgraph, self.index)

    @property
    def in_arena(self) -> bool:
        return self.kind in ARENA_KINDS and self.offset is not None and bool(self.bytes)

    def alive_at(self, step: int) -> bool:
        return (
            self.first_op is not None
            and self.first_op <= step
            and (self.last_op is None or step <= self.last_op)
        )


@dataclass(frozen=True, slots=True)
class PlacedOperator:
    """One node. ``step`` is its position in the execution plan; None: a delegate runs it instead.

    A delegate's partition is a node of its own, named DELEGATE, with index beyond the file's.
    """

    subgraph: int
    index: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    temporaries: tuple[int, ...] | None
    step: int | None

    @property
    def is_delegate(self) -> bool:
        """Whether it stands for a partition, not for an operator of the file."""
        return self.name == "DELEGATE"


@dataclass(frozen=True, slots=True)
class Arena:
    """One block of memory that tensors share. ``bytes`` = max(offset + bytes) of its tensors."""

    subgraph: int
    kind: Kind
    base: int | None
    bytes: int


@dataclass(frozen=True)
class Overlap:
    """Two tensors whose bytes overlap while both are still needed: wrong results."""

    first: tuple[int, int]
    second: tuple[int, int]
    step: int
    bytes: int


@dataclass(frozen=True)
class MemoryLayout:
    """All placements of a model. Indexed by (subgraph, tensor index)."""

    placements: tuple[Placement, ...]
    operators: tuple[PlacedOperator, ...]
    arenas: tuple[Arena, ...]

    @cached_property
    def by_key(self) -> dict[tuple[int, int], Placement]:
        return {p.key: p for p in self.placements}

    @cached_property
    def subgraphs(self) -> tuple[int, ...]:
        return tuple(sorted({p.subgraph for p in self.placements}))

    @cached_property
    def _operators_by_key(self) -> dict[tuple[int, int], PlacedOperator]:
        return {(o.subgraph, o.index): o for o in self.operators}

    def operator(self, subgraph: int, index: int) -> PlacedOperator | None:
        return self._operators_by_key.get((subgraph, index))

    def operator_name(self, subgraph: int, index: int) -> str:
        """'CONV_2D', or '' for an operator that is not there."""
        found = self.operator(subgraph, index)
        return found.name if found else ""

    @once_per_layout
    def plan(self, subgraph: int = 0) -> tuple[PlacedOperator, ...]:
        """Operators of a subgraph in execution order."""
        ops = [o for o in self.operators if o.subgraph == subgraph and o.step is not None]
        return tuple(sorted(ops, key=lambda o: o.step if o.step is not None else -1))

    def arena(self, subgraph: int, kind: Kind = Kind.ARENA_RW) -> Arena | None:
        return next((a for a in self.arenas if a.subgraph == subgraph and a.kind == kind), None)

    @once_per_layout
    def in_arena(self, subgraph: int, kind: Kind = Kind.ARENA_RW) -> tuple[Placement, ...]:
        return tuple(p for p in self.placements if p.subgraph == subgraph and p.kind == kind and p.in_arena)
