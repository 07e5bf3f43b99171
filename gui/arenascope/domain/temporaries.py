"""The scratch tensors of each kernel: which there are, of which kind and size, and their numbers.

The runtime gives a scratch tensor the next number of its subgraph when a kernel adds it: some kernels
add theirs while the model is loaded, all in the order of the file; others when they prepare, and only
what they need. Numbers decide ties in the planner, so they are as exact as the sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .graph import Operator
from .kernels import convolutions, matrices, recurrent
from .kernels.call import Call, Scratch, UnknownScratch
from .profiles import RuntimeProfile
from .reading import RawTensor

__all__ = ["Numbered", "Scratch", "UnknownScratch", "number", "of"]

_KERNELS = {**convolutions.KERNELS, **matrices.KERNELS, **recurrent.KERNELS}

#: Tensors that a kernel adds whatever it needs of them.
_ALWAYS = {
    "FULLY_CONNECTED": 6,
    "BATCH_MATMUL": 7,
    "ADD_N": 1,
    "SVDF": 6,
    "RNN": 6,
    "UNIDIRECTIONAL_SEQUENCE_RNN": 6,
    "BIDIRECTIONAL_SEQUENCE_RNN": 9,
    "BIDIRECTIONAL_SEQUENCE_LSTM": 19,
    "LSTM": 21,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 12,
    **dict.fromkeys(matrices.REDUCTIONS, 4),
}
#: Of these, those that LiteRT adds only when they prepare, and since when.
_LATER = dict.fromkeys(("FULLY_CONNECTED", "BATCH_MATMUL", *matrices.REDUCTIONS), (1, 4))

#: Operators that are known to add none.
_NONE = frozenset((
    "ABS", "ADD", "ARG_MAX", "ARG_MIN", "ASSIGN_VARIABLE", "ATAN2", "AVERAGE_POOL_2D", "BATCH_TO_SPACE_ND",
    "BITCAST", "BITWISE_XOR", "BROADCAST_ARGS", "BROADCAST_TO", "BUCKETIZE", "CALL_ONCE", "CAST", "CEIL",
    "COMPLEX_ABS", "CONCATENATION", "COS", "CUMSUM", "DENSIFY", "DEPTH_TO_SPACE", "DEQUANTIZE", "DIV",
    "DYNAMIC_UPDATE_SLICE", "ELU", "EMBEDDING_LOOKUP", "EQUAL", "EXP", "EXPAND_DIMS", "FAKE_QUANT", "FILL",
    "FLOOR", "FLOOR_DIV", "FLOOR_MOD", "GATHER", "GATHER_ND", "GELU", "GREATER", "GREATER_EQUAL",
    "HARD_SWISH", "HASHTABLE", "HASHTABLE_FIND", "HASHTABLE_IMPORT", "HASHTABLE_LOOKUP", "HASHTABLE_SIZE",
    "IF", "IMAG", "L2_NORMALIZATION", "L2_POOL_2D", "LEAKY_RELU", "LESS", "LESS_EQUAL",
    "LOCAL_RESPONSE_NORMALIZATION", "LOG", "LOG_SOFTMAX", "LOGICAL_AND", "LOGICAL_NOT", "LOGICAL_OR",
    "LOGISTIC", "LSH_PROJECTION", "MATRIX_DIAG", "MATRIX_SET_DIAG", "MAXIMUM", "MAX_POOL_2D", "MINIMUM",
    "MIRROR_PAD", "MUL", "MULTINOMIAL", "NEG", "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5",
    "NOT_EQUAL", "ONE_HOT", "PACK", "PAD", "PADV2", "POW", "PRELU", "QUANTIZE", "RANDOM_STANDARD_NORMAL",
    "RANDOM_UNIFORM", "RANGE", "RANK", "READ_VARIABLE", "REAL", "RELU", "RELU6", "RELU_0_TO_1",
    "RELU_N1_TO_1", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "REVERSE_SEQUENCE",
    "REVERSE_V2", "RIGHT_SHIFT", "ROUND", "RSQRT", "SCATTER_ND", "SEGMENT_SUM", "SELECT", "SELECT_V2",
    "SHAPE", "SIGN", "SIN", "SLICE", "SOFTMAX", "SPACE_TO_BATCH_ND", "SPACE_TO_DEPTH", "SPARSE_TO_DENSE",
    "SPLIT", "SPLIT_V", "SQRT", "SQUARE", "SQUARED_DIFFERENCE", "SQUEEZE", "STRIDED_SLICE", "SUB", "TANH",
    "TILE", "TOPK_V2", "TRANSPOSE", "UNIQUE", "UNPACK", "UNSORTED_SEGMENT_MAX", "UNSORTED_SEGMENT_MIN",
    "UNSORTED_SEGMENT_PROD", "UNSORTED_SEGMENT_SUM", "VAR_HANDLE", "WHERE", "WHILE", "ZEROS_LIKE",
))  # fmt: skip


def of(
    operator: Operator,
    tensors: Mapping[int, RawTensor],
    profile: RuntimeProfile,
    *,
    machine: str,
    threads: int | None,
) -> tuple[Scratch, ...]:
    """The scratch tensors of one operator, in the order in which its node lists them.

    Raises UnknownScratch where that cannot be told. ``threads`` None: the runtime's own default.
    """
    if operator.name in _NONE:
        return ()
    kernel = _KERNELS.get(operator.name)
    if kernel is None:
        raise UnknownScratch(f"the scratch tensors of {operator.name} are not known")
    return kernel(Call(operator, tensors, profile, machine, profile.threads(threads)))


@dataclass(frozen=True, slots=True)
class Numbered:
    """Operator index → (tensor index, scratch) in the order of its node; ``unknown``: operator → why.

    After an unknown one no number is sure. ``count``: tensors of the subgraph in the end.
    """

    scratch: Mapping[int, tuple[tuple[int, Scratch], ...]]
    unknown: Mapping[int, str]
    count: int


def number(
    operators: Iterable[Operator],
    tensors: Mapping[int, RawTensor],
    first: int,
    profile: RuntimeProfile,
    *,
    machine: str,
    threads: int | None,
    prepared: Iterable[int] | None = None,
) -> Numbered:
    """Number the scratch tensors of a subgraph whose own tensors end before ``first``.

    ``prepared``: the operators that are prepared, in that order; all where it is None. Those that a
    delegate of LiteRT has taken never are.
    """
    by_index = {operator.index: operator for operator in operators}
    starts: dict[int, int] = {}
    for index, operator in by_index.items():
        if _on_load(operator, profile):
            starts[index] = first
            first += _always(operator, profile)
    scratch: dict[int, tuple[tuple[int, Scratch], ...]] = {}
    unknown: dict[int, str] = {}
    for index in by_index if prepared is None else prepared:
        operator = by_index[index]
        try:
            made = of(operator, tensors, profile, machine=machine, threads=threads)
        except UnknownScratch as error:
            unknown[index] = str(error)
            made = ()
        start = starts.get(index, first)
        if index not in starts:
            first += max(_always(operator, profile), len(made))
        if made:
            scratch[index] = tuple((start + one.slot, one) for one in made)
    return Numbered(scratch, unknown, first)


def _always(operator: Operator, profile: RuntimeProfile) -> int:
    older = profile.version if profile.package == "tflite_runtime" else None
    if operator.name in matrices.REDUCTIONS and older and older < (2, 10):
        return 3
    if operator.name == "ADD_N" and older and older < (2, 8):
        return 0
    if operator.name == "LSTM" and operator.option("KernelType") == recurrent.BASIC:
        return 0
    return _ALWAYS.get(operator.name, 0)


def _on_load(operator: Operator, profile: RuntimeProfile) -> bool:
    """Whether a kernel adds its tensors while the model is loaded."""
    later = _LATER.get(operator.name)
    if operator.name not in _ALWAYS:
        return False
    return later is None or profile.package != "ai_edge_litert" or profile.version < later
