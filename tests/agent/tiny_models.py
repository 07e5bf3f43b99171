"""Small models for the agent's tests, written with the generated schema's object API.

Each function returns the bytes of a ``.tflite`` file that shows one trap of tflite-memory.md §1.
"""

from __future__ import annotations

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

FLOAT32 = schema.TensorType.FLOAT32
INT32 = schema.TensorType.INT32
INT8 = schema.TensorType.INT8
INT4 = schema.TensorType.INT4
STRING = schema.TensorType.STRING

Op = schema.BuiltinOperator


class SubGraph:
    """One subgraph under construction; tensors and operators get their indices in order of calls."""

    def __init__(self, model: Builder) -> None:
        self._model = model
        self._made = schema.SubGraphT()
        self._made.name = b"graph"
        self._made.tensors = []
        self._made.operators = []
        self._made.inputs = []
        self._made.outputs = []
        model.made.subgraphs.append(self._made)

    def tensor(
        self,
        name: str,
        shape: list[int],
        dtype: int = FLOAT32,
        data: np.ndarray | bytes | None = None,
        variable: bool = False,
        scale: float | None = None,
    ) -> int:
        made = schema.TensorT()
        made.name = name.encode()
        made.shape = np.array([max(extent, 1) for extent in shape] if -1 in shape else shape, np.int32)
        if -1 in shape:
            made.shapeSignature = np.array(shape, np.int32)
        made.type = dtype
        made.isVariable = variable
        made.buffer = 0
        if data is not None:
            made.buffer = self._model.buffer(data if isinstance(data, bytes) else data.tobytes())
        if scale is not None:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale = np.array([scale], np.float32)
            made.quantization.zeroPoint = np.array([0], np.int64)
        self._made.tensors.append(made)
        return len(self._made.tensors) - 1

    def operator(
        self, code: int, inputs: list[int], outputs: list[int], options: object = None, kind: int = 0,
        custom: str | None = None,
    ) -> int:  # fmt: skip
        made = schema.OperatorT()
        made.opcodeIndex = self._model.opcode(code, custom)
        made.inputs = np.array(inputs, np.int32)
        made.outputs = np.array(outputs, np.int32)
        made.builtinOptionsType = kind
        made.builtinOptions = options
        self._made.operators.append(made)
        return len(self._made.operators) - 1

    def close(self, inputs: list[int], outputs: list[int]) -> None:
        self._made.inputs = np.array(inputs, np.int32)
        self._made.outputs = np.array(outputs, np.int32)


class Builder:
    def __init__(self) -> None:
        self.made = schema.ModelT()
        self.made.version = 3
        self.made.description = b"made by ArenaScope's tests"
        self.made.subgraphs = []
        self.made.operatorCodes = []
        self.made.buffers = [schema.BufferT()]
        self._codes: dict[tuple[int, str | None], int] = {}

    def subgraph(self) -> SubGraph:
        return SubGraph(self)

    def buffer(self, data: bytes) -> int:
        made = schema.BufferT()
        made.data = np.frombuffer(data, np.uint8)
        self.made.buffers.append(made)
        return len(self.made.buffers) - 1

    def opcode(self, code: int, custom: str | None) -> int:
        if (code, custom) not in self._codes:
            made = schema.OperatorCodeT()
            made.builtinCode = code
            made.deprecatedBuiltinCode = min(code, 127)
            made.version = 1
            if custom is not None:
                made.customCode = custom.encode()
            self.made.operatorCodes.append(made)
            self._codes[code, custom] = len(self.made.operatorCodes) - 1
        return self._codes[code, custom]

    def bytes(self) -> bytes:
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.made.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def add() -> bytes:
    """input + itself, one operator. The model that the agent carries is this one."""
    model = Builder()
    graph = model.subgraph()
    x = graph.tensor("x", [1, 4])
    y = graph.tensor("y", [1, 4])
    graph.operator(Op.ADD, [x, x], [y], schema.AddOptionsT(), schema.BuiltinOptions.AddOptions)
    graph.close([x], [y])
    return model.bytes()


def fully_connected() -> bytes:
    """FULLY_CONNECTED and MEAN: scratch slots that have no dimensions (trap 1)."""
    model = Builder()
    graph = model.subgraph()
    x = graph.tensor("x", [2, 8])
    w = graph.tensor("w", [4, 8], data=np.arange(32, dtype=np.float32))
    hidden = graph.tensor("hidden", [2, 4])
    axis = graph.tensor("axis", [1], INT32, np.array([1], np.int32))
    mean = graph.tensor("mean", [2])
    graph.operator(
        Op.FULLY_CONNECTED, [x, w, -1], [hidden],
        schema.FullyConnectedOptionsT(), schema.BuiltinOptions.FullyConnectedOptions,
    )  # fmt: skip
    graph.operator(
        Op.MEAN, [hidden, axis], [mean], schema.ReducerOptionsT(), schema.BuiltinOptions.ReducerOptions
    )
    graph.close([x], [mean])
    return model.bytes()


