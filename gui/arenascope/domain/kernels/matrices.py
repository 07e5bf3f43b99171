"""FULLY_CONNECTED, BATCH_MATMUL, reductions, and the few others with scratch tensors."""

from __future__ import annotations

from math import isqrt

from ..layout import Kind
from .call import Call, Kernel, Row, Scratch, UnknownScratch, elements

_ACCUMULATORS = {
    "float32": "float32", "int32": "int64", "int64": "int64", "uint8": "int32", "int8": "int32",
    "int16": "int32", "bool": "bool",
}  # fmt: skip


def fully_connected(call: Call) -> tuple[Scratch, ...]:
    """Six tensors, used only for float inputs and quantized weights."""
    row = Row()
    weights = call.tensor(1)
    if call.tensor(0).dtype != "float32" or weights.dtype not in ("int8", "uint8", "int4", "int2"):
        return ()
    if call.operator.option("Sparse"):
        raise UnknownScratch("its weights are sparse")
    units, depth = call.shape(1)[0], call.shape(1)[-1]
    batch = elements(call.shape(0)) // max(depth, 1)
    tiled = weights.dtype == "int4" and call.constant(1) and units >= 4 and depth >= 32 and not depth % 2
    if tiled and call.since((2, 14)):
        return _packed(call, batch, units, depth)
    quantized = "int4" if weights.dtype == "int4" and not call.since((2, 14)) else "int8"
    row.arena("quantized input", weights.dtype if weights.dtype == "uint8" else quantized, *call.shape(0))
    row.arena("scaling factors", "float32", batch)
    row.arena("accumulators", "int32", units, batch)
    row.arena("input offsets", "int32", batch)
    row.kept("row sums", "int32", units)
    return row.done()


def _packed(call: Call, batch: int, units: int, depth: int) -> tuple[Scratch, ...]:
    """Of weights with four bits, two to a byte: the kernel works on whole tiles, and needs no sums."""
    row = Row()
    if batch > 1 and call.litert and call.machine != "x86_64":
        raise UnknownScratch(
            "how many rows LiteRT's kernel for 4 bits takes at once was seen on x86_64 alone"
        )
    tile = 4 if batch > 2 and call.litert else 1  # of two, both are one block
    rows = -(-batch // tile) * tile
    row.arena("quantized input", "int8", rows, -(-depth // 32) * 32)
    row.arena("scaling factors", "float32", rows)
    row.arena("accumulators", "int32", rows, -(-units // 4) * 4)
    row.arena("input offsets", "int32", rows)
    row.empty("row sums", "int32")
    return row.done()


def batch_matmul(call: Call) -> tuple[Scratch, ...]:
    """Both sides transposed, whether the kernel uses them or not."""
    row = Row()
    left, right = call.shape(0), call.shape(1)
    if len(left) < 2 or len(right) < 2:
        raise UnknownScratch("it multiplies something else than matrices")
    row.arena("left side, transposed", call.tensor(0).dtype, *left[:-2], left[-1], left[-2])
    add = row.kept if call.constant(1) else row.arena
    turned = (*right[:-2], right[-1], right[-2])
    add("right side, transposed", call.tensor(1).dtype, *turned, name=call.name("BatchMatMul_scratch_buffer"))
    if call.tensor(0).dtype == "float32" and call.tensor(1).dtype == "int8":
        adjoint = (call.operator.option("AdjX"), call.operator.option("AdjY"))
        if call.since((2, 10)):
            rows = left[-1] if adjoint[0] else left[-2]
            units = right[-2] if adjoint[1] else right[-1]
        else:
            rows = left[-2] if adjoint[0] else left[-1]
            units = right[-1]
        batches = elements(left[:-2])
        row.arena("quantized left side", "int8", *left)
        row.arena("scaling factors", "float32", batches * rows)
        row.arena("accumulators", "int32", units, rows)
        row.arena("input offsets", "int32", batches * rows)
        row.kept("row sums", "int32", elements(right[:-2]) * units)
    return row.done()


def reduction(call: Call) -> tuple[Scratch, ...]:
    row = Row()
    source, known, rank = call.tensor(0), call.constant(1), len(call.shape(0))
    # A product of constants is computed at once, into memory of its own.
    folded = call.output().kind is Kind.PERSISTENT_RO and call.since((2, 13))
    accumulator = _ACCUMULATORS.get(source.dtype)
    if accumulator is None:
        raise UnknownScratch(f"it reduces {source.dtype}")

    def add(role: str, dtype: str, size: int) -> None:
        if folded or not known:
            row.heap(role, dtype, (size,) if folded else None)
        else:
            row.arena(role, dtype, size)

    row.arena("position", "int32", rank)
    add("resolved axes", "int32", elements(call.shape(1)))
    if call.operator.name in ("SUM", "MEAN", "REDUCE_PROD"):
        add("sums", accumulator, elements(call.output_shape()) if known else 0)
    else:
        row.empty("sums", accumulator)
    if call.since((2, 10)):
        if source.kind is Kind.MMAP_RO and not folded:
            row.arena("merged dimensions", "int32", rank)
        else:
            row.heap("merged dimensions", "int32", (rank,) if folded else None)
    return row.done()


def add_n(call: Call) -> tuple[Scratch, ...]:
    row = Row()
    if call.since((2, 8)):
        shares = min(max(1, len(call.operator.inputs) // 2), max(1, call.threads))
        row.arena("sums", call.tensor(0).dtype, shares * elements(call.shape(0)))
    return row.done()


def rfft2d(call: Call) -> tuple[Scratch, ...]:
    row = Row()
    if not call.constant(1):
        raise UnknownScratch("its length is not constant")
    height, width = call.output_shape()[-2], 2 * (call.output_shape()[-1] - 1)
    longest = max(height, width // 2)
    row.arena("bit reversal", "int32", 2 + isqrt(longest))
    row.arena("sines", "int64", longest // 2 + width // 4)
    if call.litert_since((2, 3)):
        row.arena("rows", "int64", height)
        row.arena("numbers", "int64", height, width + 2)
    return row.done()


REDUCTIONS = ("SUM", "MEAN", "REDUCE_PROD", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_ANY", "REDUCE_ALL")

KERNELS: dict[str, Kernel] = {
    "FULLY_CONNECTED": fully_connected,
    "BATCH_MATMUL": batch_matmul,
    **dict.fromkeys(REDUCTIONS, reduction),
    "ADD_N": add_n,
    "RFFT2D": rfft2d,
}
