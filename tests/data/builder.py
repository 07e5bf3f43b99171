"""Builds small ``.tflite`` files from Python, the same bytes every time.

A thin layer over the object API of the generated schema: tensors are named by what ``tensor``
returns, operator codes and buffers are collected, constants are placed at multiples of 16 as the
official converter does.

    model = ModelBuilder("adds one")
    graph = model.subgraph("main")
    x = graph.input("x", [1, 4])
    one = graph.constant("one", np.ones(4, np.float32))
    graph.output(graph.op("ADD", [x, one], ("y", [1, 4])))
    data = model.build()
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

DTYPES = {
    "float32": schema.TensorType.FLOAT32,
    "float16": schema.TensorType.FLOAT16,
    "int32": schema.TensorType.INT32,
    "int64": schema.TensorType.INT64,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
    "int16": schema.TensorType.INT16,
    "bool": schema.TensorType.BOOL,
    "string": schema.TensorType.STRING,
    "resource": schema.TensorType.RESOURCE,
    "int4": schema.TensorType.INT4,
    "complex64": schema.TensorType.COMPLEX64,
}

#: What an operator makes: name, shape, and dtype where it is not that of the first input.
Output = tuple[str, Sequence[int]] | tuple[str, Sequence[int], str]


class Weights:
    """Reproducible numbers. The legacy generator's stream is frozen by NumPy, and a product of two
    doubles is the same everywhere, so a model is the same on every machine."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.RandomState(seed)

    def uniform(self, *shape: int, scale: float = 0.5) -> np.ndarray:
        return ((self._random.random_sample(shape) * 2 - 1) * scale).astype(np.float32)

    def integers(self, *shape: int, low: int = -127, high: int = 128, dtype: Any = np.int8) -> np.ndarray:
        return self._random.randint(low, high, shape).astype(dtype)


class _Constant(schema.BufferT):
    """A constant at a multiple of 16: the Python object API forgets the schema's ``force_align``."""

    _position = 0

    def place(self, builder: flatbuffers.Builder) -> None:
        """Write the bytes. What is written first lies last in the file, so constants lie behind the
        description, the first of them at the very end."""
        builder.StartVector(1, len(self.data), 16)
        builder.head = builder.head - len(self.data)
        builder.Bytes[builder.head : builder.head + len(self.data)] = self.data
        self._position = builder.EndVector()

    def Pack(self, builder: flatbuffers.Builder) -> int:
        schema.BufferStart(builder)
        schema.BufferAddData(builder, self._position)
        return int(schema.BufferEnd(builder))


class ModelBuilder:
    """One model file in the making."""

    def __init__(self, description: str) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.description = description
        self.model.operatorCodes = []
        self.model.subgraphs = []
        self.model.buffers = [schema.BufferT()]
        self.model.signatureDefs = []
        self.model.metadata = []
        self._codes: dict[tuple[str, int], int] = {}

    def subgraph(self, name: str) -> GraphBuilder:
        graph = GraphBuilder(self, name)
        self.model.subgraphs.append(graph.table)
        return graph

    def buffer(self, data: bytes) -> int:
        buffer = _Constant()
        buffer.data = data
        self.model.buffers.append(buffer)
        return len(self.model.buffers) - 1

    def code(self, name: str, version: int) -> int:
        """Index of an operator code; a name that the schema does not know is a custom operator."""
        if (name, version) not in self._codes:
            code = schema.OperatorCodeT()
            builtin = getattr(schema.BuiltinOperator, name, schema.BuiltinOperator.CUSTOM)
            code.builtinCode = builtin
            code.deprecatedBuiltinCode = min(builtin, 127)
            code.customCode = name if builtin == schema.BuiltinOperator.CUSTOM else None
            code.version = version
            self._codes[name, version] = len(self.model.operatorCodes)
            self.model.operatorCodes.append(code)
        return self._codes[name, version]

    def signature(self, key: str, subgraph: int, inputs: dict[str, int], outputs: dict[str, int]) -> None:
        table = schema.SignatureDefT()
        table.signatureKey = key
        table.subgraphIndex = subgraph
        table.inputs = [_tensor_map(name, index) for name, index in inputs.items()]
        table.outputs = [_tensor_map(name, index) for name, index in outputs.items()]
        self.model.signatureDefs.append(table)

    def metadata(self, name: str, data: bytes) -> None:
        table = schema.MetadataT()
        table.name = name
        table.buffer = self.buffer(data)
        self.model.metadata.append(table)

    def build(self) -> bytes:
        builder = flatbuffers.Builder(1024)
        for buffer in self.model.buffers:
            if isinstance(buffer, _Constant):
                buffer.place(builder)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


