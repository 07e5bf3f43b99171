"""What the schema's numbers are called, in our words and in the runtime's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .guard import Budget, Damage, guarded, text_of
from .schema import schema

#: Schema name in lower case is our name, but for these.
_DTYPE_SPELLING = {"float8_e4m3fn": "float8e4m3fn", "float8_e5m2": "float8e5m2"}

_DTYPES: dict[int, str] = {
    number: _DTYPE_SPELLING.get(name.lower(), name.lower())
    for name, number in vars(schema.TensorType).items()
    if not name.startswith("_")
}
_OPERATORS: dict[int, str] = {
    number: name for name, number in vars(schema.BuiltinOperator).items() if not name.startswith("_")
}

#: Options that name subgraphs: the accessors of each, in the order in which they are run.
_SUBGRAPH_OPTIONS: dict[str, tuple[str, ...]] = {
    "WhileOptions": ("CondSubgraphIndex", "BodySubgraphIndex"),
    "IfOptions": ("ThenSubgraphIndex", "ElseSubgraphIndex"),
    "CallOnceOptions": ("InitSubgraphIndex",),
    "CallOptions": ("Subgraph",),
    "StablehloWhileOptions": ("CondSubgraphIndex", "BodySubgraphIndex"),
    "StablehloReduceOptions": ("BodySubgraphIndex",),
    "StablehloReduceWindowOptions": ("BodySubgraphIndex",),
    "StablehloScatterOptions": ("UpdateComputationSubgraphIndex",),
    "StablehloSortOptions": ("ComparatorSubgraphIndex",),
    "StableHLOCompositeOptions": ("DecompositionSubgraphIndex",),
}
_CASE_OPTIONS = "StablehloCaseOptions"

#: Numbers that decide which scratch tensors a kernel adds, by the accessors' names.
_NUMBERS: dict[str, tuple[str, ...]] = {
    "Conv2DOptions": ("StrideW", "StrideH", "DilationWFactor", "DilationHFactor"),
    "Conv3DOptions": (
        "StrideW", "StrideH", "StrideD", "DilationWFactor", "DilationHFactor", "DilationDFactor",
    ),
    "BatchMatMulOptions": ("AdjX", "AdjY"),
    "LSTMOptions": ("KernelType",),
    "UnidirectionalSequenceLSTMOptions": ("TimeMajor",),
    "BidirectionalSequenceLSTMOptions": ("TimeMajor",),
    "SequenceRNNOptions": ("TimeMajor",),
    "BidirectionalSequenceRNNOptions": ("TimeMajor",),
}  # fmt: skip
#: Operators whose weights are looked at: which of their inputs these are.
_WEIGHTS: dict[str, tuple[int, ...]] = {
    "CONV_2D": (1,),
    "FULLY_CONNECTED": (1,),
    "LSTM": (1, 2, 3, 4, 5, 6, 7, 8),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (1, 2, 3, 4, 5, 6, 7, 8),
}
#: What is noted of them.
SCALES_DIFFER, SPARSE, INTERMEDIATES = "ScalesDiffer", "Sparse", "Intermediates"


def _by_number(enumeration: type) -> dict[int, str]:
    wanted = (*_SUBGRAPH_OPTIONS, *_NUMBERS, _CASE_OPTIONS)
    return {number: name for name, number in vars(enumeration).items() if name in wanted}


_OPTIONS = _by_number(schema.BuiltinOptions)
_OPTIONS_2 = _by_number(schema.BuiltinOptions2)


def dtype_name(number: int) -> str:
    """'float32', 'int4', 'string', …; a type newer than this schema is 'type_<number>'."""
    return _DTYPES.get(number, f"type_{number}")


def operator_name(code: Any) -> str:
    """'CONV_2D', or the custom code of a custom operator, from a ``schema.OperatorCode``.

    Old files keep the number in an 8-bit field, whose 127 says that the wide one holds it: the
    larger of both is meant. An operator newer than this schema is 'BUILTIN_<number>'.
    """
    number = max(code.DeprecatedBuiltinCode(), code.BuiltinCode())
    if number == schema.BuiltinOperator.CUSTOM:
        return text_of(code.CustomCode()) or "CUSTOM"
    return _OPERATORS.get(number, f"BUILTIN_{number}")


def subgraphs_of(operator: Any, count: int, budget: Budget) -> tuple[int, ...]:
    """The subgraphs that a ``schema.Operator`` runs, of ``count`` in the file. Raises Damage."""
    found = _subgraphs(_OPTIONS.get(operator.BuiltinOptionsType()), operator.BuiltinOptions(), budget)
    if not found:
        found = _subgraphs(_OPTIONS_2.get(operator.BuiltinOptions2Type()), operator.BuiltinOptions2(), budget)
    for index in found:
        if not 0 <= index < count:
            raise Damage(f"an operator runs subgraph {index} of {count}")
    return found


def numbers_of(
    name: str, operator: Any, inputs: tuple[int, ...], tensor: Callable[[int], Any], budget: Budget
) -> tuple[tuple[str, int], ...]:
    """``Operator.options`` of the ``schema.Operator`` called ``name``; ``tensor`` gives a table by index."""
    found: dict[str, int] = {}
    kind, table = _OPTIONS.get(operator.BuiltinOptionsType()), operator.BuiltinOptions()
    if kind in _NUMBERS and table is not None:
        options = getattr(schema, kind)()
        options.Init(table.Bytes, table.Pos)
        found.update({accessor: int(getattr(options, accessor)()) for accessor in _NUMBERS[kind]})
    for position in _WEIGHTS.get(name, ()):
        if position < len(inputs) and inputs[position] >= 0:
            weights = guarded(tensor(inputs[position]), budget)
            if weights.Sparsity() is not None:
                found[SPARSE] = 1
            if name == "CONV_2D" and _scales_differ(weights, budget):
                found[SCALES_DIFFER] = 1
    if name.endswith("LSTM") and operator.IntermediatesLength():
        found[INTERMEDIATES] = operator.IntermediatesLength()
    return tuple(found.items())


def _scales_differ(tensor: Any, budget: Budget) -> bool:
    quantization = tensor.Quantization()
    if quantization is None:
        return False
    return len(set(guarded(quantization, budget).ScaleAsNumpy() or ())) > 1


def _subgraphs(name: str | None, table: Any, budget: Budget) -> tuple[int, ...]:
    if table is None or (name not in _SUBGRAPH_OPTIONS and name != _CASE_OPTIONS):
        return ()
    options = getattr(schema, name)()
    options.Init(table.Bytes, table.Pos)
    if name == _CASE_OPTIONS:
        return guarded(options, budget).BranchSubgraphIndicesAsNumpy() or ()
    return tuple(getattr(options, accessor)() for accessor in _SUBGRAPH_OPTIONS[name])
