"""Events of an inspection on the wire → raw readings of the domain. Nothing that arrives is trusted.

Any shape that the protocol does not know raises WireError; nothing else can come out of bad input.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ..domain.attribution import STEPS, Mapped, ProcessReading
from ..domain.layout import Kind
from ..domain.reading import RawNode, RawSubgraph, RawTensor
from ..errors import WireError
from .translate import shown

_MAX_SUBGRAPHS = 10_000
_MAX_TENSORS = 1_000_000  # of all subgraphs together
_MAX_NAME = 4096
_KINDS = {k.value: k for k in Kind}


@dataclass
class ReadingCollector:
    """Takes the events in their order; a later reading of a subgraph replaces the earlier one.

    What arrives is taken apart at once: as it came, it may be thirty times as large as its text.
    """

    _heads: dict[int, RawSubgraph] = field(default_factory=dict)
    _tensors: dict[int, list[RawTensor]] = field(default_factory=dict)
    _tensors_held: int = 0
    _memory: ProcessReading | None = None

    def feed(self, name: str, data: dict[str, Any]) -> bool:
        """True if the event was part of a reading."""
        if name == "subgraph":
            index = _count(data, "index")
            if index not in self._heads and len(self._heads) == _MAX_SUBGRAPHS:
                raise WireError(f"The reading has more than {_MAX_SUBGRAPHS} subgraphs.")
            self._heads[index] = _subgraph(data)
            self._tensors_held -= len(self._tensors.get(index, ()))
            self._tensors[index] = []
        elif name == "tensors":
            index = _count(data, "subgraph")
            if index not in self._tensors:
                raise WireError(f"Tensors of subgraph {index} came before the subgraph itself.")
            rows = _list(data, "tensors")
            self._tensors_held += len(rows)
            if self._tensors_held > _MAX_TENSORS:
                raise WireError(f"The reading has more than {_MAX_TENSORS} tensors.")
            self._tensors[index].extend(_tensor(row) for row in rows)
        elif name == "memory":
            self._memory = _process(data)
        else:
            return False
        return True

    def subgraphs(self) -> tuple[RawSubgraph, ...]:
        return tuple(replace(self._heads[i], tensors=tuple(self._tensors[i])) for i in sorted(self._heads))

    def process(self, model_path: str) -> ProcessReading | None:
        """The worker's memory after the first invoke; None if the run did not come that far."""
        return None if self._memory is None else replace(self._memory, model_path=model_path)


def changed(before: RawSubgraph, data: dict[str, Any]) -> RawSubgraph:
    """A subgraph with what differs in another reading: rows of [index, shape, bytes, kind, has memory]."""
    tensors = list(before.tensors)
    for row in _list(data, "tensors"):
        if not isinstance(row, list) or len(row) != 5 or not _is_count(row[0]) or row[0] >= len(tensors):
            raise WireError("A changed tensor is not a row of five values about a tensor that was read.")
        index, shape, size, word, placed = row
        kind = _kind(word)
        if kind is None or not (size is None or _is_count(size)):
            raise WireError(f"Tensor {index} has changed to {shown(size)} bytes of the kind {shown(word)}.")
        was = tensors[index]
        tensors[index] = RawTensor(
            was.index,
            was.name,
            was.dtype,
            None if shape is None else _indices(shape, "shape"),
            size,
            kind,
            1 if placed is True else None,
        )
    return replace(before, tensors=tuple(tensors))


