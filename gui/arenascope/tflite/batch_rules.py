"""What each operator does with the samples of a batch: keeps them apart, moves them, or mixes them.

A rule that says nothing leaves the outputs without samples, which is right where no input has any; the
rules are only asked where one has. An operator without a rule is refused. Rules for operators that
take a shape or an index from a constant are in ``batch_shapes``; the last word has the proof.
"""

from __future__ import annotations

from collections.abc import Callable

from ..domain.batch_axis import Along, reduced, reshaped
from .batch_step import Step

Rule = Callable[[Step], None]

_MIXES = "it mixes the samples of a batch with one another: "


def same(step: Step) -> None:
    """Element by element, one operand."""
    step.give(step.mark(0))


def broadcast(step: Step) -> None:
    """Element by element, several operands, each repeated to the shape of the result."""
    rank = len(step.out_shape())
    target: Along | None = None
    for slot in step.marked():
        mark = step.along(slot)
        moved = mark.moved(mark.axis + rank - len(step.shape(slot)))
        if target is not None and moved != target:
            step.refuse(
                _MIXES + f"its operands have them in dimensions {target.axis} and {moved.axis} of its result",
                slot,
            )
        target = moved
    if target is None:
        return
    for slot in range(len(step.inputs)):
        if not step.has(slot) or step.mark(slot) is not None:
            continue
        both = step.both(slot)
        if both is not None and not both.same:
            step.refuse("it computes with the number of samples itself", slot)
        axis = target.axis - (rank - len(step.shape(slot)))
        if axis < 0 or step.shape(slot)[axis] == 1:
            continue
        if step.shape(slot)[axis] != target.extent(step.batch):
            step.refuse(_MIXES + "each of them meets several rows of another operand", slot)
        step.require(slot, target.moved(axis))
    step.give(target)


def select(step: Step) -> None:
    """SELECT of version 1 takes a vector of conditions, one for each row: not as broadcasting does."""
    if step.shape(0) and len(step.shape(0)) != len(step.shape(1)):
        step.refuse("its condition has fewer dimensions than what is chosen from")
    broadcast(step)


def image(step: Step) -> None:
    """Convolutions, pools and what else takes images one by one: dimension 0 counts them."""
    _first_only(step, "its weights")
    mark = step.mark(0)
    if mark is None or mark.axis != 0:
        step.refuse(_MIXES + "they are not in the dimension that counts images", 0)
    step.give(mark)


def _first_only(step: Step, what: str) -> None:
    for slot in step.marked():
        if slot != 0:
            step.refuse(f"{what} are computed from the samples", slot)


def fully_connected(step: Step) -> None:
    _first_only(step, "its weights")
    mark, shape = step.along(0), step.shape(0)
    depth = step.shape(1)[-1]
    if mark.axis == len(shape) - 1:
        step.refuse(_MIXES + "they are in the dimension that it sums up", 0)
    if step.option("keepNumDims", False):
        if shape[-1] != depth:
            step.refuse("its input is not divided into rows as its result is", 0)
        step.give(mark)
        return
    out = step.out_shape()
    moved = reshaped(shape, mark, step.batch, (*out[:-1], depth))
    if moved is None or moved.axis == len(out) - 1:
        step.refuse("a row that it sums up has parts of several samples", 0)
    step.give(moved)


def softmax(step: Step) -> None:
    """What normalises along the last dimension."""
    mark = step.mark(0)
    if mark is not None and mark.axis == len(step.shape(0)) - 1:
        step.refuse(_MIXES + "it normalises along the dimension that counts them", 0)
    step.give(mark)


def reduce(step: Step) -> None:
    mark = step.along(0)
    axes = step.needs_constant(1, "its axis").reshape(-1).tolist()
    moved = reduced(mark, len(step.shape(0)), axes, bool(step.option("keepDims", False)))
    if moved is None:
        step.refuse(_MIXES + f"it reduces over dimension {mark.axis}, which counts them", 0)
    step.give(moved)


def arg_max(step: Step) -> None:
    mark, rank = step.along(0), len(step.shape(0))
    moved = reduced(mark, rank, step.needs_constant(1, "its axis").reshape(-1).tolist(), False)
    if moved is None:
        step.refuse(_MIXES + "it looks for the largest among all of them", 0)
    step.give(moved)


def along_constant_axis(step: Step) -> None:
    """CUMSUM, REVERSE_V2: the axes are a constant, and the shape stays."""
    mark, rank = step.along(0), len(step.shape(0))
    axes = step.needs_constant(1, "its axis").reshape(-1).tolist()
    if mark.axis in {axis % rank for axis in axes}:
        step.refuse(_MIXES + f"it goes along dimension {mark.axis}, which counts them", 0)
    step.give(mark)


