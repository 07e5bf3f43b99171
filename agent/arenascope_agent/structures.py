"""The interpreter's own records, read as bytes of our own memory.

The public Python interface hides what this program is about: how a tensor is allocated, scratch
tensors, subgraphs other than the first, the execution plan. All of it stands in plain C records
behind the pointer that the wrapper gives away. Those records have kept their order since 2.5
(``core/c/common.h``), but the C++ objects around them have no promised layout. So nothing here is
taken at a fixed place: each part is searched for, and taken only if it proves itself.

* Memory is read through ``/proc/self/mem``: a wrong guess gives no bytes and never a fault.
* A subgraph starts with a ``TfLiteContext`` that points back to the subgraph.
* The record size of a tensor is the length of the vector divided by the tensors in the context.
* The nodes of subgraph 0 have the inputs and outputs that the public interface says they have.
  The places found for subgraph 0 hold for the others: they are objects of one class.

``Structures`` raises ``StructureError`` when any proof fails; layout.py then uses the public
interface, as it does where a tensor read here differs from what the public interface shows.

C records, in words of the process (4 or 8 bytes, native alignment):

    TfLiteContext   tensors_size, GetExecutionPlan, tensors, impl_ (the subgraph), ...
    TfLiteTensor    see _TENSOR
    TfLiteNode      inputs, outputs, intermediates, temporaries, user_data, builtin_data,
                    custom_initial_data, int custom_initial_data_size, delegate, bool
    TfLiteIntArray  int size, int data[size]
    std::vector     begin, end, end of storage
"""

from __future__ import annotations

import copy
import os
import struct
from typing import Any, NamedTuple

WORD = struct.calcsize("P")
_INT = struct.Struct("i")
#: type, data, dims, params (float, int), allocation_type, bytes, allocation, name, delegate,
#: buffer_handle, data_is_stale, is_variable, quantization (int, pointer), sparsity, dims_signature
_TENSOR = struct.Struct("@i P P fi i N P P P i ?? iP P P")

_PAGE = 4096  # every page size is a multiple of it
_INTERPRETER_WORDS = 256  # how much of each C++ object is searched
_SUBGRAPH_WORDS = 192
_MAX_SUBGRAPHS = 4096
_MAX_TENSORS = 1 << 22
_MAX_RANK = 64
_MAX_OPERANDS = 1 << 20
_MAX_NAME = 1 << 16
_NODE_WORDS = (14, 64)  # TfLiteNode and TfLiteRegistration together: 21 words since 2.12, fewer before
_NODE_DELEGATE = 8  # word of TfLiteNode

#: Order of TfLiteType, in the words of the model file.
TYPES = (
    "none", "float32", "int32", "uint8", "int64", "string", "bool", "int16", "complex64", "int8",
    "float16", "float64", "complex128", "uint64", "resource", "variant", "uint32", "uint16", "int4",
    "bfloat16", "int2", "uint4", "float8e4m3fn", "float8e5m2",
)  # fmt: skip


class StructureError(Exception):
    """Memory does not hold what was expected of it: another runtime than those known."""


class TensorRecord(NamedTuple):
    """A TfLiteTensor. ``data`` 0: null. ``shape`` None: no dimensions were ever set."""

    number: int
    name: str
    dtype: str
    shape: tuple[int, ...] | None
    bytes: int
    allocation: int
    data: int
    variable: bool


class NodeRecord(NamedTuple):
    """A TfLiteNode. ``delegate``: it runs a delegate's partition."""

    number: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    temporaries: tuple[int, ...]
    delegate: bool


class SubgraphRecord(NamedTuple):
    """A subgraph. What could not be found for sure is None."""

    number: int
    tensors: list[TensorRecord]
    nodes: list[NodeRecord] | None
    inputs: tuple[int, ...] | None
    outputs: tuple[int, ...] | None
    variables: tuple[int, ...] | None
    plan: tuple[int, ...] | None


class Known(NamedTuple):
    """What the public interface says of subgraph 0: the proof for what is found."""

    tensors: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operands: list[tuple[tuple[int, ...], tuple[int, ...]]]  #: (inputs, outputs) of every node


