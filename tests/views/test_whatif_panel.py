"""The What-if view: what it shows is of the knobs on show, and every part can be reached."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arenascope.domain.capture import Options
from arenascope.domain.provenance import Provenance
from arenascope.domain.verdict import Fit
from arenascope.errors import InputError
from arenascope.qtmodels.batch_scale import STOPS
from arenascope.qtmodels.boards_model import BoardState
from arenascope.qtmodels.documents import OpenModel
from arenascope.qtmodels.history_model import HistoryEntry
from arenascope.qtmodels.session import Session
from arenascope.qtmodels.whatif import Answer
from arenascope.qtmodels.whatif_knobs import Where
from arenascope.views.dialogs.explain import ExplainPopover
from arenascope.views.dialogs.inputs import InputsDialog
from arenascope.views.export import ExportOptions, Format, prepare
from arenascope.views.main_window import MainWindow
from arenascope.views.panels.whatif_panel import WhatIfPanel
from arenascope.views.theme import Theme
from tests.support.captures import example_capture
from tests.support.foretelling import FakeForeteller, small_graph, write_model
from tests.support.window import BOARD, FakeBook, connects, make_window
from tests.views.probes import grabbed

GRAPH = small_graph()


@pytest.fixture
def service() -> FakeForeteller:
    return FakeForeteller()


@pytest.fixture
def window(qtbot: QtBot, service: FakeForeteller, tmp_path: Path) -> Iterator[MainWindow]:
    session = Session(book=FakeBook(), connect=connects, foretell=service)
    made = make_window(qtbot, session)
    session.boards.model.update(session.target, board=BOARD)
    session.show_model(OpenModel.of_graph(GRAPH, write_model(tmp_path, GRAPH)))
    made.actions_["tab_what-if"].trigger()
    QApplication.processEvents()
    yield made
    made.close()


@pytest.fixture
def panel(window: MainWindow) -> WhatIfPanel:
    return window.whatif


def settled(qtbot: QtBot, panel: WhatIfPanel) -> None:
    model = panel._model
    qtbot.waitUntil(lambda: model.answer is not None and model.answer.whole, timeout=30_000)
    qtbot.waitUntil(lambda: model.curve.next() is None, timeout=30_000)


def value(panel: WhatIfPanel, key: str) -> str:
    figure = panel.figures.tiles[key].figure
    return figure.value_text if figure is not None else ""


def ran(window: MainWindow, batch: int, peak: int = 40 * 1024**2) -> HistoryEntry:
    """A run of the open model on the chosen board."""
    capture = example_capture()
    return HistoryEntry(
        replace(
            capture,
            model=replace(capture.model, sha256=GRAPH.sha256),
            device=BOARD,
            options=Options(inputs={"image": (batch, 50_000)}),
            totals=replace(capture.totals, process_peak=peak),
        ),
        model_path=window.session.model.path if window.session.model else None,
    )


# -- what is shown --------------------------------------------------------------------------------


def test_the_figures_are_planned_and_say_so(qtbot: QtBot, panel: WhatIfPanel) -> None:
    panel.batch.setValue(8)
    settled(qtbot, panel)
    assert value(panel, "arena") == "4.6 MiB"  # three tensors of 200,000 bytes, eight samples
    origins = {key: tile.figure.provenance for key, tile in panel.figures.tiles.items() if tile.figure}
    assert origins == {
        "arena": Provenance.PLANNED,
        "persistent": Provenance.PLANNED,
        "largest": Provenance.PLANNED,
        "peak": Provenance.ESTIMATED,
    }
    assert panel.figures.verdict.text() == "Fits"
    assert "are available" in panel.figures.reason
    assert panel.figures.title == "batch 8"
    assert panel.chart.chip_text == "batch 8"


def test_nothing_on_show_is_ever_of_other_knobs(
    qtbot: QtBot, panel: WhatIfPanel, service: FakeForeteller
) -> None:
    """Storms of changes while answers are held up and let go: what is not faded is of the knobs."""
    model = panel._model

    def check(_: object = None) -> None:
        figures = panel.figures
        if figures.isEnabled() and figures.forecast is not None:
            assert figures.forecast.plan.asked == model.knobs.asked
            assert figures.title == f"batch {model.batch}"

    model.answered.connect(check)
    model.knobsChanged.connect(check)
    for round_ in range(6):
        service.gate.clear()
        for batch in range(1 + round_, 40, 7):
            panel.slider.setValue(batch)
            check()
        panel.knobs.preserve.toggle()
        check()
        service.gate.set()
        qtbot.waitUntil(lambda: model.answer is not None and model.answer.whole, timeout=30_000)
        check()
        assert figures_are(panel, model.answer)


def figures_are(panel: WhatIfPanel, answer: Answer | None) -> bool:
    return answer is not None and panel.figures.forecast is answer.forecast


def test_what_takes_long_is_taken_off_the_view(
    qtbot: QtBot, panel: WhatIfPanel, service: FakeForeteller
) -> None:
    settled(qtbot, panel)
    service.gate.clear()
    with qtbot.waitSignal(panel._model.slow, check_params_cb=bool):
        panel.batch.setValue(3000)
    assert panel.figures.title == "planning batch 3,000…"
    assert panel.figures.tiles["arena"].figure is None
    assert panel.chart.chip_text == "batch 3,000 …"
    service.gate.set()
    settled(qtbot, panel)
    assert panel.figures.tiles["arena"].figure is not None


def test_the_curve_has_line_band_dots_limit_and_border(
    qtbot: QtBot, window: MainWindow, panel: WhatIfPanel
) -> None:
    window.session.add_and_show(ran(window, 4))
    settled(qtbot, panel)
    points = panel.chart.points
    assert points is not None
    assert len(points.batch) > 20
    assert (points.low <= points.likely).all()
    assert (points.likely <= points.high).all()
    assert points.room == ("available memory", BOARD.ram_available)
    assert points.exact
    assert [(d.batch, d.peak) for d in points.dots] == [(4, 40 * 1024**2)]
    largest = points.largest
    assert largest is not None
    window.actions_["whatif_largest"].trigger()
    assert panel.batch.value() == largest
    settled(qtbot, panel)
    assert panel.figures.forecast is not None
    assert panel.figures.forecast.verdict.fits
    panel.batch.setValue(largest + 1)
    settled(qtbot, panel)
    assert panel.figures.forecast.verdict.fit is Fit.KILLED
    assert panel.figures.verdict.text() == "Killed later"


def test_hovering_the_curve_says_its_values(qtbot: QtBot, panel: WhatIfPanel) -> None:
    settled(qtbot, panel)
    chart = panel.chart
    chart.graphics.scene().sigMouseMoved.emit(chart.view_box.mapViewToScene(QPointF(16, 1000)))
    words = chart.hover_words
    assert words[0].startswith("batch 16: ")
    assert words[1] == "arena 9.2 MiB planned"
    assert words[2].count(" – ") == 2
    chart.graphics.scene().sigMouseMoved.emit(QPointF(-5, -5))
    assert chart.hover_words == []


def test_the_curve_is_painted_in_the_colours_of_its_legend(qtbot: QtBot, panel: WhatIfPanel) -> None:
    settled(qtbot, panel)
    picture = grabbed(panel.chart.graphics).reshape(-1, 3).astype(int)
    for color in (panel.chart._item.arena_color, panel.chart._item.peak_color):
        assert (abs(picture - color.getRgb()[:3]).max(axis=1) < 24).any()


def test_a_model_that_refuses_names_the_operator_and_leads_to_it(
    qtbot: QtBot, window: MainWindow, panel: WhatIfPanel, service: FakeForeteller
) -> None:
    service.refuses = lambda batch: batch > 1
    window.session.add_and_show(ran(window, 1))
    panel.knobs.threads.setValue(2)
    panel.batch.setValue(2)
    settled(qtbot, panel)
    assert panel.figures.verdict.text() == "Refused by the model"
    assert "fixed batch of 1" in panel.figures.reason
    assert panel.figures.operator.isVisible()
    panel.figures.operator.click()
    assert window.session.selection.step == 1
    assert window.session.selection.tensor == (0, 1)
    points = panel.chart.points
    assert points is not None
    assert (points.refused_from, points.largest) == (2, 1)


def test_what_goes_wrong_is_said_in_the_view(
    qtbot: QtBot, panel: WhatIfPanel, service: FakeForeteller
) -> None:
    service.error = InputError("The runtime stopped at once.", hint="Convert it again.")
    panel.knobs.threads.setValue(2)
    qtbot.waitUntil(lambda: panel._model.answer is not None)
    assert panel.figures.reason == "The runtime stopped at once. Convert it again."


# -- without this or that ---------------------------------------------------------------------------


def test_without_a_model_there_is_the_button_to_open_one(qtbot: QtBot) -> None:
    window = make_window(qtbot)
    window.actions_["tab_what-if"].trigger()
    assert "No model is open" in window.whatif._empty.text
    assert window.whatif._empty._button.defaultAction() is window.actions_["open"]
    assert not window.actions_["whatif_measure"].isEnabled()


def test_without_a_file_it_is_said(qtbot: QtBot, window: MainWindow, panel: WhatIfPanel) -> None:
    window.session.add_and_show(HistoryEntry(example_capture()))
    assert "file is not here" in panel._empty.text


def test_without_a_board_there_is_the_button_to_ask_it(
    qtbot: QtBot, window: MainWindow, panel: WhatIfPanel
) -> None:
    boards = window.session.boards.model
    boards.update(window.session.target, board=None)
    settled(qtbot, panel)
    assert panel.figures.reason == "This computer was not asked yet. Check it to see its limit."
    assert panel._board.isVisible()
    assert panel._board.defaultAction() is window.actions_["check_board"]
    assert value(panel, "arena") == "585.9 KiB", "the plan needs none"


def test_where_nothing_can_be_measured_a_board_is_missing(
    qtbot: QtBot, window: MainWindow, panel: WhatIfPanel
) -> None:
    boards = window.session.boards.model
    boards.update(window.session.target, board=None, state=BoardState.PLANS_ONLY)
    settled(qtbot, panel)
    assert panel.figures.reason == "Connect a board to see its limit."
    assert panel._board.isVisible()
    assert panel._board.defaultAction() is window.actions_["add_board"]


def test_a_machine_alone_has_no_limit(qtbot: QtBot, panel: WhatIfPanel) -> None:
    row = next(
        n for n in range(panel.knobs.where.count()) if panel.knobs.where.itemText(n) == "for any aarch64"
    )
    panel.knobs.where.setCurrentIndex(row)
    panel.knobs.where.activated.emit(row)
    settled(qtbot, panel)
    assert panel._model.knobs.where is Where.MACHINE
    assert panel._model.target.machine == "aarch64"
    assert "no memory of its own" in panel.figures.reason
    assert panel.chart.points is not None
    assert panel.chart.points.room is None


# -- what a person does -----------------------------------------------------------------------------


def test_slider_spin_box_and_curve_set_the_same_batch(qtbot: QtBot, panel: WhatIfPanel) -> None:
    panel.slider.setValue(40)
    assert panel.batch.value() == STOPS[40]
    panel.batch.setValue(33)
    assert STOPS[panel.slider.value()] == 33
    panel.chart.batchChosen.emit(7)
    assert panel.batch.value() == 7
    settled(qtbot, panel)
    panel.chart.setFocus()
    qtbot.keyClick(panel.chart, Qt.Key.Key_Right)
    assert panel.batch.value() == 8
    qtbot.keyClick(panel.chart, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert panel.batch.value() == 1
    qtbot.keyClick(panel.chart, Qt.Key.Key_L)
    assert panel.batch.value() == panel._model.curve.largest_fit
    qtbot.keyClick(panel.chart, Qt.Key.Key_Home)
    assert panel.batch.value() == 1


def test_a_zoom_stays_while_the_curve_grows(qtbot: QtBot, panel: WhatIfPanel) -> None:
    settled(qtbot, panel)
    box = panel.chart.view_box
    qtbot.keyClick(panel.chart, Qt.Key.Key_Plus)
    before = box.viewRange()[0]
    panel.batch.setValue(2)
    settled(qtbot, panel)
    assert box.viewRange()[0] == before
    qtbot.keyClick(panel.chart, Qt.Key.Key_F)
    assert box.viewRange()[0] != before


def test_the_knobs_go_to_the_next_run_and_come_back(window: MainWindow, panel: WhatIfPanel) -> None:
    panel.batch.setValue(5)
    panel.knobs.threads.setValue(3)
    panel.knobs.preserve.setChecked(True)
    window.actions_["whatif_use"].trigger()
    request = window.session.request
    assert (request.batch, request.threads, request.preserve_all) == (5, 3, True)
    assert window.bar.batch.value() == 5
    window.bar.batch.setValue(9)
    window.actions_["whatif_reset"].trigger()
    assert panel.batch.value() == 9


def test_measuring_runs_the_knobs_and_leaves_the_options(
    window: MainWindow, panel: WhatIfPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[object] = []
    monkeypatch.setattr(window.session, "inspect", lambda target=None, request=None: runs.append(request))
    panel.batch.setValue(6)
    window.actions_["whatif_measure"].trigger()
    assert [r.batch for r in runs] == [6]  # type: ignore[attr-defined]
    assert window.session.request.batch is None


def test_the_shapes_of_the_inputs_are_its_own(window: MainWindow, panel: WhatIfPanel) -> None:
    panel.knobs.inputs.click()
    dialog = window.findChild(InputsDialog)
    assert dialog is not None
    dialog.fields[0].setText("3, 70000")
    dialog._use.click()
    assert dict(panel._model.knobs.asked.inputs) == {"image": (3, 70_000)}
    assert panel.knobs.inputs.text() == "inputs (1 set)…"
    assert window.session.request.inputs == {}


@pytest.mark.parametrize("key", ["arena", "largest", "peak", "verdict"])
def test_every_figure_is_explained(qtbot: QtBot, window: MainWindow, panel: WhatIfPanel, key: str) -> None:
    settled(qtbot, panel)
    window.actions_[f"explain_whatif_{key}"].trigger()
    popover = next(p for p in window.findChildren(ExplainPopover) if p.isVisible())
    if key == "peak":
        texts = [row.cells[0] for row in popover.table.rows]
        assert any("delegate (estimated" in text for text in texts)
        assert texts[-1] == "= process peak"
    popover.dismiss()


def test_it_is_all_in_the_way_of_the_tab_key(qtbot: QtBot, panel: WhatIfPanel) -> None:
    settled(qtbot, panel)
    reached = set()
    panel.knobs.where.setFocus()
    for _ in range(30):
        focus = QApplication.focusWidget()
        reached.add(focus)
        assert focus is not None
        qtbot.keyClick(focus, Qt.Key.Key_Tab)
    wanted = {panel.slider, panel.batch.focusProxy() or panel.batch, panel.chart, panel.knobs.delegate}
    assert wanted <= reached
    assert set(panel.figures.tiles.values()) <= reached


# -- pictures ---------------------------------------------------------------------------------------


def test_the_curve_becomes_a_picture_with_its_stamp(
    qtbot: QtBot, window: MainWindow, panel: WhatIfPanel, tmp_path: Path
) -> None:
    settled(qtbot, panel)
    panel.chart.setFocus()
    view = window.does.current_view()
    assert view.key == "what-if"
    capture = panel.capture
    assert capture is not None
    theme = window.themes.theme
    svg = prepare(view, capture, ExportOptions(Format.SVG), theme)().decode()
    ET.fromstring(svg)
    assert "small.tflite" in svg
    assert "ai_edge_litert" in svg
    png = prepare(view, capture, ExportOptions(Format.PNG), theme)()
    assert png.startswith(b"\x89PNG")
    assert window.actions_["export"].isEnabled(), "a plan needs no run to be exported"


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("points", [0.0, 4.0])
def test_nothing_is_cut_off_sideways(
    qtbot: QtBot, window: MainWindow, panel: WhatIfPanel, mode: str, points: float
) -> None:
    """In both themes, and with larger letters: the columns are as wide as what stands in them."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    before = app.font()
    font = app.font()
    font.setPointSizeF(font.pointSizeF() + points)
    app.setFont(font)
    window.actions_[f"theme_{mode}"].trigger()
    settled(qtbot, panel)
    QApplication.processEvents()
    for column in panel.findChildren(type(panel._columns[0])):
        content = column.widget()
        assert content is not None
        assert content.minimumSizeHint().width() <= column.viewport().width()
    assert panel.chart._theme is Theme.load(mode)
    app.setFont(before)
    window.actions_["theme_light"].trigger()