def empty_tensor() -> bytes:
    """A tensor without elements between two operators (trap 2: NumPy invents an address for it)."""
    model = Builder()
    graph = model.subgraph()
    x = graph.tensor("x", [0, 4])
    y = graph.tensor("y", [0, 4])
    z = graph.tensor("z", [0, 4])
    full = graph.tensor("full", [2, 4])
    out = graph.tensor("out", [2, 4])
    graph.operator(Op.ADD, [x, x], [y], schema.AddOptionsT(), schema.BuiltinOptions.AddOptions)
    graph.operator(Op.ADD, [y, y], [z], schema.AddOptionsT(), schema.BuiltinOptions.AddOptions)
    graph.operator(Op.ADD, [full, full], [out], schema.AddOptionsT(), schema.BuiltinOptions.AddOptions)
    graph.close([x, full], [z, out])
    return model.bytes()


def int4_weights() -> bytes:
    """A constant of 4-bit integers: its view is twice as long as its bytes (trap 3)."""
    model = Builder()
    graph = model.subgraph()
    x = graph.tensor("x", [1, 32])
    w = graph.tensor("w4", [8, 32], INT4, bytes(128), scale=0.5)
    y = graph.tensor("y", [1, 8])
    graph.operator(
        Op.FULLY_CONNECTED, [x, w, -1], [y],
        schema.FullyConnectedOptionsT(), schema.BuiltinOptions.FullyConnectedOptions,
    )  # fmt: skip
    graph.close([x], [y])
    return model.bytes()


def strings() -> bytes:
    """A string goes in and is reshaped: nobody may ask for a view of it (trap 5a)."""
    model = Builder()
    graph = model.subgraph()
    text = graph.tensor("text", [2], STRING)
    shape = graph.tensor("shape", [2], INT32, np.array([2, 1], np.int32))
    out = graph.tensor("out", [2, 1], STRING)
    graph.operator(Op.RESHAPE, [text, shape], [out])
    graph.close([text], [out])
    return model.bytes()


def scalars() -> bytes:
    """A scalar goes in: its view is a copy (trap 5a)."""
    model = Builder()
    graph = model.subgraph()
    x = graph.tensor("x", [])
    y = graph.tensor("y", [])
    graph.operator(Op.ADD, [x, x], [y], schema.AddOptionsT(), schema.BuiltinOptions.AddOptions)
    graph.close([x], [y])
    return model.bytes()


def variable() -> bytes:
    """A state tensor: it lies in the persistent arena."""
    model = Builder()
    graph = model.subgraph()
    size = {"x": [1, 1, 6], "w": [3, 6], "r": [3, 3], "b": [3], "state": [1, 3], "y": [1, 1, 3]}
    x = graph.tensor("x", size["x"])
    w = graph.tensor("w", size["w"], data=np.ones(18, np.float32))
    r = graph.tensor("r", size["r"], data=np.ones(9, np.float32))
    b = graph.tensor("b", size["b"], data=np.ones(3, np.float32))
    state = graph.tensor("state", size["state"], variable=True)
    y = graph.tensor("y", size["y"])
    options = schema.SequenceRNNOptionsT()
    options.timeMajor = False
    options.fusedActivationFunction = schema.ActivationFunctionType.TANH
    graph.operator(
        Op.UNIDIRECTIONAL_SEQUENCE_RNN, [x, w, r, b, state], [y],
        options, schema.BuiltinOptions.SequenceRNNOptions,
    )  # fmt: skip
    graph.close([x], [y])
    return model.bytes()


def dynamic_reshape() -> bytes:
    """WHERE makes a tensor whose size is known only while it runs; another depends on it."""
    model = Builder()
    graph = model.subgraph()
    condition = graph.tensor("condition", [8], schema.TensorType.BOOL)
    where = graph.tensor("where", [-1, 1], schema.TensorType.INT64)
    after = graph.tensor("after", [-1, 1])
    graph.operator(Op.WHERE, [condition], [where])
    cast = schema.CastOptionsT()
    graph.operator(Op.CAST, [where], [after], cast, schema.BuiltinOptions.CastOptions)
    graph.close([condition], [after])
    return model.bytes()


