"""CONV_2D and its kin."""

from __future__ import annotations

from ..layout import Kind
from .call import Call, Kernel, Row, Scratch, UnknownScratch, elements

_INTEGERS = ("int8", "uint8", "int16")
_PACKED = ("int4", "int2")
#: The first version whose int16 kernel unfolds its input whatever the number of threads.
_INT16_IM2COL = (2, 9)


def conv_2d(call: Call) -> tuple[Scratch, ...]:
    """More than one thread: the weights once more, transposed. Else im2col, unless it would be the input."""
    row = Row()
    batch, height, width, channels = _four(call, 0)
    outputs, kernel_height, kernel_width, depth = _four(call, 1)
    kind, weights = call.tensor(0).dtype, call.tensor(1)
    dilated = _differs(call, "DilationWFactor", "DilationHFactor")
    # int4 weights were unpacked to float before LiteRT, so that the kernel for float ran.
    hybrid = kind == "float32" and (
        weights.dtype in ("int8", "uint8") or (call.litert and weights.dtype in _PACKED)
    )
    # LiteRT for ARM with 64 bits is built without the library that the transposed weights are for.
    alone = call.threads == 1 or hybrid or dilated or (call.litert and call.machine == "aarch64")
    alone = alone or weights.kind in (Kind.ARENA_RW, Kind.DYNAMIC)
    transposed = not alone and kind == "float32"
    needed = dilated or _differs(call, "StrideW", "StrideH") or (kernel_height, kernel_width) != (1, 1)
    if kind == "int16" and not alone and not call.since(_INT16_IM2COL):
        needed = False
    patch = kernel_height * kernel_width * depth
    if needed and not transposed:
        _, out_height, out_width, _ = _four_of(call.output_shape())
        unpacked = weights.dtype in _PACKED and call.litert_since((1, 1))
        dtype = "int8" if hybrid and unpacked else weights.dtype if hybrid else kind
        row.arena("im2col", dtype, batch, out_height, out_width, patch)
    if transposed:
        row.kept("transposed weights", kind, patch, outputs, name=call.name("Conv_hwcn_weights"))
    if hybrid:
        rows = batch * height * width * (channels // depth)
        _, out_height, out_width, _ = _four_of(call.output_shape())
        row.arena("quantized input", "int8", batch, height, width, channels)
        row.arena("scaling factors", "float32", rows)
        row.arena("accumulators", "int32", outputs, batch * out_height * out_width)
        if call.operator.option("ScalesDiffer"):
            row.arena("input offsets", "int32", rows)
            row.kept("row sums", "int32", outputs, name=call.name("Conv_row_sums"))
    return row.done()


def depthwise_conv_2d(call: Call) -> tuple[Scratch, ...]:
    row = Row()
    if call.tensor(0).dtype == "float32" and call.tensor(1).dtype in ("int8", *_PACKED):
        batch = _four(call, 0)[0]
        row.arena("quantized input", "int8", *call.shape(0))
        row.arena("scaling factors", "float32", batch)
        row.arena("input offsets", "int32", batch)
    return row.done()


def transpose_conv(call: Call) -> tuple[Scratch, ...]:
    """Memory of its own, outside the arena: the output unfolded, the weights transposed."""
    row = Row()
    outputs, kernel_height, kernel_width, depth = _four(call, 1)
    batch, height, width, _ = _four(call, 2)
    kind, weights = call.tensor(2).dtype, call.tensor(1).dtype
    known = call.constant(0)
    unfolded = (height * width, outputs * kernel_height * kernel_width) if known else None
    row.heap("col2im", ("float32" if kind == "float32" else "int32") if known else "none", unfolded)
    row.heap("transposed weights", weights, (kernel_height, kernel_width, outputs, depth))
    if kind in _INTEGERS:
        wide = kind == "int16" and _sums_are_wide(call)
        row.heap("sums", "int64" if wide else "int32", call.output_shape() if known else None)
    elif weights == "int8":
        row.arena("quantized input", "int8", *call.shape(2))
        row.arena("scaling factors", "float32", batch * height * width)
        row.arena("input offsets", "int32", batch * height * width)
    return row.done()


def _sums_are_wide(call: Call) -> bool:
    """From 2.9 to 2.14 the bias decided."""
    return call.litert or not call.since((2, 9)) or (call.has(3) and call.tensor(3).dtype == "int64")


def conv_3d(call: Call) -> tuple[Scratch, ...]:
    row = Row()
    depth, height, width, channels, outputs = _five(call, 1)
    patch = depth * height * width * channels
    strides = ("StrideW", "StrideH", "StrideD", "DilationWFactor", "DilationHFactor", "DilationDFactor")
    if (depth, height, width) != (1, 1, 1) or _differs(call, *strides):
        row.arena("im2col", "float32", *call.output_shape()[:4], patch)
    if not call.litert:
        row.arena("transposed weights", "float32", outputs, depth, height, width, channels)
    return row.done()


def conv_3d_transpose(call: Call) -> tuple[Scratch, ...]:
    row = Row()
    depth, height, width, outputs, _ = _five(call, 1)
    inner = call.shape(2)[1:4]
    unfolded = (elements(inner), depth * height * width * outputs) if call.constant(0) else None
    row.heap("col2im", "float32", unfolded)
    return row.done()


def _differs(call: Call, *options: str) -> bool:
    return any(call.operator.option(name, 1) != 1 for name in options)


def _four(call: Call, position: int) -> tuple[int, int, int, int]:
    return _four_of(call.shape(position))


def _four_of(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    if len(shape) != 4:
        raise UnknownScratch(f"a shape of four dimensions is expected, not {list(shape)}")
    return shape[0], shape[1], shape[2], shape[3]


def _five(call: Call, position: int) -> tuple[int, int, int, int, int]:
    shape = call.shape(position)
    if len(shape) != 5:
        raise UnknownScratch(f"a shape of five dimensions is expected, not {list(shape)}")
    return shape[0], shape[1], shape[2], shape[3], shape[4]


KERNELS: dict[str, Kernel] = {
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "TRANSPOSE_CONV": transpose_conv,
    "CONV_3D": conv_3d,
    "CONV_3D_TRANSPOSE": conv_3d_transpose,
}
