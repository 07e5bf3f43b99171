"""The examples that are shown on first start: made by our scripts, recorded from real runs."""

from __future__ import annotations

import hashlib
import importlib.util
import sys

import pytest

from arenascope.domain.layout import Kind
from arenascope.resources import resource_path
from arenascope.store import capture as store
from arenascope.tflite.notes import notes
from arenascope.tflite.reader import read_model

EXAMPLES = ("lstm", "cnn")


def test_the_models_are_what_their_script_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))  # the script adds the checkout to it
    spec = importlib.util.spec_from_file_location("examples", resource_path("examples", "make_examples.py"))
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "examples", script)
    spec.loader.exec_module(script)

    made = script.files()
    assert set(made) == {f"{name}.tflite" for name in EXAMPLES}
    changed = [n for n, content in made.items() if resource_path("examples", n).read_bytes() != content]
    assert not changed, "run: python resources/examples/make_examples.py, then record.py"


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_capture_is_of_the_model_beside_it(name: str) -> None:
    model = resource_path("examples", f"{name}.tflite")
    capture = store.load(resource_path("examples", f"{name}.ascope"))
    graph = read_model(model)
    assert capture.model.sha256 == graph.sha256 == hashlib.sha256(model.read_bytes()).hexdigest()
    assert (capture.model.operators, capture.model.subgraphs) == (graph.operator_count, 1)
    assert notes(model, graph) == ()


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_capture_fills_every_view(name: str) -> None:
    capture = store.load(resource_path("examples", f"{name}.ascope"))
    assert capture.outcome.ok
    assert len(capture.phases) == 5
    assert len(capture.samples.t) >= 10
    placed = [p for p in capture.layout.placements if p.kind is Kind.ARENA_RW and p.address is not None]
    assert len(placed) >= 10
    assert capture.totals.process_peak
    assert capture.totals.arena_rw
    assert {part.part for part in capture.attribution} >= {"arena", "model file", "unexplained"}
    if name == "lstm":
        assert capture.totals.arena_rw_persistent


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_capture_tells_nothing_about_who_recorded_it(name: str) -> None:
    path = resource_path("examples", f"{name}.ascope")
    text, capture = path.read_text(encoding="utf-8"), store.load(path)
    assert "board" in capture.device.name
    assert "@" not in text
    assert not [place for place in ("/home/", "/root/", "/tmp/", "/Users/") if place in text]