def shape_of_constant() -> bytes:
    """SHAPE of a tensor of fixed size is computed while preparing: read-only, in its own block."""
    model = Builder()
    graph = model.subgraph()
    x = graph.tensor("x", [3, 5])
    shape = graph.tensor("shape", [2], INT32)
    out = graph.tensor("out", [2], INT32)
    options = schema.ShapeOptionsT()
    options.outType = INT32
    graph.operator(Op.SHAPE, [x], [shape], options, schema.BuiltinOptions.ShapeOptions)
    graph.operator(Op.ADD, [shape, shape], [out], schema.AddOptionsT(), schema.BuiltinOptions.AddOptions)
    graph.close([x], [out])
    return model.bytes()


def constant_input() -> bytes:
    """A constant is named as a model input: writing into it would end the process (trap 4)."""
    model = Builder()
    graph = model.subgraph()
    x = graph.tensor("x", [4])
    fixed = graph.tensor("fixed", [4], data=np.ones(4, np.float32))
    y = graph.tensor("y", [4])
    graph.operator(Op.ADD, [x, fixed], [y], schema.AddOptionsT(), schema.BuiltinOptions.AddOptions)
    graph.close([x, fixed], [y])
    return model.bytes()


def while_loop(elements: int = 64, times: int = 3) -> bytes:
    """A WHILE whose body squares a vector: subgraphs with arenas of their own (trap 5, §2.10)."""
    model = Builder()
    main, condition, body = model.subgraph(), model.subgraph(), model.subgraph()

    count = main.tensor("count", [1], INT32)
    x = main.tensor("x", [elements])
    last = main.tensor("last", [1], INT32)
    y = main.tensor("y", [elements])
    options = schema.WhileOptionsT()
    options.condSubgraphIndex, options.bodySubgraphIndex = 1, 2
    main.operator(Op.WHILE, [count, x], [last, y], options, schema.BuiltinOptions.WhileOptions)
    main.close([count, x], [last, y])

    i = condition.tensor("cond_i", [1], INT32)
    v = condition.tensor("cond_x", [elements])
    limit = condition.tensor("limit", [1], INT32, np.array([times], np.int32))
    less = condition.tensor("less", [1], schema.TensorType.BOOL)
    condition.operator(Op.LESS, [i, limit], [less])
    condition.close([i, v], [less])

    i = body.tensor("body_i", [1], INT32)
    v = body.tensor("body_x", [elements])
    one = body.tensor("one", [1], INT32, np.array([1], np.int32))
    next_i = body.tensor("next_i", [1], INT32)
    half = body.tensor("half", [elements])
    squared = body.tensor("squared", [elements])
    body.operator(Op.ADD, [i, one], [next_i], schema.AddOptionsT(), schema.BuiltinOptions.AddOptions)
    body.operator(Op.ABS, [v], [half])
    body.operator(Op.MUL, [half, half], [squared], schema.MulOptionsT(), schema.BuiltinOptions.MulOptions)
    body.close([i, v], [next_i, squared])
    return model.bytes()


def unknown_operator() -> bytes:
    """An operator that no runtime has."""
    model = Builder()
    graph = model.subgraph()
    x = graph.tensor("x", [4])
    y = graph.tensor("y", [4])
    graph.operator(Op.CUSTOM, [x], [y], custom="NobodyKnowsThis")
    graph.close([x], [y])
    return model.bytes()


def index_out_of_range() -> bytes:
    """GATHER by an index that comes in: fails while running when the index is out of range."""
    model = Builder()
    graph = model.subgraph()
    table = graph.tensor("table", [3, 4], data=np.arange(12, dtype=np.float32))
    index = graph.tensor("index", [2], INT32)
    rows = graph.tensor("rows", [2, 4])
    graph.operator(
        Op.GATHER, [table, index], [rows], schema.GatherOptionsT(), schema.BuiltinOptions.GatherOptions
    )
    graph.close([index], [rows])
    return model.bytes()


def chain(tensors: int, elements: int = 16) -> bytes:
    """ABS after ABS: as many tensors as asked for."""
    model = Builder()
    graph = model.subgraph()
    first = before = graph.tensor("t0", [elements])
    for number in range(1, tensors):
        after = graph.tensor(f"t{number}", [elements])
        graph.operator(Op.ABS, [before], [after])
        before = after
    graph.close([first], [before])
    return model.bytes()


def huge(elements: int = 2**40) -> bytes:
    """An intermediate tensor that no machine can hold."""
    model = Builder()
    graph = model.subgraph()
    x = graph.tensor("x", [1, 1])
    shape = graph.tensor("shape", [2], INT32, np.array([2**20, elements // 2**20], np.int32))
    y = graph.tensor("y", [2**20, elements // 2**20])
    graph.operator(Op.BROADCAST_TO, [x, shape], [y])
    graph.close([x], [y])
    return model.bytes()
