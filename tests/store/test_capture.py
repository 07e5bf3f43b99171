"""A capture goes to a file and comes back the same; anything else is told in words."""

from __future__ import annotations

import copy
import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arenascope.domain.capture import SCHEMA, Capture
from arenascope.domain.measurement import (
    Status,
)
from arenascope.errors import FileError, StoreError
from arenascope.store import capture as store
from arenascope.store.fields import parse, repeated
from tests.support.any_capture import captures
from tests.support.captures import (
    bare_capture,
    big_capture,
    ended_capture,
    example_capture,
    hostile_capture,
    loop_capture,
)

pytestmark = pytest.mark.pure

CAPTURES = {
    "example": example_capture(),
    "loop": loop_capture(),
    "hostile": hostile_capture(),
    "bare": bare_capture(),
    "big": big_capture(2000),
    **{status.value: ended_capture(status) for status in Status},
}


@given(captures)
@settings(max_examples=150, deadline=None)
def test_any_capture_survives_the_way_through_json_text(capture: Capture) -> None:
    text = json.dumps(store.to_json(capture), allow_nan=False)
    assert store.from_json(json.loads(text)) == capture


@pytest.mark.parametrize("name", CAPTURES)
def test_a_saved_capture_comes_back_the_same(name: str, tmp_path: Path) -> None:
    path = tmp_path / "run.ascope"
    store.save(CAPTURES[name], path)
    assert store.load(path) == CAPTURES[name]
    assert [p.name for p in tmp_path.iterdir()] == ["run.ascope"]


# ------------------------------------------------------------------------------------- the contract


def test_the_keys_are_those_of_the_contract() -> None:
    document: Any = store.to_json(example_capture())
    assert document["schema"] == SCHEMA == "arenascope.capture/1"
    assert set(document) >= {
        "schema", "tool", "model", "device", "options", "tensors", "operators", "arenas", "phases", "totals",
        "attribution", "samples", "outcome",
    }  # fmt: skip
    assert set(document["tool"]) == {"version"}
    assert set(document["model"]) == {"name", "sha256", "bytes", "subgraphs", "operators"}
    assert set(document["device"]) == {
        "name", "machine", "bits", "kernel", "page_size", "ram_total", "ram_available", "swap_total",
        "python", "numpy", "runtime", "runtime_version", "address_space",
    }  # fmt: skip
    assert set(document["device"]["address_space"]) == {"ceiling", "largest_gap"}
    assert set(document["options"]) == {"threads", "delegate", "preserve_all", "inputs"}
    assert set(document["tensors"][0]) == {
        "subgraph", "index", "name", "dtype", "shape", "bytes", "kind", "address", "offset", "first_op",
        "last_op", "producer", "consumers", "temporary",
    }  # fmt: skip
    assert set(document["operators"][0]) == {
        "subgraph", "index", "name", "inputs", "outputs", "temporaries", "step",
    }  # fmt: skip
    assert set(document["arenas"][0]) == {"subgraph", "kind", "base", "bytes"}
    assert set(document["phases"][0]) == {
        "name", "seconds", "rss_before", "rss_peak", "rss_after", "anon_after", "file_after", "start",
    }  # fmt: skip
    assert set(document["totals"]) == {
        "weights", "arena_rw", "arena_rw_persistent", "dynamic", "lower_bound", "sum_without_reuse",
        "process_peak",
    }  # fmt: skip
    assert set(document["attribution"][0]) == {"part", "bytes", "provenance"}
    assert set(document["samples"]) >= {"t", "rss", "available"}
    assert set(document["outcome"]) >= {"status", "phase", "message", "findings"}


def test_what_is_not_known_is_null_and_not_zero() -> None:
    document: Any = store.to_json(bare_capture())
    assert document["device"]["ram_total"] is None
    assert set(document["totals"].values()) == {None}


def test_unknown_keys_and_the_optional_ones_may_be_there_or_not() -> None:
    document: Any = store.to_json(example_capture())
    document["from_the_future"] = {"x": [1]}
    document["tensors"][3]["colour"] = "red"
    assert store.from_json(document) == example_capture()
    for key in ("agent", "notes", "created", "layout_source", "attribution_when"):
        del document[key]
    for operator in document["operators"]:
        del operator["step"]
    read = store.from_json(document)
    assert (read.agent_rss, read.notes, read.created, read.layout_source) == (None, (), None, None)
    assert read.attribution_when is None
    assert [o.step for o in read.layout.operators] == list(range(12))


