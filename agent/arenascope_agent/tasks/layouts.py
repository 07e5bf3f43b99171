"""The task ``layouts``: how the runtime here lays a model out in each of several cases.

Every case gets an interpreter of its own whose shapes are set before the first ``allocate_tensors``:
lifetimes and shared places stay as they are from then on (tflite-memory.md §4). Nothing is measured, so
one worker does them all. A case that the runtime refuses is an event; the next one goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .. import inputs, layout
from ..layout import AFTER_ALLOCATE, AFTER_INVOKE, Subgraph
from ..runtimes import BROKEN, Runtime, brief

Emit = Callable[[str, "dict[str, Any]"], None]


def run(runtime: Runtime, params: dict[str, Any], emit: Emit) -> None:
    """ "case" {"index"} before each; then its subgraphs after allocate and, where asked for, after one
    invoke with zeros; or "refused" {"message"}."""
    for index, case in enumerate(params["cases"]):
        emit("case", {"index": index})
        try:
            for subgraph in readings(runtime, params["model"], case):
                for name, data in layout.events(subgraph):
                    emit(name, data)
        except (*BROKEN, MemoryError) as error:
            emit("refused", {"message": brief(error)})


def readings(runtime: Runtime, model: str, case: dict[str, Any]) -> Iterable[Subgraph]:
    """The subgraphs of one case. What the runtime raises passes through."""
    interpreter = runtime.open(model, case["threads"], case["delegate"], case["preserve_all"])
    for number, shape in case["inputs"].items():
        interpreter.resize_tensor_input(int(number), shape)
    interpreter.allocate_tensors()
    allocated = layout.read(interpreter, AFTER_ALLOCATE, model)
    yield from allocated
    if case["invoke"]:
        inputs.clear(interpreter, allocated[0])
        interpreter.invoke()
        yield from layout.read(interpreter, AFTER_INVOKE, model)
