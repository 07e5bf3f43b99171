"""Reading, plan or both on the arena map: what differs is marked, and nothing is lost by looking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QComboBox
from pytestqt.qtbot import QtBot

from arenascope.domain.capture import Capture, Options
from arenascope.domain.layout import MemoryLayout
from arenascope.domain.provenance import Provenance
from arenascope.domain.totals import totals
from arenascope.qtmodels.documents import OpenModel
from arenascope.qtmodels.history_model import HistoryEntry
from arenascope.qtmodels.planned_capture import is_planned
from arenascope.qtmodels.selection import Showing
from arenascope.qtmodels.session import Session
from arenascope.views.main_window import MainWindow
from tests.support.captures import bare_capture
from tests.support.foretelling import FakeForeteller, layout_of, small_graph, write_model
from tests.support.window import BOARD, FakeBook, connects, make_window
from tests.views.probes import grabbed

GRAPH = small_graph()
HERE = replace(BOARD, runtime="tflite_runtime", runtime_version="2.14.0")
TENSOR = (0, 1)


def reading(batch: int = 1) -> Capture:
    """A run of the small model whose tensors lie where the planner of these tests puts them."""
    layout = layout_of(GRAPH, batch, False)
    placements = tuple(
        p if p.offset is None else replace(p, address=0xB000_0000 + p.offset) for p in layout.placements
    )
    capture = bare_capture()
    return replace(
        capture,
        model=replace(capture.model, name=GRAPH.name, sha256=GRAPH.sha256),
        device=HERE,
        options=Options(inputs={"image": (batch, 50_000)}),
        layout=MemoryLayout(placements, layout.operators, layout.arenas),
        totals=totals(layout, GRAPH, ()),
    )


@pytest.fixture
def service() -> FakeForeteller:
    return FakeForeteller()


@pytest.fixture
def window(qtbot: QtBot, service: FakeForeteller, tmp_path: Path) -> Iterator[MainWindow]:
    session = Session(book=FakeBook(), connect=connects, foretell=service)
    made = make_window(qtbot, session)
    session.boards.model.update(session.target, board=HERE)
    session.show_model(OpenModel.of_graph(GRAPH, write_model(tmp_path, GRAPH)))
    yield made
    made.close()


def show_reading(window: MainWindow, capture: Capture) -> None:
    model = window.session.model
    window.session.add_and_show(HistoryEntry(capture, model_path=model.path if model else None))
    QApplication.processEvents()


def planned(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: window.session.selection.plan is not None, timeout=30_000)
    QApplication.processEvents()


def test_both_says_that_they_are_equal(qtbot: QtBot, window: MainWindow) -> None:
    show_reading(window, reading())
    window.actions_["map_both"].trigger()
    planned(qtbot, window)
    assert window.map.plan_text == "Equal: all 4 tensors in arenas lie where they were planned."
    assert window.map.outlined == 0
    assert not is_planned(window.session.selection.capture)


def test_both_marks_and_counts_what_differs(
    qtbot: QtBot, window: MainWindow, service: FakeForeteller
) -> None:
    service.shift = 64
    show_reading(window, reading())
    window.actions_["map_both"].trigger()
    planned(qtbot, window)
    assert window.map.plan_text == "4 of 4 tensors differ from the plan: outlined."
    assert window.map.outlined == 8, "where each was read, and where it was planned"
    planned_color = window.themes.theme.provenance["planned"].getRgb()[:3]
    picture = grabbed(window.map.graphics).reshape(-1, 3).astype(int)
    assert (abs(picture - planned_color).max(axis=1) < 24).any()
    window.actions_["map_reading"].trigger()
    assert window.map.outlined == 0
    assert window.map.plan_text == ""


def test_one_tensor_that_lies_elsewhere_is_the_one_that_is_marked(qtbot: QtBot, window: MainWindow) -> None:
    capture = reading()
    placements = tuple(
        replace(p, offset=(p.offset or 0) + 64) if p.key == TENSOR else p for p in capture.layout.placements
    )
    layout = MemoryLayout(placements, capture.layout.operators, capture.layout.arenas)
    show_reading(window, replace(capture, layout=layout))
    window.actions_["map_both"].trigger()
    planned(qtbot, window)
    assert window.map.plan_text.startswith("1 of 4 tensors differ")
    found = window.session.selection.difference
    assert found is not None
    assert [(d.key, d.what) for d in found.differences] == [(TENSOR, "offset")]


def test_zoom_selection_and_step_survive_every_toggle(qtbot: QtBot, window: MainWindow) -> None:
    show_reading(window, reading())
    selection, box = window.session.selection, window.map.view_box
    selection.select(TENSOR)
    selection.set_step(2)
    window.map.fit_tensor(TENSOR)
    QApplication.processEvents()
    before = box.viewRange()
    for key in ("map_plan", "map_both", "map_reading", "map_both", "map_plan", "map_reading"):
        window.actions_[key].trigger()
        if key != "map_reading":
            planned(qtbot, window)
        assert selection.tensor == TENSOR
        assert selection.step == 2
        assert box.viewRange() == before
        assert selection.can_back


def test_the_plan_is_said_to_be_planned_everywhere(qtbot: QtBot, window: MainWindow) -> None:
    show_reading(window, reading())
    assert window.strip.tiles[1].figure is not None
    assert window.strip.tiles[1].figure.provenance is Provenance.MEASURED
    window.actions_["map_plan"].trigger()
    planned(qtbot, window)
    assert window.strip.tiles[1].figure.provenance is Provenance.PLANNED
    assert is_planned(window.session.selection.capture)
    assert window.session.capture is not None
    assert not is_planned(window.session.capture), "what is saved and reported is the run"
    assert window.map.plan_text.startswith("Plan: image 1 × 50000 · default delegate")
    assert "tflite_runtime 2.14.0 on armv7l" in window.map.plan_text
    window.actions_["map_reading"].trigger()
    assert window.strip.tiles[1].figure.provenance is Provenance.MEASURED


def test_a_plan_needs_no_run(qtbot: QtBot, window: MainWindow) -> None:
    assert window.map_stack.currentWidget() is window.waiting
    assert window.waiting._other.defaultAction() is window.actions_["map_plan"]
    window.waiting._other.click()
    planned(qtbot, window)
    assert window.map_stack.currentWidget() is window.map
    assert len(window.session.selection.blocks or ()) == 4
    show_reading(window, reading())
    assert window.session.selection.showing is Showing.READING, "the first reading takes its place"


def test_other_knobs_are_said_and_can_be_set_to_the_run(qtbot: QtBot, window: MainWindow) -> None:
    show_reading(window, reading(3))
    window.actions_["map_both"].trigger()
    planned(qtbot, window)
    assert "The plan is of other knobs: image 1 × 50000" in window.map.plan_text
    assert window.map._plan_line.offered
    window.map.planAsked.emit()
    qtbot.waitUntil(lambda: window.map.plan_text.startswith("Equal"), timeout=30_000)
    assert window.session.whatif.knobs.asked.batch == 3
    assert not window.map._plan_line.offered


def test_a_refusal_leaves_the_map_with_its_reason(
    qtbot: QtBot, window: MainWindow, service: FakeForeteller
) -> None:
    service.refuses = lambda batch: batch > 1
    show_reading(window, reading())
    window.actions_["map_plan"].trigger()
    planned(qtbot, window)
    window.session.whatif.set_batch(2)
    qtbot.waitUntil(lambda: "The model refuses" in window.map.empty_text, timeout=30_000)
    assert window.session.selection.plan is None
    window.actions_["map_reading"].trigger()
    assert window.session.selection.capture is window.session.capture


def test_while_a_knob_is_dragged_the_map_says_of_what_its_plan_is(
    qtbot: QtBot, window: MainWindow, service: FakeForeteller
) -> None:
    """The plan before stays under its own name; what takes long is taken off the map."""
    window.actions_["map_plan"].trigger()
    planned(qtbot, window)
    service.gate.clear()
    window.session.whatif.set_batch(300)
    assert "image 1 × 50000" in window.map.plan_text
    qtbot.waitUntil(lambda: window.session.selection.plan is None)
    assert "being made" in window.map.empty_text
    service.gate.set()
    planned(qtbot, window)
    assert "image 300 × 50000" in window.map.plan_text


def test_the_head_of_the_map_chooses_too(qtbot: QtBot, window: MainWindow) -> None:
    show_reading(window, reading())
    chooser = next(
        c for c in window.map.findChildren(QComboBox) if c.accessibleName() == "What the map shows"
    )
    chooser.activated.emit(2)
    assert window.session.selection.showing is Showing.BOTH
    assert window.actions_["map_both"].isChecked()
    window.actions_["map_plan"].trigger()
    assert chooser.currentText() == "plan"
