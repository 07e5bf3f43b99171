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

#: How far apart two neighbours in an arena can be: each starts at the first multiple of 64 after the
#: end of another (§2.4). The next block of the allocator starts further away (§2.6).
_ALIGNMENT = 64

#: Scratch that kernels keep in the persistent arena, by the names that the runtimes give it (§1 trap 6).
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
        inputs = tuple(int(d["index"]) for d in interpreter.get_input_details()) if index == 0 else ()
        outputs = tuple(int(d["index"]) for d in interpreter.get_output_details()) if index == 0 else ()
        kinds = _kinds(details, places, nodes or [], inputs, model)
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


def view_of(interpreter: Any, index: int, subgraph: int = 0) -> tuple[int, int] | None:
    """(address, bytes) of a tensor's view; None where it has none of its own.

    Only for an index that get_tensor_details lists, of a numeric type, with dimensions.
    """
    try:
        if subgraph:
            view = interpreter._interpreter.tensor(interpreter._interpreter, index, subgraph)
        else:
            view = interpreter.tensor(index)()
    except ValueError:  # null, or without bytes
        return None
    if not hasattr(view, "flags") or view.flags["OWNDATA"]:
        return None
    return view.__array_interface__["data"][0], view.nbytes


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
            "index": int(d["index"]),
            "name": d["op_name"],
            "inputs": tuple(d["inputs"].tolist()),
            "outputs": tuple(d["outputs"].tolist()),
            "temporaries": None,
            "delegate": d["op_name"] == "DELEGATE",
        }
        for d in interpreter._get_ops_details()
    ]


def _kinds(
    details: list[dict[str, Any]],
    places: dict[int, int | None],
    nodes: list[dict[str, Any]],
    inputs: tuple[int, ...],
    model: list[tuple[int, int]],
) -> dict[int, str]:
    """The likely kind of every tensor.

    An arena's tensors form one chain of blocks, each starting where another ends. The chain with
    the model's inputs is the arena; a chain with state (read, never written, not from the file) is
    the persistent one; blocks that stand alone are dynamic.
    """
    produced = {t for n in nodes for t in n["outputs"]}
    delegated = any(n["delegate"] for n in nodes)
    names = {d["index"]: d["name"] for d in details}
    sizes = {d["index"]: _size(d) or 0 for d in details}
    kinds: dict[int, str] = {}
    loose: list[tuple[int, int, int]] = []
    for detail in details:
        index = detail["index"]
        place = places[index]
        if place is None:
            if not _viewable(detail) and not sizes[index]:
                kinds[index] = "dynamic"  # strings and what is handled like them
            elif not len(detail["shape"]):
                kinds[index] = "arena_rw" if index in produced or index in inputs else "none"
            else:
                kinds[index] = "delegate" if delegated and index in produced else "none"
        elif any(start <= place < end for start, end in model):
            kinds[index] = "mmap_ro"
        elif place % _ALIGNMENT:
            kinds[index] = "dynamic"
        else:
            loose.append((place, place + sizes[index], index))
    for chain in _chains(loose):
        if any(index in inputs for index in chain):
            kind = "arena_rw"
        elif any(
            index not in produced or any(word in names[index] for word in _PERSISTENT_NAMES)
            for index in chain
        ):
            kind = "arena_rw_persistent"
        else:
            kind = "arena_rw" if len(chain) > 1 else "dynamic"
        kinds.update(dict.fromkeys(chain, kind))
    return kinds


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
