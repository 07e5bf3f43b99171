"""Layers as functions: each adds its constants and its operator, and returns its output tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .builder import GraphBuilder, Weights, options

SAME, VALID = 0, 1
NONE, RELU, RELU6, TANH = 0, 1, 3, 4


def lstm(
    graph: GraphBuilder, weights: Weights, x: int, *, steps: int, features: int, cells: int, name: str
) -> int:
    """UNIDIRECTIONAL_SEQUENCE_LSTM over [1, steps, features]; its hidden sequence [1, steps, cells].

    Inputs in the kernel's order: the sequence, input and recurrent weights of four gates, three
    absent peepholes, four biases, two absent projections, two states, four absent norms.
    """
    gates = ("input", "forget", "cell", "output")
    kernel = [graph.constant(f"{name}/{g}_w", weights.uniform(cells, features, scale=0.4)) for g in gates]
    recurrent = [graph.constant(f"{name}/{g}_r", weights.uniform(cells, cells, scale=0.2)) for g in gates]
    bias = [graph.constant(f"{name}/{g}_b", weights.uniform(cells, scale=0.1)) for g in gates]
    states = [graph.tensor(f"{name}/{s}_state", [1, cells], variable=True) for s in ("output", "cell")]
    return graph.op(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        [x, *kernel, *recurrent, -1, -1, -1, *bias, -1, -1, *states, -1, -1, -1, -1],
        (f"{name}/sequence", [1, steps, cells]),
        options=options("UnidirectionalSequenceLSTM", fusedActivationFunction=TANH),
    )


def dense(
    graph: GraphBuilder, weights: Weights, x: int, inputs: int, units: int, name: str, activation: int = NONE
) -> int:
    """FULLY_CONNECTED over [1, inputs]."""
    kernel = graph.constant(f"{name}/kernel", weights.uniform(units, inputs, scale=0.5))
    bias = graph.constant(f"{name}/bias", weights.uniform(units, scale=0.1))
    made = options("FullyConnected", fusedActivationFunction=activation)
    return graph.op("FULLY_CONNECTED", [x, kernel, bias], (f"{name}/out", [1, units]), options=made)


def conv(
    graph: GraphBuilder,
    constants: tuple[int, int],
    x: int,
    shape: Sequence[int],
    name: str,
    *,
    stride: int = 1,
    activation: int = NONE,
    **kind: Any,
) -> int:
    """CONV_2D with the given (weights, bias); ``shape`` is that of its output."""
    made = options("Conv2D", padding=SAME, strideW=stride, strideH=stride, fusedActivationFunction=activation)
    return graph.op("CONV_2D", [x, *constants], (name, shape), options=made, **kind)


def depthwise(
    graph: GraphBuilder,
    constants: tuple[int, int],
    x: int,
    shape: Sequence[int],
    name: str,
    *,
    stride: int = 1,
    activation: int = NONE,
    **kind: Any,
) -> int:
    """DEPTHWISE_CONV_2D with the given (weights, bias); ``shape`` is that of its output."""
    made = options(
        "DepthwiseConv2D",
        padding=SAME,
        strideW=stride,
        strideH=stride,
        depthMultiplier=1,
        fusedActivationFunction=activation,
    )
    return graph.op("DEPTHWISE_CONV_2D", [x, *constants], (name, shape), options=made, **kind)


def average_pool(graph: GraphBuilder, x: int, size: int, channels: int, name: str, **kind: Any) -> int:
    """AVERAGE_POOL_2D over the whole of [1, size, size, channels]."""
    made = options("Pool2D", padding=VALID, strideW=size, strideH=size, filterWidth=size, filterHeight=size)
    return graph.op("AVERAGE_POOL_2D", [x], (name, [1, 1, 1, channels]), options=made, **kind)


def reshape(
    graph: GraphBuilder, x: int, to: Sequence[int], shape: Sequence[int], name: str, **kind: Any
) -> int:
    """RESHAPE to the constant ``to`` (which may hold a -1), giving ``shape``."""
    made = options("Reshape", newShape=list(to))
    return graph.op(
        "RESHAPE", [x, graph.shape_constant(f"{name}/to", to)], (name, shape), options=made, **kind
    )


def softmax(graph: GraphBuilder, x: int, shape: Sequence[int], name: str, **kind: Any) -> int:
    return graph.op("SOFTMAX", [x], (name, shape), options=options("Softmax", beta=1.0), **kind)


def tanh(graph: GraphBuilder, x: int, shape: Sequence[int], name: str, **kind: Any) -> int:
    return graph.op("TANH", [x], (name, shape), **kind)


def add(graph: GraphBuilder, x: int, y: int, shape: Sequence[int], name: str, **kind: Any) -> int:
    return graph.op("ADD", [x, y], (name, shape), options=options("Add"), **kind)


def multiply(graph: GraphBuilder, x: int, y: int, shape: Sequence[int], name: str) -> int:
    return graph.op("MUL", [x, y], (name, shape), options=options("Mul"))
