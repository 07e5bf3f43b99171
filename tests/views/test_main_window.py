"""The window: one capture in every view, one selection, calm words, nothing cut off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QSize, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from arenascope.domain.capture import Capture
from arenascope.domain.layout import Kind
from arenascope.domain.measurement import BoardSample, ProcessMemory, Status
from arenascope.qtmodels.boards_model import BoardState
from arenascope.qtmodels.history_model import HistoryEntry
from arenascope.qtmodels.notices import Level, Notice
from arenascope.qtmodels.session import Session
from arenascope.qtmodels.tensor_table import COLUMNS
from arenascope.remote import local
from arenascope.resources import resource_path
from arenascope.settings import Settings
from arenascope.views import theme as themes
from arenascope.views.actions import TABS
from arenascope.views.empty_state import EmptyState
from arenascope.views.main_window import MainWindow, describe_model
from arenascope.views.panels.drop_overlay import what_happens
from arenascope.workflow.events import PhaseStarted
from arenascope.workflow.jobs import CancelToken
from tests.support.captures import (
    bare_capture,
    ended_capture,
    example_capture,
    hostile_capture,
    loop_capture,
)
from tests.support.window import FakeBook, connects, filled_window, make_window, write_junk


def texts(widget: QWidget) -> str:
    """Everything that labels of a widget say."""
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget))


def test_one_capture_fills_every_view(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    capture = example_capture()
    values = [tile.figure.value_text for tile in window.strip.tiles if tile.figure is not None]
    assert values[:2] == ["900.0 KiB", "900.0 KiB"]
    assert len(values) == 8
    total = window.memory.attribution.table.rows[-1]
    assert total.cells[1] == f"{sum(p.bytes for p in capture.attribution):,}"
    parts = sum(int(row.cells[1].replace(",", "")) for row in window.memory.attribution.table.rows[:-1])
    assert f"{parts:,}" == total.cells[1], "the parts add up to the byte"
    assert [r.cells[0] for r in window.memory.phases.table.rows] == [p.name for p in capture.phases]
    assert capture.model.sha256 in window.run.as_text()
    assert "INFO: Created TensorFlow Lite interpreter." in window.run.as_text()
    window.tabs.setCurrentWidget(window.operators)
    assert len(window.operators.table.rows) == len(capture.layout.plan())
    assert capture.model.name in window.windowTitle()


def test_every_figure_says_its_origin_and_opens_its_addition(qtbot: QtBot) -> None:
    from arenascope.views.dialogs.explain import ExplainPopover

    window = filled_window(qtbot)
    for tile in window.strip.tiles:
        figure = tile.figure
        assert figure is not None
        assert figure.provenance is not None
        assert figure.provenance.value in tile.accessibleName()
        tile.click()
        popover = next(p for p in window.findChildren(ExplainPopover) if p.isVisible())
        rows = popover.table.rows
        numbers = [int(r.cells[1].replace(",", "").replace("−", "-")) for r in rows]
        assert sum(numbers[:-1]) == numbers[-1] == figure.bytes, figure.key
        popover.dismiss()


def test_a_line_of_an_addition_selects_its_tensor(qtbot: QtBot) -> None:
    from arenascope.views.dialogs.explain import ExplainPopover

    window = filled_window(qtbot)
    window.actions_["explain_lower_bound"].trigger()
    popover = next(p for p in window.findChildren(ExplainPopover) if p.isVisible())
    popover.table.chosen.emit(popover.table.rows[0].key)
    assert window.session.selection.tensor == (0, 28)
    assert not popover.isVisible()


def test_one_selection_moves_every_view_and_has_a_history(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    selection = window.session.selection
    selection.select((0, 17))
    selection.select((0, 0))
    window.details.settle()
    assert "serving_default_image" in window.details._name.text()
    window.actions_["back"].trigger()
    window.details.settle()
    assert "doorbell/conv2" in window.details._name.text()
    assert window.actions_["forward"].isEnabled()
    window.actions_["forward"].trigger()
    assert selection.tensor == (0, 0)


def test_the_living_add_up_at_every_step(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    selection = window.session.selection
    for step in range(selection.step_count):
        selection.set_step(step)
        window.details.settle()
        rows = window.details._alive_table.rows
        sizes = [int(r.cells[1].replace(",", "")) for r in rows if r.cells[1] != "in place"]
        assert sum(sizes[:-1]) == sizes[-1]
    selection.to_busiest_step()
    window.details.settle()
    assert "lower bound" in window.details._alive_table.rows[-1].cells[0]


def test_the_search_reaches_the_operators_too(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    window.tabs.setCurrentWidget(window.operators)
    window.session.search.set_text("op:MAX_POOL_2D")
    names = {row.cells[0] for row in window.operators.table.rows}
    assert "MAX_POOL_2D" in names
    assert "SOFTMAX" not in names
    window.session.search.set_text("nothing is called that")
    assert window.operators.table.rows == ()
    window.session.search.set_text("")
    assert len(window.operators.table.rows) == 12


def test_a_click_on_an_operator_goes_to_its_step(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    window.tabs.setCurrentWidget(window.operators)
    window.operators.table.chosen.emit(7)
    assert window.session.selection.step == 7


def test_the_history_shows_a_capture_again(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    session = window.session
    session.add_and_show(HistoryEntry(loop_capture()))
    assert window.history.list.currentIndex().row() == 0
    window.history.list.setCurrentIndex(session.history.index(1))
    assert session.capture == example_capture()


def test_the_history_marks_no_run_when_none_is_shown(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    shown = window.session.entry
    assert window.history.list.selectionModel().hasSelection()
    with qtbot.waitSignal(window.session.modelChanged):
        window.session.open(resource_path("examples", "lstm.tflite"))
    assert not window.history.list.selectionModel().hasSelection()
    window.history.list.setFocus(Qt.FocusReason.TabFocusReason)
    assert window.session.entry is None, "looking at the list chooses nothing"
    place = window.history.list.visualRect(window.session.history.index(0)).center()
    qtbot.mouseClick(window.history.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.session.entry is shown, "it can be shown again"


@pytest.mark.parametrize(
    "capture",
    [bare_capture(), *(ended_capture(status) for status in Status if status is not Status.OK)],
    ids=lambda c: c.outcome.status.value,
)
def test_any_ending_can_be_shown(qtbot: QtBot, capture) -> None:  # type: ignore[no-untyped-def]
    window = make_window(qtbot)
    window.session.add_and_show(HistoryEntry(capture))
    window.details.settle()
    for index in range(window.tabs.count()):
        window.tabs.setCurrentIndex(index)
        QApplication.processEvents()
    values = [tile.figure.value_text for tile in window.strip.tiles if tile.figure is not None]
    assert len(values) == 8


def test_names_that_want_to_be_more_stay_text(qtbot: QtBot) -> None:
    window = make_window(qtbot)
    capture = hostile_capture()
    window.session.add_and_show(HistoryEntry(capture))
    for key in list(capture.layout.by_key)[:20]:
        window.session.selection.select(key)
        window.details.settle()
    for index in range(window.tabs.count()):
        window.tabs.setCurrentIndex(index)
        QApplication.processEvents()
    for label in window.findChildren(QLabel):
        assert label.textFormat() is Qt.TextFormat.PlainText or "<" not in label.text(), label.text()
    for widget in window.findChildren(QWidget):
        tags = set(re.findall(r"<\s*/?\s*([a-z]+)", widget.toolTip(), re.IGNORECASE))
        assert tags <= {"span", "br"}, widget.toolTip()


def test_bytes_kind_and_offset_of_the_tensors_fit_a_small_screen(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    window.resize(1280, 800)
    window.tabs.setCurrentWidget(window.tensors)
    QApplication.processEvents()
    table = window.tensors.table
    for title in ("Bytes", "Kind", "Offset"):
        column = next(i for i, c in enumerate(COLUMNS) if c.title == title)
        end = table.columnViewportPosition(column) + table.columnWidth(column)
        assert end <= table.viewport().width(), title
    kind = next(i for i, c in enumerate(COLUMNS) if c.title == "Kind")
    assert table.columnWidth(kind) > table.fontMetrics().horizontalAdvance(Kind.ARENA_RW_PERSISTENT.value) + 8


def test_it_fits_a_small_screen(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    window.session.selection.select((0, 17))
    window.details.settle()
    QApplication.processEvents()
    assert window.size() == QSize(1280, 800)
    assert window.minimumSizeHint().width() <= 1280
    assert window.minimumSizeHint().height() <= 800
    for tile in window.strip.tiles:
        assert tile.width() >= tile.sizeHint().width()


def test_wide_or_narrow_the_bar_has_everything(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    for width in (1280, 1600, 1300):
        window.resize(width, 800)
        QApplication.processEvents()
        for part in (
            window.bar.open,
            window.bar.inputs,
            window.bar.inspect,
            window.bar.cancel,
            window.bar.board,
        ):
            right = part.mapTo(window, QPoint(part.width(), 0)).x()
            assert part.isVisible()
            assert 0 < right <= width


def test_controls_have_names(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    nameless = [
        repr(widget)
        for kind in (QAbstractButton, QComboBox, QLineEdit, QAbstractItemView)
        for widget in window.root.findChildren(kind)
        if widget.isVisible()
        and widget.focusPolicy() is not Qt.FocusPolicy.NoFocus
        and not widget.accessibleName()
        and not getattr(widget, "text", str)()
        and not widget.objectName().startswith("qt_")
    ]
    assert not nameless


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_theme_changes_under_a_full_window(qtbot: QtBot, mode: str) -> None:
    window = filled_window(qtbot, "dark" if mode == "light" else "light")
    selection = window.session.selection
    selection.select((0, 17))
    window.actions_[f"theme_{mode}"].trigger()
    assert window.themes.mode == mode
    assert selection.tensor == (0, 17), "a toggle resets nothing"
    picture = window.grab().toImage()
    corner = picture.pixelColor(picture.width() - 3, 3)
    assert corner == themes.Theme.load(mode).background


def test_trouble_stays_and_good_news_passes(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    window.show_notice(Notice(Level.ERROR, "It broke.", "Mend it.", "line 1"))
    window.show_notice(Notice(Level.SUCCESS, "It is mended."))
    assert window.banner.isVisible()
    assert "It broke." in texts(window.banner)
    assert "Mend it." in texts(window.banner)
    assert window.toast.isVisible()
    window.map.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.toast.isVisible()
    assert window.banner.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.banner.isVisible()


def test_a_banner_has_the_button_that_helps(qtbot: QtBot) -> None:
    window = make_window(qtbot)
    window.actions_["inspect"].trigger()
    assert window.toast.isVisible()
    window.actions_["open"].triggered.disconnect()
    with qtbot.waitSignal(window.actions_["open"].triggered):
        window.toast.steps.buttons[0].click()
    assert not window.toast.isVisible()


def test_escape_lets_go_last(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    window.session.selection.select((0, 17))
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.session.selection.tensor is None


def test_escape_in_the_map_reaches_the_window(qtbot: QtBot) -> None:
    """A pinned card is let go first; then the key means what it means elsewhere."""
    window = filled_window(qtbot)
    window.show_notice(Notice(Level.ERROR, "It broke."))
    for view in (window.map, window.live.chart):
        window.banner.show_notice(Notice(Level.ERROR, "It broke."))
        qtbot.keyClick(view, Qt.Key.Key_Escape)
        assert not window.banner.isVisible()


def test_space_pauses_the_live_view(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert window.live.chart.paused
    assert "Go on" in window.actions_["pause"].text()
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert not window.live.chart.paused


# -- a run, from beginning to end ---------------------------------------------------------------


def test_while_a_run_goes_on_the_empty_views_say_so_and_can_stop_it(qtbot: QtBot) -> None:
    def waits(device: object, model: Path, request: object, tell: Any, cancel: CancelToken) -> Capture:
        tell(PhaseStarted("invoke_first", 0.1))
        cancel.wait()
        return ended_capture(Status.CANCELLED)

    session = Session(book=FakeBook(), connect=connects, run=waits)
    window = make_window(qtbot, session)
    with qtbot.waitSignal(session.modelChanged):
        session.open(resource_path("examples", "lstm.tflite"))
    before = window.waiting.text
    with qtbot.waitSignal(session.bridge.phaseStarted):
        window.actions_["inspect"].trigger()
    for view in (window.waiting, *window.memory.findChildren(EmptyState)):
        assert view.text.startswith("Inspecting lstm.tflite on ")
        assert view.text.endswith("The run goes on: the first invoke.")
    button = window.waiting.findChild(QToolButton)
    assert isinstance(button, QToolButton)
    assert button.text() == "Cancel"
    assert button.isEnabled()
    button.click()
    qtbot.waitUntil(lambda: session.running is None)
    assert window.waiting.text == before
    assert button.text() == "Inspect"


def test_a_recorded_run_says_nothing_of_the_link(qtbot: QtBot) -> None:
    window = make_window(qtbot)
    window.session.add_and_show(HistoryEntry(example_capture(), example=True))
    assert "A recorded example" in texts(window.note)
    assert "onnected" not in texts(window.note), "the status bar says that"
    assert "in this run: agent " in texts(window.status)


# -- drag and drop ------------------------------------------------------------------------------


def dragged(path: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    return data


def test_a_file_over_the_window_says_what_will_happen(qtbot: QtBot, tmp_path: Path) -> None:
    window = filled_window(qtbot)
    data = dragged(tmp_path / "m.tflite")
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dragEnterEvent(QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, data, buttons, keys))
    assert window.overlay.isVisible()
    assert window.overlay.words[0] == "Open the model m.tflite"
    window.dragLeaveEvent(QDragLeaveEvent())
    assert not window.overlay.isVisible()


def test_a_dropped_model_opens(qtbot: QtBot) -> None:
    window = make_window(qtbot)
    data = dragged(resource_path("examples", "lstm.tflite"))
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    with qtbot.waitSignal(window.session.modelChanged):
        window.dropEvent(QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, buttons, keys))
    assert window.map_stack.currentWidget() is window.waiting
    assert "lstm.tflite is open" in window.waiting.text
    assert "8 operators" in window.waiting.text
    assert window.recents.paths[0].name == "lstm.tflite"


def test_every_part_leaves_files_to_the_window(qtbot: QtBot) -> None:
    window = make_window(qtbot)
    assert window.acceptDrops()
    assert not [w for w in window.root.findChildren(QWidget) if w.acceptDrops()]


@pytest.mark.parametrize(
    ("name", "words"),
    [("a.tflite", "Open the model"), ("b.ASCOPE", "Open the capture"), ("c.txt", "Try to open")],
)
def test_what_a_drop_does_is_said_in_words(name: str, words: str) -> None:
    assert what_happens(Path(name))[0].startswith(words)
    assert what_happens(None) == ("", "")


def test_a_bad_file_leaves_the_window_as_it_was(qtbot: QtBot, tmp_path: Path) -> None:
    window = filled_window(qtbot)
    window.session.open(write_junk(tmp_path / "junk.tflite"))
    qtbot.waitUntil(window.banner.isVisible)
    assert "junk.tflite" in texts(window.banner)
    assert window.session.capture == example_capture()


# -- boards -------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A workstation without /proc."""
    monkeypatch.setattr("sys.platform", "darwin")
    assert not local.platform_has_proc()
    yield


