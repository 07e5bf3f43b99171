"""The layout as far as the public Python interface tells it: the reader for unknown runtimes.

Every rule here is a trap that ended or misled somebody's process (tflite-memory.md §1):

* a tensor that ``get_tensor_details`` leaves out has no dimensions; asking for it is a segfault;
* a view that owns its data shows NumPy's memory, not the tensor's: there is no address;
* strings, resources and variants are never viewed; a scalar's view is a copy;
* a view lives no longer than it takes to read its address, else nothing runs any more;
* constants lie in the mapped file, everything else is told apart by how the planner places things.

4-bit and 2-bit tensors cannot be told from 8-bit ones here; the model file knows which they are.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import mappings
from .asking import ints, node_names, operands, view_of

#: How far apart two neighbours in an arena can be: each starts at the first multiple of 64 after the
#: end of another (§2.4). The next block of the allocator starts further away (§2.6).
_ALIGNMENT = 64

#: Scratch that kernels keep in the persistent arena, by the names that the runtimes give it (§1 trap 6).
_UNPACKING = ("DEQUANTIZE", "CAST", "DENSIFY")  # of constants, when no delegate does it (§2.7)
_PERSISTENT_NAMES = ("hwcn_weights", "row_sums", "ledger")


class Found(NamedTuple):
    """One subgraph. Tensors as (index, name, dtype, shape, bytes, kind, address)."""

    number: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    plan: tuple[int, ...] | None
    nodes: list[dict[str, Any]] | None
    tensors: list[tuple[Any, ...]]


def read(interpreter: Any, model_path: str) -> list[Found]:
    """All subgraphs that may be asked for: only the first one in runtimes before LiteRT."""
    model = mappings.file_ranges(mappings.mapped_name(model_path))
    count = interpreter.num_subgraphs() if hasattr(interpreter, "num_subgraphs") else 1
    found = []
    for index in range(count):
        details = interpreter.get_tensor_details(index) if index else interpreter.get_tensor_details()
        places = {d["index"]: _place(interpreter, d, index) for d in details}
        nodes = _nodes(interpreter) if index == 0 else None
        inputs = ints(interpreter._interpreter.InputIndices()) if index == 0 else ()
        outputs = ints(interpreter._interpreter.OutputIndices()) if index == 0 else ()
        kinds = _kinds(details, places, nodes, inputs, model)
        delegated = any(n["delegate"] for n in nodes or ())
        plan = tuple(range(len(nodes))) if nodes is not None and not delegated else None
        tensors = [
            (
                int(d["index"]), d["name"], _word(d["dtype"]), tuple(d["shape"].tolist()), _size(d),
                kinds[d["index"]], places[d["index"]],
            )
            for d in details
        ]  # fmt: skip
        found.append(Found(index, inputs, outputs, plan, nodes, tensors))
    return found


def _viewable(detail: dict[str, Any]) -> bool:
    return _word(detail["dtype"]) not in ("string", "object") and len(detail["shape"]) > 0


def _place(interpreter: Any, detail: dict[str, Any], subgraph: int) -> int | None:
    if not _viewable(detail):
        return None
    view = view_of(interpreter, detail["index"], subgraph)
    return view[0] if view and view[1] else None


def _word(dtype: Any) -> str:
    """The type's word. Resources and variants look alike from here."""
    name = str(dtype.__name__).rstrip("_")
    return "string" if name == "bytes" else name


def _size(detail: dict[str, Any]) -> int | None:
    name = _word(detail["dtype"])
    if name in ("string", "object"):
        return None
    size = int(detail["dtype"]().itemsize)
    for extent in detail["shape"].tolist():
        size *= extent
    return size


def _nodes(interpreter: Any) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "name": name,
            "inputs": inputs,
            "outputs": outputs,
            "temporaries": None,
            "delegate": name == "DELEGATE",
        }
        for index, (name, (inputs, outputs)) in enumerate(zip(node_names(interpreter), operands(interpreter)))
    ]


def _kinds(
    details: list[dict[str, Any]],
    places: dict[int, int | None],
    nodes: list[dict[str, Any]] | None,
    inputs: tuple[int, ...],
    model: list[tuple[int, int]],
) -> dict[int, str]:
    """The likely kind of every tensor. ``nodes`` None: a subgraph whose operators cannot be asked for.

    An arena's tensors form one chain of blocks, each starting where another ends. The chain with the
    model's inputs is the arena; a block that stands alone is dynamic.
    """
    sizes = {d["index"]: _size(d) for d in details}
    kinds: dict[int, str] = {}
    blocks: list[tuple[int, int, int]] = []
    for detail in details:
        index = detail["index"]
        place = places[index]
        if place is None:
            kinds[index] = _kind_without_place(detail, sizes[index], nodes, inputs)
        elif any(start <= place < end for start, end in model):
            kinds[index] = "mmap_ro"
        elif place % _ALIGNMENT:
            kinds[index] = "dynamic"
        else:
            blocks.append((place, place + (sizes[index] or 0), index))
    names = {d["index"]: d["name"] for d in details}
    persistent = _persistent(names, kinds, nodes or [], inputs)
    for chain in _chains(blocks):
        if nodes is None or any(index in inputs for index in chain):
            kind = "arena_rw"
        elif any(index in persistent for index in chain):
            kind = "arena_rw_persistent"
        else:
            kind = "arena_rw" if len(chain) > 1 else "dynamic"
        kinds.update(dict.fromkeys(chain, kind))
    return kinds


def _kind_without_place(
    detail: dict[str, Any], size: int | None, nodes: list[dict[str, Any]] | None, inputs: tuple[int, ...]
) -> str:
    index = detail["index"]
    if size is None:
        return "dynamic"  # strings and what is handled like them
    if not size or nodes is None:
        return "none"
    produced = any(index in n["outputs"] for n in nodes)
    if not len(detail["shape"]):  # a scalar: it has a place, but nobody says where
        return "arena_rw" if produced or index in inputs else "mmap_ro"
    return "delegate" if produced and any(n["delegate"] for n in nodes) else "none"


def _persistent(
    names: dict[int, str], kinds: dict[int, str], nodes: list[dict[str, Any]], inputs: tuple[int, ...]
) -> set[int]:
    """Tensors that can only be in the persistent arena: state (read by a node, written by none, not from
    the file), weights that are unpacked once, and scratch that kernels keep."""
    produced = {t for n in nodes for t in n["outputs"]}
    read = {t for n in nodes for t in n["inputs"]}
    state = {i for i in read - produced if kinds.get(i) != "mmap_ro" and i not in inputs}
    unpacked = {
        t
        for n in nodes
        if n["name"] in _UNPACKING and all(kinds.get(i) == "mmap_ro" for i in n["inputs"])
        for t in n["outputs"]
    }
    kept = {i for i, name in names.items() if any(word in name for word in _PERSISTENT_NAMES)}
    return state | unpacked | kept


def _chains(blocks: list[tuple[int, int, int]]) -> list[list[int]]:
    """Indices of (start, end, index) blocks, grouped where less than an alignment lies between."""
    chains: list[list[int]] = []
    reach = -1
    for start, end, index in sorted(blocks):
        if chains and start - reach < _ALIGNMENT:
            chains[-1].append(index)
        else:
            chains.append([index])
            reach = end
        reach = max(reach, end)
    return chains
