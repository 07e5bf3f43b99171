"""Questions to the public Python interface that are safe to ask, in the runtimes' own spellings.

The wrapper is never put into a variable: its reference count decides whether the interpreter agrees
to run (tflite-memory.md §6).
"""

from __future__ import annotations

from typing import Any


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


def operands(interpreter: Any) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """(inputs, outputs) of every node of subgraph 0."""
    return [
        (ints(interpreter._interpreter.NodeInputs(i)), ints(interpreter._interpreter.NodeOutputs(i)))
        for i in range(interpreter._interpreter.NumNodes())
    ]


def node_names(interpreter: Any) -> list[str]:
    """Names of the nodes of subgraph 0; '' for one that is not UTF-8."""
    names = []
    for index in range(interpreter._interpreter.NumNodes()):
        try:
            names.append(str(interpreter._interpreter.NodeName(index)))
        except UnicodeDecodeError:
            names.append("")
    return names


def ints(array: Any) -> tuple[int, ...]:
    """A NumPy array, or what older runtimes return instead, as plain numbers."""
    return tuple(array.tolist() if hasattr(array, "tolist") else map(int, array))