def test_on_another_system_this_computer_makes_plans_only(qtbot: QtBot, elsewhere: None) -> None:
    session = Session(book=FakeBook(), connect=connects, measures_here=local.platform_has_proc())
    window = make_window(qtbot, session)
    window.session.add_and_show(HistoryEntry(example_capture(), model_path=Path("/m.tflite")))
    item = session.boards.model.items[0]
    assert item.state is BoardState.PLANS_ONLY
    window.actions_["inspect"].trigger()
    assert "Only plans can be made on this computer" in texts(window.banner)
    assert window.banner.steps.buttons[0].text() == "Add a Board"


def test_the_list_and_the_bar_choose_the_same_board(qtbot: QtBot) -> None:
    session = Session(book=FakeBook(), connect=connects)
    window = make_window(qtbot, session)
    with qtbot.waitSignal(session.boards.added):
        session.boards.add("pi@door", "door")
    assert session.target == "door"
    assert window.bar.board.currentText() == "door"
    window.boards.list.setCurrentIndex(session.boards.model.index(0))
    assert session.target == "local"
    assert window.bar.board.currentIndex() == 0
    session.set_target("door")
    window.actions_["forget_board"].trigger()
    assert session.target == "local"
    assert session.boards.model.item("door") is None


def test_options_of_the_bar_become_the_request(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    bar, session = window.bar, window.session
    bar.batch.setValue(8)
    bar.threads.setValue(2)
    bar.preserve.setChecked(True)
    window.actions_["delegate_none"].trigger()
    request = session.request
    assert (request.batch, request.threads, request.delegate, request.preserve_all) == (8, 2, "none", True)
    assert bar.delegate.currentData() == "none"
    assert window.actions_["preserve_all"].isChecked()
    bar.batch.setValue(0)
    assert session.request.batch is None


def test_a_watched_board_draws_and_says_its_cost(qtbot: QtBot) -> None:
    window = make_window(qtbot)
    sample = BoardSample(1.0, 10**9, 4 * 10**8, None, 9 * 1024**2, 0.002, (ProcessMemory(1, "init", 5),))
    window.live.begin()
    window.follows._board_sampled(sample)
    window.follows._board_sampled(replace(sample, t=2.0, available=3 * 10**8))
    window.live.show_range(1.0, 2.0)
    assert window.live.card.range_rows[1].cells[3].startswith("−")
    window.live.show_second(1.5)
    assert window.live.card.process_rows[0].cells[0] == "init"
    assert "9.0 MiB" in texts(window.status)


def test_a_phase_and_a_second_of_a_capture_can_be_asked(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    window.tabs.setCurrentWidget(window.live)
    window.live.show_phase("invoke_first")
    assert window.live.card.words.startswith("invoke_first")
    window.live.show_phase("nobody")
    assert "not ended" in window.live.card.words
    window.live.show_second(1.0)
    assert "worker" in window.live.card.words


# -- between sittings ---------------------------------------------------------------------------


def test_the_window_comes_back_as_it_was(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    window.body.setSizes([230, 726, 280])
    window.actions_["theme_dark"].trigger()
    QApplication.processEvents()
    sizes = window.body.sizes()
    kept = window.state()
    window.close()
    # Of the geometry the size of the screen decides too; here it is about how the window is divided.
    again = MainWindow(Session(book=FakeBook(), connect=connects), window.themes, replace(kept, geometry=""))
    qtbot.addWidget(again)
    again.resize(window.size())
    again.show()
    qtbot.waitExposed(again)
    QApplication.processEvents()
    assert kept.theme.value == "dark"
    assert again.body.sizes() == pytest.approx(sizes, abs=2)


@pytest.mark.parametrize("text", ["", "AAAA", "not base64 at all ÿ", "AAAAAQAAAAM="])
def test_a_state_that_cannot_be_read_is_left_alone(qtbot: QtBot, text: str) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    window = MainWindow(
        Session(book=FakeBook(), connect=connects),
        themes.apply(app, "light"),
        Settings(geometry=text, window_state=text),
    )
    qtbot.addWidget(window)
    window.show()
    assert min(window.body.sizes()) > 100


def test_closing_keeps_the_settings_and_ends_everything(qtbot: QtBot) -> None:
    from arenascope.settings import places
    from arenascope.store import preferences

    window = filled_window(qtbot, "dark")
    window.close()
    settings, complaint = preferences.load(places().preferences)
    assert complaint == ""
    assert settings.theme.value == "dark"
    assert settings.window_state
    assert not window.session.bridge.running


def test_the_tabs_are_those_of_the_table(qtbot: QtBot) -> None:
    window = make_window(qtbot)
    assert [window.tabs.tabText(n) for n in range(window.tabs.count())] == list(TABS)


def test_a_model_with_many_inputs_is_described_shortly() -> None:
    from arenascope.tflite.reader import read_model

    graph = read_model(resource_path("examples", "cnn.tflite"))
    words = describe_model(graph)
    assert "operators" in words
    assert len(words.splitlines()) <= 8