class GraphBuilder:
    """One subgraph in the making."""

    def __init__(self, owner: ModelBuilder, name: str) -> None:
        self._owner = owner
        self.table = schema.SubGraphT()
        self.table.name = name
        self.table.tensors = []
        self.table.operators = []
        self.table.inputs = []
        self.table.outputs = []

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        dtype: str = "float32",
        *,
        variable: bool = False,
        signature: Sequence[int] | None = None,
        scale: float | Sequence[float] | None = None,
        zero_point: int = 0,
        axis: int = 0,
    ) -> int:
        """Adds a tensor and returns its index. ``scale`` makes it quantized, one or per ``axis``."""
        tensor = schema.TensorT()
        tensor.name = name
        tensor.shape = list(shape)
        tensor.type = DTYPES[dtype]
        tensor.buffer = 0
        tensor.isVariable = variable
        tensor.hasRank = True
        tensor.shapeSignature = None if signature is None else list(signature)
        if scale is not None:
            scales = [scale] if isinstance(scale, float) else list(scale)
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = scales
            tensor.quantization.zeroPoint = [zero_point] * len(scales)
            tensor.quantization.quantizedDimension = axis
        self.table.tensors.append(tensor)
        return len(self.table.tensors) - 1

    def constant(self, name: str, value: np.ndarray, *, dtype: str | None = None, **kind: Any) -> int:
        """Adds a constant. ``dtype`` and ``shape`` may be given where the bytes are packed."""
        shape = kind.pop("shape", value.shape)
        index = self.tensor(name, shape, dtype or value.dtype.name, **kind)
        self.table.tensors[index].buffer = self._owner.buffer(value.tobytes())
        return index

    def shape_constant(self, name: str, values: Sequence[int]) -> int:
        return self.constant(name, np.array(values, np.int32))

    def input(self, name: str, shape: Sequence[int], dtype: str = "float32", **kind: Any) -> int:
        index = self.tensor(name, shape, dtype, **kind)
        self.table.inputs.append(index)
        return index

    def output(self, *indices: int) -> None:
        self.table.outputs.extend(indices)

    def op(
        self,
        name: str,
        inputs: Sequence[int],
        *outputs: Output | int,
        options: Any = None,
        version: int = 1,
        **kind: Any,
    ) -> int:
        """Adds an operator and returns its first output.

        An output is made from (name, shape[, dtype]), with ``kind`` for ``tensor``, or named by index.
        """
        operator = schema.OperatorT()
        operator.opcodeIndex = self._owner.code(name, version)
        operator.inputs = list(inputs)
        operator.outputs = [self._output(made, inputs, kind) for made in outputs]
        if options is not None:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
            operator.builtinOptions = options
        self.table.operators.append(operator)
        return int(operator.outputs[0]) if operator.outputs else -1

    def _output(self, made: Output | int, inputs: Sequence[int], kind: dict[str, Any]) -> int:
        if isinstance(made, int):
            return made
        index = self.tensor(made[0], made[1], **kind)
        tensor = self.table.tensors[index]
        tensor.type = DTYPES[made[2]] if len(made) == 3 else self.table.tensors[inputs[0]].type
        return index


def _tensor_map(name: str, index: int) -> Any:
    table = schema.TensorMapT()
    table.name = name
    table.tensorIndex = index
    return table


def options(name: str, **fields: Any) -> Any:
    """``options("Conv2D", strideH=2)`` is a ``schema.Conv2DOptionsT`` with that field set."""
    table = getattr(schema, f"{name}OptionsT")()
    for field, value in fields.items():
        if not hasattr(table, field):
            raise AttributeError(f"{name}OptionsT has no {field}")
        setattr(table, field, value)
    return table
