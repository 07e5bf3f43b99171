"""Reading events from the wire: what is well formed becomes a reading, everything else a WireError."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenascope.domain.layout import Kind
from arenascope.errors import WireError
from arenascope.remote import reading
from arenascope.remote.reading import ReadingCollector


def head(**changes: Any) -> dict[str, Any]:
    return {
        "index": 0, "when": "after_invoke", "source": "runtime structures", "inputs": [0], "outputs": [1],
        "variables": [], "plan": [0],
        "nodes": [{"index": 0, "name": "ADD", "inputs": [0, -1], "outputs": [1], "temporaries": [], "delegate": False}],
        **changes,
    }  # fmt: skip


ROW = [0, "in", "float32", [1, 4], 16, "arena_rw", 4096]
MEMORY = {
    "when": "invoke_first", "rss": 100, "mappings": [["/lib/a.so", 60, 2], ["[heap]", 40, 40]],
    "model_resident": 0, "dynamic_resident": 3, "runtime_paths": ["/lib/a.so"], "delegated": True,
    "arenas": [{"subgraph": 0, "kind": "arena_rw", "base": 4096, "bytes": 16, "resident": 16},
               {"subgraph": 1, "kind": "arena_rw", "base": 8192, "bytes": 16, "resident": 4}],
    "anon_steps": {"start": 1, "numpy": 2, "invoke_first": None},
}  # fmt: skip


def test_a_reading_arrives_whole() -> None:
    collector = ReadingCollector()
    assert collector.feed("subgraph", head())
    assert collector.feed("tensors", {"subgraph": 0, "tensors": [ROW]})
    assert collector.feed("memory", MEMORY)
    assert not collector.feed("samples", {})
    (subgraph,) = collector.subgraphs()
    assert subgraph.tensors[0].kind is Kind.ARENA_RW
    assert subgraph.nodes is not None and subgraph.nodes[0].inputs == (0, -1)
    process = collector.process("/m.tflite")
    assert process is not None
    assert (process.arena_resident, process.delegated) == (20, True)
    assert dict(process.anon_steps) == {"start": 1, "numpy": 2}


def test_a_later_reading_replaces_the_earlier_one() -> None:
    collector = ReadingCollector()
    collector.feed("subgraph", head(when="after_allocate"))
    collector.feed("tensors", {"subgraph": 0, "tensors": [ROW]})
    collector.feed("subgraph", head())
    (subgraph,) = collector.subgraphs()
    assert (subgraph.when, subgraph.tensors) == ("after_invoke", ())


def test_a_run_without_a_memory_reading_has_none() -> None:
    assert ReadingCollector().process("/m") is None


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("subgraph", {}),
        ("subgraph", head(index=-1)),
        ("subgraph", head(index=True)),
        ("tensors", {"subgraph": 5, "tensors": []}),
    ],
)
def test_what_has_no_place_is_refused_at_once(name: str, data: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        ReadingCollector().feed(name, data)


@pytest.mark.parametrize("changes", [
    {"nodes": 3}, {"nodes": [7]}, {"plan": ["0"]}, {"inputs": None}, {"when": 5}, {"outputs": [1 << 40]},
    {"nodes": [{"index": 0, "name": 4, "inputs": [], "outputs": []}]},
])  # fmt: skip
def test_a_head_of_another_shape_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        ReadingCollector().feed("subgraph", head(**changes))


@pytest.mark.parametrize("row", [
    [], ROW[:6], [*ROW, 1], ["0", *ROW[1:]], [0, 5, *ROW[2:]], [*ROW[:5], "stack", 1], [*ROW[:6], -1],
    [*ROW[:6], 1 << 70], [*ROW[:5], [], 1], [*ROW[:5], {}, 1], [*ROW[:5], None, 1], [0, "a", "float32", "4", 16, "arena_rw", 1], "row", None,
])  # fmt: skip
def test_a_row_of_another_shape_is_refused(row: Any) -> None:
    collector = ReadingCollector()
    collector.feed("subgraph", head())
    with pytest.raises(WireError):
        collector.feed("tensors", {"subgraph": 0, "tensors": [row]})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


ROWS = {
    "tensors": ROW,
    "nodes": head()["nodes"][0],
    "arenas": MEMORY["arenas"][0],
    "mappings": ["/lib/a.so", 60, 2],
}
NAMES = {"tensors": "tensors", "nodes": "subgraph", "arenas": "memory", "mappings": "memory"}


@st.composite
def bad_rows(draw: st.DrawFn) -> tuple[str, str, Any]:
    """A good row of one of the lists with any value in the place of one of its own."""
    key = draw(st.sampled_from(sorted(ROWS)))
    row = ROWS[key].copy()
    row[draw(st.sampled_from(sorted(row) if isinstance(row, dict) else range(len(row))))] = draw(json_values)
    return NAMES[key], key, [row]


bad_fields = st.tuples(st.sampled_from(["subgraph", "tensors", "memory"]), st.sampled_from(
    ["index", "when", "source", "inputs", "outputs", "variables", "plan", "nodes", "tensors", "subgraph", "rss",
     "mappings", "model_resident", "dynamic_resident", "runtime_paths", "arenas", "anon_steps"]),
    json_values)  # fmt: skip


@given(st.lists(bad_fields | bad_rows(), max_size=6))
def test_nothing_but_a_wire_error_comes_of_bad_input(changes: list[tuple[str, str, Any]]) -> None:
    good = {"subgraph": head(), "tensors": {"subgraph": 0, "tensors": [ROW]}, "memory": dict(MEMORY)}
    for name, key, value in changes:
        good[name] = {**good[name], key: value}
    collector = ReadingCollector()
    try:
        for name in ("subgraph", "tensors", "memory"):
            collector.feed(name, good[name])
        collector.subgraphs()
    except WireError as error:
        assert error.message.isprintable() and len(error.message) < 300
    try:
        collector.feed("memory", good["memory"])
    except WireError as error:
        assert error.message.isprintable() and len(error.message) < 300
    collector.process("/m")


@pytest.mark.parametrize("value", ["y" * 5_000_000, ["y"] * 100_000, {"y" * 100_000: 1}, "a\x1b[31m\n\u202e"])
def test_messages_are_short_and_plain_whatever_arrived(value: Any) -> None:
    collector = ReadingCollector()
    collector.feed("subgraph", head())
    for row in ([value, *ROW[1:]], [*ROW[:5], value, 1], [*ROW[:4], value, *ROW[5:]]):
        with pytest.raises(WireError) as caught:
            collector.feed("tensors", {"subgraph": 0, "tensors": [row]})
        assert len(caught.value.message) < 200 and caught.value.message.isprintable()


def test_the_numbers_of_subgraphs_and_of_all_tensors_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MAX_SUBGRAPHS", 2)
    monkeypatch.setattr(reading, "_MAX_TENSORS", 3)
    collector = ReadingCollector()
    for index in (0, 1, 1, 0):
        collector.feed("subgraph", head(index=index))
        collector.feed("tensors", {"subgraph": index, "tensors": [ROW]})  # a later reading replaces
    with pytest.raises(WireError, match="subgraphs"):
        collector.feed("subgraph", head(index=2))
    with pytest.raises(WireError, match="tensors"):
        collector.feed("tensors", {"subgraph": 0, "tensors": [ROW, ROW]})
