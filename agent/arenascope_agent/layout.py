"""Where the tensors of an interpreter lie, as they are at this moment.

Two readers. ``structures.py`` reads the runtime's own records: every tensor, every subgraph,
allocation types, temporaries, the plan. What it says is believed only if it agrees with the public
interface wherever that can be asked safely: number, names, shapes, types, and the address of every
view. On any difference ``public_interface.py`` reads instead, and ``source`` says so.

No reference to the interpreter's wrapper or to a view is kept: allocate_tensors and invoke refuse
to run while one lives (tflite-memory.md §6).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .asking import ints, node_names, operands, view_of
from .structures import Known, Memory, NodeRecord, StructureError, Structures, SubgraphRecord, TensorRecord

FROM_STRUCTURES = "runtime structures"
FROM_INTERFACE = "public interface"

AFTER_ALLOCATE = "after_allocate"
AFTER_INVOKE = "after_invoke"

#: TfLiteAllocationType → the words of the wire. 7 is a variant object: memory of its own, like dynamic.
ALLOCATIONS = (
    "none", "mmap_ro", "arena_rw", "arena_rw_persistent", "dynamic", "persistent_ro", "custom", "dynamic",
)  # fmt: skip
ARENAS = ("arena_rw", "arena_rw_persistent")
CHUNK = 2000  #: tensors in one event

#: What keeps every event far below a frame's 8 MiB, whatever a model calls its tensors. JSON may write
#: a letter with six characters. Without its nodes a subgraph is still read: the file has the operators.
_MAX_NAME = 4096
_MAX_LETTERS = 1 << 18
_MAX_NODES = 40_000

#: Types whose view is a true window on the tensor's memory. Packed types are shorter than their view,
#: strings, resources and variants must not be viewed at all, and bfloat16 has no NumPy type.
VIEWED = frozenset(
    ("float32", "int32", "uint8", "int64", "bool", "int16", "complex64", "int8", "float16", "float64",
     "complex128", "uint64", "uint32", "uint16")
)  # fmt: skip


class Tensor(NamedTuple):
    """One tensor, in the order of the wire. ``address`` None: it has no memory of its own now."""

    number: int
    name: str
    dtype: str
    shape: tuple[int, ...] | None
    bytes: int | None
    kind: str
    address: int | None


class Subgraph(NamedTuple):
    """One subgraph at one moment. None: this reader cannot tell."""

    number: int
    when: str
    source: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    variables: tuple[int, ...]
    plan: tuple[int, ...] | None
    nodes: list[dict[str, Any]] | None
    tensors: list[Tensor]

    @property
    def placed(self) -> int:
        """Tensors that have a place in an arena."""
        return sum(1 for t in self.tensors if t.kind in ARENAS and t.address is not None)

    @property
    def delegated(self) -> bool:
        return any(node["delegate"] for node in self.nodes or ())

    @property
    def exact(self) -> bool:
        """Whether the types are the runtime's own words."""
        return self.source == FROM_STRUCTURES

    @property
    def input_rows(self) -> list[tuple[int, str, tuple[int, ...] | None, str, bool]]:
        """(index, dtype, shape, kind, has an address) of each input that is not optional."""
        wanted = set(self.inputs)
        return [
            (t.number, t.dtype, t.shape, t.kind, t.address is not None)
            for t in self.tensors
            if t.number in wanted
        ]


def read(interpreter: Any, when: str, model_path: str, by_type: bool = False) -> list[Subgraph]:
    """All subgraphs of an interpreter whose tensors are allocated, subgraph 0 first.

    ``by_type``: kinds are what each tensor's record says, whether there is memory for it or not.
    """
    try:
        memory = Memory()
    except OSError:  # a sandbox without /proc/self/mem
        return _through_interface(interpreter, when, model_path)
    try:
        return _through_structures(interpreter, when, memory, by_type)
    except StructureError:
        return _through_interface(interpreter, when, model_path)
    finally:
        memory.close()


