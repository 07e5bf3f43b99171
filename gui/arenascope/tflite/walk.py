"""From the tables of a mapped model file to a ``Graph``, one function for each kind of table.

Only the description is read. Of a constant, only where it lies and how long it is; its bytes stay
in the file, untouched.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ..domain.graph import Graph, Operator, Signature, Subgraph, Tensor
from .guard import Budget, Damage, guarded, text_of
from .names import dtype_name, numbers_of, operator_name, subgraphs_of
from .schema import schema


class Walk:
    """One reading of one file. Every method raises ``guard.DAMAGE`` where the bytes are no model."""

    def __init__(self, data: mmap.mmap) -> None:
        self._budget = Budget(len(data))
        self._data = data
        self._model = guarded(schema.Model.GetRootAs(data), self._budget)
        #: (offset in the file, bytes) of each buffer, by index; (0, 0) where it holds nothing.
        self.buffers = tuple(self._buffer(i, t) for i, t in enumerate(self._tables(self._model, "Buffers")))

    def graph(self, name: str) -> Graph:
        """The whole file, without its hash."""
        codes = [operator_name(code) for code in self._tables(self._model, "OperatorCodes")]
        count = self._model.SubgraphsLength()
        if count == 0:
            raise Damage("there is no subgraph in it")
        subgraphs = tuple(
            self._subgraph(index, table, codes, count)
            for index, table in enumerate(self._tables(self._model, "Subgraphs"))
        )
        return Graph(
            name=name,
            sha256="",
            file_bytes=len(self._data),
            subgraphs=subgraphs,
            signatures=tuple(
                self._signature(t, subgraphs) for t in self._tables(self._model, "SignatureDefs")
            ),
            description=text_of(self._model.Description()),
            schema_version=self._model.Version(),
            metadata=tuple(self._metadata(table) for table in self._tables(self._model, "Metadata")),
        )

    def _tables(self, owner: Any, field: str) -> Iterator[Any]:
        count = getattr(owner, f"{field}Length")()
        self._budget.tables(count, field)
        entry: Callable[[int], Any] = getattr(owner, field)
        return (guarded(entry(index), self._budget) for index in range(count))

    def _integers(self, owner: Any, field: str) -> tuple[int, ...]:
        return getattr(owner, f"{field}AsNumpy")() or ()  # a tuple, see guard; 0 where it is absent

    def _buffer(self, index: int, table: Any) -> tuple[int, int]:
        length = table.DataLength()
        offset = table._tab.Vector(table._tab.Offset(4)) if length else 0
        if not length and table.Offset() > 1:
            # Models above 2 GB keep constants behind the flatbuffer (tflite-memory.md §1); the
            # offsets 0 and 1 are placeholders.
            offset, length = table.Offset(), table.Size()
        if offset + length > len(self._data):
            raise Damage(f"constant buffer {index} reaches to byte {offset + length:,}")
        return offset, length

    def _subgraph(self, index: int, table: Any, codes: list[str], count: int) -> Subgraph:
        tensors = tuple(self._tensor(i, t) for i, t in enumerate(self._tables(table, "Tensors")))
        operators = tuple(
            self._operator(i, t, codes, table, len(tensors), count)
            for i, t in enumerate(self._tables(table, "Operators"))
        )
        known = partial(_within, count=len(tensors), lowest=0)
        return Subgraph(
            index=index,
            name=text_of(table.Name()),
            tensors=tensors,
            operators=operators,
            inputs=known(self._integers(table, "Inputs"), what=f"inputs of subgraph {index}"),
            outputs=known(self._integers(table, "Outputs"), what=f"outputs of subgraph {index}"),
        )

    def _tensor(self, index: int, table: Any) -> Tensor:
        buffer = table.Buffer()
        # Buffer 0 is the empty one by convention, so a file without any is whole, too.
        if buffer and buffer >= len(self.buffers):
            raise Damage(f"tensor {index} lies in buffer {buffer} of {len(self.buffers)}")
        shape = self._integers(table, "Shape")
        if any(extent < -1 for extent in shape):
            raise Damage(f"tensor {index} has the shape {list(shape)}")
        return Tensor(
            index=index,
            name=text_of(table.Name()),
            dtype=dtype_name(table.Type()),
            shape=shape,
            shape_signature=self._integers(table, "ShapeSignature") or None,
            buffer=buffer,
            buffer_bytes=self.buffers[buffer][1] if buffer else 0,
            is_variable=bool(table.IsVariable()),
        )

    def _operator(
        self, index: int, table: Any, codes: list[str], owner: Any, tensors: int, subgraphs: int
    ) -> Operator:
        code = table.OpcodeIndex()
        if code >= len(codes):
            raise Damage(f"operator {index} has code {code} of {len(codes)}")
        known = partial(_within, count=tensors, lowest=-1, what=f"operator {index}")
        name, inputs = codes[code], known(self._integers(table, "Inputs"))
        return Operator(
            index=index,
            name=name,
            inputs=inputs,
            outputs=known(self._integers(table, "Outputs")),
            subgraphs=subgraphs_of(table, subgraphs, self._budget),
            options=numbers_of(name, table, inputs, owner.Tensors, self._budget),
        )

    def _signature(self, table: Any, subgraphs: tuple[Subgraph, ...]) -> Signature:
        key, subgraph = text_of(table.SignatureKey()), table.SubgraphIndex()
        if subgraph >= len(subgraphs):
            raise Damage(f"signature {key!r} runs subgraph {subgraph} of {len(subgraphs)}")
        count = len(subgraphs[subgraph].tensors)

        def names(field: str) -> tuple[tuple[str, int], ...]:
            pairs = [(text_of(entry.Name()), entry.TensorIndex()) for entry in self._tables(table, field)]
            _within(tuple(index for _, index in pairs), count=count, lowest=0, what=f"signature {key!r}")
            return tuple(pairs)

        return Signature(key=key, subgraph=subgraph, inputs=names("Inputs"), outputs=names("Outputs"))

    def _metadata(self, table: Any) -> tuple[str, int]:
        name, buffer = text_of(table.Name()), table.Buffer()
        if buffer >= len(self.buffers):
            raise Damage(f"metadata {name!r} lies in buffer {buffer} of {len(self.buffers)}")
        return name, self.buffers[buffer][1]


def _within(indices: tuple[int, ...], *, count: int, lowest: int, what: str) -> tuple[int, ...]:
    for index in indices:
        if not lowest <= index < count:
            raise Damage(f"{what}: tensor {index} of {count}")
    return indices
