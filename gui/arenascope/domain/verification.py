"""A plan held against what a real interpreter did: every tensor's place, every arena's size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .layout import ARENA_KINDS, Kind, MemoryLayout, Placement
from .plan import Planned
from .reading import RawSubgraph, RawTensor, bases

AFTER_INVOKE = "after_invoke"  #: RawSubgraph.when


@dataclass(frozen=True, slots=True)
class Difference:
    """A tensor that lies elsewhere than planned. Places are None where there is none."""

    subgraph: int
    tensor: int
    name: str
    planned: tuple[Kind, int, int] | None  #: kind, offset, bytes
    real: tuple[Kind, int, int] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """``tensors`` have a place, planned or real; ``unknown`` of them the plan says nothing of."""

    tensors: int
    differences: tuple[Difference, ...]
    unknown: int
    reasons: tuple[str, ...]

    @property
    def exact(self) -> bool:
        return not self.differences

    @property
    def equal(self) -> int:
        return self.tensors - self.unknown - len(self.differences)


def latest(subgraphs: Iterable[RawSubgraph]) -> tuple[RawSubgraph, ...]:
    """One reading of each subgraph: the one after the invoke, unless its arena was given back by then."""
    found: dict[int, RawSubgraph] = {}
    for raw in subgraphs:
        if raw.index not in found or _placed(raw) >= _placed(found[raw.index]):
            found[raw.index] = raw
    return tuple(found[index] for index in sorted(found))


def compare(planned: Planned, real: Iterable[RawSubgraph]) -> Comparison:
    """Places as offsets in their arena. What the plan calls unknown is counted, not compared."""
    unknown = {(u.subgraph, t) for u in planned.unknown for t in u.tensors}
    here = dict(_planned(planned.layout))
    there = {key: place for raw in real for key, place in _real(raw)}
    keys = sorted(here.keys() | there.keys())
    differences = tuple(
        Difference(*key, _name(planned.layout, key), here.get(key), there.get(key))
        for key in keys
        if key not in unknown and here.get(key) != there.get(key)
    )
    open_ = sum(1 for key in keys if key in unknown)
    return Comparison(len(keys), differences, open_, tuple(dict.fromkeys(u.reason for u in planned.unknown)))


def _planned(layout: MemoryLayout) -> Iterator[tuple[tuple[int, int], tuple[Kind, int, int]]]:
    for placement in layout.placements:
        if placement.in_arena and placement.offset is not None and placement.bytes is not None:
            yield placement.key, (placement.kind, placement.offset, placement.bytes)


def _real(raw: RawSubgraph) -> Iterator[tuple[tuple[int, int], tuple[Kind, int, int]]]:
    base = bases(raw.tensors)
    for tensor in raw.tensors:
        if _has_place(tensor):
            assert tensor.address is not None and tensor.bytes is not None
            place = (tensor.kind, tensor.address - base[tensor.kind], tensor.bytes)
            yield (raw.index, tensor.index), place


def _has_place(tensor: RawTensor) -> bool:
    return tensor.kind in ARENA_KINDS and tensor.address is not None and bool(tensor.bytes)


def _placed(raw: RawSubgraph) -> int:
    return sum(1 for tensor in raw.tensors if _has_place(tensor))


def _name(layout: MemoryLayout, key: tuple[int, int]) -> str:
    found: Placement | None = layout.by_key.get(key)
    return found.name if found else ""
