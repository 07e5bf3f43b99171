"""Models of one layer or a few: what kernels keep, share and add in scratch tensors."""

from __future__ import annotations

import numpy as np

from .blocks import (
    RELU,
    SAME,
    add,
    average_pool,
    conv,
    dense,
    depthwise,
    lstm,
    reshape,
    softmax,
    tanh,
)
from .builder import GraphBuilder, ModelBuilder, Weights, options


def lstm_fused() -> bytes:
    """Fused float LSTM: two state tensors that are variables, one scratch tensor, a dense head."""
    model, weights = ModelBuilder("fused LSTM, 6 steps of 4 features, 5 cells"), Weights(1)
    graph = model.subgraph("main")
    x = graph.input("sequence", [1, 6, 4])
    hidden = lstm(graph, weights, x, steps=6, features=4, cells=5, name="lstm")
    flat = reshape(graph, hidden, [1, 30], [1, 30], "flat")
    graph.output(softmax(graph, dense(graph, weights, flat, 30, 3, "head"), [1, 3], "probabilities"))
    return model.build()


def cnn_float() -> bytes:
    """Convolution (im2col), depthwise convolution, pooling and a dense head in float."""
    model, weights = ModelBuilder("small CNN, float"), Weights(2)
    graph = model.subgraph("main")
    x = graph.input("image", [1, 16, 16, 3], signature=[-1, 16, 16, 3])

    def constants(name: str, *shape: int) -> tuple[int, int]:
        kernel = graph.constant(f"{name}/w", weights.uniform(*shape))
        return kernel, graph.constant(f"{name}/b", weights.uniform(8))

    x = conv(graph, constants("conv", 8, 3, 3, 3), x, [1, 8, 8, 8], "conv/out", stride=2, activation=RELU)
    x = depthwise(graph, constants("dw", 1, 3, 3, 8), x, [1, 8, 8, 8], "dw/out")
    flat = reshape(graph, average_pool(graph, x, 8, 8, "pool"), [-1, 8], [1, 8], "flat")
    graph.output(softmax(graph, dense(graph, weights, flat, 8, 4, "head"), [1, 4], "probabilities"))
    return model.build()


def cnn_int8() -> bytes:
    """The same CNN with int8 weights (one scale per channel) and activations."""
    model, weights = ModelBuilder("small CNN, int8"), Weights(3)
    graph = model.subgraph("main")
    x = graph.input("image", [1, 16, 16, 3], "int8", scale=1 / 128, signature=[-1, 16, 16, 3])

    first = (
        graph.constant("conv/w", weights.integers(8, 3, 3, 3), scale=[0.01] * 8),
        _bias(graph, weights, "conv/b", 8, [0.01 / 128] * 8),
    )
    x = conv(
        graph, first, x, [1, 8, 8, 8], "conv/out",
        stride=2, activation=RELU, version=3, scale=0.05, zero_point=-128,
    )  # fmt: skip
    second = (
        graph.constant("dw/w", weights.integers(1, 3, 3, 8), scale=[0.01] * 8, axis=3),
        _bias(graph, weights, "dw/b", 8, [0.05 * 0.01] * 8),
    )
    x = depthwise(graph, second, x, [1, 8, 8, 8], "dw/out", version=3, scale=0.1)
    pool = average_pool(graph, x, 8, 8, "pool", version=2, scale=0.1)
    flat = reshape(graph, pool, [-1, 8], [1, 8], "flat", scale=0.1)
    head = graph.constant("head/w", weights.integers(4, 8), scale=0.01)
    logits = graph.op(
        "FULLY_CONNECTED",
        [flat, head, _bias(graph, weights, "head/b", 4, 0.001)],
        ("logits", [1, 4]),
        options=options("FullyConnected"),
        version=4,
        scale=0.1,
    )
    graph.output(softmax(graph, logits, [1, 4], "probabilities", version=2, scale=1 / 256, zero_point=-128))
    return model.build()


def _bias(graph: GraphBuilder, weights: Weights, name: str, units: int, scale: float | list[float]) -> int:
    """A bias has the product of its layer's input and weight scales, one or per channel."""
    return graph.constant(name, weights.integers(units, low=-500, high=500, dtype=np.int32), scale=scale)


