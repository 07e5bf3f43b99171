"""Random models: what the planner says of them is held against the interpreter that runs them."""

from __future__ import annotations

import random

import numpy as np

from tests.data.builder import GraphBuilder, ModelBuilder, options

Node = tuple[int, tuple[int, ...]]  #: tensor, shape


class RandomModel:
    """A graph of ``size`` operators, the same for the same seed.

    ``computed_shapes``: some RESHAPE takes its shape from a tensor that follows from shapes alone, so that
    the runtime plans the graph in several passes.
    """

    def __init__(self, seed: int, size: int, *, computed_shapes: bool = False) -> None:
        self._random = random.Random(seed)
        self._model = ModelBuilder(f"random {seed}")
        self._graph: GraphBuilder = self._model.subgraph("main")
        self._pool: list[Node] = []
        self._made = 0
        self._read: set[int] = set()
        for number in range(self._random.randint(1, 3)):
            shape = self._random.choice([(2, 8), (2, 24), (1, 4, 4, 4), (3, 40)])
            self._pool.append((self._graph.input(f"x{number}", shape), shape))
        steps = [
            self._binary, self._binary, self._unary, self._unary, self._reshape, self._softmax, self._split,
            self._concatenation, self._dense, self._convolution, self._mean, self._pack, self._unpack,
        ]  # fmt: skip
        if computed_shapes:
            steps += [self._computed_reshape] * 2
        for _ in range(size):
            self._random.choice(steps)()
        self._finish()

    def bytes(self) -> bytes:
        return self._model.build()

    def _finish(self) -> None:
        """Most of what nobody reads becomes an output, and now and then something that is read."""
        made = [t for t, _ in self._pool if t not in self._graph.table.inputs]
        unread = [t for t in made if t not in self._read and self._random.random() < 0.8]
        if not unread:
            unread = made[-1:]
        if self._random.random() < 0.4:
            unread.append(self._random.choice(made))
        self._graph.output(*dict.fromkeys(unread))

    # --------------------------------------------------------------------------------- operators

    def _name(self) -> str:
        self._made += 1
        return f"t{self._made}"

    def _any(self, rank: int | None = None) -> Node:
        """A tensor; later ones more often, so that chains grow."""
        fitting = [n for n in self._pool if rank is None or len(n[1]) == rank]
        if not fitting:
            return self._op("RESHAPE", [self._any()], self._as_rank(rank or 2))
        at = max(self._random.randrange(len(fitting)), self._random.randrange(len(fitting)))
        return fitting[at]

    def _as_rank(self, rank: int) -> tuple[int, ...]:
        elements = int(np.prod(self._pool[-1][1]))
        return (1,) * (rank - 1) + (elements,)

    def _op(
        self, name: str, read: list[Node], shape: tuple[int, ...], *more: int, table: object = None
    ) -> Node:
        if name == "RESHAPE":
            elements = int(np.prod(read[0][1]))
            shape = (*shape[:-1], elements // int(np.prod(shape[:-1]))) if shape[:-1] else (elements,)
            more = (self._graph.shape_constant(self._name(), shape),)
            table = options("Reshape", newShape=list(shape))
        self._read.update(t for t, _ in read)
        made = self._graph.op(name, [*(t for t, _ in read), *more], (self._name(), shape), options=table)
        self._pool.append((made, shape))
        return self._pool[-1]

    def _binary(self) -> None:
        name = self._random.choice(["ADD", "SUB", "MUL", "DIV"])
        table = options(name.capitalize())
        left = self._any()
        same = [n for n in self._pool if n[1] == left[1]]
        if self._random.random() < 0.3:
            constant = self._graph.constant(self._name(), np.ones(left[1][-1:], np.float32))
            self._op(name, [left], left[1], constant, table=table)
        else:
            self._op(name, [left, self._random.choice(same)], left[1], table=table)

    def _unary(self) -> None:
        node = self._any()
        self._op(self._random.choice(["ABS", "TANH", "RELU"]), [node], node[1])

    def _softmax(self) -> None:
        node = self._any()
        self._op("SOFTMAX", [node], node[1], table=options("Softmax", beta=1.0))

    def _reshape(self) -> None:
        node = self._any()
        first = next(n for n in (4, 3, 2, 1) if int(np.prod(node[1])) % n == 0)
        self._op("RESHAPE", [node], self._random.choice([(first, 1), (1, first, 1), (1, 1, first, 1), (1,)]))

    def _split(self) -> None:
        self._several("SPLIT", self._any(), self._random.choice([2, 4, 8]))

    def _several(self, name: str, node: Node, parts: int) -> None:
        tensor, shape = node
        if shape[-1] % parts:
            return
        self._read.add(tensor)
        each = (*shape[:-1], shape[-1] // parts)
        axis = self._graph.constant(self._name(), np.array(len(shape) - 1, np.int32))
        made = [(self._name(), each, "float32") for _ in range(parts)]
        first = self._graph.op(name, [axis, tensor], *made, options=options("Split", numSplits=parts))
        self._pool += [(first + i, each) for i in range(parts)]

    def _unpack(self) -> None:
        tensor, shape = self._any()
        if len(shape) < 2 or shape[-1] > 40:
            return
        self._read.add(tensor)
        made = [(self._name(), shape[:-1]) for _ in range(shape[-1])]
        table = options("Unpack", num=shape[-1], axis=len(shape) - 1)
        first = self._graph.op("UNPACK", [tensor], *made, options=table)
        self._pool += [(first + i, shape[:-1]) for i in range(shape[-1])]

    def _pack(self) -> None:
        node = self._any()
        same = [n for n in self._pool if n[1] == node[1]]
        read = [node, *self._random.choices(same, k=self._random.randint(1, 3))]
        self._op("PACK", read, (len(read), *node[1]), table=options("Pack", valuesCount=len(read), axis=0))

    def _concatenation(self) -> None:
        node = self._any()
        same = [n for n in self._pool if n[1] == node[1]]
        read = [node, *self._random.choices(same, k=self._random.randint(1, 3))]
        shape = (*node[1][:-1], node[1][-1] * len(read))
        self._op("CONCATENATION", read, shape, table=options("Concatenation", axis=len(shape) - 1))

    def _dense(self) -> None:
        node = self._any(rank=2)
        units = self._random.choice([1, 7, 16, 40])
        weights = self._graph.constant(self._name(), np.ones((units, node[1][1]), np.float32))
        shape = (node[1][0], units)
        self._op("FULLY_CONNECTED", [node], shape, weights, -1, table=options("FullyConnected"))

    def _convolution(self) -> None:
        node = self._any(rank=4)
        channels, kernel = self._random.choice([1, 4, 6]), self._random.choice([1, 3])
        weights = self._graph.constant(
            self._name(), np.ones((channels, kernel, kernel, node[1][3]), np.float32)
        )
        bias = self._graph.constant(self._name(), np.ones(channels, np.float32))
        table = options("Conv2D", strideH=1, strideW=1, dilationHFactor=1, dilationWFactor=1)
        self._op("CONV_2D", [node], (*node[1][:3], channels), weights, bias, table=table)

    def _mean(self) -> None:
        node = self._any()
        axis = self._graph.shape_constant(self._name(), [len(node[1]) - 1])
        self._op("MEAN", [node], (*node[1][:-1], 1), axis, table=options("Reducer", keepDims=True))

    def _computed_reshape(self) -> None:
        """SHAPE, STRIDED_SLICE and PACK, as converters write them for a batch that is left open."""
        tensor, shape = self._any()
        graph = self._graph
        self._read.add(tensor)
        whole = graph.op(
            "SHAPE", [tensor], (self._name(), (len(shape),), "int32"), options=options("Shape", outType=2)
        )
        zero, one = graph.shape_constant(self._name(), [0]), graph.shape_constant(self._name(), [1])
        table = options("StridedSlice", shrinkAxisMask=1)
        first = graph.op("STRIDED_SLICE", [whole, zero, one, one], (self._name(), ()), options=table)
        rest = graph.constant(self._name(), np.array(int(np.prod(shape[1:])), np.int32))
        wanted = graph.op(
            "PACK", [first, rest], (self._name(), (2,)), options=options("Pack", valuesCount=2, axis=0)
        )
        target = (shape[0], int(np.prod(shape[1:])))
        said = self._random.choice([target, (1, 1)])  # what a file says of an open shape
        made = graph.op("RESHAPE", [tensor, wanted], (self._name(), said), options=options("Reshape"))
        self._pool.append((made, target))
