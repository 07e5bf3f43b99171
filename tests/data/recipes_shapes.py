"""Models of unusual tensors: dynamic shapes, no element, one element, strings, odd names and places."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from .blocks import add, multiply, tanh
from .builder import ModelBuilder, Weights, options


def dynamic_where() -> bytes:
    """WHERE: the shape of its output is known only when it has run, and so is all behind it."""
    model = ModelBuilder("WHERE, then CAST and TANH of unknown length")
    graph = model.subgraph("main")
    x = graph.input("x", [4, 6])
    zero = graph.constant("zero", np.array(0, np.float32))
    positive = graph.op("GREATER", [x, zero], ("positive", [4, 6], "bool"))
    places = graph.op("WHERE", [positive], ("places", [1, 2], "int64"), signature=[-1, 2])
    as_float = graph.op("CAST", [places], ("as_float", [1, 2], "float32"), signature=[-1, 2])
    graph.output(tanh(graph, as_float, [1, 2], "y", signature=[-1, 2]))
    return model.build()


def dynamic_reshape() -> bytes:
    """RESHAPE to a computed shape: partial plan, tensors without memory before invoke."""
    model = ModelBuilder("RESHAPE to a shape known at run time")
    graph = model.subgraph("main")
    x = graph.input("x", [2, 12])
    seed = graph.input("seed", [2], "int32")
    # Whatever the seed is, the shape is [3, 8]; but only we know that.
    nothing = multiply(graph, seed, graph.shape_constant("zeros", [0, 0]), [2], "nothing")
    shape = add(graph, nothing, graph.shape_constant("wanted", [3, 8]), [2], "shape")
    before = tanh(graph, x, [2, 12], "before")
    made = options("Reshape")
    reshaped = graph.op("RESHAPE", [before, shape], ("reshaped", [1, 1]), options=made, signature=[-1, -1])
    graph.output(tanh(graph, reshaped, [1, 1], "y", signature=[-1, -1]))
    return model.build()


def zero_size() -> bytes:
    """Tensors without an element: an input, a constant, and what is made of them."""
    model = ModelBuilder("tensors of no element")
    graph = model.subgraph("main")
    nothing = graph.input("nothing", [0, 4])
    x = graph.input("x", [2, 4])
    joined = graph.op(
        "CONCATENATION", [nothing, x], ("joined", [2, 4]), options=options("Concatenation", axis=0)
    )
    empty = graph.op("TANH", [nothing], ("empty", [0, 4]))
    graph.output(graph.op("TANH", [joined], ("y", [2, 4])), empty)
    return model.build()


def scalar() -> bytes:
    """Scalars: an input, a constant, an output, each of one element and no dimension."""
    model = ModelBuilder("y = x · 2 + 1")
    graph = model.subgraph("main")
    x = graph.input("x", [])
    doubled = multiply(graph, x, graph.constant("two", np.array(2, np.float32)), [], "doubled")
    graph.output(add(graph, doubled, graph.constant("one", np.array(1, np.float32)), [], "y"))
    return model.build()


def strings() -> bytes:
    """GATHER picks two of three strings; their memory is dynamic and has no fixed size."""
    model = ModelBuilder("GATHER of strings")
    graph = model.subgraph("main")
    words = graph.input("words", [3], "string")
    picked = graph.shape_constant("picked", [2, 0])
    graph.output(graph.op("GATHER", [words, picked], ("chosen", [2]), options=options("Gather")))
    return model.build()


def script_name() -> bytes:
    """Names that a careless page would run, that break a line, or that read backwards."""
    model = ModelBuilder("<b>names</b>")
    graph = model.subgraph("<i>main</i>")
    x = graph.input("<script>alert(1)</script>", [1, 8])
    quoted = graph.op("TANH", [x], ("\"'><img src=x onerror=alert(2)>", [1, 8]))
    broken = graph.op("TANH", [quoted], ("line\nbreak\ttab\x1b[31mred\x00nul", [1, 8]))
    graph.output(graph.op("TANH", [broken], ("=cmd|' /C calc'!A0 — naïve 名前 \u202egnp.exe", [1, 8])))
    return model.build()


def weights_behind() -> bytes:
    """A constant behind the flatbuffer, named by offset and size: the layout of models above 2 GB."""
    model, weights = ModelBuilder("constants behind the flatbuffer"), Weights(9)
    graph = model.subgraph("main")
    x = graph.input("x", [1, 64])
    value = weights.uniform(1, 64)
    addend = graph.tensor("addend", [1, 64])
    place = schema.BufferT()
    model.model.buffers.append(place)
    graph.table.tensors[addend].buffer = len(model.model.buffers) - 1
    graph.output(graph.op("ADD", [x, addend], ("y", [1, 64]), options=options("Add")))
    # Placeholders first: scalars of zero would be left out of the table and change its size.
    place.offset, place.size = 2**40, value.nbytes
    place.offset = -(-len(model.build()) // 16) * 16
    return model.build().ljust(place.offset, b"\0") + value.tobytes()


def shared_constant() -> bytes:
    """Two constant tensors over one buffer, and one operator that adds a tensor to itself."""
    model, weights = ModelBuilder("a constant used under two names"), Weights(10)
    graph = model.subgraph("main")
    x = graph.input("x", [1, 32])
    one = graph.constant("weights", weights.uniform(1, 32))
    other = graph.tensor("weights_again", [32])
    graph.table.tensors[other].buffer = graph.table.tensors[one].buffer
    added = graph.op("ADD", [x, one], ("added", [1, 32]), options=options("Add"))
    scaled = graph.op("MUL", [added, other], ("scaled", [1, 32]), options=options("Mul"))
    graph.output(graph.op("ADD", [scaled, scaled], ("y", [1, 32]), options=options("Add")))
    return model.build()
