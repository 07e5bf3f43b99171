"""Sizes and kinds of a model's tensors for one set of input shapes after another, in one process.

The first reading of a model is whole and proven (layout.py). Later ones are of other interpreters on the
same file in the same process, so the records lie at the same places in them, and only what differs from
the reading before is told: a set of shapes costs half a millisecond instead of two.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from . import layout
from .layout import Subgraph
from .structures import Memory, NodeRecord, StructureError, Structures


class Changes(NamedTuple):
    """What differs in one subgraph: rows of [index, shape, bytes, kind, has memory]."""

    subgraph: int
    rows: list[tuple[int, tuple[int, ...] | None, int, str, bool]]


class Propagated:
    """Readings of the interpreters of one model file. Kinds are the records' own, see ``layout.read``."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._stamp = _stamp(model)
        self._found: Structures | None = None
        self._last: list[Subgraph] = []

    def is_of(self, model: str) -> bool:
        """Whether that is still the file which is read here."""
        return model == self._model and _stamp(model) == self._stamp

    @property
    def last(self) -> list[Subgraph]:
        """The reading before."""
        return self._last

    def whole(self, interpreter: Any) -> list[Subgraph]:
        """Everything. The next ``changes`` are relative to it."""
        self._last = layout.read(interpreter, layout.AFTER_ALLOCATE, self._model, by_type=True)
        self._found = None
        if all(s.exact for s in self._last):
            memory = Memory()
            try:
                self._found = layout.structures_of(interpreter, memory)
            finally:
                memory.close()
        return self._last

    def changes(self, interpreter: Any) -> list[Changes] | None:
        """What differs from the reading before. None where it has to be read whole: nothing was read
        before, tensors or nodes came or went, or the records were not found."""
        if self._found is None:
            return None
        try:
            memory = Memory()
            try:
                found = self._found.in_another(memory, layout.pointer_to(interpreter))
                if found.count != len(self._last):
                    return None
                read = [self._of(found, subgraph) for subgraph in self._last]
            finally:
                memory.close()
        except StructureError:
            return None
        changes, now = [], []
        for part in read:
            if part is None:
                return None
            changes.append(part[0])
            now.append(part[1])
        self._last = now
        return changes

    def _of(self, found: Structures, last: Subgraph) -> tuple[Changes, Subgraph] | None:
        nodes, plan = found.nodes(last.number)
        if plan != last.plan or not _same(nodes, last.nodes):
            return None
        sizes = found.sizes(last.number)
        if len(sizes) != len(last.tensors):
            return None
        rows: list[Any] = []
        tensors = list(last.tensors)
        for before, (shape, size, allocation, placed) in zip(last.tensors, sizes):
            kind = layout.kind_of(allocation)
            placed = placed and size > 0
            was = (before.shape, before.bytes, before.kind, before.address is not None)
            if was != (shape, size, kind, placed):
                rows.append((before.number, shape, size, kind, placed))
                tensors[before.number] = before._replace(
                    shape=shape, bytes=size, kind=kind, address=1 if placed else None
                )
        return Changes(last.number, rows), last._replace(tensors=tensors)


def _same(nodes: list[NodeRecord] | None, last: list[dict[str, Any]] | None) -> bool:
    if nodes is None or last is None or len(nodes) != len(last):
        return False
    return all(
        node.inputs == before["inputs"]
        and node.outputs == before["outputs"]
        and node.temporaries == before["temporaries"]
        and node.delegate == before["delegate"]
        for node, before in zip(nodes, last)
    )


def _stamp(model: str) -> tuple[int, ...] | None:
    try:
        status = os.stat(model)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