def concatenation(step: Step) -> None:
    rank = len(step.out_shape())
    axis = step.option("axis") % rank
    target = step.along(step.marked()[0])
    if target.axis == axis:
        step.refuse(_MIXES + f"it joins tensors along dimension {axis}, which counts them", step.marked()[0])
    for slot in range(len(step.inputs)):
        step.require(slot, target)
    step.give(target)


def pack(step: Step) -> None:
    target = step.along(step.marked()[0])
    for slot in range(len(step.inputs)):
        step.require(slot, target)
    axis = step.option("axis") % len(step.out_shape())
    step.give(target.moved(target.axis + (axis <= target.axis)))


def unpack(step: Step) -> None:
    mark = step.along(0)
    axis = step.option("axis") % len(step.shape(0))
    if axis == mark.axis:
        step.refuse(_MIXES + "it takes the batch apart, with one output for each sample", 0)
    step.give(mark.moved(mark.axis - (axis < mark.axis)))


def split(step: Step, data: int = 1, axis_slot: int = 0) -> None:
    mark = step.along(data)
    axis = int(step.needs_constant(axis_slot, "its axis").reshape(-1)[0]) % len(step.shape(data))
    if axis == mark.axis:
        step.refuse(_MIXES + f"it splits dimension {axis}, which counts them", data)
    step.give(mark)


def split_v(step: Step) -> None:
    split(step, data=0, axis_slot=2)


def gather(step: Step) -> None:
    table, rows = step.mark(0), step.mark(1)
    axis, lots = step.option("axis") % max(len(step.shape(0)), 1), step.option("batchDims")
    ids = len(step.shape(1))
    if table is not None and rows is not None:
        if table != rows or table.axis >= lots:
            step.refuse(_MIXES + "both its table and its indices have samples, and it does not pair them")
        step.give(table)
    elif rows is not None:
        if rows.axis < lots:
            step.refuse("it pairs its indices with a table that is the same for each sample", 0)
        step.give(rows.moved(rows.axis - lots + axis))
    else:
        table = step.along(0)
        if table.axis == axis:
            step.refuse(_MIXES + f"it picks from dimension {axis}, which counts them", 0)
        if table.axis < lots:
            step.refuse("it pairs its table with indices that are the same for each sample", 1)
        step.give(table if table.axis < axis else table.moved(table.axis - 1 + ids - lots))


def gather_nd(step: Step) -> None:
    mark = step.mark(1)
    if step.mark(0) is not None or mark is None or mark.axis == len(step.shape(1)) - 1:
        step.refuse(_MIXES + "it picks from all of them by index")
    step.give(mark)


def embedding_lookup(step: Step) -> None:
    if step.mark(1) is not None:
        step.refuse("its table is computed from the samples", 1)
    step.give(step.mark(0))


def one_hot(step: Step) -> None:
    if step.marked() != [0]:
        step.refuse("its values are computed from the samples")
    mark = step.along(0)
    axis = step.option("axis", -1) % len(step.out_shape())
    step.give(mark.moved(mark.axis + (axis <= mark.axis)))


def batch_matmul(step: Step) -> None:
    rank = len(step.out_shape())
    target: Along | None = None
    for slot, flipped in ((0, bool(step.option("adjX", False))), (1, bool(step.option("adjY", False)))):
        mark = step.mark(slot)
        if mark is None:
            continue
        local = len(step.shape(slot))
        kept = local - (1 if flipped else 2) if slot == 0 else local - (2 if flipped else 1)
        if mark.axis >= local - 2 and mark.axis != kept:
            step.refuse(_MIXES + "they are in the dimension that it sums up", slot)
        rows = mark.axis >= local - 2
        moved = mark.moved(rank - 2 + slot if rows else mark.axis + rank - local)
        if target is not None and moved != target:
            step.refuse(_MIXES + "each of them is multiplied with all others", slot)
        target = moved
    if target is None:
        step.refuse("the samples are in none of its two factors")
    if len(step.marked()) == 2 and target.axis >= rank - 2:
        step.refuse(_MIXES + "each of them is multiplied with all others")
    for slot in (0, 1):
        axis = target.axis - rank + len(step.shape(slot))
        if step.mark(slot) is None and 0 <= axis < len(step.shape(slot)) - 2 and step.shape(slot)[axis] != 1:
            step.require(slot, target.moved(axis))
    step.give(target)


def reverse_sequence(step: Step) -> None:
    lengths, mark = step.mark(1), step.mark(0)
    if mark is None or lengths is None or mark.axis != step.option("batchDim"):
        step.refuse("its lengths and its rows do not belong to the same samples")
    step.give(mark)


