"""A plan held against what a real interpreter did: every tensor's place, every arena's size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .layout import ARENA_KINDS, Kind, MemoryLayout, Placement
from .plan import Planned
from .reading import RawSubgraph, RawTensor, bases
from .whatif import WhatIf

AFTER_INVOKE = "after_invoke"  #: RawSubgraph.when
_GIVEN_BACK = "The arenas of a subgraph exist only while its operator runs, and could not be read."
_NOT_RUN = "The runtime there did not come to the end of a run, which places the rest."


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


def compare(planned: Planned, real: Iterable[RawSubgraph], *, ran: bool = True) -> Comparison:
    """Places as offsets in their arena. What the plan calls unknown is counted, not compared; so is what a
    run would have placed that failed there (not ``ran``)."""
    unknown = {(u.subgraph, t) for u in planned.unknown for t in u.tensors}
    here = dict(_planned(planned.layout))
    there = {key: place for raw in real for key, place in _real(raw)}
    if not ran:
        unknown |= here.keys() ^ there.keys()
    read = {subgraph for subgraph, _ in there}
    hidden = {key for key in here if key[0] and key[0] not in read}
    unknown |= hidden
    keys = sorted(here.keys() | there.keys())
    differences = tuple(
        Difference(*key, _name(planned.layout, key), here.get(key), there.get(key))
        for key in keys
        if key not in unknown and here.get(key) != there.get(key)
    )
    open_ = sum(1 for key in keys if key in unknown)
    reasons = [u.reason for u in planned.unknown]
    reasons += [_NOT_RUN] * (not ran) + [_GIVEN_BACK] * bool(hidden)
    return Comparison(len(keys), differences, open_, tuple(dict.fromkeys(reasons)))


def _planned(layout: MemoryLayout) -> Iterator[tuple[tuple[int, int], tuple[Kind, int, int]]]:
    for placement in layout.placements:
        if placement.in_arena and placement.offset is not None and placement.bytes is not None:
            yield placement.key, (placement.kind, placement.offset, placement.bytes)


def _real(raw: RawSubgraph) -> Iterator[tuple[tuple[int, int], tuple[Kind, int, int]]]:
    base, used = bases(raw.tensors), _used(raw)
    for tensor in raw.tensors:
        if _has_place(tensor) and (used is None or tensor.index in used):
            assert tensor.address is not None and tensor.bytes is not None
            place = (tensor.kind, tensor.address - base[tensor.kind], tensor.bytes)
            yield (raw.index, tensor.index), place


def _used(raw: RawSubgraph) -> set[int] | None:
    """What the plan that runs still needs: the interior of a delegate's partition may keep the address that
    it had before. None where the nodes could not be read."""
    if raw.nodes is None or raw.plan is None:
        return None
    found = {*raw.inputs, *raw.outputs, *raw.variables}
    for node in raw.running:
        found.update(node.inputs, node.outputs, node.temporaries or ())
    return found


def _has_place(tensor: RawTensor) -> bool:
    return tensor.kind in ARENA_KINDS and tensor.address is not None and bool(tensor.bytes)


def _placed(raw: RawSubgraph) -> int:
    return sum(1 for tensor in raw.tensors if _has_place(tensor))


def _name(layout: MemoryLayout, key: tuple[int, int]) -> str:
    found: Placement | None = layout.by_key.get(key)
    return found.name if found else ""


@dataclass(frozen=True)
class Verified:
    """One model with one runtime. ``results``: a comparison for each case; a text where there is none,
    empty where the plan and the runtime refuse alike. ``problem``: the file is no model."""

    model: str
    asked: Sequence[WhatIf]
    results: Sequence[Comparison | str]
    problem: str = ""

    @property
    def compared(self) -> tuple[tuple[WhatIf, Comparison], ...]:
        return tuple(
            (asked, result)
            for asked, result in zip(self.asked, self.results, strict=False)
            if isinstance(result, Comparison)
        )

    @property
    def refused(self) -> int:
        """Cases that the model does not take, as planned."""
        return sum(1 for result in self.results if result == "")

    @property
    def disagreements(self) -> tuple[tuple[WhatIf, str], ...]:
        """Cases of which only the plan, or only the runtime, says that the model takes them."""
        return tuple(
            (asked, result)
            for asked, result in zip(self.asked, self.results, strict=False)
            if isinstance(result, str) and result
        )

    @property
    def tensors(self) -> int:
        return sum(comparison.tensors for _, comparison in self.compared)

    @property
    def unknown(self) -> int:
        return sum(comparison.unknown for _, comparison in self.compared)

    @property
    def different(self) -> int:
        return sum(len(comparison.differences) for _, comparison in self.compared)

    @property
    def exact(self) -> bool:
        return not (self.different or self.disagreements)
