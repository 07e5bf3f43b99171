"""Numbers of the schema, and what we call them."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from arenascope.domain.graph import ELEMENT_BYTES, ELEMENTS_PER_BYTE
from arenascope.tflite import names
from arenascope.tflite.guard import Budget
from tests.data.builder import ModelBuilder, options


def test_every_type_of_the_schema_has_a_known_size_or_none_for_a_reason() -> None:
    numbers = [n for name, n in vars(schema.TensorType).items() if not name.startswith("_")]
    sized = {*ELEMENT_BYTES, *ELEMENTS_PER_BYTE}
    assert {names.dtype_name(n) for n in numbers} - sized == {"string", "resource", "variant"}


def test_a_type_and_an_operator_newer_than_the_schema_keep_their_numbers() -> None:
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode = 9999, 127
    assert names.dtype_name(200) == "type_200"
    assert names.operator_name(_read(code)) == "BUILTIN_9999"


def test_old_files_keep_the_operator_in_the_narrow_field() -> None:
    code = schema.OperatorCodeT()
    code.deprecatedBuiltinCode = schema.BuiltinOperator.CONV_2D
    assert names.operator_name(_read(code)) == "CONV_2D"


def test_a_custom_operator_without_a_name_is_custom() -> None:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    assert names.operator_name(_read(code)) == "CUSTOM"


def test_every_option_of_the_schema_that_names_a_subgraph_is_known() -> None:
    """A subgraph that nobody follows would be a subgraph without an operator that runs it."""
    known = {f"{accessor}" for accessors in names._SUBGRAPH_OPTIONS.values() for accessor in accessors}
    naming = {
        cls.__name__
        for cls in vars(schema).values()
        if isinstance(cls, type)
        and cls.__name__.endswith("Options")
        and any(accessor in vars(cls) for accessor in (*known, "BranchSubgraphIndices"))
    }
    assert naming == {*names._SUBGRAPH_OPTIONS, names._CASE_OPTIONS}


def test_the_branches_of_a_case() -> None:
    model = ModelBuilder("case")
    graph = model.subgraph("main")
    x = graph.input("x", [1], "int32")
    graph.op("STABLEHLO_CASE", [x], ("y", [1]))
    operator = graph.table.operators[0]
    operator.builtinOptions2Type = schema.BuiltinOptions2.StablehloCaseOptions
    operator.builtinOptions2 = schema.StablehloCaseOptionsT()
    operator.builtinOptions2.branchSubgraphIndices = [0, 2, 1]
    assert names.subgraphs_of(_first_operator(model), 3, Budget(1000)) == (0, 2, 1)


def test_a_composite_names_its_decomposition() -> None:
    model = ModelBuilder("composite")
    graph = model.subgraph("main")
    graph.op("STABLEHLO_COMPOSITE", [graph.input("x", [1])], ("y", [1]), options=options("Add"))
    operator = graph.table.operators[0]
    operator.builtinOptionsType, operator.builtinOptions = 0, None
    operator.builtinOptions2Type = schema.BuiltinOptions2.StableHLOCompositeOptions
    operator.builtinOptions2 = schema.StableHLOCompositeOptionsT()
    operator.builtinOptions2.decompositionSubgraphIndex = 1
    assert names.subgraphs_of(_first_operator(model), 2, Budget(1000)) == (1,)


def _read(code: schema.OperatorCodeT) -> schema.OperatorCode:
    model = ModelBuilder("codes")
    model.model.operatorCodes.append(code)
    return schema.Model.GetRootAs(model.build()).OperatorCodes(0)


def _first_operator(model: ModelBuilder) -> schema.Operator:
    return schema.Model.GetRootAs(model.build()).Subgraphs(0).Operators(0)
