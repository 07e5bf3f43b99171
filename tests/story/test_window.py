"""The main job at the window, with the real agent of this computer: open, inspect, look, take along."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from arenascope.domain.layout import Kind
from arenascope.domain.measurement import Status
from arenascope.qtmodels.boards_model import BoardState
from arenascope.qtmodels.examples import Examples, recorded_for
from arenascope.qtmodels.session import Session
from arenascope.resources import resource_path
from arenascope.store.capture import load
from arenascope.views.dialogs.export import ExportDialog
from arenascope.views.main_window import MainWindow
from arenascope.workflow.connect import LOCAL
from tests.support.models import own
from tests.support.window import make_window

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measuring this computer needs Linux")
LONG = 60_000


def open_model(window: MainWindow, qtbot: QtBot, path: Path) -> None:
    with qtbot.waitSignal(window.session.modelChanged, timeout=LONG):
        window.session.open(path)


def inspect(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.session.runStopped, timeout=LONG):
        window.actions_["inspect"].trigger()
    window.details.settle()


def choose_in(dialog: QFileDialog, path: Path) -> None:
    dialog.fileSelected.emit(str(path))
    dialog.close()


def test_from_a_model_to_a_kept_capture_and_back(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    session = window.session
    open_model(window, qtbot, resource_path("examples", "lstm.tflite"))
    assert window.map_stack.currentWidget() is window.waiting
    inspect(window, qtbot)

    capture = session.capture
    assert capture is not None
    assert capture.outcome.status is Status.OK
    assert window.map_stack.currentWidget() is window.map
    assert [p.name for p in capture.phases] == [
        "runtime_import",
        "load",
        "allocate",
        "invoke_first",
        "invoke",
    ]
    assert sum(p.bytes for p in capture.attribution) > 0
    item = session.boards.model.item(LOCAL)
    assert item is not None
    assert item.state is BoardState.READY
    assert item.board is not None
    assert item.board.runtime
    assert "agent" in window.status._cost.text()
    assert session.history.entries[0].capture is capture

    # A tensor in the table is the tensor everywhere.
    placed = capture.layout.in_arena(0, Kind.ARENA_RW)[0]
    session.selection.select(placed.key)
    window.details.settle()
    assert f"{placed.address:#x}" in "".join(value.text() for _, value in window.details._values)

    # One search for every view.
    qtbot.keyClicks(window.search, "kind:arena_rw")
    qtbot.keyClick(window.search, Qt.Key.Key_Return)
    assert session.search.keys
    assert session.selection.tensor in session.search.keys
    window.search.clear()

    # A picture of it.
    target = tmp_path / "map.png"
    window.actions_["export"].trigger()
    dialog = window.findChild(ExportDialog)
    dialog.file.edit.setText(str(target))
    dialog.write.click()
    qtbot.waitUntil(target.exists, timeout=LONG)

    # Kept, and opened again.
    kept = tmp_path / "run.ascope"
    window.actions_["save"].trigger()
    with qtbot.waitSignal(session.documents.written, timeout=LONG):
        choose_in(window.findChildren(QFileDialog)[-1], kept)
    assert load(kept) == capture
    assert session.entry is not None
    assert session.entry.saved
    with qtbot.waitSignal(session.entryChanged, timeout=LONG):
        session.open(kept)
    assert session.capture == capture
    assert window.strip.tiles[1].figure is not None
    assert window.recents.paths[0] == kept


def test_another_batch_another_capture(window: MainWindow, qtbot: QtBot) -> None:
    open_model(window, qtbot, resource_path("examples", "cnn.tflite"))
    inspect(window, qtbot)
    window.bar.batch.setValue(4)
    window.actions_["delegate_none"].trigger()
    inspect(window, qtbot)
    four, one = (entry.capture for entry in window.session.history.entries)
    assert four.options.delegate == "none"
    assert four.totals.arena_rw is not None
    assert one.totals.arena_rw is not None
    assert four.totals.arena_rw > one.totals.arena_rw
    window.history.list.setCurrentIndex(window.session.history.index(1))
    assert window.session.capture is one


def test_a_model_that_makes_the_runtime_abort_leaves_the_window_alive(
    window: MainWindow, qtbot: QtBot
) -> None:
    open_model(window, qtbot, own("crash_invoke.tflite"))
    inspect(window, qtbot)
    capture = window.session.capture
    assert capture is not None
    assert capture.outcome.status is Status.CRASHED
    assert window.banner.isVisible()
    assert "crashed" in window.banner._message.text()
    open_model(window, qtbot, resource_path("examples", "lstm.tflite"))
    inspect(window, qtbot)
    assert window.session.capture is not None
    assert window.session.capture.outcome.ok
    assert not window.banner.isVisible(), "a new run takes the old message away"


def test_a_run_that_hangs_is_stopped_by_escape(window: MainWindow, qtbot: QtBot) -> None:
    open_model(window, qtbot, own("hang_while.tflite"))
    with qtbot.waitSignal(window.session.bridge.phaseStarted, timeout=LONG):
        window.actions_["inspect"].trigger()
    assert not window.actions_["inspect"].isEnabled()
    assert window.actions_["cancel"].isEnabled()
    with qtbot.waitSignal(window.session.runStopped, timeout=LONG):
        qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.actions_["inspect"].isEnabled()
    assert window.session.history.entries[0].capture.outcome.status is Status.CANCELLED


def test_this_computer_can_be_watched(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.session.boardSampled, timeout=LONG):
        window.actions_["watch"].trigger()
    assert window.tabs.currentWidget() is window.live
    assert window.actions_["watch"].text() == "Stop Watching"
    with qtbot.waitSignal(window.session.watchChanged, timeout=LONG):
        window.actions_["watch"].trigger()
    assert window.session.watching is None
    assert window.actions_["watch"].text() == "Watch the Board"


def test_an_inspection_ends_a_watch(window: MainWindow, qtbot: QtBot) -> None:
    open_model(window, qtbot, resource_path("examples", "lstm.tflite"))
    with qtbot.waitSignal(window.session.boardSampled, timeout=LONG):
        window.actions_["watch"].trigger()
    inspect(window, qtbot)
    assert window.session.watching is None
    assert window.session.capture is not None


def test_the_first_start_shows_the_recorded_examples(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.session.entryChanged, timeout=LONG):
        Examples(window.session).show()
    entry = window.session.entry
    assert entry is not None
    assert entry.example
    assert [e.capture.model.name for e in window.session.history.entries] == ["lstm.tflite", "cnn.tflite"]
    assert window.note.isVisible()
    assert "A recorded example" in window.note._message.text()
    assert window.note.steps.buttons[0].text() == "Inspect on This Computer"
    with qtbot.waitSignal(window.session.runStopped, timeout=LONG):
        window.note.steps.buttons[0].click()
    shown = window.session.entry
    assert shown is not None
    assert not shown.example
    assert not window.note.isVisible()


def test_an_example_model_shows_its_recording() -> None:
    recording = recorded_for(resource_path("examples", "lstm.tflite"))
    assert recording is not None
    assert recording.name == "lstm.ascope"
    assert recorded_for(Path("/somewhere/lstm.tflite")) is None


def test_closing_in_the_middle_of_a_run_ends_everything(qtbot: QtBot) -> None:
    window = make_window(qtbot, Session())
    open_model(window, qtbot, own("hang_while.tflite"))
    with qtbot.waitSignal(window.session.bridge.phaseStarted, timeout=LONG):
        window.actions_["inspect"].trigger()
    window.close()
    window.session.close()  # what the program does once the window is gone
    assert not [t.name for t in threading.enumerate() if t.name.startswith(("job-", "close-"))]
