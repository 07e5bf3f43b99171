"""One operator of a model whose batch is followed: what a rule may ask of it, and say of it.

A rule either tells where the samples are in the outputs, and which constants and options have to
change with the batch, or it refuses in words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from ..domain.batch_axis import Along, Shape
from ..domain.plain_text import plain
from .names import dtype_name

#: (subgraph, tensor)
Key = tuple[int, int]

_NUMPY = {"bfloat16": "uint16"}  # only its bytes are moved
_PLAIN = frozenset(
    (
        "float16", "float32", "float64", "bfloat16", "complex64", "bool",
        "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
    )
)  # fmt: skip


class NotSafe(Exception):
    """A batch that cannot be changed safely: ``reason`` in words, and where."""

    def __init__(self, reason: str, *, operator: str = "", tensor: str = "") -> None:
        super().__init__(reason)
        self.reason, self.operator, self.tensor = reason, operator, tensor

    def __str__(self) -> str:
        where = f"{self.operator}: " if self.operator else ""
        what = f" (tensor “{plain(self.tensor, 120)}”)" if self.tensor else ""
        return f"{where}{self.reason}{what}"


class Again(Exception):
    """A tensor made before has to have the samples in it: follow the batch once more, knowing that."""


@dataclass(frozen=True, slots=True)
class Both:
    """A small tensor that is computed from shapes: its values at the model's batch and at the new one."""

    now: Any
    then: Any

    @property
    def same(self) -> bool:
        return bool(np.array_equal(self.now, self.then))


@dataclass
class Followed:
    """What is known after the batch was followed through a model."""

    batch: int
    wanted: int
    marks: dict[Key, Along] = field(default_factory=dict)
    values: dict[Key, Both] = field(default_factory=dict)
    #: Tensors that must have the samples in them, though nothing that makes them says so.
    forced: dict[Key, Along] = field(default_factory=dict)
    #: (subgraph, operator, slot) → the constant that it needs; name of an option in place of a slot.
    constants: dict[tuple[int, int, int], Any] = field(default_factory=dict)
    options: dict[tuple[int, int, str], Any] = field(default_factory=dict)

    def forget(self, subgraph: int) -> None:
        for known in (self.marks, self.values, self.constants, self.options):
            _drop(known, subgraph)


