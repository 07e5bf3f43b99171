"""Models for the tests of another batch: chains of operators, drawn at random or written down."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.data.blocks import add, reshape, softmax, tanh
from tests.data.builder import GraphBuilder, ModelBuilder, Weights, options

Shape = tuple[int, ...]


class Chain:
    """A model with one input that grows by one operator at a time."""

    def __init__(self, shape: Shape) -> None:
        self.model, self.weights = ModelBuilder("a chain"), Weights(9)
        self.graph: GraphBuilder = self.model.subgraph("main")
        self.tensor, self.shape, self._count = self.graph.input("x", shape), shape, 0

    def name(self) -> str:
        self._count += 1
        return f"t{self._count}"

    def take(self, tensor: int, shape: Shape) -> None:
        self.tensor, self.shape = tensor, shape

    def op(self, operator: str, shape: Shape, *constants: Any, first: Any = None, **fields: Any) -> None:
        """``constants`` follow the tensor as inputs, ``first`` goes before it."""
        inputs = [self.tensor, *(self.graph.constant(self.name(), np.asarray(c)) for c in constants)]
        if first is not None:
            inputs.insert(0, self.graph.constant(self.name(), np.asarray(first)))
        kind, version = fields.pop("kind", None), fields.pop("version", 1)
        self.take(
            self.graph.op(
                operator,
                inputs,
                (self.name(), shape, "float32"),
                options=options(kind, **fields) if kind else None,
                version=version,
            ),
            shape,
        )

    def data(self) -> bytes:
        self.graph.output(self.tensor)
        return self.model.build()


def _ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def _reshape(chain: Chain, draw: st.DrawFn) -> None:
    left, shape = prod(chain.shape), []
    while left > 1 and len(shape) < 3 and draw(st.booleans()):
        shape.append(draw(st.sampled_from([n for n in range(1, left + 1) if left % n == 0])))
        left //= shape[-1]
    shape.append(left)
    to = list(shape)
    if draw(st.booleans()):
        to[draw(st.integers(0, len(to) - 1))] = -1
    chain.take(reshape(chain.graph, chain.tensor, to, shape, chain.name()), tuple(shape))


def _transpose(chain: Chain, draw: st.DrawFn) -> None:
    order = draw(st.permutations(range(len(chain.shape))))
    chain.op("TRANSPOSE", tuple(chain.shape[i] for i in order), _ints(*order), kind="Transpose")


def _mean(chain: Chain, draw: st.DrawFn) -> None:
    if len(chain.shape) < 2:
        return
    axis = draw(st.integers(0, len(chain.shape) - 1))
    keep = draw(st.booleans())
    shape = tuple(1 if i == axis else n for i, n in enumerate(chain.shape) if keep or i != axis)
    chain.op("SUM", shape, _ints(axis), kind="Reducer", keepDims=keep)


def _add(chain: Chain, draw: st.DrawFn) -> None:
    rank = draw(st.integers(1, len(chain.shape)))
    shape = [n if draw(st.booleans()) else 1 for n in chain.shape[-rank:]]
    constant = chain.graph.constant(chain.name(), chain.weights.uniform(*shape))
    chain.take(add(chain.graph, chain.tensor, constant, chain.shape, chain.name()), chain.shape)


def _square(chain: Chain, draw: st.DrawFn) -> None:
    chain.take(add(chain.graph, chain.tensor, chain.tensor, chain.shape, chain.name()), chain.shape)


def _softmax(chain: Chain, draw: st.DrawFn) -> None:
    chain.take(softmax(chain.graph, chain.tensor, chain.shape, chain.name()), chain.shape)


def _tanh(chain: Chain, draw: st.DrawFn) -> None:
    chain.take(tanh(chain.graph, chain.tensor, chain.shape, chain.name()), chain.shape)


def _dense(chain: Chain, draw: st.DrawFn) -> None:
    depth = chain.shape[-1]
    keep = draw(st.booleans())
    shape = (*chain.shape[:-1], 3) if keep else (prod(chain.shape[:-1]), 3)
    chain.op(
        "FULLY_CONNECTED", shape, chain.weights.uniform(3, depth), kind="FullyConnected", keepNumDims=keep
    )


def _concatenation(chain: Chain, draw: st.DrawFn) -> None:
    axis = draw(st.integers(0, len(chain.shape) - 1))
    other = tuple(2 if i == axis else n for i, n in enumerate(chain.shape))
    shape = tuple(n + 2 if i == axis else n for i, n in enumerate(chain.shape))
    chain.op("CONCATENATION", shape, chain.weights.uniform(*other), kind="Concatenation", axis=axis)


def _slice(chain: Chain, draw: st.DrawFn) -> None:
    begin = [draw(st.sampled_from((0, 0, n - 1))) for n in chain.shape]
    size = [draw(st.sampled_from((-1, n - b))) for n, b in zip(chain.shape, begin, strict=True)]
    shape = tuple(n - b for n, b in zip(chain.shape, begin, strict=True))
    chain.op("SLICE", shape, _ints(*begin), _ints(*size), kind="Slice")


def _strided(chain: Chain, draw: st.DrawFn) -> None:
    rank = len(chain.shape)
    mask = draw(st.integers(0, 2**rank - 1))
    ends = [max(1, n - draw(st.sampled_from((0, 0, 1)))) for n in chain.shape]
    shape = tuple(n if mask >> i & 1 else e for i, (n, e) in enumerate(zip(chain.shape, ends, strict=True)))
    chain.op(
        "STRIDED_SLICE", shape, _ints(*[0] * rank), _ints(*ends), _ints(*[1] * rank),
        kind="StridedSlice", endMask=mask,
    )  # fmt: skip


def _expand(chain: Chain, draw: st.DrawFn) -> None:
    axis = draw(st.integers(0, len(chain.shape)))
    if len(chain.shape) < 4:
        chain.op(
            "EXPAND_DIMS",
            (*chain.shape[:axis], 1, *chain.shape[axis:]),
            np.array(axis, np.int32),
            kind="ExpandDims",
        )


def _squeeze(chain: Chain, draw: st.DrawFn) -> None:
    ones = [i for i, n in enumerate(chain.shape) if n == 1]
    if not ones or len(chain.shape) < 2:
        return
    axis = draw(st.sampled_from(ones))
    shape = tuple(n for i, n in enumerate(chain.shape) if i != axis)
    chain.op("SQUEEZE", shape, kind="Squeeze", squeezeDims=[axis])


def _tile(chain: Chain, draw: st.DrawFn) -> None:
    times = [draw(st.sampled_from((1, 1, 2))) for _ in chain.shape]
    chain.op(
        "TILE", tuple(n * t for n, t in zip(chain.shape, times, strict=True)), _ints(*times), kind="Tile"
    )


def _pad(chain: Chain, draw: st.DrawFn) -> None:
    pads = [[draw(st.sampled_from((0, 0, 1))), draw(st.sampled_from((0, 0, 1)))] for _ in chain.shape]
    shape = tuple(n + a + b for n, (a, b) in zip(chain.shape, pads, strict=True))
    chain.op("PAD", shape, np.array(pads, np.int32), kind="Pad")


def _split(chain: Chain, draw: st.DrawFn) -> None:
    even = [i for i, n in enumerate(chain.shape) if n % 2 == 0]
    if not even:
        return
    axis = draw(st.sampled_from(even))
    shape = tuple(n // 2 if i == axis else n for i, n in enumerate(chain.shape))
    where = chain.graph.constant(chain.name(), np.array(axis, np.int32))
    parts = [(chain.name(), shape, "float32") for _ in range(2)]
    first = chain.graph.op("SPLIT", [where, chain.tensor], *parts, options=options("Split", numSplits=2))
    chain.take(add(chain.graph, first, first + 1, shape, chain.name()), shape)


def _pack(chain: Chain, draw: st.DrawFn) -> None:
    if len(chain.shape) > 3:
        return
    axis = draw(st.integers(0, len(chain.shape)))
    other = chain.graph.constant(chain.name(), chain.weights.uniform(*chain.shape))
    shape = (*chain.shape[:axis], 2, *chain.shape[axis:])
    made = options("Pack", axis=axis, valuesCount=2)
    chain.take(chain.graph.op("PACK", [chain.tensor, other], (chain.name(), shape), options=made), shape)


def _gather(chain: Chain, draw: st.DrawFn) -> None:
    axis = draw(st.integers(0, len(chain.shape) - 1))
    rows = [draw(st.integers(0, chain.shape[axis] - 1)) for _ in range(2)]
    chain.op(
        "GATHER", (*chain.shape[:axis], 2, *chain.shape[axis + 1 :]), _ints(*rows), kind="Gather", axis=axis
    )


def _matmul(chain: Chain, draw: st.DrawFn) -> None:
    if len(chain.shape) < 2:
        return
    if draw(st.booleans()):  # with itself, transposed
        shape = (*chain.shape[:-1], chain.shape[-2])
        made = options("BatchMatMul", adjX=False, adjY=True)
        chain.take(
            chain.graph.op("BATCH_MATMUL", [chain.tensor, chain.tensor], (chain.name(), shape), options=made),
            shape,
        )
        return
    chain.op(
        "BATCH_MATMUL", (*chain.shape[:-1], 2), chain.weights.uniform(chain.shape[-1], 2), kind="BatchMatMul"
    )


def _cumsum(chain: Chain, draw: st.DrawFn) -> None:
    axis = draw(st.integers(0, len(chain.shape) - 1))
    chain.op("CUMSUM", chain.shape, np.array(axis, np.int32), kind="Cumsum")


def _broadcast_to(chain: Chain, draw: st.DrawFn) -> None:
    shape = tuple(draw(st.sampled_from((1, 2))) if n == 1 else n for n in chain.shape)
    chain.op("BROADCAST_TO", shape, _ints(*shape), kind="BroadcastTo", version=2)


LINKS: tuple[Callable[[Chain, st.DrawFn], None], ...] = (
    _reshape, _transpose, _mean, _add, _square, _softmax, _tanh, _dense, _concatenation, _slice, _strided,
    _expand, _squeeze, _tile, _pad, _split, _pack, _gather, _matmul, _cumsum, _broadcast_to,
)  # fmt: skip


@st.composite
def chains(draw: st.DrawFn) -> bytes:
    """A model of a few operators, most of which keep samples apart."""
    batch = draw(st.sampled_from((1, 1, 2, 3)))
    chain = Chain((batch, *draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))))
    for link in draw(st.lists(st.sampled_from(LINKS), min_size=1, max_size=5)):
        link(chain, draw)
        if prod(chain.shape) > 4000:
            break
    return chain.data()
