"""One operator as its kernel sees it, and what the kernel adds to the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

from ..graph import Operator, tensor_bytes
from ..layout import Kind
from ..profiles import RuntimeProfile
from ..reading import RawTensor

Shape = tuple[int, ...]


class UnknownScratch(Exception):
    """What this kernel adds cannot be told; the text says why."""


@dataclass(frozen=True, slots=True)
class Scratch:
    """One scratch tensor of an operator.

    ``slot``: which of the tensors that the kernel adds it is. ``shape`` and ``bytes`` are None where they
    are known only when the kernel runs (of dynamic ones), and for one that the kernel leaves empty (NONE).
    """

    role: str
    dtype: str
    shape: Shape | None
    bytes: int | None
    kind: Kind
    name: str
    slot: int


@dataclass(frozen=True, slots=True)
class Call:
    """``threads`` as kernels are told: -1 is "undecided", and counts as more than one."""

    operator: Operator
    tensors: Mapping[int, RawTensor]
    profile: RuntimeProfile
    machine: str
    threads: int

    def since(self, tflite: tuple[int, int]) -> bool:
        """Whether the runtime is tflite-runtime of this version or newer, or any LiteRT."""
        return self.litert or self.profile.version >= tflite

    @property
    def litert(self) -> bool:
        return self.profile.package == "ai_edge_litert"

    def litert_since(self, version: tuple[int, int]) -> bool:
        return self.litert and self.profile.version >= version

    def has(self, position: int) -> bool:
        """Whether the operator has this input."""
        return position < len(self.operator.inputs) and self.operator.inputs[position] >= 0

    def tensor(self, position: int) -> RawTensor:
        """An input; UnknownScratch where it is not there."""
        found = self.tensors.get(self.operator.inputs[position]) if self.has(position) else None
        if found is None:
            raise UnknownScratch(f"its input {position} is not there")
        return found

    def shape(self, position: int) -> Shape:
        """Of an input. UnknownScratch where it is known only when the model runs."""
        return _known(self.tensor(position))

    def output(self, position: int = 0) -> RawTensor:
        index = self.operator.outputs[position] if position < len(self.operator.outputs) else -1
        if index not in self.tensors:
            raise UnknownScratch(f"its output {position} is not there")
        return self.tensors[index]

    def output_shape(self) -> Shape:
        return _known(self.output())

    def constant(self, position: int) -> bool:
        return self.tensor(position).kind in (Kind.MMAP_RO, Kind.PERSISTENT_RO)

    def name(self, text: str) -> str:
        """Scratch tensors have had names since 2.11."""
        return text if self.since((2, 11)) else ""


def _known(tensor: RawTensor) -> Shape:
    if tensor.shape is None or any(extent < 0 for extent in tensor.shape):
        raise UnknownScratch(f"the shape of tensor {tensor.index} is not known before a run")
    return tensor.shape


class Row:
    """Scratch tensors in the order in which a kernel lists them; each takes the next slot."""

    def __init__(self) -> None:
        self.made: list[Scratch] = []

    def arena(self, role: str, dtype: str, *shape: int, name: str = "") -> None:
        self._add(role, dtype, shape, Kind.ARENA_RW, name)

    def kept(self, role: str, dtype: str, *shape: int, name: str = "") -> None:
        """In the persistent arena: computed once, and never overwritten."""
        self._add(role, dtype, shape, Kind.ARENA_RW_PERSISTENT, name)

    def heap(self, role: str, dtype: str, shape: Shape | None) -> None:
        """Memory of its own; ``shape`` None: the kernel decides when it runs."""
        self._add(role, dtype, shape, Kind.DYNAMIC, "")

    def empty(self, role: str, dtype: str) -> None:
        """Listed, but never given a size."""
        self.made.append(Scratch(role, dtype, None, 0, Kind.NONE, "", len(self.made)))

    def done(self) -> tuple[Scratch, ...]:
        return tuple(self.made)

    def _add(self, role: str, dtype: str, shape: Shape | None, kind: Kind, name: str) -> None:
        size = None if shape is None else tensor_bytes(dtype, shape)
        self.made.append(Scratch(role, dtype, shape, size, kind, name, len(self.made)))


#: What a kernel lists as its scratch tensors, for one call.
Kernel = Callable[[Call], tuple[Scratch, ...]]


def elements(shape: Shape) -> int:
    return prod(shape)