class Step:
    """One operator. Slots are positions among its inputs; an absent optional one has no shape."""

    def __init__(
        self,
        model: Any,
        codes: list[str],
        shapes: dict[Key, Shape],
        found: Followed,
        subgraph: int,
        index: int,
    ) -> None:
        self.model, self.found, self.subgraph, self.index = model, found, subgraph, index
        self._shapes, self._codes = shapes, codes
        self._graph = model.subgraphs[subgraph]
        self.operator = self._graph.operators[index]
        self.inputs = tuple(int(i) for i in _list(self.operator.inputs))
        self.outputs = tuple(int(i) for i in _list(self.operator.outputs))
        self.name = codes[self.operator.opcodeIndex]
        self.batch, self.wanted = found.batch, found.wanted

    # -------------------------------------------------------------------------------- what there is

    def has(self, slot: int) -> bool:
        return slot < len(self.inputs) and self.inputs[slot] >= 0

    def tensor(self, slot: int) -> Any:
        return self._graph.tensors[self.inputs[slot]]

    def shape(self, slot: int) -> Shape:
        return self._shapes[self.subgraph, self.inputs[slot]]

    def out_shape(self, slot: int = 0) -> Shape:
        return self._shapes[self.subgraph, self.outputs[slot]]

    def mark(self, slot: int) -> Along | None:
        return self.found.marks.get((self.subgraph, self.inputs[slot])) if self.has(slot) else None

    def along(self, slot: int) -> Along:
        """The same, where nothing can be said without."""
        mark = self.mark(slot)
        if mark is None:
            self.refuse("the samples are in another of its inputs than is provided for", slot)
        return mark

    def marked(self) -> list[int]:
        """Slots in which the samples are."""
        return [slot for slot in range(len(self.inputs)) if self.mark(slot) is not None]

    def option(self, name: str, default: Any = 0) -> Any:
        value = getattr(self.operator.builtinOptions, name, None)
        return default if value is None else value

    def constant(self, slot: int) -> Any | None:
        """The values of a constant, or of what is computed from shapes and does not follow the batch."""
        both = self.both(slot)
        return both.now if both is not None and both.same else None

    def both(self, slot: int) -> Both | None:
        if not self.has(slot):
            return None
        known = self.found.values.get((self.subgraph, self.inputs[slot]))
        if known is not None:
            return known
        values = constant_of(self.model, self.tensor(slot), self.shape(slot))
        return None if values is None else Both(values, values)

    def needs_constant(self, slot: int, what: str) -> Any:
        values = self.constant(slot)
        if values is None:
            self.refuse(f"{what} is computed while the model runs, so nobody can say what it does", slot)
        return np.asarray(values)

    # ------------------------------------------------------------------------------- what is said

    def refuse(self, reason: str, slot: int | None = None) -> NoReturn:
        name = ""
        if slot is not None and self.has(slot):
            name = name_of(self.tensor(slot))
        raise NotSafe(reason, operator=f"operator {self.index} ({plain(self.name, 60)})", tensor=name)

    def give(self, along: Along | None, *slots: int) -> None:
        """The samples are so in these outputs, in all where none is named."""
        for slot in slots or range(len(self.outputs)):
            if self.outputs[slot] < 0:
                continue
            key = (self.subgraph, self.outputs[slot])
            if along is None:
                continue
            if not along.fits(self._shapes[key], self.batch):
                self.refuse(
                    f"its output has the shape {list(self._shapes[key])}, in which the samples are not found"
                )
            self.found.marks[key] = along

    def set_constant(self, slot: int, values: Any) -> None:
        self.found.constants[self.subgraph, self.index, slot] = values

    def set_option(self, name: str, value: Any) -> None:
        self.found.options[self.subgraph, self.index, name] = value

    def force(self, key: Key, along: Along) -> None:
        """The tensor must have the samples in it, from the start."""
        if self.found.forced.get(key) != along:
            if key in self.found.forced:
                self.refuse("two operators expect the samples of one tensor in different dimensions")
            self.found.forced[key] = along
            raise Again

    def forced(self) -> Along | None:
        """What somebody behind expects of the first output."""
        return self.found.forced.get((self.subgraph, self.outputs[0]))

    def require(self, slot: int, along: Along) -> None:
        """This input must have the samples ``along``, too. A constant is repeated for each of them."""
        mark = self.mark(slot)
        if mark == along:
            return
        if mark is not None:
            self.refuse(
                f"its inputs have the samples in different dimensions ({mark.axis} and {along.axis})", slot
            )
        shape = self.shape(slot)
        if not along.fits(shape, self.batch):
            self.refuse(f"an input of shape {list(shape)} has no room for the samples", slot)
        values = constant_of(self.model, self.tensor(slot), shape)
        if values is not None:
            self.set_constant(slot, self._repeated(slot, values, along))
            return
        key = (self.subgraph, self.inputs[slot])
        producer = next(
            (op for op in self._graph.operators if self.inputs[slot] in [int(i) for i in _list(op.outputs)]),
            None,
        )
        if producer is None or self._codes[producer.opcodeIndex] not in ("FILL", "BROADCAST_TO"):
            self.refuse("an input does not depend on the samples, but has to have a part for each", slot)
        self.force(key, along)

    def _repeated(self, slot: int, values: Any, along: Along) -> Any:
        """The constant for the new batch, which it must be for every sample alike."""
        tensor, shape = self.tensor(slot), self.shape(slot)
        scale = tensor.quantization.scale if tensor.quantization is not None else None
        if len(_list(scale)) > 1 and tensor.quantization.quantizedDimension == along.axis:
            self.refuse("a constant that has to be repeated has another scale for each sample", slot)
        if tensor.sparsity is not None:
            self.refuse("a constant that has to be repeated is stored sparsely", slot)
        head, tail = shape[: along.axis], shape[along.axis + 1 :]
        parts = values.reshape(*head, along.outer, self.batch, along.inner, *tail)
        axis = len(head) + 1
        first = np.take(parts, [0], axis)
        if not np.array_equal(
            np.repeat(first, self.batch, axis).view("u1"), np.ascontiguousarray(parts).view("u1")
        ):
            self.refuse("a constant holds something else for each sample of the old batch", slot)
        if first.nbytes * self.wanted > 2**31 - 2**24:
            self.refuse("a constant would have to be repeated beyond the 2 GB that a file can have", slot)
        return np.repeat(first, self.wanted, axis).reshape(along.resized(shape, self.wanted))


def constant_of(model: Any, tensor: Any, shape: Shape) -> Any | None:
    """The values of a constant tensor as an array; None for anything else, and for packed types."""
    dtype = dtype_name(tensor.type)
    data = model.buffers[tensor.buffer].data if 0 < tensor.buffer < len(model.buffers) else None
    if data is None or not len(data) or tensor.isVariable or dtype not in _PLAIN:
        return None
    values = np.frombuffer(bytes(data), _NUMPY.get(dtype, dtype))
    return values.reshape(shape) if values.size == np.prod(shape, dtype=np.int64) else None


def name_of(tensor: Any) -> str:
    raw = tensor.name
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw or "")


def _drop(known: dict[Any, Any], subgraph: int) -> None:
    for key in [key for key in known if key[0] == subgraph]:
        del known[key]


def _list(vector: Any) -> Any:
    return () if vector is None else vector