def events(subgraph: Subgraph) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of one subgraph. A later "subgraph" with the same index replaces it and its tensors."""
    head = subgraph._asdict()
    tensors = head.pop("tensors")
    if subgraph.nodes is not None and len(subgraph.nodes) > _MAX_NODES:
        head["nodes"] = None
    yield "subgraph", {"index": head.pop("number"), **head}
    chunk: list[Tensor] = []
    letters = 0
    for tensor in tensors:
        chunk.append(tensor._replace(name=tensor.name[:_MAX_NAME]))
        letters += min(len(tensor.name), _MAX_NAME)
        if len(chunk) == CHUNK or letters > _MAX_LETTERS:
            yield "tensors", {"subgraph": subgraph.number, "tensors": chunk}
            chunk, letters = [], 0
    if chunk:
        yield "tensors", {"subgraph": subgraph.number, "tensors": chunk}


def fingerprint(subgraph: Subgraph) -> int:
    """Equal for equal readings of one process, whenever they were taken."""
    nodes = [(n["name"], n["inputs"], n["outputs"], n["temporaries"]) for n in subgraph.nodes or ()]
    return hash((subgraph.source, subgraph.plan, tuple(nodes), tuple(subgraph.tensors)))


# ------------------------------------------------------------------------------ runtime structures


def structures_of(interpreter: Any, memory: Memory) -> Structures:
    """Where this runtime keeps its records. StructureError where they are not found."""
    return Structures(memory, pointer_to(interpreter), _known(interpreter))


def pointer_to(interpreter: Any) -> int:
    """The C++ object behind an interpreter. StructureError where it is not given away."""
    # An attribute chain, never a variable: the wrapper's reference count decides what may run.
    if not hasattr(interpreter._interpreter, "interpreter"):
        raise StructureError("the wrapper does not give its interpreter away")
    pointer = interpreter._interpreter.interpreter()
    if not isinstance(pointer, int):
        raise StructureError("the wrapper gives something else than a pointer")
    return pointer


def _through_structures(interpreter: Any, when: str, memory: Memory, by_type: bool) -> list[Subgraph]:
    known = _known(interpreter)
    found = Structures(memory, pointer_to(interpreter), known)
    names = node_names(interpreter)
    subgraphs = []
    for index in range(found.count):
        record = found.read(index)
        if index == 0:
            _compare(record, interpreter.get_tensor_details())
            _compare_views(record, interpreter)
            record = record._replace(inputs=known.inputs, outputs=known.outputs)
        elif hasattr(interpreter, "num_subgraphs"):
            _compare(record, interpreter.get_tensor_details(index))
        subgraphs.append(_subgraph(record, when, names if index == 0 else None, by_type))
    return subgraphs


def _known(interpreter: Any) -> Known:
    try:
        tensors = interpreter._interpreter.NumTensors(0)
    except TypeError:  # runtimes before subgraphs could be named
        tensors = interpreter._interpreter.NumTensors()
    return Known(
        tensors,
        ints(interpreter._interpreter.InputIndices()),
        ints(interpreter._interpreter.OutputIndices()),
        operands(interpreter),
    )


def _compare(record: SubgraphRecord, details: list[dict[str, Any]]) -> None:
    """StructureError unless every tensor that the interface lists has its name, shape and type here."""
    for detail in details:
        index = detail["index"]
        if index >= len(record.tensors):
            raise StructureError("tensor %d is missing" % index)
        tensor = record.tensors[index]
        if tensor.name != detail["name"] or tensor.shape != ints(detail["shape"]):
            raise StructureError("tensor %d is %r, not %r" % (index, tensor.name, detail["name"]))
        if tensor.dtype in VIEWED and detail["dtype"].__name__.rstrip("_") != tensor.dtype:
            raise StructureError("tensor %d is of type %s" % (index, tensor.dtype))


def _compare_views(record: SubgraphRecord, interpreter: Any) -> None:
    """StructureError unless every view has the address read here. Views are safe to ask for where the
    record has dimensions, bytes and a type with a view: exactly the traps of §1 are left out.

    Lengths may differ: an output of RESHAPE to an unknown shape has its input's bytes and, until it has
    run, the dimensions of the file (§3).
    """
    for tensor in record.tensors:
        if not tensor.shape or not tensor.bytes or tensor.dtype not in VIEWED:
            continue
        view = view_of(interpreter, tensor.number)
        if (view[0] if view else 0) != tensor.data:
            raise StructureError("tensor %d lies elsewhere" % tensor.number)


def _subgraph(record: SubgraphRecord, when: str, names: list[str] | None, by_type: bool = False) -> Subgraph:
    interior = _interior(record.nodes, record.plan)
    return Subgraph(
        record.number,
        when,
        FROM_STRUCTURES,
        record.inputs or (),
        record.outputs or (),
        record.variables or (),
        record.plan,
        None
        if record.nodes is None
        else [
            {
                "index": node.number,
                "name": names[node.number] if names else "DELEGATE" if node.delegate else "",
                "inputs": node.inputs,
                "outputs": node.outputs,
                "temporaries": node.temporaries,
                "delegate": node.delegate,
            }
            for node in record.nodes
        ],
        [_tensor(t, t.number in interior, by_type) for t in record.tensors],
    )


def _interior(nodes: list[NodeRecord] | None, plan: tuple[int, ...] | None) -> set[int]:
    """Tensors that only nodes replaced by a delegate make or use as scratch."""
    if not nodes or plan is None or not any(n.delegate for n in nodes):
        return set()
    runs = set(plan)
    replaced = [n for n in nodes if n.number not in runs]
    return {t for n in replaced for t in (*n.outputs, *n.temporaries)}


def _tensor(record: TensorRecord, interior: bool, by_type: bool = False) -> Tensor:
    """Kind and address of a record.

    Without data: the interior of a delegate, or nothing that exists (a scratch slot that was never
    prepared, a subgraph that is not allocated). A dynamic tensor keeps its kind, it comes later; so
    does a custom one, whose memory is another tensor's. Without bytes there is no place either.
    """
    kind = kind_of(record.allocation)
    address = record.data or None
    if not record.bytes:
        address = None
    if address is None and kind != "custom" and not by_type:
        if interior:
            kind = "delegate"
        elif kind != "dynamic":
            kind = "none"
    return Tensor(record.number, record.name, record.dtype, record.shape, record.bytes, kind, address)


def kind_of(allocation: int) -> str:
    """The word for a TfLiteAllocationType."""
    known = allocation < len(ALLOCATIONS)
    return ALLOCATIONS[allocation] if known else "custom"  # NonCpu: a buffer outside the CPU's reach


# -------------------------------------------------------------------------------- public interface


def _through_interface(interpreter: Any, when: str, model_path: str) -> list[Subgraph]:
    from . import public_interface  # seldom needed

    return [
        Subgraph(
            found.number, when, FROM_INTERFACE, found.inputs, found.outputs, (), found.plan, found.nodes,
            [Tensor(*fields) for fields in found.tensors],
        )
        for found in public_interface.read(interpreter, model_path)
    ]  # fmt: skip
