"""Operators that take a shape or places from constants, and what those constants must become."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain.batch_axis import Along, reshaped
from .batch_rules import Rule
from .batch_step import Both, Step

#: Shapes are computed from a few numbers.
_FOLLOWED = 64
_MIXES = "it mixes the samples of a batch with one another: "


def reshape(step: Step) -> None:
    mark, out = step.along(0), step.out_shape()
    moved = reshaped(step.shape(0), mark, step.batch, out)
    if moved is None:
        step.refuse(f"the new shape {list(out)} tears the samples apart", 0)
    both = step.both(1)
    option = step.option("newShape", None)
    if both is not None:
        if both.same:
            values = _pinned(step, np.asarray(both.now), moved)
            if values is not None:
                step.set_constant(1, values)
        elif not _meant(both.then, moved.resized(out, step.wanted)):
            step.refuse(f"its shape is computed as {np.asarray(both.then).tolist()} for the new batch", 1)
    elif step.has(1):
        step.refuse("its shape is computed while the model runs, so nobody can say what it does", 1)
    if option is not None and len(option) == len(out):
        values = _pinned(step, np.asarray(option), moved)
        if values is not None:
            step.set_option("newShape", values)
    step.give(moved)


def _pinned(step: Step, values: Any, along: Along) -> Any | None:
    """The shape for the new batch: -1 where it may stand, else the number; None where it follows."""
    values = values.reshape(-1).copy()
    if along.axis >= len(values) or values[along.axis] == -1:
        return None
    values[along.axis] = along.extent(step.wanted) if -1 in values else -1
    return values


def _meant(computed: Any, shape: tuple[int, ...]) -> bool:
    wanted = np.asarray(computed).reshape(-1).tolist()
    return len(wanted) == len(shape) and all(w in (-1, s) for w, s in zip(wanted, shape, strict=True))


def transpose(step: Step) -> None:
    mark = step.along(0)
    order = step.needs_constant(1, "its order").reshape(-1).tolist()
    step.give(mark.moved(order.index(mark.axis)))


def squeeze(step: Step) -> None:
    mark, rank = step.along(0), len(step.shape(0))
    named = [int(axis) % rank for axis in step.option("squeezeDims", ())]
    gone = named or [axis for axis, extent in enumerate(step.shape(0)) if extent == 1]
    if mark.axis in gone:
        step.refuse("it removes the dimension that counts the samples", 0)
    if not named and gone:
        step.set_option("squeezeDims", np.array(gone, np.int32))
    step.give(mark.moved(mark.axis - sum(axis < mark.axis for axis in gone)))


def expand_dims(step: Step) -> None:
    mark = step.along(0)
    axis = int(step.needs_constant(1, "its axis").reshape(-1)[0]) % len(step.out_shape())
    step.give(mark.moved(mark.axis + (axis <= mark.axis)))


def slice_(step: Step) -> None:
    mark, shape = step.along(0), step.shape(0)
    sizes = step.needs_constant(2, "its size").reshape(-1).copy()
    begin = step.constant(1)
    if begin is None:
        step.refuse("its begin is computed while the model runs, so nobody can say what it does", 1)
    if np.asarray(begin).reshape(-1)[mark.axis] != 0 or sizes[mark.axis] not in (-1, shape[mark.axis]):
        step.refuse(_MIXES + "it takes a part of the batch", 0)
    if sizes[mark.axis] != -1:
        sizes[mark.axis] = -1
        step.set_constant(2, sizes)
    step.give(mark)


def strided_slice(step: Step) -> None:
    mark, shape = step.along(0), step.shape(0)
    if step.option("ellipsisMask") or step.option("newAxisMask"):
        step.refuse("its slice has an ellipsis or a new dimension, which is not looked through", 0)
    axis, extent = mark.axis, shape[mark.axis]
    shrinks = step.option("shrinkAxisMask")
    ends = step.constant(2)
    begins = step.constant(1)
    strides = step.needs_constant(3, "its stride").reshape(-1)
    count = len(strides)
    if axis < count:
        if shrinks >> axis & 1:
            step.refuse(_MIXES + "it takes one sample out of the batch", 0)
        open_begin, open_end = step.option("beginMask") >> axis & 1, step.option("endMask") >> axis & 1
        if strides[axis] != 1 or not (
            open_begin or (begins is not None and _at(begins, axis) in (0, -extent))
        ):
            step.refuse(_MIXES + "it takes a part of the batch", 0)
        if not open_end:
            if ends is None:
                step.refuse("the end of its slice is computed while the model runs", 2)
            if _at(ends, axis) < extent:
                step.refuse(_MIXES + "it takes a part of the batch", 0)
            if _at(ends, axis) == extent or _at(ends, axis) < mark.extent(step.wanted):
                values = np.asarray(ends).reshape(-1).copy()
                values[axis] = mark.extent(step.wanted)
                step.set_constant(2, values)
    gone = sum(shrinks >> before & 1 for before in range(min(axis, count)))
    step.give(mark.moved(axis - gone))


def _at(values: Any, axis: int) -> int:
    return int(np.asarray(values).reshape(-1)[axis])


def pad(step: Step) -> None:
    mark = step.along(0)
    if step.marked() != [0]:
        step.refuse("how much it pads is computed from the samples")
    if np.any(step.needs_constant(1, "its padding").reshape(-1, 2)[mark.axis]):
        step.refuse(_MIXES + "it adds samples to the batch", 0)
    step.give(mark)


def tile(step: Step) -> None:
    mark = step.along(0)
    times = step.needs_constant(1, "how often it repeats").reshape(-1)
    step.give(Along(mark.axis, mark.outer * int(times[mark.axis]), mark.inner))


def fill(step: Step) -> None:
    """A constant of any shape; only where somebody behind it needs a part for each sample."""
    _sized(step, 0, step.forced())


def broadcast_to(step: Step) -> None:
    mark, rank = step.mark(0), len(step.out_shape())
    if mark is None:
        _sized(step, 1, step.forced())
        return
    moved = mark.moved(mark.axis + rank - len(step.shape(0)))
    if step.out_shape()[moved.axis] != moved.extent(step.batch):
        step.refuse(_MIXES + "it repeats the whole batch", 0)
    _sized(step, 1, moved)


def _sized(step: Step, slot: int, along: Along | None) -> None:
    """An operator whose output has the shape that this input says."""
    if along is None:
        both = step.both(slot)
        if both is None or both.same:
            return
        along = _difference(step, both)
    values = step.constant(slot)
    if values is not None:
        values = np.asarray(values).reshape(-1).copy()
        values[along.axis] = along.extent(step.wanted)
        step.set_constant(slot, values)
    elif step.both(slot) is None:
        step.refuse("its shape is computed while the model runs, so nobody can say what it does", slot)
    step.give(along)


def _difference(step: Step, both: Both) -> Along:
    """Where the samples are in a shape that was computed for both batches."""
    now, then = (np.asarray(values).reshape(-1).tolist() for values in (both.now, both.then))
    apart = [axis for axis, (a, b) in enumerate(zip(now, then, strict=True)) if a != b]
    if (
        len(apart) != 1
        or now[apart[0]] % step.batch
        or then[apart[0]] != now[apart[0]] // step.batch * step.wanted
    ):
        step.refuse(f"its shape is computed as {then}, in which the samples are not found")
    return Along(apart[0], 1, now[apart[0]] // step.batch)


def transpose_conv(step: Step) -> None:
    mark = step.mark(2)
    if step.marked() != [2] or mark is None or mark.axis != 0:
        step.refuse(_MIXES + "they are not in the dimension that counts images")
    _sized(step, 0, mark)


def blocks_to_batch(step: Step) -> None:
    mark = step.mark(0)
    if mark is None or mark.axis != 0:
        step.refuse(_MIXES + "they are not in the dimension that counts images")
    size = int(np.prod(step.needs_constant(1, "its block size")))
    step.give(Along(0, mark.outer * size, mark.inner))


def blocks_from_batch(step: Step) -> None:
    mark = step.mark(0)
    size = int(np.prod(step.needs_constant(1, "its block size")))
    if mark is None or mark.axis != 0 or mark.outer % size:
        step.refuse(_MIXES + "it puts an image together from different samples of the batch", 0)
    step.give(Along(0, mark.outer // size, mark.inner))


def update_slice(step: Step) -> None:
    mark = step.mark(0) or step.along(1)
    step.require(0, mark)
    step.require(1, mark)
    if step.mark(2) is not None:
        step.refuse("where it writes is computed from the samples", 2)
    step.give(mark)


def shape_of(step: Step) -> None:
    """SHAPE: two answers, for the old batch and for the new."""
    mark, shape = step.mark(0), step.shape(0)
    then = mark.resized(shape, step.wanted) if mark else shape
    _values(step, np.array(shape, np.int64), np.array(then, np.int64))


def _values(step: Step, now: Any, then: Any) -> None:
    step.found.values[step.subgraph, step.outputs[0]] = Both(now, then)


def computed(step: Step) -> bool:
    """Follow values that are computed from shapes or constants; False where that cannot be done."""
    if step.name not in _ARITHMETIC or np.prod(step.out_shape(), dtype=np.int64) > _FOLLOWED:
        return False
    if any(step.has(i) and step.both(i) is None for i in range(len(step.inputs))):
        return False
    answers = []
    for pick in ("now", "then"):
        given = [np.asarray(getattr(step.both(i), pick)) for i in range(len(step.inputs)) if step.has(i)]
        try:
            answers.append(_ARITHMETIC[step.name](step, *given))
        except (ValueError, IndexError, TypeError, ZeroDivisionError, FloatingPointError):
            return False
    _values(step, *answers)
    return True


def _strided(step: Step, data: Any, begin: Any, end: Any, stride: Any) -> Any:
    if data.ndim != 1 or step.option("ellipsisMask") or step.option("newAxisMask"):
        raise ValueError
    first = None if step.option("beginMask") & 1 else int(begin[0])
    if step.option("shrinkAxisMask") & 1:
        return data[int(begin[0])]
    return data[first : None if step.option("endMask") & 1 else int(end[0]) : int(stride[0])]


_ARITHMETIC: dict[str, Any] = {
    "STRIDED_SLICE": _strided,
    "SLICE": lambda s, d, b, n: (
        d[int(b[0]) : None if n[0] == -1 else int(b[0] + n[0])] if d.ndim == 1 else None
    ),
    "GATHER": lambda s, d, i: np.take(d, i, s.option("axis")),
    "PACK": lambda s, *d: np.stack(d, s.option("axis")),
    "CONCATENATION": lambda s, *d: np.concatenate(d, s.option("axis")),
    "CAST": lambda s, d: d,
    "RESHAPE": lambda s, d, *_: d.reshape(s.out_shape()),
    "SQUEEZE": lambda s, d: d.reshape(s.out_shape()),
    "EXPAND_DIMS": lambda s, d, a: np.expand_dims(d, int(a.reshape(-1)[0])),
    "ADD": lambda s, a, b: a + b,
    "SUB": lambda s, a, b: a - b,
    "MUL": lambda s, a, b: a * b,
    "FLOOR_DIV": lambda s, a, b: a // b,
    "MAXIMUM": lambda s, a, b: np.maximum(a, b),
    "MINIMUM": lambda s, a, b: np.minimum(a, b),
    "REDUCE_PROD": lambda s, d, a: np.prod(
        d, axis=tuple(a.reshape(-1).tolist()), keepdims=bool(s.option("keepDims", False))
    ),
}

RULES: dict[str, Rule] = {
    "RESHAPE": reshape,
    "TRANSPOSE": transpose,
    "SQUEEZE": squeeze,
    "EXPAND_DIMS": expand_dims,
    "SLICE": slice_,
    "STRIDED_SLICE": strided_slice,
    **dict.fromkeys(("PAD", "PADV2", "MIRROR_PAD"), pad),
    "TILE": tile,
    "FILL": fill,
    "BROADCAST_TO": broadcast_to,
    "TRANSPOSE_CONV": transpose_conv,
    "SPACE_TO_BATCH_ND": blocks_to_batch,
    "BATCH_TO_SPACE_ND": blocks_from_batch,
    "DYNAMIC_UPDATE_SLICE": update_slice,
    "SHAPE": shape_of,
}

#: Rules that have something to say where no input has the samples.
WITHOUT_SAMPLES = frozenset({"SHAPE", "FILL", "BROADCAST_TO"})
