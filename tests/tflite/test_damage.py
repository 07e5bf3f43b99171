"""Damaged models: every one is refused in words, at once, and without taking memory."""

from __future__ import annotations

import random
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arenascope.domain.graph import Graph
from arenascope.errors import ModelError
from arenascope.tflite.guard import Budget, Damage
from arenascope.tflite.reader import read_model
from tests.data.builder import ModelBuilder, options
from tests.data.make_models import HERE
from tests.support.mutations import mutated

#: One model for each shape of description: states, subgraphs, signatures, 64-bit offsets, metadata.
MODELS = ("lstm_fused", "while_loop", "two_signatures", "weights_behind", "resource_variable")

#: A file may end in so many bytes that belong to nothing.
_PADDING = 16


def content(name: str) -> bytes:
    return (HERE / f"{name}.tflite").read_bytes()


def read_or_refused(path: Path, data: bytes) -> Graph | ModelError:
    path.write_bytes(data)
    try:
        return read_model(path, sha256="")
    except ModelError as error:
        assert error.message
        assert error.hint
        return error


@pytest.mark.parametrize("name", MODELS)
def test_a_model_cut_at_every_byte(tmp_path: Path, name: str) -> None:
    whole = content(name)
    for length in range(len(whole) - _PADDING):
        answer = read_or_refused(tmp_path / "cut.tflite", whole[:length])
        assert isinstance(answer, ModelError), f"cut at {length} of {len(whole)} and not noticed"
    for length in range(len(whole) - _PADDING, len(whole)):
        read_or_refused(tmp_path / "cut.tflite", whole[:length])


@pytest.mark.parametrize("name", MODELS)
def test_seeded_mutations(tmp_path: Path, name: str) -> None:
    whole, rng = content(name), random.Random(f"reader {name}")
    for _ in range(400):
        read_or_refused(tmp_path / "mutated.tflite", mutated(whole, rng))


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.binary(max_size=400))
def test_any_bytes_behind_the_identifier(tmp_path: Path, data: bytes) -> None:
    read_or_refused(tmp_path / "any.tflite", struct.pack("<I", 8) + b"TFL3" + data)


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    name=st.sampled_from(MODELS),
    where=st.integers(0, 10_000),
    value=st.sampled_from([0, 1, 4, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF]),
)
def test_any_word_overwritten(tmp_path: Path, name: str, where: int, value: int) -> None:
    data = bytearray(content(name))
    struct.pack_into("<I", data, where % (len(data) - 4), value)
    read_or_refused(tmp_path / "word.tflite", bytes(data))


def _tensor_in_no_buffer(model: ModelBuilder) -> None:
    model.model.subgraphs[0].tensors[0].buffer = 77


def _negative_dimension(model: ModelBuilder) -> None:
    model.model.subgraphs[0].tensors[0].shape = [1, -5]


def _operator_without_code(model: ModelBuilder) -> None:
    model.model.subgraphs[0].operators[0].opcodeIndex = 9


def _operator_on_no_tensor(model: ModelBuilder) -> None:
    model.model.subgraphs[0].operators[0].inputs = [99]


def _operator_below_optional(model: ModelBuilder) -> None:
    model.model.subgraphs[0].operators[0].inputs = [-2]


def _input_of_no_tensor(model: ModelBuilder) -> None:
    model.model.subgraphs[0].inputs = [-1]


def _no_subgraph(model: ModelBuilder) -> None:
    model.model.subgraphs = []


def _signature_of_no_subgraph(model: ModelBuilder) -> None:
    model.signature("serve", 5, {}, {})


def _signature_of_no_tensor(model: ModelBuilder) -> None:
    model.signature("serve", 0, {"x": 55}, {})