def split_many() -> bytes:
    """SPLIT into five equal parts, each used on its own: ties in the planner's order."""
    model = ModelBuilder("one SPLIT, five equal outputs")
    graph = model.subgraph("main")
    x = graph.input("x", [1, 40])
    axis = graph.constant("axis", np.array(1, np.int32))
    # Equal tensors that live from one operator on: only the sort decides who lies where.
    parts = [(f"part_{i}", [1, 8], "float32") for i in range(5)]
    first = graph.op("SPLIT", [axis, x], *parts, options=options("Split", numSplits=5))
    activated = [tanh(graph, first + i, [1, 8], f"tanh_{i}") for i in range(5)]
    joined = options("Concatenation", axis=1)
    graph.output(graph.op("CONCATENATION", activated, ("y", [1, 40]), options=joined))
    return model.build()


def inplace_chain() -> bytes:
    """RESHAPE → ADD → SOFTMAX between two TANH: newer runtimes put three outputs at one address."""
    model, weights = ModelBuilder("a chain that runs in place"), Weights(4)
    graph = model.subgraph("main")
    before = tanh(graph, graph.input("x", [2, 8]), [2, 8], "before")
    reshaped = reshape(graph, before, [4, 4], [4, 4], "reshaped")
    added = add(graph, reshaped, graph.constant("addend", weights.uniform(4, 4)), [4, 4], "added")
    graph.output(tanh(graph, softmax(graph, added, [4, 4], "softmax"), [4, 4], "y"))
    return model.build()


def fp16_weights() -> bytes:
    """Weights in float16 behind DEQUANTIZE: their float32 copies fill the persistent arena."""
    model, weights = ModelBuilder("float16 weights"), Weights(5)
    graph = model.subgraph("main")
    x = graph.input("x", [1, 32])
    made = options("FullyConnected", fusedActivationFunction=RELU)
    for layer in range(2):
        half = graph.constant(f"w{layer}_fp16", weights.uniform(32, 32, scale=0.2).astype(np.float16))
        kernel = graph.op("DEQUANTIZE", [half], (f"w{layer}", [32, 32], "float32"), version=3)
        x = graph.op("FULLY_CONNECTED", [x, kernel, -1], (f"dense{layer}", [1, 32]), options=made)
    graph.output(x)
    return model.build()


def int4_weights() -> bytes:
    """FULLY_CONNECTED with int4 weights, two to a byte, and float activations (hybrid kernel)."""
    model, weights = ModelBuilder("int4 weights"), Weights(6)
    graph = model.subgraph("main")
    x = graph.input("x", [1, 32])
    nibbles = weights.integers(16, 32, low=-7, high=8) & 0xF
    packed = (nibbles[:, 0::2] | nibbles[:, 1::2] << 4).astype(np.uint8)
    kernel = graph.constant("w", packed, dtype="int4", shape=(16, 32), scale=0.05)
    bias = graph.constant("b", weights.uniform(16))
    made = options("FullyConnected")
    graph.output(graph.op("FULLY_CONNECTED", [x, kernel, bias], ("y", [1, 16]), options=made, version=10))
    return model.build()


def transpose_conv() -> bytes:
    """TRANSPOSE_CONV: its scratch tensors are dynamic, so they lie on the heap."""
    model, weights = ModelBuilder("TRANSPOSE_CONV, 8×8 to 16×16"), Weights(7)
    graph = model.subgraph("main")
    x = graph.input("x", [1, 8, 8, 4])
    shape = graph.shape_constant("out_shape", [1, 16, 16, 2])
    kernel = graph.constant("w", weights.uniform(2, 3, 3, 4))
    made = options("TransposeConv", padding=SAME, strideW=2, strideH=2)
    graph.output(
        graph.op("TRANSPOSE_CONV", [shape, kernel, x], ("y", [1, 16, 16, 2], "float32"), options=made)
    )
    return model.build()


def mean() -> bytes:
    """MEAN over two axes: scratch tensors for indices, axes and sums, one slot never prepared."""
    model = ModelBuilder("MEAN over height and width")
    graph = model.subgraph("main")
    activated = tanh(graph, graph.input("x", [1, 6, 6, 8]), [1, 6, 6, 8], "tanh")
    axes = graph.shape_constant("axes", [1, 2])
    reduced = graph.op("MEAN", [activated, axes], ("mean", [1, 8]), options=options("Reducer"))
    graph.output(tanh(graph, reduced, [1, 8], "y"))
    return model.build()


def fully_connected() -> bytes:
    """Two FULLY_CONNECTED layers: twelve scratch slots without a shape, which no reader may touch."""
    model, weights = ModelBuilder("two dense layers"), Weights(8)
    graph = model.subgraph("main")
    x = graph.input("x", [1, 12], signature=[-1, 12])
    hidden = tanh(graph, dense(graph, weights, x, 12, 20, "first"), [1, 20], "hidden")
    graph.output(dense(graph, weights, hidden, 20, 2, "second"))
    return model.build()