def test_a_capture_of_before_there_was_evidence_still_loads() -> None:
    document: Any = store.to_json(ended_capture(Status.KILLED))
    assert document["outcome"]["evidence"]["source"] == "kernel_log"
    assert store.from_json(document) == ended_capture(Status.KILLED)
    del document["outcome"]["evidence"]
    assert store.from_json(document).outcome.evidence is None


def test_the_file_has_one_line_for_a_tensor(tmp_path: Path) -> None:
    store.save(example_capture(), tmp_path / "run.ascope")
    lines = (tmp_path / "run.ascope").read_text("ascii").splitlines()
    assert sum('"dtype"' in line for line in lines) == 31


# -------------------------------------------------------------------------------------- other files


@pytest.mark.parametrize(
    ("schema", "words", "hint"),
    [
        ("arenascope.capture/2", ["arenascope.capture/2", "arenascope.capture/1"], "newer ArenaScope"),
        ("arenascope.capture/0", ["arenascope.capture/0", "arenascope.capture/1"], "Inspect the model again"),
        ("arenascope.plan/1", ["plan"], "Choose a file"),
        ("something else", ["not a capture"], "Choose a file"),
        (None, ["not a capture"], "Choose a file"),
        (7, ["not a capture"], "Choose a file"),
    ],
)
def test_another_schema_is_named_with_the_next_step(schema: object, words: list[str], hint: str) -> None:
    with pytest.raises(StoreError) as caught:
        store.from_json({**store.to_json(example_capture()), "schema": schema})
    assert all(word in caught.value.message for word in words)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"hello", "line 1, column 1 is not JSON"),
        (b'{"schema": "arenascope.capture/1"', "ends in the middle"),
        (b'{"schema": "arenascope.cap', "ends in the middle"),
        (b'{"schema": NaN}', "NaN"),
        (b'{"schema": -Infinity}', "-Infinity"),
        (b'{"schema": 1, "schema": 2}', "stands twice"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 200_000, "nested too deeply"),
        (b'{"schema": ' + b"9" * 5000 + b"}", "a number that is too long"),
        (b"[]", "not a capture"),
        (b'"arenascope.capture/1"', "not a capture"),
        (b'{"schema": "arenascope.capture/1"}', "must be an object, but is null"),
        (b"\x20\x00\x00\x00TFL3\x00\x00", "is a model, not a capture"),
        (b"PK\x03\x04", "is not JSON"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else None,
)
def test_what_is_no_capture_is_said_in_words(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "other.ascope"
    path.write_bytes(data)
    with pytest.raises(StoreError) as caught:
        store.load(path)
    assert words in caught.value.message
    assert "other.ascope" in caught.value.message or "not a capture" in caught.value.message
    assert caught.value.hint
    assert len(caught.value.message) < 300


def test_a_file_above_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(example_capture(), tmp_path / "run.ascope")
    monkeypatch.setattr(store, "LARGEST_FILE", 1024)
    with pytest.raises(StoreError, match="larger than 1"):
        store.load(tmp_path / "run.ascope")


def test_a_file_that_cannot_be_read_is_a_file_error(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none.ascope", "does not exist"), (tmp_path, "it is a folder")):
        with pytest.raises(FileError, match=words):
            store.load(path)


def test_every_truncation_is_told(tmp_path: Path) -> None:
    whole = tmp_path / "run.ascope"
    store.save(example_capture(), whole)
    data = whole.read_bytes()
    part = tmp_path / "part.ascope"
    for length in range(0, len(data.rstrip()), 37):
        part.write_bytes(data[:length])
        with pytest.raises(StoreError, match=r"ends in the middle|is empty"):
            store.load(part)


# -------------------------------------------------------------------------------------- wrong values


def _set(document: Any, path: tuple[str | int, ...], value: object) -> Any:
    document = copy.deepcopy(document)
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("tensors", 3, "bytes"), "12", "tensors[3].bytes must be a whole number"),
        (("tensors", 3, "bytes"), -1, "tensors[3].bytes"),
        (("tensors", 3, "bytes"), 1.5, "tensors[3].bytes"),
        (("tensors", 3, "bytes"), True, "tensors[3].bytes"),
        (("tensors", 3, "bytes"), 2**63, "tensors[3].bytes"),
        (("tensors", 3, "kind"), "arena", "one of mmap_ro, arena_rw"),
        (("tensors", 3, "index"), None, "tensors[3].index"),
        (("tensors", 3, "index"), 2, "twice"),
        (("tensors", 3, "shape"), [1, "2"], "tensors[3].shape[1]"),
        (("tensors", 15, "last_op"), -1, "tensors[15].last_op"),
        (("tensors", 16, "last_op"), 0, "first_op (1) or later"),
        (("tensors", 3), [], "tensors[3] must be an object, but is a list"),
        (("tensors",), {}, "tensors must be a list"),
        (("operators", 0, "inputs"), [-2], "operators[0].inputs[0]"),
        (("operators", 1, "index"), 0, "operators holds index 0 of subgraph 0 twice"),
        (("arenas", 0, "bytes"), None, "arenas[0].bytes"),
        (("phases", 0, "seconds"), math.inf, "phases[0].seconds"),
        (("phases", 0, "seconds"), math.nan, "phases[0].seconds"),
        (("samples", "t", 4), math.nan, "samples.t[4] must be a number up to"),
        (("samples", "t", 4), 0.0, "go back in time"),
        (("samples", "rss"), [1], "samples.rss has 1 values, but samples.t has 72"),
        (("samples", "rss", 0), "x", "samples.rss[0] must be whole bytes or null"),
        (("outcome", "status"), "fine", "one of ok, failed, killed"),
        (("outcome", "evidence"), {"source": "hearsay", "text": ""}, "one of kernel_log, cgroup, vmstat"),
        (("attribution", 0, "provenance"), "guessed", "one of file, planned"),
        (("options", "preserve_all"), 1, "true or false"),
        (("notes",), [1], "notes[0] must be a text"),
        (("model", "name"), "x", None),
    ],
)
def test_a_wrong_value_is_named_with_its_place(
    path: tuple[str | int, ...], value: object, words: str | None
) -> None:
    document = _set(store.to_json(example_capture()), path, value)
    if words is None:
        store.from_json(document)
        return
    with pytest.raises(StoreError) as caught:
        store.from_json(document)
    assert words in caught.value.message