class Memory:
    """The process's own address space. Reading where nothing is mapped gives no bytes.

    Pages are read whole and kept: the records are small and lie close together. So an object of this
    class is for one reading.
    """

    def __init__(self) -> None:
        self._fd = os.open("/proc/self/mem", os.O_RDONLY)
        self._pages: dict[int, bytes] = {}

    def close(self) -> None:
        os.close(self._fd)

    def _pread(self, size: int, address: int) -> bytes:
        try:
            return os.pread(self._fd, size, address)
        except (OSError, OverflowError):  # not mapped; beyond what a file offset can say
            return b""

    def _page(self, number: int) -> bytes:
        page = self._pages.get(number)
        if page is None:
            page = self._pages[number] = self._pread(_PAGE, number * _PAGE)
        return page

    def read(self, address: int, size: int) -> bytes:
        """Up to ``size`` bytes; fewer where the mapping ends."""
        if size > 4 * _PAGE:
            return self._pread(size, address)
        number, at = divmod(address, _PAGE)
        data = self._page(number)[at : at + size]
        while data and len(data) < size:
            number += 1
            more = self._page(number)
            if not more:
                break
            data += more[: size - len(data)]
        return data

    def words(self, address: int, count: int) -> tuple[int, ...]:
        """Up to ``count`` pointer-sized words."""
        data = self.read(address, count * WORD)
        whole = len(data) // WORD
        return struct.unpack("%dP" % whole, data[: whole * WORD])

    def ints(self, address: int, count: int) -> tuple[int, ...] | None:
        data = self.read(address, count * _INT.size)
        return struct.unpack("%di" % count, data) if len(data) == count * _INT.size else None

    def int_array(self, pointer: int, limit: int) -> tuple[int, ...] | None:
        """A TfLiteIntArray of at most ``limit`` numbers; None for a null or a wrong pointer."""
        head = self.ints(pointer, 1) if pointer else None
        if head is None or not 0 <= head[0] <= limit:
            return None
        return self.ints(pointer + _INT.size, head[0])

    def text(self, pointer: int) -> str:
        """A C string; '' for a null pointer. Cut at 64 KiB."""
        size = 128
        data = self.read(pointer, size) if pointer else b""
        while len(data) == size < _MAX_NAME and b"\0" not in data:
            size *= 2
            data = self.read(pointer, size)
        return data.split(b"\0", 1)[0].decode("utf-8", "replace")


def _vector(words: tuple[int, ...], at: int) -> tuple[int, int] | None:
    """(begin, bytes) of the std::vector whose three pointers stand at ``at``; an empty one is (0, 0)."""
    begin, end, limit = words[at : at + 3] if at + 3 <= len(words) else (1, 0, 0)
    if begin == end:
        return (0, 0) if limit >= end else None
    if begin < 4096 or not begin < end <= limit:
        return None
    return begin, end - begin


