"""What the schema's numbers are called, in our words and in the runtime's."""

from __future__ import annotations

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


def _by_number(enumeration: type) -> dict[int, str]:
    wanted = (*_SUBGRAPH_OPTIONS, _CASE_OPTIONS)
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


def _subgraphs(name: str | None, table: Any, budget: Budget) -> tuple[int, ...]:
    if name is None or table is None:
        return ()
    options = getattr(schema, name)()
    options.Init(table.Bytes, table.Pos)
    if name == _CASE_OPTIONS:
        return guarded(options, budget).BranchSubgraphIndicesAsNumpy() or ()
    return tuple(getattr(options, accessor)() for accessor in _SUBGRAPH_OPTIONS[name])
