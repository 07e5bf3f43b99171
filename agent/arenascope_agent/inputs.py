"""Writes something into a model's inputs: pages that nobody touched cost nothing and would not show.

What is written depends on the seed alone, not on device, Python or NumPy:

* floating point: evenly from -1 to 1, where trained models expect their inputs to lie; a single number
  is 1, because it is likely a count, a size or a factor
* 8- and 16-bit integers and booleans: over the whole range, because these are quantized values
* 32- and 64-bit integers: 0, because these are mostly indices, sizes and counts; any other value can
  point outside a table and make a kernel fail or crash
* strings: the same short text in every element
* resources, variants, 4-bit values: left as they are

A block of a thousand values is repeated over the tensor, written straight into its memory: no
second copy of the input, and hardly any of NumPy's code, comes into the process that is measured.
The views are gone before anything runs (tflite-memory.md §6).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

_BLOCK = 1021  # elements; a prime, so that rows of a tensor differ
_WHOLE_RANGE = {"int8": 1, "uint8": 1, "int16": 2, "uint16": 2}
_ZERO = ("int32", "uint32", "int64", "uint64")
_REAL = {"float16": "e", "float32": "f", "float64": "d", "complex64": "f", "complex128": "d"}
_NUMBERS = {*_WHOLE_RANGE, *_ZERO, *_REAL, "bool"}
_TEXT = b"arena"


def write(interpreter: Any, tensors: Iterable[Any], exact: bool, seed: int | None) -> None:
    """Fill input tensors, given as (index, dtype, shape, kind, has an address); without a seed, all numbers
    are 0. ``exact``: the types are the runtime's own; the public interface calls 4-bit values 8-bit ones,
    with a view longer than their memory. Constants are never written: their pages are the model file's, and
    a write ends the process (§1 trap 4)."""
    import numpy

    for index, dtype, shape, kind, placed in tensors:
        if kind == "mmap_ro" or shape is None:
            continue
        if dtype == "string":
            texts = numpy.empty(shape, dtype=object)
            texts.fill(_TEXT)
            interpreter.set_tensor(index, texts)
            continue
        single = all(extent == 1 for extent in shape)
        if seed is None:
            block = bytes(4096) if dtype in _NUMBERS else b""
        else:
            block = _ones(dtype) if single and dtype in _REAL else _block(dtype, seed + index)
        if not block:
            continue
        if not shape or (not exact and dtype in ("int8", "uint8")):
            values = numpy.empty(shape, dtype)
            _fill(values, block)
            _set(interpreter, index, values)
        elif placed:
            _fill(interpreter.tensor(index)(), block)


def clear(interpreter: Any, main: Any) -> None:
    """Zeros for the inputs of the main subgraph, as ``layout`` read it."""
    write(interpreter, main.input_rows, main.exact, None)


def _set(interpreter: Any, index: int, values: Any) -> None:
    """Through a copy: for a scalar, which has no view, and where a view cannot be trusted."""
    try:
        interpreter.set_tensor(index, values)
    except ValueError:
        pass  # not of that size after all: left as it is


def _fill(view: Any, block: bytes) -> None:
    target = memoryview(view.reshape(-1).view("uint8"))
    for start in range(0, len(target), len(block)):
        piece = target[start : start + len(block)]
        piece[:] = block[: len(piece)]


def _block(dtype: str, seed: int) -> bytes:
    """The bytes that a tensor of this type is filled with, again and again; empty: not to be filled."""
    if dtype in _ZERO:
        return bytes(4096)
    if dtype not in _REAL and dtype not in _WHOLE_RANGE and dtype != "bool":
        return b""
    numbers = _numbers(seed)
    if dtype in _REAL:
        return struct.pack("%d%s" % (_BLOCK, _REAL[dtype]), *(n * 2.0**-31 - 1.0 for n in numbers))
    if dtype == "bool":
        return bytes(n >> 31 for n in numbers)
    return b"".join(n.to_bytes(4, "little")[: _WHOLE_RANGE[dtype]] for n in numbers)


def _ones(dtype: str) -> bytes:
    """1, or 1 + 1i, of a floating point type."""
    return struct.pack("2" + _REAL[dtype], 1.0, 1.0)


def _numbers(seed: int) -> list[int]:
    """_BLOCK numbers of 32 bits: the upper half of a linear congruential generator of 64."""
    numbers = []
    state = (seed + 1) * 0x9E3779B97F4A7C15
    for _ in range(_BLOCK):
        state = (state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        numbers.append(state >> 32)
    return numbers