class Structures:
    """The records of one interpreter, after ``allocate_tensors``.

    ``pointer`` is what ``InterpreterWrapper.interpreter()`` returns. StructureError when it is not
    the interpreter that ``known`` describes.
    """

    def __init__(self, memory: Memory, pointer: int, known: Known) -> None:
        self._memory = memory
        self._pointer = pointer
        self._subgraphs_at, self._context_at = self._find_subgraphs(known.tensors)
        first = self._subgraphs()[0]
        words = memory.words(first, _SUBGRAPH_WORDS)
        self._tensors_at = self._find_tensors(words)
        self._nodes_at, self._node_size, nodes = self._find_nodes(words, known)
        self._inputs_at = self._find_inputs(words, known)
        self._outputs_at = None if self._inputs_at is None else self._inputs_at + 3
        self._variables_at = None if self._inputs_at is None else self._inputs_at + 6
        self._plan_at = self._find_plan(words, nodes)

    def in_another(self, memory: Memory, pointer: int) -> Structures:
        """The same places in another interpreter of this process: it is of the same class, so nothing is
        searched for. StructureError when it is no interpreter."""
        other = copy.copy(self)
        other._memory, other._pointer = memory, pointer
        for subgraph in other._subgraphs():
            if memory.words(subgraph + (self._context_at + 3) * WORD, 1) != (subgraph,):
                raise StructureError("a subgraph whose context is another's")
        return other

    @property
    def count(self) -> int:
        """Subgraphs in the model."""
        return len(self._subgraphs())

    def sizes(self, index: int) -> list[tuple[tuple[int, ...] | None, int, int, bool]]:
        """(shape, bytes, allocation, has data) of every tensor of a subgraph: what other inputs change."""
        words = self._memory.words(self._subgraphs()[index], _SUBGRAPH_WORDS)
        return [
            (self._memory.int_array(fields[2], _MAX_RANK), fields[6], fields[5], bool(fields[1]))
            for fields in self._tensor_fields(words)
        ]

    def nodes(self, index: int) -> tuple[list[NodeRecord] | None, tuple[int, ...] | None]:
        """Nodes and plan of a subgraph."""
        words = self._memory.words(self._subgraphs()[index], _SUBGRAPH_WORDS)
        nodes = self._nodes(words)
        return nodes, self._plan(words, self._plan_at, nodes)

    def read(self, index: int) -> SubgraphRecord:
        """The records of one subgraph as they are now."""
        words = self._memory.words(self._subgraphs()[index], _SUBGRAPH_WORDS)
        nodes = self._nodes(words)
        inputs, outputs, variables = (
            self._int_vector(words, at, _MAX_OPERANDS)
            for at in (self._inputs_at, self._outputs_at, self._variables_at)
        )
        plan = self._plan(words, self._plan_at, nodes)
        return SubgraphRecord(index, self._tensors(words), nodes, inputs, outputs, variables, plan)

    # ------------------------------------------------------------------------- finding the places

    def _find_subgraphs(self, tensors: int) -> tuple[int, int]:
        """Word of the Interpreter with the vector of subgraphs, word of a Subgraph with its context."""
        words = self._memory.words(self._pointer, _INTERPRETER_WORDS)
        for at in range(len(words) - 2):
            pointers = self._pointers(words, at)
            if not pointers:
                continue
            head = self._memory.words(pointers[0], 64)
            for context in range(len(head) - 3):
                if (
                    head[context + 3] == pointers[0]
                    and head[context] == tensors
                    and all(self._memory.words(p + (context + 3) * WORD, 1) == (p,) for p in pointers)
                ):
                    return at, context
        raise StructureError("no vector of subgraphs in the interpreter")

    def _pointers(self, words: tuple[int, ...], at: int) -> tuple[int, ...]:
        """The vector at ``at`` as pointers; empty when it is none of pointers."""
        found = _vector(words, at)
        if found is None or found[1] % WORD or not 0 < found[1] <= _MAX_SUBGRAPHS * WORD:
            return ()
        pointers = self._memory.words(found[0], found[1] // WORD)
        whole = len(pointers) * WORD == found[1] and all(p >= 4096 and not p % WORD for p in pointers)
        return pointers if whole else ()

    def _subgraphs(self) -> tuple[int, ...]:
        words = self._memory.words(self._pointer, self._subgraphs_at + 3)
        pointers = self._pointers(words, self._subgraphs_at)
        if not pointers:
            raise StructureError("the vector of subgraphs is gone")
        return pointers

    def _find_tensors(self, words: tuple[int, ...]) -> int | None:
        """Word of a Subgraph with the vector that the context's tensors lie in; None without tensors."""
        count, _, begin = words[self._context_at : self._context_at + 3]
        if not count:
            return None
        for at in range(len(words) - 2):
            found = _vector(words, at)
            if found and found[0] == begin and found[1] % count == 0 and found[1] // count >= _TENSOR.size:
                return at
        raise StructureError("no vector around the tensors")

    def _find_nodes(self, words: tuple[int, ...], known: Known) -> tuple[int | None, int, list[NodeRecord]]:
        """Word of a Subgraph with the vector of nodes, the bytes of one, the nodes; None without any."""
        count = len(known.operands)
        if not count:
            return None, 0, []
        for at in range(len(words) - 2):
            found = _vector(words, at)
            if not found or not found[1] or found[1] % (count * WORD):
                continue
            size = found[1] // count
            if not _NODE_WORDS[0] * WORD <= size <= _NODE_WORDS[1] * WORD:
                continue
            nodes = self._nodes_in(found[0], found[1], size)
            if nodes and [(n.inputs, n.outputs) for n in nodes] == known.operands:
                return at, size, nodes
        raise StructureError("no vector of the nodes that the interpreter has")

    def _find_inputs(self, words: tuple[int, ...], known: Known) -> int | None:
        """Word of a Subgraph with its inputs; its outputs and its variables follow them."""
        for at in range(len(words) - 8):
            if (
                self._int_vector(words, at, len(known.inputs)) == known.inputs
                and self._int_vector(words, at + 3, len(known.outputs)) == known.outputs
                and self._int_vector(words, at + 6, known.tensors) is not None
            ):
                return at
        return None

    def _find_plan(self, words: tuple[int, ...], nodes: list[NodeRecord]) -> int | None:
        """Word of a Subgraph with its execution plan: the first fitting vector after the variables.

        The plan before delegation, which fits as well when nothing was delegated, comes after it.
        """
        if self._inputs_at is None or not nodes:
            return None
        for at in range(self._inputs_at + 9, len(words) - 2):
            if self._plan(words, at, nodes):
                return at
        return None

    # -------------------------------------------------------------------------- reading the records

    def _int_vector(self, words: tuple[int, ...], at: int | None, limit: int) -> tuple[int, ...] | None:
        """The vector at ``at`` as numbers; None when it is none of at most ``limit`` numbers."""
        found = _vector(words, at) if at is not None else None
        if found is None or found[1] % _INT.size or found[1] > limit * _INT.size:
            return None
        return self._memory.ints(found[0], found[1] // _INT.size) if found[1] else ()

    def _plan(
        self, words: tuple[int, ...], at: int | None, nodes: list[NodeRecord] | None
    ) -> tuple[int, ...] | None:
        """The vector at ``at`` if it can be the plan of these nodes: each at most once, with all of the
        delegates' nodes, or all of them in order where nothing is delegated."""
        if nodes is None:
            return None
        plan = self._int_vector(words, at, len(nodes)) if nodes else ()
        if plan is None or len(set(plan)) != len(plan):
            return None
        delegates = {n.number for n in nodes if n.delegate}
        if delegates:
            fits = delegates.issubset(plan) and all(0 <= n < len(nodes) for n in plan)
        else:
            fits = plan == tuple(range(len(nodes)))
        return plan if fits else None

    def _nodes(self, words: tuple[int, ...]) -> list[NodeRecord] | None:
        found = _vector(words, self._nodes_at) if self._nodes_at is not None else None
        if found is None or found[1] % self._node_size:
            return None
        return self._nodes_in(found[0], found[1], self._node_size)

    def _nodes_in(self, begin: int, size: int, step: int) -> list[NodeRecord] | None:
        data = self._memory.read(begin, size)
        if len(data) != size:
            return None
        nodes = []
        for index, at in enumerate(range(0, size, step)):
            fields = struct.unpack_from("%dP" % (_NODE_DELEGATE + 1), data, at)
            inputs = self._memory.int_array(fields[0], _MAX_OPERANDS)
            outputs = self._memory.int_array(fields[1], _MAX_OPERANDS)
            temporaries = self._memory.int_array(fields[3], _MAX_OPERANDS) or ()  # null: none
            if inputs is None or outputs is None:
                return None
            nodes.append(NodeRecord(index, inputs, outputs, temporaries, bool(fields[_NODE_DELEGATE])))
        return nodes

    def _tensor_fields(self, words: tuple[int, ...]) -> list[tuple[Any, ...]]:
        """The fields of _TENSOR, for each tensor of a subgraph."""
        count, _, begin = words[self._context_at : self._context_at + 3]
        if not count:
            return []
        found = _vector(words, self._tensors_at) if self._tensors_at is not None else None
        if not found or found[0] != begin or found[1] % count or count > _MAX_TENSORS:
            raise StructureError("no vector around the tensors")
        data = self._memory.read(begin, found[1])
        if len(data) != found[1]:
            raise StructureError("the tensors cannot be read")
        step = found[1] // count
        rows = [_TENSOR.unpack_from(data, at) for at in range(0, found[1], step)]
        for index, row in enumerate(rows):
            if not 0 <= row[0] < 64 or not 0 <= row[5] < 64:
                raise StructureError("tensor %d is of type %d, allocation %d" % (index, row[0], row[5]))
        return rows

    def _tensors(self, words: tuple[int, ...]) -> list[TensorRecord]:
        memory = self._memory
        tensors = []
        for index, fields in enumerate(self._tensor_fields(words)):
            kind, address, dims, _, _, allocation, size, _, name, *_, variable, _, _, _, _ = fields
            dtype = TYPES[kind] if kind < len(TYPES) else "type %d" % kind
            tensors.append(
                TensorRecord(
                    index, memory.text(name), dtype, memory.int_array(dims, _MAX_RANK),
                    size, allocation, address, variable,
                )
            )  # fmt: skip
        return tensors
