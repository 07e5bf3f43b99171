"""Opening and writing files off the GUI thread; whatever is wrong with them is said in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from arenascope.qtmodels.bridge import GuiBridge
from arenascope.qtmodels.documents import Documents, OpenModel
from arenascope.qtmodels.history_model import HistoryEntry
from arenascope.qtmodels.notices import Level, Notice
from arenascope.qtmodels.recents import Recents
from arenascope.qtmodels.tasks import Tasks
from arenascope.resources import resource_path
from arenascope.settings import places
from arenascope.store.capture import save
from arenascope.store.kinds import is_capture
from arenascope.store.recent import RecentKind
from tests.support.captures import example_capture
from tests.support.window import write_junk


class Desk:
    def __init__(self) -> None:
        self.bridge = GuiBridge()
        self.tasks = Tasks(self.bridge)
        self.documents = Documents(self.bridge, self.tasks)
        self.notices: list[Notice] = []
        self.documents.noticed.connect(self.notices.append)
        self.bridge.start()


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    made = Desk()
    yield made
    made.documents.close()
    made.bridge.stop()


def test_a_model_opens(desk: Desk, qtbot: QtBot) -> None:
    path = resource_path("examples", "lstm.tflite")
    with qtbot.waitSignal(desk.documents.modelOpened) as opened:
        desk.documents.open(path)
    model = opened.args[0]
    assert isinstance(model, OpenModel)
    assert model.path == path
    assert model.graph is not None
    assert model.operators == model.graph.operator_count


def test_a_capture_opens_and_finds_its_model_beside_it(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    with qtbot.waitSignal(desk.documents.captureOpened) as opened:
        desk.documents.open(resource_path("examples", "lstm.ascope"))
    entry = opened.args[0]
    assert isinstance(entry, HistoryEntry)
    assert entry.model_path is not None
    assert entry.model_path.name == "lstm.tflite"

    alone = tmp_path / "run.ascope"
    save(example_capture(), alone)
    (tmp_path / example_capture().model.name).write_bytes(b"another model of that name")
    with qtbot.waitSignal(desk.documents.captureOpened) as opened:
        desk.documents.open(alone)
    assert opened.args[0].model_path is None
    assert opened.args[0].capture == example_capture()


def test_a_capture_is_known_by_what_it_holds(tmp_path: Path) -> None:
    capture = tmp_path / "run.json"
    save(example_capture(), capture)
    assert is_capture(capture)
    assert not is_capture(write_junk(tmp_path / "x.bin"))
    assert not is_capture(tmp_path / "nothing")
    assert is_capture(tmp_path / "nothing.ASCOPE")


@pytest.mark.parametrize("name", ["junk.tflite", "junk.ascope", "missing.tflite", "folder", "empty.tflite"])
def test_what_cannot_be_opened_is_said(desk: Desk, qtbot: QtBot, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.startswith("junk"):
        write_junk(path)
    elif name == "folder":
        path.mkdir()
    elif name.startswith("empty"):
        path.touch()
    desk.documents.open(path)
    qtbot.waitUntil(lambda: bool(desk.notices))
    notice = desk.notices[0]
    assert notice.level is Level.ERROR
    assert name in notice.message
    assert notice.hint
    assert "Traceback" not in notice.detail
    assert desk.tasks.running == ()


def test_a_damaged_capture_is_said_to_be_damaged(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "run.ascope"
    save(example_capture(), path)
    document = json.loads(path.read_text())
    document["tensors"][3]["bytes"] = "many"
    path.write_text(json.dumps(document))
    desk.documents.open(path)
    qtbot.waitUntil(lambda: bool(desk.notices))
    assert "run.ascope" in desk.notices[0].message


def test_saving_and_opening_gives_the_same(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    entry = HistoryEntry(example_capture())
    path = tmp_path / "kept.ascope"
    with qtbot.waitSignal(desk.documents.written) as written:
        desk.documents.save(entry, path)
    assert written.args == [entry, path]
    assert desk.notices[0].level is Level.SUCCESS
    with qtbot.waitSignal(desk.documents.captureOpened) as opened:
        desk.documents.open(path)
    assert opened.args[0].capture == entry.capture


def test_what_cannot_be_written_is_said(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    desk.documents.write("Report", tmp_path / "no" / "folder" / "x.html", lambda: b"page", pytest.fail)
    qtbot.waitUntil(lambda: bool(desk.notices))
    assert desk.notices[0].level is Level.ERROR
    assert list(tmp_path.iterdir()) == []


def test_a_task_that_was_cancelled_brings_nothing(desk: Desk, qtbot: QtBot) -> None:
    desk.documents.modelOpened.connect(pytest.fail)
    desk.documents.open(resource_path("examples", "lstm.tflite"))
    desk.tasks.cancel(desk.tasks.running[0])
    qtbot.waitUntil(lambda: desk.tasks.running == ())
    assert desk.notices == []


def test_recent_files_outlive_the_sitting(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    recents = Recents(desk.documents)
    recents.opened(tmp_path / "before.tflite", RecentKind.MODEL)
    with qtbot.waitSignal(recents.changed):
        recents.load()
    recents.opened(tmp_path / "after.ascope", RecentKind.CAPTURE)
    qtbot.waitUntil(lambda: places().recent.exists() and "after" in places().recent.read_text())
    again = Recents(desk.documents)
    with qtbot.waitSignal(again.changed):
        again.load()
    assert [p.name for p in again.paths] == ["after.ascope", "before.tflite"]
