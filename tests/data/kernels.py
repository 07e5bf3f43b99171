"""One model for every kernel that adds scratch tensors, in the variants that it makes a difference between.

They are made when they are asked for: what matters of them is what real runtimes add (tests/planning).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .blocks import SAME, TANH, VALID
from .builder import GraphBuilder, ModelBuilder, Weights, options

Recipe = Callable[[GraphBuilder, Weights], int]


def _model(name: str, recipe: Recipe) -> bytes:
    model, weights = ModelBuilder(name), Weights(1)
    graph = model.subgraph("main")
    graph.output(recipe(graph, weights))
    return model.build()


def kernels() -> dict[str, bytes]:
    """Name → model."""
    return {name: _model(name, recipe) for name, recipe in _recipes().items()}


def _recipes() -> dict[str, Recipe]:
    found: dict[str, Recipe] = {}
    found.update(_convolutions())
    found.update(_matrices())
    found.update(_reductions())
    found.update(_recurrent())
    found.update(_others())
    return found


# -------------------------------------------------------------------------------------- convolutions


def _convolutions() -> dict[str, Recipe]:
    def conv(
        kernel: int = 3, stride: int = 1, dilation: int = 1, dtype: str = "float32", weights: str = "",
        scales: int = 1, groups: int = 1, batch: int = 2, live: bool = False, same: bool = True,
    ) -> Recipe:  # fmt: skip
        return lambda g, w: _conv(
            g, w, kernel, stride, dilation, dtype, weights or dtype, scales, groups, batch, live, same
        )

    found: dict[str, Recipe] = {
        "conv": conv(),
        "conv_1x1": conv(1),
        "conv_1x1_stride": conv(1, 2),
        "conv_stride": conv(3, 2, same=False),
        "conv_dilated": conv(3, 1, 2),
        "conv_1x1_dilated": conv(1, 1, 2),
        "conv_grouped": conv(groups=2),
        "conv_live_weights": conv(live=True),
        "conv_int8": conv(dtype="int8", scales=4),
        "conv_int8_1x1": conv(1, dtype="int8", scales=4),
        "conv_int8_dilated": conv(3, 1, 2, dtype="int8", scales=4),
        "conv_uint8": conv(dtype="uint8"),
        "conv_int16": conv(dtype="int16", weights="int8", scales=4),
        "conv_hybrid": conv(weights="int8"),
        "conv_hybrid_1x1": conv(1, weights="int8"),
        "conv_hybrid_dilated": conv(3, 1, 2, weights="int8"),
        "conv_hybrid_channels": conv(weights="int8", scales=4),
        "conv_hybrid_channels_1x1": conv(1, weights="int8", scales=4),
        "conv_hybrid_equal_scales": _conv_equal_scales,
        "conv_hybrid_grouped": conv(weights="int8", scales=4, groups=2),
        "conv_hybrid_int4": conv(weights="int4", scales=4),
        "depthwise": lambda g, w: _depthwise(g, w, "float32", "float32", 1),
        "depthwise_int8": lambda g, w: _depthwise(g, w, "int8", "int8", 4),
        "depthwise_hybrid": lambda g, w: _depthwise(g, w, "float32", "int8", 4),
        "transpose_conv": lambda g, w: _transpose_conv(g, w, "float32", "float32"),
        "transpose_conv_live_shape": lambda g, w: _transpose_conv(g, w, "float32", "float32", live=True),
        "transpose_conv_int8": lambda g, w: _transpose_conv(g, w, "int8", "int8"),
        "transpose_conv_uint8": lambda g, w: _transpose_conv(g, w, "uint8", "uint8"),
        "transpose_conv_int16": lambda g, w: _transpose_conv(g, w, "int16", "int8"),
        "transpose_conv_int16_bias_int64": lambda g, w: _transpose_conv(g, w, "int16", "int8", bias="int64"),
        "transpose_conv_int16_bias_int32": lambda g, w: _transpose_conv(g, w, "int16", "int8", bias="int32"),
        "transpose_conv_int8_bias": lambda g, w: _transpose_conv(g, w, "int8", "int8", bias="int32"),
        "transpose_conv_hybrid": lambda g, w: _transpose_conv(g, w, "float32", "int8"),
        "conv_3d": lambda g, w: _conv_3d(g, w, 1, 1),
        "conv_3d_1x1": lambda g, w: _conv_3d(g, w, 1, 1, kernel=1),
        "conv_3d_stride": lambda g, w: _conv_3d(g, w, 2, 1),
        "conv_3d_dilated": lambda g, w: _conv_3d(g, w, 1, 2),
        "conv_3d_transpose": _conv_3d_transpose,
    }
    return found


def _scale(dtype: str, channels: int = 1) -> Any:
    """One scale, or as many different ones as there are channels; none for float."""
    if dtype in ("float32", "int32", "int64"):
        return None
    return 0.01 if channels == 1 else [0.01 * (1 + i) for i in range(channels)]


def _weights(
    graph: GraphBuilder, weights: Weights, name: str, shape: Sequence[int], dtype: str, scales: int, axis: int
) -> int:
    scale = _scale(dtype, scales)
    if dtype == "float32":
        return graph.constant(name, weights.uniform(*shape))
    if dtype == "int4":
        packed = np.zeros((int(np.prod(shape)) + 1) // 2, np.uint8)
        return graph.constant(name, packed, dtype="int4", shape=tuple(shape), scale=scale, axis=axis)
    if dtype == "uint8":
        numbers = weights.integers(*shape, low=0, high=255, dtype=np.uint8)
        return graph.constant(name, numbers, scale=0.01, zero_point=128)
    return graph.constant(name, weights.integers(*shape), scale=scale, axis=axis)


def _bias(graph: GraphBuilder, count: int, dtype: str, scales: int) -> int:
    if dtype == "float32":
        return graph.constant("bias", np.zeros(count, np.float32))
    made: Any = np.int64 if dtype == "int16" else np.int32
    steps = [0.01 * s for s in _scale("int8", scales)] if scales > 1 else 0.0001
    return graph.constant("bias", np.zeros(count, made), scale=steps)


def _conv(
    g: GraphBuilder, w: Weights, kernel: int, stride: int, dilation: int, dtype: str, wtype: str, scales: int,
    groups: int, batch: int, live: bool, same: bool,
) -> int:  # fmt: skip
    x = g.input("x", [batch, 9, 7, 6], dtype, scale=_scale(dtype))
    shape = [4, kernel, kernel, 6 // groups]
    filters = g.input("w", shape) if live else _weights(g, w, "w", shape, wtype, scales, 0)
    bias = _bias(g, 4, dtype, scales)
    height, width = (-(-9 // stride), -(-7 // stride)) if same else (4, 3)
    made = options(
        "Conv2D", padding=SAME if same else VALID, strideW=stride, strideH=stride,
        dilationWFactor=dilation, dilationHFactor=dilation,
    )  # fmt: skip
    return g.op("CONV_2D", [x, filters, bias], ("y", [batch, height, width, 4]), options=made, version=5,
                scale=_scale(dtype))  # fmt: skip


def _conv_equal_scales(g: GraphBuilder, w: Weights) -> int:
    x = g.input("x", [2, 9, 7, 6])
    filters = g.constant("w", w.integers(4, 3, 3, 6), scale=[0.01] * 4)
    made = options("Conv2D", padding=SAME, strideW=1, strideH=1)
    inputs = [x, filters, _bias(g, 4, "float32", 1)]
    return g.op("CONV_2D", inputs, ("y", [2, 9, 7, 4]), options=made, version=5)


def _depthwise(g: GraphBuilder, w: Weights, dtype: str, wtype: str, scales: int) -> int:
    x = g.input("x", [2, 9, 7, 4], dtype, scale=_scale(dtype))
    filters = _weights(g, w, "w", [1, 3, 3, 4], wtype, scales, 3)
    made = options("DepthwiseConv2D", padding=SAME, strideW=1, strideH=1, depthMultiplier=1)
    inputs = [x, filters, _bias(g, 4, dtype, scales)]
    return g.op(
        "DEPTHWISE_CONV_2D", inputs, ("y", [2, 9, 7, 4]), options=made, version=6, scale=_scale(dtype)
    )


def _transpose_conv(
    g: GraphBuilder, w: Weights, dtype: str, wtype: str, live: bool = False, bias: str = ""
) -> int:
    shape = [2, 8, 6, 5]
    size = g.input("size", [4], "int32") if live else g.shape_constant("size", shape)
    filters = _weights(g, w, "w", [5, 3, 3, 4], wtype, 5 if wtype == "int8" else 1, 0)
    x = g.input("x", [2, 4, 3, 4], dtype, scale=_scale(dtype))
    made = options("TransposeConv", padding=SAME, strideW=2, strideH=2)
    inputs = [size, filters, x]
    if bias:
        inputs.append(g.constant("b", np.zeros(5, bias), scale=[0.0001 * (1 + i) for i in range(5)]))
    return g.op("TRANSPOSE_CONV", inputs, ("y", shape, dtype), options=made, version=4 if bias else 3,
                scale=_scale(dtype))  # fmt: skip


def _conv_3d(g: GraphBuilder, w: Weights, stride: int, dilation: int, kernel: int = 2) -> int:
    x = g.input("x", [2, 4, 6, 5, 3])
    filters = g.constant("w", w.uniform(kernel, kernel, kernel, 3, 4))
    extents = [-(-n // stride) for n in (4, 6, 5)]
    made = options(
        "Conv3D", padding=SAME, strideD=stride, strideW=stride, strideH=stride, dilationDFactor=dilation,
        dilationWFactor=dilation, dilationHFactor=dilation,
    )  # fmt: skip
    return g.op("CONV_3D", [x, filters, _bias(g, 4, "float32", 1)], ("y", [2, *extents, 4]), options=made)


def _conv_3d_transpose(g: GraphBuilder, w: Weights) -> int:
    size = g.shape_constant("size", [2, 4, 6, 6, 4])
    filters = g.constant("w", w.uniform(2, 2, 2, 4, 4))
    x = g.input("x", [2, 2, 3, 3, 4])
    made = options("Conv3D", padding=SAME, strideD=2, strideW=2, strideH=2, dilationDFactor=1,
                   dilationWFactor=1, dilationHFactor=1)  # fmt: skip
    inputs = [size, filters, x, _bias(g, 4, "float32", 1)]
    return g.op("CONV_3D_TRANSPOSE", inputs, ("y", [2, 4, 6, 6, 4], "float32"), options=made)


# ------------------------------------------------------------------------------------------ matrices


def _matrices() -> dict[str, Recipe]:
    def dense(
        dtype: str, wtype: str, scales: int = 1, live: bool = False, asymmetric: bool = False
    ) -> Recipe:
        return lambda g, w: _dense(g, w, dtype, wtype, scales, live, asymmetric)

    def matmul(
        dtype: str, wtype: str, constant: bool = False, adj_x: bool = False, adj_y: bool = False
    ) -> Recipe:
        return lambda g, w: _matmul(g, w, dtype, wtype, constant, adj_x, adj_y)

    return {
        "dense": dense("float32", "float32"),
        "dense_live_weights": dense("float32", "float32", live=True),
        "dense_int8": dense("int8", "int8"),
        "dense_int16": dense("int16", "int8"),
        "dense_hybrid": dense("float32", "int8"),
        "dense_hybrid_asymmetric": dense("float32", "int8", asymmetric=True),
        "dense_hybrid_channels": dense("float32", "int8", 3),
        "dense_hybrid_int4": dense("float32", "int4"),
        "matmul": matmul("float32", "float32"),
        "matmul_constant": matmul("float32", "float32", constant=True),
        "matmul_adj_x": matmul("float32", "float32", adj_x=True),
        "matmul_adj_y": matmul("float32", "float32", adj_y=True),
        "matmul_int8": matmul("int8", "int8"),
        "matmul_int16": matmul("int16", "int16"),
        "matmul_hybrid": matmul("float32", "int8", constant=True),
        "matmul_hybrid_adj_y": matmul("float32", "int8", constant=True, adj_y=True),
        "matmul_hybrid_adj_x": matmul("float32", "int8", constant=True, adj_x=True),
        "matmul_hybrid_live": matmul("float32", "int8"),
    }


def _dense(
    g: GraphBuilder, w: Weights, dtype: str, wtype: str, scales: int, live: bool, asymmetric: bool
) -> int:
    x = g.input("x", [2, 2, 8], dtype, scale=_scale(dtype))
    filters = g.input("w", [3, 8]) if live else _weights(g, w, "w", [3, 8], wtype, scales, 0)
    made = options("FullyConnected", asymmetricQuantizeInputs=asymmetric)
    inputs = [x, filters, _bias(g, 3, dtype, scales)]
    version = (
        10 if wtype == "int4" else 9 if asymmetric else 7 if dtype == "int16" else 5 if scales > 1 else 4
    )
    return g.op("FULLY_CONNECTED", inputs, ("y", [4, 3]), options=made, version=version, scale=_scale(dtype))


def _matmul(
    g: GraphBuilder, w: Weights, dtype: str, wtype: str, constant: bool, adj_x: bool, adj_y: bool
) -> int:
    left, right = [2, 3, 4] if not adj_x else [2, 4, 3], [2, 4, 5] if not adj_y else [2, 5, 4]
    x = g.input("x", left, dtype, scale=_scale(dtype))
    if constant:
        y = _weights(g, w, "w", right, wtype, 1, 0)
    else:
        y = g.input("w", right, wtype, scale=_scale(wtype))
    made = options("BatchMatMul", adjX=adj_x, adjY=adj_y)
    return g.op("BATCH_MATMUL", [x, y], ("y", [2, 3, 5]), options=made, version=4, scale=_scale(dtype))


# ---------------------------------------------------------------------------------------- reductions


def _reductions() -> dict[str, Recipe]:
    found: dict[str, Recipe] = {
        f"{name.lower()}_{dtype}": lambda g, w, name=name, dtype=dtype: _reduce(g, name, dtype)  # type: ignore[misc]
        for name in ("SUM", "MEAN", "REDUCE_PROD", "REDUCE_MAX", "REDUCE_MIN")
        for dtype in ("float32", "int8", "int16", "int32", "int64", "uint8")
        if (name, dtype) not in (("REDUCE_PROD", "uint8"), ("REDUCE_PROD", "int8"), ("REDUCE_PROD", "int16"))
    }
    found["reduce_any"] = lambda g, w: _reduce(g, "REDUCE_ANY", "bool")
    found["reduce_all"] = lambda g, w: _reduce(g, "REDUCE_ALL", "bool")
    found["mean_live_axis"] = lambda g, w: _reduce(g, "MEAN", "float32", live=True)
    found["mean_global"] = lambda g, w: _reduce(g, "MEAN", "int8", axes=(1, 2), shape=(2, 6, 6, 3))
    found["mean_keep"] = lambda g, w: _reduce(g, "MEAN", "float32", keep=True)
    found["mean_constant"] = lambda g, w: _reduce_constant(g, w, "MEAN")
    found["prod_constant"] = lambda g, w: _reduce_constant(g, w, "REDUCE_PROD")
    return found


def _reduce(
    g: GraphBuilder, name: str, dtype: str, axes: Sequence[int] = (1,), live: bool = False, keep: bool = False,
    shape: Sequence[int] = (2, 3, 4),
) -> int:  # fmt: skip
    x = g.input("x", shape, dtype, scale=_scale(dtype))
    axis = g.input("axis", [1], "int32") if live else g.shape_constant("axis", axes)
    made = [1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes]
    return g.op(name, [x, axis], ("y", made), options=options("Reducer", keepDims=keep), version=1 if dtype == "bool" else 2,
                scale=_scale(dtype))  # fmt: skip


def _reduce_constant(g: GraphBuilder, w: Weights, name: str) -> int:
    x = g.input("x", [4])
    axis = g.shape_constant("axis", [0])
    c = g.constant("c", w.uniform(3, 4))
    mean = g.op(name, [c, axis], ("m", [4]), options=options("Reducer"))
    return g.op("ADD", [x, mean], ("y", [4]), options=options("Add"))


# ----------------------------------------------------------------------------------------- recurrent


def _recurrent() -> dict[str, Recipe]:
    def lstm(name: str, **kind: Any) -> Recipe:
        return lambda g, w: _lstm(g, w, name, **kind)

    found: dict[str, Recipe] = {}
    for short, name in (("seq", "UNIDIRECTIONAL_SEQUENCE_LSTM"), ("full", "LSTM")):
        found[f"lstm_{short}"] = lstm(name)
        found[f"lstm_{short}_cifg"] = lstm(name, cifg=True)
        found[f"lstm_{short}_peephole"] = lstm(name, peephole=True)
        found[f"lstm_{short}_projection"] = lstm(name, projection=True)
        found[f"lstm_{short}_norm"] = lstm(name, norm=True)
        found[f"lstm_{short}_hybrid"] = lstm(name, wtype="int8")
        found[f"lstm_{short}_hybrid_cifg"] = lstm(name, wtype="int8", cifg=True)
        found[f"lstm_{short}_hybrid_projection"] = lstm(name, wtype="int8", projection=True)
        found[f"lstm_{short}_hybrid_asymmetric"] = lstm(name, wtype="int8", asymmetric=True)
        found[f"lstm_{short}_hybrid_cifg_projection"] = lstm(name, wtype="int8", cifg=True, projection=True)
        found[f"lstm_{short}_int8"] = lstm(name, dtype="int8", wtype="int8")
        found[f"lstm_{short}_int8_projection"] = lstm(name, dtype="int8", wtype="int8", projection=True)
    found["lstm_seq_time_major"] = lstm("UNIDIRECTIONAL_SEQUENCE_LSTM", time_major=True)
    found["lstm_seq_hybrid_time_major"] = lstm("UNIDIRECTIONAL_SEQUENCE_LSTM", wtype="int8", time_major=True)
    found["lstm_basic"] = _lstm_basic
    for name in ("RNN", "UNIDIRECTIONAL_SEQUENCE_RNN"):
        for wtype in ("float32", "int8"):
            found[f"{name.lower()}_{wtype}"] = lambda g, w, name=name, wtype=wtype: _rnn(g, w, name, wtype)  # type: ignore[misc]
    for wtype in ("float32", "int8"):
        for merge in (False, True):
            kind = f"{wtype}{'_merged' if merge else ''}"
            found[f"bidirectional_rnn_{kind}"] = (
                lambda g, w, wtype=wtype, merge=merge: _rnn_both(g, w, wtype, merge)  # type: ignore[misc]
            )
            found[f"bidirectional_lstm_{kind}"] = (
                lambda g, w, wtype=wtype, merge=merge: _lstm_both(g, w, wtype, merge)  # type: ignore[misc]
            )
    for dtype, wtype in (("float32", "float32"), ("float32", "int8"), ("int8", "int8")):
        found[f"svdf_{dtype}_{wtype}"] = lambda g, w, dtype=dtype, wtype=wtype: _svdf(g, w, dtype, wtype)  # type: ignore[misc]
    return found


def _matrix(g: GraphBuilder, w: Weights, name: str, rows: int, columns: int, wtype: str) -> int:
    return _weights(g, w, name, [rows, columns], wtype, 1, 0)


def _vector(g: GraphBuilder, w: Weights, name: str, count: int, dtype: str = "float32") -> int:
    if dtype == "float32":
        return g.constant(name, w.uniform(count))
    made: Any = np.int16 if dtype == "int16" else np.int32
    return g.constant(name, np.ones(count, made), scale=0.01)


def _lstm(
    g: GraphBuilder, w: Weights, name: str, dtype: str = "float32", wtype: str = "float32", cifg: bool = False,
    peephole: bool = False, projection: bool = False, norm: bool = False, asymmetric: bool = False,
    time_major: bool = False,
) -> int:  # fmt: skip
    batch, steps, features, cells = 2, 3, 6, 5
    outputs = 4 if projection else cells
    sequence = name != "LSTM"
    shape = ([steps, batch] if time_major else [batch, steps]) if sequence else [batch]
    x = g.input("x", [*shape, features], dtype, scale=_scale(dtype))
    gates = ("i", "f", "c", "o")
    used = [not (cifg and gate == "i") for gate in gates]
    input_w = [
        _matrix(g, w, f"{n}_w", cells, features, wtype) if u else -1 for n, u in zip(gates, used, strict=True)
    ]
    recurrent = [
        _matrix(g, w, f"{n}_r", cells, outputs, wtype) if u else -1 for n, u in zip(gates, used, strict=True)
    ]
    cell_type = "int16" if dtype == "int8" else "float32" if wtype == "float32" else "int8"
    peep = [-1, -1, -1]
    if peephole:
        peep = [_vector(g, w, f"{n}_p", cells) if used[0] or n != "i" else -1 for n in ("i", "f", "o")]
    bias_type = "int32" if dtype == "int8" else "float32"
    bias = [_vector(g, w, f"{n}_b", cells, bias_type) if u else -1 for n, u in zip(gates, used, strict=True)]
    projected = [_matrix(g, w, "proj", outputs, cells, wtype), -1] if projection else [-1, -1]
    state_type = dtype
    states = [
        g.tensor("output_state", [batch, outputs], state_type, variable=True, scale=_scale(dtype)),
        g.tensor("cell_state", [batch, cells], "int16" if dtype == "int8" else "float32", variable=True,
                 scale=2.0**-11 if dtype == "int8" else None),
    ]  # fmt: skip
    norms = [-1, -1, -1, -1]
    if norm:
        norms = [_vector(g, w, f"{n}_n", cells) if u else -1 for n, u in zip(gates, used, strict=True)]
    del cell_type
    kind = "UnidirectionalSequenceLSTM" if sequence else "LSTM"
    made = options(kind, fusedActivationFunction=TANH, asymmetricQuantizeInputs=asymmetric)
    if sequence:
        made.timeMajor = time_major
    y = g.op(
        name,
        [x, *input_w, *recurrent, *peep, *bias, *projected, *states, *norms],
        ("y", [*shape, outputs]),
        options=made,
        version=3 if sequence else 4,
        scale=_scale(dtype),
    )
    if dtype == "int8":
        between = [g.tensor(f"between_{i}", [0], "int16" if i < 4 else "int8", scale=0.001) for i in range(5)]
        g.table.operators[-1].intermediates = between
    return y


def _lstm_basic(g: GraphBuilder, w: Weights) -> int:
    x, state = g.input("x", [2, 6]), g.tensor("activation", [2, 5], variable=True)
    filters, bias = g.constant("w", w.uniform(20, 11)), g.constant("b", w.uniform(20))
    cell = g.tensor("cell", [2, 5], variable=True)
    return g.op(
        "LSTM", [x, state, filters, bias, cell], ("y", [2, 5]), ("cell_out", [2, 5]), ("concat", [2, 11]),
        ("gates", [2, 20]), options=options("LSTM", fusedActivationFunction=TANH, kernelType=1), version=2,
    )  # fmt: skip


def _rnn(g: GraphBuilder, w: Weights, name: str, wtype: str) -> int:
    shape = [2] if name == "RNN" else [2, 3]
    x = g.input("x", [*shape, 6])
    inputs = [
        x, _matrix(g, w, "w", 5, 6, wtype), _matrix(g, w, "r", 5, 5, wtype), _vector(g, w, "b", 5),
        g.tensor("state", [2, 5], variable=True),
    ]  # fmt: skip
    made = options("RNN" if name == "RNN" else "SequenceRNN", fusedActivationFunction=TANH)
    return g.op(name, inputs, ("y", [*shape, 5]), options=made, version=2)


def _rnn_both(g: GraphBuilder, w: Weights, wtype: str, merge: bool) -> int:
    x = g.input("x", [2, 3, 6])

    def way(n: str) -> list[int]:
        return [
            _matrix(g, w, f"{n}_w", 5, 6, wtype), _matrix(g, w, f"{n}_r", 5, 5, wtype),
            _vector(g, w, f"{n}_b", 5), g.tensor(f"{n}_state", [2, 5], variable=True),
        ]  # fmt: skip

    made = options("BidirectionalSequenceRNN", fusedActivationFunction=TANH, mergeOutputs=merge)
    outs: list[Any] = [("y", [2, 3, 10])] if merge else [("y", [2, 3, 5]), ("z", [2, 3, 5])]
    return g.op(
        "BIDIRECTIONAL_SEQUENCE_RNN", [x, *way("f"), *way("b"), -1, -1, -1], *outs, options=made, version=2
    )


def _lstm_both(g: GraphBuilder, w: Weights, wtype: str, merge: bool) -> int:
    x = g.input("x", [2, 3, 6])

    def way(n: str) -> list[int]:
        gates = ("i", "f", "c", "o")
        return [
            *(_matrix(g, w, f"{n}_{k}_w", 5, 6, wtype) for k in gates),
            *(_matrix(g, w, f"{n}_{k}_r", 5, 5, wtype) for k in gates),
            -1, -1, -1, *(_vector(g, w, f"{n}_{k}_b", 5) for k in gates), -1, -1,
        ]  # fmt: skip

    weights = [*way("f"), *way("b")]
    states = [g.tensor(n, [2, 5], variable=True) for n in ("f_act", "f_cell", "b_act", "b_cell")]
    made = options(
        "BidirectionalSequenceLSTM", fusedActivationFunction=TANH, mergeOutputs=merge, timeMajor=False
    )
    outs: list[Any] = [("y", [2, 3, 10])] if merge else [("y", [2, 3, 5]), ("z", [2, 3, 5])]
    return g.op(
        "BIDIRECTIONAL_SEQUENCE_LSTM", [x, *weights, *states, *[-1] * 9], *outs, options=made, version=3
    )


def _svdf(g: GraphBuilder, w: Weights, dtype: str, wtype: str) -> int:
    batch, features, units, rank, memory = 2, 6, 4, 2, 5
    x = g.input("x", [batch, features], dtype, scale=_scale(dtype))
    by_feature = _matrix(g, w, "wf", units * rank, features, wtype)
    if dtype == "int8":
        by_time = g.constant("wt", w.integers(units * rank, memory, dtype=np.int16), scale=0.01)
        bias = g.constant("b", np.zeros(units, np.int32), scale=0.0001)
        state = g.tensor("state", [batch, memory * units * rank], "int16", variable=True, scale=0.01)
    else:
        by_time = _matrix(g, w, "wt", units * rank, memory, wtype)
        bias = _vector(g, w, "b", units)
        state = g.tensor("state", [batch, memory * units * rank], variable=True)
    made = options("SVDF", rank=rank, asymmetricQuantizeInputs=False)
    return g.op("SVDF", [x, by_feature, by_time, bias, state], ("y", [batch, units]), options=made, version=3,
                scale=_scale(dtype))  # fmt: skip


# -------------------------------------------------------------------------------------------- others


def _in_a_row(g: GraphBuilder, w: Weights) -> int:
    """Kernels that add their tensors when the model is loaded, among others that add them later."""
    y = _conv(g, w, 3, 1, 1, "float32", "float32", 1, 1, 2, False, True)
    axis, made = g.shape_constant("axis", [1, 2]), options("Reducer")
    y = g.op("MEAN", [y, axis], ("mean", [2, 4]), options=made)
    filters, bias = g.constant("dense_w", w.integers(5, 4), scale=0.01), g.constant("dense_b", w.uniform(5))
    y = g.op(
        "FULLY_CONNECTED", [y, filters, bias], ("dense", [2, 5]), options=options("FullyConnected"), version=4
    )
    y = g.op("ADD_N", [y, y], ("twice", [2, 5]), options=options("AddN"))
    y = g.op(
        "BATCH_MATMUL",
        [y, g.constant("m", w.uniform(5, 6))],
        ("product", [2, 6]),
        options=options("BatchMatMul"),
    )
    inputs = [
        y, _matrix(g, w, "rnn_w", 5, 6, "int8"), _matrix(g, w, "rnn_r", 5, 5, "int8"), _vector(g, w, "rnn_b", 5),
        g.tensor("state", [2, 5], variable=True),
    ]  # fmt: skip
    y = g.op("RNN", inputs, ("rnn", [2, 5]), options=options("RNN", fusedActivationFunction=TANH), version=2)
    return g.op("SUM", [y, g.shape_constant("last", [1])], ("sum", [2]), options=made)


def _in_a_row_too(g: GraphBuilder, w: Weights) -> int:
    y = _conv(g, w, 3, 1, 1, "float32", "int8", 1, 1, 2, False, True)
    y = g.op("RESHAPE", [y, g.shape_constant("flat", [2, 14, 18])], ("flat", [2, 14, 18]))
    y = g.op(
        "SLICE",
        [y, g.shape_constant("from", [0, 0, 0]), g.shape_constant("size", [2, 8, 16])],
        ("part", [2, 8, 16]),
    )
    length = g.shape_constant("length", [8, 16])
    y = g.op("RFFT2D", [y, length], ("waves", [2, 8, 9], "complex64"), options=options("Rfft2d"))
    y = g.op("COMPLEX_ABS", [y], ("sizes", [2, 8, 9], "float32"))
    parts = [
        _matrix(g, w, "f_w", 5, 9, "int8"), _matrix(g, w, "f_r", 5, 5, "int8"), _vector(g, w, "f_b", 5),
        g.tensor("f_state", [2, 5], variable=True), _matrix(g, w, "b_w", 5, 9, "int8"),
        _matrix(g, w, "b_r", 5, 5, "int8"), _vector(g, w, "b_b", 5), g.tensor("b_state", [2, 5], variable=True),
    ]  # fmt: skip
    made = options("BidirectionalSequenceRNN", fusedActivationFunction=TANH, mergeOutputs=True)
    y = g.op(
        "BIDIRECTIONAL_SEQUENCE_RNN", [y, *parts, -1, -1, -1], ("rnn", [2, 8, 10]), options=made, version=2
    )
    for steps, name in ((8, "UNIDIRECTIONAL_SEQUENCE_RNN"), (1, "SVDF")):
        if name == "SVDF":
            y = g.op("SUM", [y, g.shape_constant("steps", [1])], ("sum", [2, 5]), options=options("Reducer"))
            inputs = [
                y, _matrix(g, w, "wf", 8, 5, "int8"), _matrix(g, w, "wt", 8, 4, "int8"), _vector(g, w, "sb", 4),
                g.tensor("s_state", [2, 32], variable=True),
            ]  # fmt: skip
            return g.op(name, inputs, ("y", [2, 4]), options=options("SVDF", rank=2), version=3)
        inputs = [
            y, _matrix(g, w, "w_w", 5, 10, "int8"), _matrix(g, w, "w_r", 5, 5, "int8"), _vector(g, w, "w_b", 5),
            g.tensor("w_state", [2, 5], variable=True),
        ]  # fmt: skip
        made = options("SequenceRNN", fusedActivationFunction=TANH)
        y = g.op(name, inputs, ("seq", [2, steps, 5]), options=made, version=2)
    raise AssertionError


def _others() -> dict[str, Recipe]:
    def many(name: str, count: int, dtype: str = "float32") -> Recipe:
        def recipe(g: GraphBuilder, w: Weights) -> int:
            inputs = [g.input(f"x{i}", [4, 25], dtype) for i in range(count)]
            return g.op(name, inputs, ("y", [4, 25]), options=options("AddN"))

        return recipe

    def fft(height: int, width: int) -> Recipe:
        def recipe(g: GraphBuilder, w: Weights) -> int:
            x, length = g.input("x", [2, height, width]), g.shape_constant("length", [height, width])
            made = ("y", [2, height, width // 2 + 1], "complex64")
            return g.op("RFFT2D", [x, length], made, options=options("Rfft2d"))

        return recipe

    def dequantize(g: GraphBuilder, w: Weights) -> int:
        x = g.input("x", [3])
        half = g.constant("half", w.uniform(3).astype(np.float16))
        whole = g.op("DEQUANTIZE", [half], ("whole", [3], "float32"), version=3)
        return g.op("ADD", [x, whole], ("y", [3]), options=options("Add"))

    def pair(name: str, made: Any = None, version: int = 1) -> Recipe:
        def recipe(g: GraphBuilder, w: Weights) -> int:
            x = g.input("x", [2, 3, 4])
            y = g.constant("y", w.uniform(4))
            return g.op(name, [x, y], ("z", [2, 3, 4]), options=made, version=version)

        return recipe

    return {
        "add_n_2": many("ADD_N", 2),
        "add_n_5": many("ADD_N", 5),
        "add_n_9": many("ADD_N", 9),
        "add_n_5_int32": many("ADD_N", 5, "int32"),
        "rfft2d": fft(4, 8),
        "rfft2d_high": fft(64, 16),
        "rfft2d_wide": fft(2, 128),
        "in_a_row": _in_a_row,
        "in_a_row_too": _in_a_row_too,
        "dequantize": dequantize,
        "add_broadcast": pair("ADD", options("Add")),
        "squared_difference": pair("SQUARED_DIFFERENCE"),
        "pow": pair("POW"),
        "floor_div": pair("FLOOR_DIV"),
        "maximum": pair("MAXIMUM"),
        "prelu": pair("PRELU"),
    }
