"""A model as its file describes it: tensors, operators, subgraphs, signatures.

Nothing here has an address. Shapes are the file's; a dimension that the file
leaves open is kept in ``shape_signature`` as -1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

#: Bytes of one element. int4/int2 are packed and handled in ``tensor_bytes``.
ELEMENT_BYTES: dict[str, int] = {
    "float32": 4, "float16": 2, "bfloat16": 2, "float64": 8, "complex64": 8, "complex128": 16,
    "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8,
    "uint64": 8, "bool": 1, "float8e4m3fn": 1, "float8e5m2": 1,
}  # fmt: skip

#: Elements in one byte, for the packed types (tflite-memory.md §1).
ELEMENTS_PER_BYTE: dict[str, int] = {"int4": 2, "uint4": 2, "int2": 4}


def tensor_bytes(dtype: str, shape: tuple[int, ...]) -> int | None:
    """Bytes of a tensor, or None where the type has no fixed size (string, resource, variant).

    A scalar (empty shape) has one element. A negative dimension is unknown, so None.
    """
    elements = 1
    for extent in shape:
        if extent < 0:
            return None
        elements *= extent
    if dtype in ELEMENT_BYTES:
        return elements * ELEMENT_BYTES[dtype]
    if dtype in ELEMENTS_PER_BYTE:
        return -(-elements // ELEMENTS_PER_BYTE[dtype])
    return None


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of the file.

    ``buffer_bytes`` is the size of its constant data (0: not a constant);
    ``buffer`` is the index of the buffer in the file, shared by tensors that share data.
    """

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    shape_signature: tuple[int, ...] | None
    buffer: int
    buffer_bytes: int
    is_variable: bool

    @property
    def bytes(self) -> int | None:
        return tensor_bytes(self.dtype, self.shape)

    @property
    def is_constant(self) -> bool:
        return self.buffer_bytes > 0


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator; an absent optional input is -1, as in the file."""

    index: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    #: Subgraphs that it runs (WHILE, IF, CALL_ONCE, ...).
    subgraphs: tuple[int, ...] = ()
    #: What else decides about memory: numbers of its options, by the schema's names, and facts of its
    #: weights that ``tflite.names`` lists.
    options: tuple[tuple[str, int], ...] = ()

    def option(self, name: str, default: int = 0) -> int:
        return dict(self.options).get(name, default)


@dataclass(frozen=True, slots=True)
class Subgraph:
    index: int
    name: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    key: str
    subgraph: int
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Graph:
    """A whole model file. ``sha256`` and ``file_bytes`` identify it."""

    name: str
    sha256: str
    file_bytes: int
    subgraphs: tuple[Subgraph, ...]
    signatures: tuple[Signature, ...] = ()
    description: str = ""
    schema_version: int = 3
    metadata: tuple[tuple[str, int], ...] = field(default=())  # (name, bytes)

    @property
    def main(self) -> Subgraph:
        return self.subgraphs[0]

    @property
    def operator_count(self) -> int:
        return sum(len(s.operators) for s in self.subgraphs)

    @cached_property
    def weight_bytes(self) -> int:
        """Bytes of constant data, each buffer of the file counted once."""
        sizes = {t.buffer: t.buffer_bytes for s in self.subgraphs for t in s.tensors if t.is_constant}
        return sum(sizes.values())