def _process(data: dict[str, Any]) -> ProcessReading:
    resident = {Kind.ARENA_RW: 0, Kind.ARENA_RW_PERSISTENT: 0}
    for arena in _list(data, "arenas"):
        kind = _kind(arena.get("kind")) if isinstance(arena, dict) else None
        if kind is None:
            raise WireError("An arena of the memory reading has no known kind.")
        resident[kind] = resident.get(kind, 0) + _count(arena, "resident")
    steps = data.get("anon_steps")
    if not isinstance(steps, dict):
        raise WireError("The memory reading has no steps.")
    return ProcessReading(
        when=_text(data.get("when"), "when"),
        rss=_count(data, "rss"),
        mappings=tuple(_mapping(row) for row in _list(data, "mappings")),
        model_resident=_count(data, "model_resident"),
        arena_resident=resident[Kind.ARENA_RW],
        persistent_resident=resident[Kind.ARENA_RW_PERSISTENT],
        dynamic_resident=_count(data, "dynamic_resident"),
        runtime_paths=frozenset(_text(p, "runtime path") for p in _list(data, "runtime_paths")),
        model_path="",
        anon_steps={s: _count(steps, s) for s in STEPS if steps.get(s) is not None},
        delegated=data.get("delegated") is True,
    )


def _subgraph(head: dict[str, Any]) -> RawSubgraph:
    nodes = head.get("nodes")
    plan = head.get("plan")
    return RawSubgraph(
        index=_count(head, "index"),
        when=_text(head.get("when"), "when"),
        source=_text(head.get("source"), "source"),
        inputs=_indices(head.get("inputs"), "inputs"),
        outputs=_indices(head.get("outputs"), "outputs"),
        variables=_indices(head.get("variables"), "variables"),
        tensors=(),
        nodes=None if nodes is None else tuple(_node(n) for n in _list(head, "nodes")),
        plan=None if plan is None else _indices(plan, "plan"),
    )


def _node(data: Any) -> RawNode:
    if not isinstance(data, dict):
        raise WireError("A node of the reading is not an object.")
    temporaries = data.get("temporaries")
    name = data.get("name")
    return RawNode(
        index=_count(data, "index"),
        name=None if name is None else _text(name, "operator name"),
        inputs=_indices(data.get("inputs"), "inputs"),
        outputs=_indices(data.get("outputs"), "outputs"),
        temporaries=None if temporaries is None else _indices(temporaries, "temporaries"),
        delegate=data.get("delegate") is True,
    )


def _tensor(row: Any) -> RawTensor:
    if not isinstance(row, list) or len(row) != 7:
        raise WireError("A tensor of the reading is not a row of seven values.")
    index, name, dtype, shape, size, word, address = row
    kind = _kind(word)
    if not _is_count(index) or kind is None:
        raise WireError(f"A tensor of the reading has the index {shown(index)} and the kind {shown(word)}.")
    for value in (size, address):
        if value is not None and not _is_count(value):
            raise WireError(f"Tensor {index} of the reading has the size or address {shown(value)}.")
    return RawTensor(
        index,
        _text(name, "tensor name"),
        _text(dtype, "type"),
        None if shape is None else _indices(shape, "shape"),
        size,
        kind,
        address,
    )


def _mapping(row: Any) -> Mapped:
    if not isinstance(row, list) or len(row) != 3 or not _is_count(row[1]) or not _is_count(row[2]):
        raise WireError("A mapping of the memory reading is not [path, resident, anonymous].")
    return Mapped(_text(row[0], "path"), row[1], row[2])


def _kind(word: Any) -> Kind | None:
    return _KINDS.get(word) if isinstance(word, str) else None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64


def _count(data: dict[str, Any], key: str) -> int:
    value = data.get(key)
    if not isinstance(value, int) or not _is_count(value):
        raise WireError(f"The reading has {key} = {shown(value)}, not a count.")
    return value


def _list(data: dict[str, Any], key: str) -> list[Any]:
    value = data.get(key)
    if not isinstance(value, list):
        raise WireError(f"The reading has no list {key}.")
    return value


def _indices(value: Any, what: str) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise WireError(f"The reading has no list of {what}.")
    for item in value:
        if not isinstance(item, int) or isinstance(item, bool) or not -1 << 31 <= item < 1 << 31:
            raise WireError(f"The reading has {shown(item)} among its {what}.")
    return tuple(value)


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise WireError(f"The reading has {shown(value)} as {what}, not a text.")
    return value[:_MAX_NAME]
