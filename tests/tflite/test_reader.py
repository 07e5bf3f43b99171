"""What the reader finds in models whose content we know."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from arenascope.domain.graph import Graph, Signature
from arenascope.tflite.reader import read_model
from arenascope.tflite.source import sha256_of
from tests.data.make_models import HERE


def read(name: str) -> Graph:
    return read_model(HERE / f"{name}.tflite")


def by_name(graph: Graph, subgraph: int = 0) -> dict[str, int]:
    return {tensor.name: tensor.index for tensor in graph.subgraphs[subgraph].tensors}


def test_the_file_is_identified_by_name_size_and_hash() -> None:
    graph = read("cnn_float")
    content = (HERE / "cnn_float.tflite").read_bytes()
    assert (graph.name, graph.file_bytes) == ("cnn_float.tflite", len(content))
    assert graph.sha256 == hashlib.sha256(content).hexdigest() == sha256_of(HERE / "cnn_float.tflite")
    assert (graph.description, graph.schema_version) == ("small CNN, float", 3)


def test_a_hash_that_is_known_is_not_computed_again() -> None:
    assert read_model(HERE / "scalar.tflite", sha256="known").sha256 == "known"


def test_operators_are_named_in_the_order_of_the_file() -> None:
    names = [operator.name for operator in read("cnn_float").main.operators]
    assert names == [
        "CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX",
    ]  # fmt: skip


def test_a_custom_operator_has_its_own_name() -> None:
    assert [o.name for o in read("unknown_operator").main.operators] == ["TANH", "FancyNewOp"]


def test_absent_inputs_and_state_tensors_of_an_lstm() -> None:
    main = read("lstm_fused").main
    lstm = main.operators[0]
    assert lstm.name == "UNIDIRECTIONAL_SEQUENCE_LSTM"
    assert [lstm.inputs[i] for i in (9, 10, 11, 16, 17, 20, 21, 22, 23)] == [-1] * 9
    states = [tensor for tensor in main.tensors if tensor.is_variable]
    assert [(s.name, s.shape, s.is_constant) for s in states] == [
        ("lstm/output_state", (1, 5), False),
        ("lstm/cell_state", (1, 5), False),
    ]
    assert [lstm.inputs[i] for i in (18, 19)] == [s.index for s in states]


def test_constants_are_measured_and_shared_buffers_counted_once() -> None:
    graph = read("shared_constant")
    names = by_name(graph)
    one, other = (graph.main.tensors[names[n]] for n in ("weights", "weights_again"))
    assert one.buffer == other.buffer
    assert one.buffer_bytes == other.buffer_bytes == 32 * 4
    assert graph.weight_bytes == 32 * 4


def test_a_constant_behind_the_flatbuffer_is_found_by_its_offset() -> None:
    graph = read("weights_behind")
    assert graph.main.tensors[by_name(graph)["addend"]].buffer_bytes == 256
    assert graph.weight_bytes == 256


@pytest.mark.parametrize(
    ("model", "tensor", "dtype", "shape", "size"),
    [
        ("int4_weights", "w", "int4", (16, 32), 256),
        ("fp16_weights", "w0_fp16", "float16", (32, 32), 2048),
        ("cnn_int8", "conv/w", "int8", (8, 3, 3, 3), 216),
        ("strings", "words", "string", (3,), None),
        ("resource_variable", "main/handle", "resource", (), None),
        ("dynamic_where", "places", "int64", (1, 2), 16),
        ("dynamic_where", "positive", "bool", (4, 6), 24),
        ("zero_size", "nothing", "float32", (0, 4), 0),
        ("scalar", "two", "float32", (), 4),
    ],
)
def test_types_shapes_and_bytes(
    model: str, tensor: str, dtype: str, shape: tuple[int, ...], size: int | None
) -> None:
    graph = read(model)
    found = graph.main.tensors[by_name(graph)[tensor]]
    assert (found.dtype, found.shape, found.bytes) == (dtype, shape, size)


def test_open_dimensions_stay_open() -> None:
    graph = read("cnn_float")
    image = graph.main.tensors[by_name(graph)["image"]]
    assert (image.shape, image.shape_signature) == ((1, 16, 16, 3), (-1, 16, 16, 3))
    assert graph.main.tensors[by_name(graph)["pool"]].shape_signature is None


@pytest.mark.parametrize(
    ("model", "operator", "subgraphs"),
    [("while_loop", "WHILE", (1, 2)), ("if_branch", "IF", (1, 2)), ("resource_variable", "CALL_ONCE", (1,))],
)
def test_control_flow_names_the_subgraphs_that_it_runs(
    model: str, operator: str, subgraphs: tuple[int, ...]
) -> None:
    found = [o.subgraphs for o in read(model).main.operators if o.name == operator]
    assert found == [subgraphs]


def test_every_subgraph_is_there_with_its_name() -> None:
    graph = read("while_loop")
    assert [s.name for s in graph.subgraphs] == ["main", "cond", "body"]
    assert [o.name for o in graph.subgraphs[2].operators] == ["ADD", "TANH", "ADD"]
    assert [graph.subgraphs[1].tensors[i].name for i in graph.subgraphs[1].inputs] == [
        "cond/counter",
        "cond/x",
    ]


def test_signatures_and_metadata() -> None:
    graph = read("two_signatures")
    encode, decode = (by_name(graph, index) for index in (0, 1))
    assert graph.signatures == (
        Signature("encode", 0, (("x", encode["encode_x:0"]),), (("y", encode["encode_y:0"]),)),
        Signature("decode", 1, (("x", decode["decode_x:0"]),), (("y", decode["decode_y:0"]),)),
    )
    assert graph.metadata == (("min_runtime_version", 16),)


def test_names_are_kept_as_they_are() -> None:
    graph = read("script_name")
    assert [t.name for t in graph.main.tensors] == [
        "<script>alert(1)</script>",
        "\"'><img src=x onerror=alert(2)>",
        "line\nbreak\ttab\x1b[31mred\x00nul",
        "=cmd|' /C calc'!A0 — naïve 名前 \u202egnp.exe",
    ]


def test_a_name_in_another_encoding_is_replaced_not_refused() -> None:
    assert [t.name for t in read("name_not_utf8").main.tensors] == ["x", "Gr\ufffd\ufffde  "]


def test_a_path_with_spaces_and_other_letters(tmp_path: Path) -> None:
    path = tmp_path / "mein Modell — 模型.tflite"
    path.write_bytes((HERE / "scalar.tflite").read_bytes())
    assert read_model(path).name == path.name
