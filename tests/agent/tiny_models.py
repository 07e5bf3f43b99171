"""Small models that only the agent's tests need; the others are in tests/data."""

from __future__ import annotations

import numpy as np

from tests.data.builder import DTYPES, ModelBuilder, options


def add() -> bytes:
    """One ADD. The model that the agent carries to prove a runtime is this one."""
    model = ModelBuilder("y = x + x")
    graph = model.subgraph("main")
    x = graph.input("x", [1, 4])
    graph.output(graph.op("ADD", [x, x], ("y", [1, 4]), options=options("Add")))
    return model.build()


def chain(tensors: int, elements: int = 16) -> bytes:
    """TANH after TANH: as many tensors as asked for."""
    model = ModelBuilder("a long chain")
    graph = model.subgraph("main")
    last = graph.input("t0", [1, elements])
    for number in range(1, tensors):
        last = graph.op("TANH", [last], (f"t{number}", [1, elements]))
    graph.output(last)
    return model.build()


def shape_of_fixed() -> bytes:
    """SHAPE of a tensor of fixed size is known when it is prepared: read-only, in a block of its own."""
    model = ModelBuilder("the shape of an input")
    graph = model.subgraph("main")
    x = graph.input("x", [3, 5])
    shape = graph.op("SHAPE", [x], ("shape", [2], "int32"), options=options("Shape", outType=DTYPES["int32"]))
    graph.output(graph.op("ADD", [shape, shape], ("twice", [2], "int32"), options=options("Add")))
    return model.build()


def inputs_of_all_types() -> bytes:
    """An input of each type that Python can hand over, and one more that is copied."""
    model = ModelBuilder("inputs of all types")
    graph = model.subgraph("main")
    for dtype in ("float32", "float16", "int8", "uint8", "int16", "int32", "int64", "bool"):
        graph.input(dtype, [3, 700], dtype)
    graph.input("string", [2], "string")
    graph.input("scalar", [])
    x = graph.input("x", [1])
    graph.output(graph.op("TANH", [x], ("y", [1])))
    return model.build()


def picked_row() -> bytes:
    """GATHER by an index that comes in: any index but a small one fails."""
    model = ModelBuilder("one row of a table")
    graph = model.subgraph("main")
    index = graph.input("index", [2], "int32")
    table = graph.constant("table", np.arange(12, dtype=np.float32).reshape(3, 4))
    graph.output(graph.op("GATHER", [table, index], ("rows", [2, 4], "float32"), options=options("Gather")))
    return model.build()


def long_names(tensors: int, letters: int) -> bytes:
    """Names as long as somebody likes."""
    model = ModelBuilder("long names")
    graph = model.subgraph("main")
    last = graph.input("名" * letters, [1, 4])
    for number in range(1, tensors):
        last = graph.op("TANH", [last], (f"{number}" + "名" * letters, [1, 4]))
    graph.output(last)
    return model.build()
