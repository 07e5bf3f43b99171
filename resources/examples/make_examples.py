"""Writes the two example models, the same bytes every time. From a checkout:

python resources/examples/make_examples.py
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.data import blocks  # noqa: E402
from tests.data.blocks import NONE, RELU, RELU6  # noqa: E402
from tests.data.builder import GraphBuilder, ModelBuilder, Weights, options  # noqa: E402

STEPS, FEATURES, ACTIVITIES = 128, 16, 6


def lstm() -> bytes:
    """Two stacked LSTM layers over 128 readings of 16 sensors, six activities told apart.

    What a wearable or a machine monitor runs: normalise, two fused LSTMs, the last step, two dense
    layers. Four state tensors of fixed batch, so the batch of this model can only change in the file.
    """
    model, weights = ModelBuilder("ArenaScope example: activity from a sensor sequence"), Weights(64)
    graph = model.subgraph("main")
    x = graph.input("sequence", [1, STEPS, FEATURES])

    centre = graph.constant("normalise/mean", weights.uniform(FEATURES, scale=0.1))
    scale = graph.constant("normalise/inverse_std", 1 + weights.uniform(FEATURES, scale=0.2))
    whole = [1, STEPS, FEATURES]
    centred = graph.op("SUB", [x, centre], ("normalise/centred", whole), options=options("Sub"))
    scaled = blocks.multiply(graph, centred, scale, whole, "normalise/scaled")

    first = blocks.lstm(graph, weights, scaled, steps=STEPS, features=FEATURES, cells=64, name="lstm_1")
    second = blocks.lstm(graph, weights, first, steps=STEPS, features=64, cells=32, name="lstm_2")
    last = _last_step(graph, second, 32)
    hidden = blocks.dense(graph, weights, last, 32, 48, "dense", activation=RELU)
    logits = blocks.dense(graph, weights, hidden, 48, ACTIVITIES, "head")
    activity = blocks.softmax(graph, logits, [1, ACTIVITIES], "activity")
    graph.output(activity)
    model.signature("serving_default", 0, {"sequence": x}, {"activity": activity})
    return model.build()


def _last_step(graph: GraphBuilder, x: int, cells: int) -> int:
    """x[:, -1, :] of [1, STEPS, cells]."""
    begin = graph.shape_constant("last_step/begin", [0, -1, 0])
    end = graph.shape_constant("last_step/end", [0, 0, 0])
    strides = graph.shape_constant("last_step/strides", [1, 1, 1])
    made = options("StridedSlice", beginMask=0b101, endMask=0b111, shrinkAxisMask=0b010)
    return graph.op("STRIDED_SLICE", [x, begin, end, strides], ("last_step", [1, cells]), options=made)


@dataclass(frozen=True)
class _Image:
    """A feature map: its tensor, its edge and its channels."""

    tensor: int
    edge: int
    channels: int


class _Cnn:
    """Inverted residual blocks over a square image, batch 1 and open."""

    def __init__(self, graph: GraphBuilder, weights: Weights) -> None:
        self._graph = graph
        self._weights = weights

    def conv(
        self, x: _Image, channels: int, name: str, *, size: int = 1, stride: int = 1, activation: int = RELU6
    ) -> _Image:
        edge = -(-x.edge // stride)
        kernel = (channels, size, size, x.channels)
        constants = self._constants(name, kernel, channels, math.prod(kernel[1:]))
        shape = [1, edge, edge, channels]
        made = blocks.conv(
            self._graph, constants, x.tensor, shape, name,
            stride=stride, activation=activation, signature=[-1, *shape[1:]],
        )  # fmt: skip
        return _Image(made, edge, channels)

    def depthwise(self, x: _Image, name: str, *, stride: int = 1) -> _Image:
        edge = -(-x.edge // stride)
        constants = self._constants(name, (1, 3, 3, x.channels), x.channels, 9)
        shape = [1, edge, edge, x.channels]
        made = blocks.depthwise(
            self._graph, constants, x.tensor, shape, name,
            stride=stride, activation=RELU6, signature=[-1, *shape[1:]],
        )  # fmt: skip
        return _Image(made, edge, x.channels)

    def inverted_residual(
        self, x: _Image, channels: int, expansion: int, name: str, *, stride: int
    ) -> _Image:
        """Expand, depthwise, project; added to its input where both have one shape."""
        wide = self.conv(x, x.channels * expansion, f"{name}/expand")
        filtered = self.depthwise(wide, f"{name}/depthwise", stride=stride)
        narrow = self.conv(filtered, channels, f"{name}/project", activation=NONE)
        if stride != 1 or channels != x.channels:
            return narrow
        shape = [1, x.edge, x.edge, channels]
        added = blocks.add(
            self._graph, x.tensor, narrow.tensor, shape, f"{name}/add", signature=[-1, *shape[1:]]
        )
        return _Image(added, x.edge, channels)

    def _constants(self, name: str, shape: tuple[int, ...], channels: int, fan_in: int) -> tuple[int, int]:
        kernel = self._weights.uniform(*shape, scale=math.sqrt(6 / fan_in))
        bias = self._weights.uniform(channels, scale=0.05)
        return self._graph.constant(f"{name}/w", kernel), self._graph.constant(f"{name}/b", bias)


def cnn() -> bytes:
    """A MobileNet-like network over a 96×96 colour image, ten classes, about 30,000 weights.

    What a camera on a small board runs. The batch is open: every shape follows it.
    """
    model, weights = ModelBuilder("ArenaScope example: image classifier, 96×96"), Weights(96)
    graph = model.subgraph("main")
    net = _Cnn(graph, weights)
    image = graph.input("image", [1, 96, 96, 3], signature=[-1, 96, 96, 3])

    x = net.conv(_Image(image, 96, 3), 8, "stem", size=3, stride=2)
    x = net.conv(net.depthwise(x, "first/depthwise"), 16, "first/project", activation=NONE)
    x = net.inverted_residual(x, 24, 4, "block_1", stride=2)
    x = net.inverted_residual(x, 24, 3, "block_2", stride=1)
    x = net.inverted_residual(x, 32, 3, "block_3", stride=2)
    x = net.inverted_residual(x, 32, 3, "block_4", stride=1)
    x = net.inverted_residual(x, 64, 3, "block_5", stride=2)
    x = net.conv(x, 128, "features")

    pool = blocks.average_pool(graph, x.tensor, x.edge, 128, "pool", signature=[-1, 1, 1, 128])
    flat = blocks.reshape(graph, pool, [-1, 128], [1, 128], "flat", signature=[-1, 128])
    logits = blocks.dense(graph, weights, flat, 128, 10, "head")
    classes = blocks.softmax(graph, logits, [1, 10], "classes", signature=[-1, 10])
    graph.output(classes)
    model.signature("serving_default", 0, {"image": image}, {"classes": classes})
    return model.build()


def files() -> dict[str, bytes]:
    """File name → content of both models."""
    return {"lstm.tflite": lstm(), "cnn.tflite": cnn()}


def main() -> None:
    for name, content in files().items():
        (HERE / name).write_bytes(content)
        print(f"{name}: {len(content):,} bytes")


if __name__ == "__main__":
    main()