def _paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path] if path else []
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        found += _paths(child, (*path, key))
    return found


_DOCUMENT = store.to_json(loop_capture())
_PATHS = _paths(_DOCUMENT)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.tuples(st.sampled_from(_PATHS), _json), min_size=1, max_size=3))
@settings(max_examples=300, deadline=None)
def test_a_changed_document_is_a_capture_or_a_store_error(
    changes: list[tuple[tuple[str | int, ...], object]],
) -> None:
    document: Any = _DOCUMENT
    for path, value in changes:
        try:
            document = _set(document, path, value)
        except (TypeError, KeyError, IndexError):  # the place went away with an earlier change
            continue
    try:
        read = store.from_json(document)
    except StoreError as error:
        assert error.message and error.hint
    else:
        assert store.from_json(store.to_json(read)) == read


def test_changed_bytes_are_a_capture_or_a_store_error(tmp_path: Path) -> None:
    path = tmp_path / "run.ascope"
    store.save(loop_capture(), path)
    data = path.read_bytes()
    chance = random.Random(2)
    for _ in range(400):
        changed = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(changed))
            cut = chance.choice((0, 1, 1, 40))
            changed[at : at + cut] = bytes([chance.randrange(256)]) * chance.choice((0, 1, 2))
        path.write_bytes(changed)
        try:
            assert isinstance(store.load(path), Capture)
        except StoreError as error:
            assert error.message and error.hint


# ------------------------------------------------------------------------- many keys, one of them twice


class Counted:
    """A key that counts how often it is compared with another."""

    compared = 0

    def __init__(self, value: int) -> None:
        self.value = value

    def __hash__(self) -> int:
        return hash(self.value)

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return isinstance(other, Counted) and self.value == other.value


def test_what_stands_twice_is_found_in_one_pass() -> None:
    many = 5000
    keys = [Counted(number) for number in (*range(many), many - 1)]
    Counted.compared = 0
    assert repeated(keys) is keys[-1]
    assert Counted.compared < 2 * many
    assert repeated(keys[:-1]) is None


def test_a_damaged_file_of_many_keys_is_told_in_words() -> None:
    keys = ",".join(f'"k{number}": 0' for number in (*range(60_000), 59_999))
    with pytest.raises(StoreError, match=r"k59999.* stands twice"):
        parse(f"{{{keys}}}".encode())