def _metadata_in_no_buffer(model: ModelBuilder) -> None:
    model.metadata("note", b"text")
    model.model.metadata[0].buffer = 44


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_tensor_in_no_buffer, "tensor 0 lies in buffer 77 of 1"),
        (_negative_dimension, "tensor 0 has the shape"),
        (_operator_without_code, "operator 0 has code 9 of 1"),
        (_operator_on_no_tensor, "operator 0: tensor 99 of 2"),
        (_operator_below_optional, "operator 0: tensor -2 of 2"),
        (_input_of_no_tensor, "inputs of subgraph 0: tensor -1 of 2"),
        (_no_subgraph, "no subgraph"),
        (_signature_of_no_subgraph, "runs subgraph 5 of 1"),
        (_signature_of_no_tensor, "tensor 55 of 2"),
        (_metadata_in_no_buffer, "metadata 'note' lies in buffer 44"),
    ],
)
def test_references_that_lead_nowhere(
    tmp_path: Path, damage: Callable[[ModelBuilder], None], words: str
) -> None:
    model = ModelBuilder("damaged")
    graph = model.subgraph("main")
    graph.output(graph.op("TANH", [graph.input("x", [1, 4])], ("y", [1, 4])))
    damage(model)
    answer = read_or_refused(tmp_path / "model.tflite", model.build())
    assert isinstance(answer, ModelError)
    assert words in answer.detail
    assert "damaged or cut off" in answer.message


def test_a_loop_into_a_subgraph_that_is_not_there(tmp_path: Path) -> None:
    model = ModelBuilder("damaged")
    graph = model.subgraph("main")
    loop = options("While", condSubgraphIndex=0, bodySubgraphIndex=3)
    graph.output(graph.op("WHILE", [graph.input("x", [1])], ("y", [1]), options=loop))
    answer = read_or_refused(tmp_path / "model.tflite", model.build())
    assert isinstance(answer, ModelError)
    assert "runs subgraph 3 of 1" in answer.detail


def test_a_graph_that_runs_itself_is_read_without_following_it() -> None:
    graph = read_model(HERE / "crash_allocate.tflite")
    assert graph.main.operators[0].subgraphs == (1, 0)


def test_the_same_tables_named_a_million_times_are_noticed(tmp_path: Path) -> None:
    """A small file can name one large subgraph a thousand times; reading it would take a day."""
    model = ModelBuilder("bomb")
    graph = model.subgraph("main")
    for index in range(2000):
        graph.tensor(f"t{index}", [1])
        model.subgraph("")
    data = bytearray(model.build())
    _name_one_subgraph_for_all(data)
    answer = read_or_refused(tmp_path / "bomb.tflite", bytes(data))
    assert isinstance(answer, ModelError)
    assert "again and again" in answer.detail


def _name_one_subgraph_for_all(data: bytearray) -> None:
    model = schema.Model.GetRootAs(data)
    start = model._tab.Vector(model._tab.Offset(8))
    target = start + struct.unpack_from("<I", data, start)[0]
    for place in range(start, start + 4 * model.SubgraphsLength(), 4):
        struct.pack_into("<I", data, place, (target - place) & 0xFFFFFFFF)


def test_a_budget_is_bounded_by_the_file() -> None:
    with pytest.raises(Damage, match="more than the file can hold"):
        Budget(1000).tables(251, "tensors")
    with pytest.raises(Damage, match="more than the file can hold"):
        Budget(1000).text(1001)
    budget = Budget(1000)
    for _ in range(4):
        budget.text(1000)
    with pytest.raises(Damage, match="again and again"):
        budget.text(1)


@pytest.mark.skipif(sys.platform == "win32", reason="an open mapping cannot be replaced there at all")
def test_a_refused_file_is_not_kept_open(tmp_path: Path) -> None:
    path = tmp_path / "cut.tflite"
    path.write_bytes(content("lstm_fused")[:2000])
    with pytest.raises(ModelError) as caught:
        read_model(path)
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("mappings can be listed on Linux only")
    assert "cut.tflite" not in maps.read_text()
    assert caught.value.detail
