"""Models that a runtime refuses, or that end its process. Each does so every time.

How each ends was seen with ai-edge-litert 2.3.0 and tflite-runtime 2.14.0 on x86-64, with and
without the default delegate.
"""

from __future__ import annotations

import struct

import numpy as np

from .builder import ModelBuilder, options


def crash_load() -> bytes:
    """Custom options of AudioSpectrogram point 1 TiB back: SIGSEGV while the interpreter is built."""
    model = ModelBuilder("crashes in load")
    graph = model.subgraph("main")
    x = graph.input("x", [1, 8])
    graph.output(graph.op("AudioSpectrogram", [x], ("y", [1, 8])))
    # A flexbuffer ends in: the root's value, its type (a map with 8-byte offsets), its width.
    graph.table.operators[0].customOptions = list(struct.pack("<QBB", 1 << 40, 9 << 2 | 3, 8))
    return model.build()


def crash_allocate() -> bytes:
    """A WHILE whose body is the graph that it stands in: preparing it never ends, the stack does."""
    model = ModelBuilder("crashes in allocate")
    graph = model.subgraph("main")
    x = graph.input("x", [1], "int32")
    loop = options("While", condSubgraphIndex=1, bodySubgraphIndex=0)
    graph.output(graph.op("WHILE", [x], ("y", [1]), options=loop))
    cond = model.subgraph("cond")
    inside = cond.input("cond/x", [1], "int32")
    limit = cond.constant("cond/limit", np.array([5], np.int32))
    cond.output(cond.op("LESS", [inside, limit], ("cond/go_on", [1], "bool"), options=options("Less")))
    return model.build()


def crash_invoke() -> bytes:
    """MAXIMUM with broadcasting in nine dimensions: a check in the kernel calls abort (SIGABRT)."""
    model = ModelBuilder("aborts in invoke")
    graph = model.subgraph("main")
    first = graph.input("first", [1] * 8 + [2])
    second = graph.input("second", [1] * 7 + [2, 1])
    shape = [1] * 7 + [2, 2]
    graph.output(graph.op("MAXIMUM", [first, second], ("y", shape), options=options("MaximumMinimum")))
    return model.build()


def crash_input() -> bytes:
    """An input that is a constant of the file: who writes to it writes to a read-only page (SIGSEGV)."""
    model = ModelBuilder("its input cannot be written")
    graph = model.subgraph("main")
    x = graph.constant("x", np.zeros((1, 8), np.float32))
    graph.table.inputs.append(x)
    graph.output(graph.op("TANH", [x], ("y", [1, 8])))
    return model.build()


def unknown_operator() -> bytes:
    """A custom operator that no runtime has: loads, and fails in allocate."""
    model = ModelBuilder("needs an operator of its own")
    graph = model.subgraph("main")
    x = graph.input("x", [1, 8])
    before = graph.op("TANH", [x], ("before", [1, 8]))
    graph.output(graph.op("FancyNewOp", [before], ("y", [1, 8])))
    return model.build()


def refused_allocate() -> bytes:
    """Two activations of 256 TiB, more than 47 bits can address: the runtime gives up in allocate."""
    model = ModelBuilder("wants 512 TiB at once")
    graph = model.subgraph("main")
    x = graph.input("x", [1 << 23, 1 << 23])
    graph.output(graph.op("TANH", [x], ("y", [1 << 23, 1 << 23])))
    return model.build()


def refused_invoke() -> bytes:
    """WHERE counts places and FILL makes 256 TiB of them: the wish comes in invoke, not before."""
    model = ModelBuilder("wants 256 TiB while it runs")
    graph = model.subgraph("main")
    x = graph.input("x", [8])
    rank = graph.op("SHAPE", [x], ("shape", [1], "int32"), options=options("Shape", outType=2))
    eight = graph.op("WHERE", [graph.op("EQUAL", [x, x], ("same", [8], "bool"))], ("places", [8, 1], "int64"))
    count = graph.op("SHAPE", [eight], ("count", [2], "int32"), options=options("Shape", outType=2))
    large = graph.constant("large", np.array([1 << 20, 1 << 23], np.int32))
    dims = graph.op("MUL", [count, large], ("dims", [2], "int32"), options=options("Mul"))
    filled = graph.op(
        "FILL", [dims, graph.constant("value", np.array(1, np.float32))], ("filled", [1, 1], "float32"),
        options=options("Fill"),
    )  # fmt: skip
    graph.output(rank, graph.op("TANH", [filled], ("y", [1, 1])))
    return model.build()


def overflowing_shape() -> bytes:
    """A shape of 2^124 elements: the bytes do not fit into 64 bits, so the file is refused in load."""
    model = ModelBuilder("more elements than can be counted")
    graph = model.subgraph("main")
    shape = [2**31 - 1] * 4
    x = graph.input("x", shape)
    graph.output(graph.op("TANH", [x], ("y", shape)))
    return model.build()


def name_not_utf8() -> bytes:
    """A tensor name in Latin-1: the runtime's own Python interface raises UnicodeDecodeError on it."""
    model = ModelBuilder("a name in another encoding")
    graph = model.subgraph("main")
    x = graph.input("x", [1, 8])
    graph.output(graph.op("TANH", [x], ("Größe", [1, 8])))
    return model.build().replace("Größe".encode(), "Größe  ".encode("latin-1"))