def recurrent(step: Step, first: int = 0) -> None:
    """A layer with a memory: its variable inputs hold one state for each sample."""
    mark = step.mark(0)
    if mark is None:
        step.refuse("its weights are computed from the samples")
    if mark.axis != first:
        step.refuse(f"the samples are in dimension {mark.axis} of its input; it counts them in {first}", 0)
    state = mark.moved(0)
    for slot in range(1, len(step.inputs)):
        if step.has(slot) and step.tensor(slot).isVariable:
            if not state.fits(step.shape(slot), step.batch):
                step.refuse(f"a state of shape {list(step.shape(slot))} has no row for each sample", slot)
            if step.mark(slot) is None:
                step.force((step.subgraph, step.inputs[slot]), state)
        elif step.mark(slot) is not None and step.mark(slot) not in (mark, state):
            step.refuse("an input of it has the samples in another dimension", slot)
    step.give(mark)


def sequence(step: Step) -> None:
    recurrent(step, 1 if step.option("timeMajor", False) else 0)


def basic_lstm(step: Step) -> None:
    """LSTM: the kernel with four outputs gets its state as two ordinary inputs."""
    if len(step.inputs) == 5:
        mark = step.mark(0)
        if mark is None:
            step.refuse("its weights are computed from the samples")
        for slot in (1, 4):
            if step.tensor(slot).isVariable and step.mark(slot) is None:
                step.force((step.subgraph, step.inputs[slot]), mark)
            step.require(slot, mark)
    recurrent(step)


_SAME = (
    "RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "LOGISTIC", "TANH", "ELU", "GELU", "LEAKY_RELU",
    "HARD_SWISH", "ABS", "NEG", "EXP", "LOG", "SQRT", "RSQRT", "SQUARE", "SIN", "COS", "FLOOR", "CEIL",
    "ROUND", "SIGN", "CAST", "QUANTIZE", "DEQUANTIZE", "FAKE_QUANT", "LOGICAL_NOT", "ZEROS_LIKE",
    "BUCKETIZE", "IMAG", "REAL", "COMPLEX_ABS",
)  # fmt: skip
_BROADCAST = (
    "ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "POW", "FLOOR_DIV", "FLOOR_MOD", "SQUARED_DIFFERENCE",
    "ATAN2", "BITWISE_XOR", "RIGHT_SHIFT", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL", "EQUAL",
    "NOT_EQUAL", "LOGICAL_AND", "LOGICAL_OR", "PRELU", "ADD_N", "SELECT_V2",
)  # fmt: skip
_IMAGE = (
    "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_3D", "AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D",
    "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "SPACE_TO_DEPTH", "DEPTH_TO_SPACE",
)  # fmt: skip
_LAST = (
    "SOFTMAX", "LOG_SOFTMAX", "L2_NORMALIZATION", "LOCAL_RESPONSE_NORMALIZATION", "TOPK_V2",
)  # fmt: skip
_REDUCE = (
    "MEAN", "SUM", "REDUCE_PROD", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_ANY", "REDUCE_ALL",
)  # fmt: skip
_SEQUENCE = (
    "UNIDIRECTIONAL_SEQUENCE_LSTM", "UNIDIRECTIONAL_SEQUENCE_RNN", "BIDIRECTIONAL_SEQUENCE_LSTM",
    "BIDIRECTIONAL_SEQUENCE_RNN",
)  # fmt: skip

RULES: dict[str, Rule] = {
    **dict.fromkeys(_SAME, same),
    **dict.fromkeys(_BROADCAST, broadcast),
    **dict.fromkeys(_IMAGE, image),
    **dict.fromkeys(_LAST, softmax),
    **dict.fromkeys(_REDUCE, reduce),
    **dict.fromkeys(_SEQUENCE, sequence),
    **dict.fromkeys(("SVDF", "RNN"), recurrent),
    **dict.fromkeys(("ARG_MAX", "ARG_MIN"), arg_max),
    **dict.fromkeys(("CUMSUM", "REVERSE_V2"), along_constant_axis),
    "SELECT": select,
    "LSTM": basic_lstm,
    "FULLY_CONNECTED": fully_connected,
    "CONCATENATION": concatenation,
    "PACK": pack,
    "UNPACK": unpack,
    "SPLIT": split,
    "SPLIT_V": split_v,
    "GATHER": gather,
    "GATHER_ND": gather_nd,
    "EMBEDDING_LOOKUP": embedding_lookup,
    "ONE_HOT": one_hot,
    "BATCH_MATMUL": batch_matmul,
    "REVERSE_SEQUENCE": reverse_sequence,
}
