"""What the list shows of a board without asking: its connection, lost and found, and its memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from arenascope.domain.link_state import LinkKind, LinkState
from arenascope.domain.measurement import BoardSample, Samples
from arenascope.qtmodels.board_worker import OnLink
from arenascope.qtmodels.boards_model import (
    BoardItem,
    BoardsModel,
    BoardState,
    describe,
    facts,
    free_text,
    link_bars,
    link_text,
    trouble,
)
from arenascope.qtmodels.session import Session
from arenascope.qtmodels.tasks import Task
from arenascope.remote.prompts import Prompts
from arenascope.store.devices import SavedDevice
from arenascope.workflow.connect import Device
from arenascope.workflow.events import Connecting, LinkAway, LinkBack, SamplesArrived
from tests.support.window import BOARD, FakeBook, FakeLink, fake_device

MIB = 2**20


class Lab:
    """One board named door, whose connections say what the test wants."""

    def __init__(self, qtbot: QtBot) -> None:
        self.ears: list[OnLink] = []
        self.link = FakeLink()
        self.session = Session(book=FakeBook([SavedDevice("door", "pi@door")]), connect=self.connect)
        with qtbot.waitSignal(self.session.boards.model.modelReset):
            self.session.boards.reload()
        self._qtbot = qtbot

    def connect(
        self, target: str, prompts: Prompts, tell: Callable[[Connecting], None], on_link: OnLink
    ) -> Device:
        self.ears.append(on_link)
        return replace(fake_device(), link=self.link)  # type: ignore[arg-type]

    @property
    def item(self) -> BoardItem:
        item = self.session.boards.model.item("door")
        assert item is not None
        return item

    def meet(self) -> None:
        self.session.boards.run(
            "Looking", "door", lambda device, task: None, lambda _: None, lambda e: pytest.fail(str(e))
        )
        self.wait(BoardState.READY)

    def work(self) -> Task:
        """Something that goes on until it is cancelled."""

        def job(device: Device, task: Task) -> None:
            task.token.wait()

        task = self.session.boards.run("Working", "door", job, lambda _: None, lambda error: None)
        self.wait(BoardState.BUSY)
        return task

    def says(self, kind: LinkKind, round_trip: float | None = None, message: str = "") -> None:
        self.ears[-1](LinkState(kind, round_trip, message))
        self.session.bridge.drain()

    def wait(self, state: BoardState) -> None:
        self._qtbot.waitUntil(lambda: self.item.state is state)


@pytest.fixture
def lab(qtbot: QtBot) -> Iterator[Lab]:
    made = Lab(qtbot)
    yield made
    made.session.close()


def test_the_round_trip_is_shown_once_it_is_measured(lab: Lab) -> None:
    lab.meet()
    lab.says(LinkKind.UP)
    assert (link_text(lab.item), link_bars(lab.item)) == ("", 0)
    lab.says(LinkKind.UP, 0.0123)
    assert (link_text(lab.item), link_bars(lab.item)) == ("12 ms", 4)
    assert "12 ms to the board and back, measured by the last ping" in facts(lab.item)


@pytest.mark.parametrize(
    ("seconds", "words", "bars"),
    [(0.0004, "<1 ms", 4), (0.05, "50 ms", 3), (0.3, "300 ms", 2), (0.9, "900 ms", 1), (1.23, "1.2 s", 1)],
)
def test_slower_is_fewer_bars(seconds: float, words: str, bars: int) -> None:
    item = BoardItem("door", "door", BoardState.READY, BOARD, round_trip=seconds)
    assert (link_text(item), link_bars(item)) == (words, bars)
    assert link_text(replace(item, state=BoardState.AWAY)) == ""


def test_a_lost_connection_is_made_again_and_is_neither_lost_nor_ready(lab: Lab) -> None:
    lab.meet()
    lab.says(LinkKind.UP, 0.012)
    lab.says(LinkKind.LOST, 0.012, "The connection to door was cut.")
    assert lab.item.state is BoardState.AWAY
    assert describe(lab.item) == "reconnecting, 0 s"
    assert free_text(lab.item) == link_text(lab.item) == "", "nobody knows at the moment"
    assert "The connection to door was cut." in facts(lab.item)
    assert trouble(lab.item) == ("", ()), "it mends itself"
    lab.says(LinkKind.UP, 0.012)
    assert lab.item.state is BoardState.READY
    assert lab.item.message == ""


def test_its_seconds_are_counted(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("arenascope.qtmodels.board_life.time.monotonic", lambda: now[0])
    lab.meet()
    life = lab.session.boards._life
    lab.says(LinkKind.LOST)
    now[0] += 12.3
    life._timer.timeout.emit()
    assert describe(lab.item) == "reconnecting, 12 s"
    assert life._timer.isActive()
    lab.says(LinkKind.UP)
    assert not life._timer.isActive()


def test_a_run_goes_on_while_its_board_is_away(lab: Lab) -> None:
    task = lab.work()
    lab.session.bridge.post(LinkAway("cut"), task.number)
    lab.says(LinkKind.LOST)
    assert lab.item.state is BoardState.AWAY
    assert task.said == "connection lost, the run goes on"
    lab.session.bridge.post(LinkBack(3.0), task.number)
    lab.says(LinkKind.UP)
    assert lab.item.state is BoardState.BUSY
    assert task.said == ""


def test_stopping_a_run_does_not_bring_its_board_back(lab: Lab, qtbot: QtBot) -> None:
    task = lab.work()
    lab.says(LinkKind.LOST)
    lab.session.tasks.cancel(task)
    qtbot.waitUntil(lambda: lab.session.tasks.running == ())
    assert lab.item.state is BoardState.AWAY


def test_a_connection_that_is_given_up_says_why_and_how_to_go_on(lab: Lab) -> None:
    lab.meet()
    lab.says(LinkKind.LOST, None, "cut")
    lab.says(LinkKind.ENDED, None, "The connection did not come back within 180 s.")
    message, steps = trouble(lab.item)
    assert lab.item.state is BoardState.LOST
    assert message == "The connection did not come back within 180 s."
    assert [s.action for s in steps] == ["check_board"]


def test_a_connection_that_was_closed_here_says_nothing_more(lab: Lab) -> None:
    lab.meet()
    old = lab.ears[-1]
    lab.session.boards.disconnect_board("door")
    old(LinkState(LinkKind.LOST, None, "late"))
    lab.session.bridge.drain()
    assert lab.item.state is BoardState.UNKNOWN
    lab.meet()
    old(LinkState(LinkKind.ENDED, None, "closed"))
    lab.session.bridge.drain()
    assert lab.item.state is BoardState.READY


def test_samples_bring_the_memory_along(lab: Lab) -> None:
    task = lab.work()
    samples = Samples((0.1, 0.2), (1, 2), (None, 300 * MIB), (None, None))
    lab.session.bridge.post(SamplesArrived(samples), task.number)
    lab.session.bridge.drain()
    assert free_text(lab.item) == "300.0 MiB free"
    lab.session.boards._life._shown.clear()
    sample = BoardSample(1.0, None, 200 * MIB, None, None, None)
    lab.session.bridge.post(sample, task.number)
    lab.session.bridge.post(replace(sample, available=100 * MIB), task.number)
    lab.session.bridge.drain()
    assert free_text(lab.item) == "200.0 MiB free", "once a second"
    lab.session.bridge.post(sample, 999)
    lab.session.bridge.drain()
    lab.session.tasks.cancel(task)


def test_it_is_all_said_to_those_who_cannot_see_it(lab: Lab) -> None:
    lab.meet()
    lab.says(LinkKind.UP, 0.012)
    index = lab.session.boards.model.index(lab.session.boards.model.row("door"))
    words = index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert words == "door, ready, armv7l · TFLite, 412.0 MiB free, 12 ms to the board and back"
    lab.says(LinkKind.LOST)
    words = index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert words == "door, connection lost, trying again, reconnecting, 0 s"
    assert index.data(BoardsModel.StateRole) == BoardState.AWAY


# -- the end --------------------------------------------------------------------------------------


class Hangs(FakeLink):
    """A link whose end takes as long as the test wants."""

    def __init__(self) -> None:
        self.gate, self.closing = threading.Event(), threading.Event()

    def close(self) -> None:
        self.closing.set()
        self.gate.wait()


def test_nobody_waits_for_a_connection_that_hangs(lab: Lab, qtbot: QtBot) -> None:
    lab.link = link = Hangs()
    lab.meet()
    lab.says(LinkKind.LOST)
    lab.session.boards.disconnect_board("door")
    assert lab.item.state is BoardState.UNKNOWN, "at once"
    qtbot.waitUntil(link.closing.is_set)
    lab.session.leave()
    assert not link.gate.is_set(), "and so does the window"
    link.gate.set()


def test_a_job_that_tidies_up_gets_its_connection_for_it(lab: Lab, qtbot: QtBot) -> None:
    lab.link = link = Hangs()
    link.gate.set()
    tidied: list[bool] = []
    begun = threading.Event()

    def job(device: Device, task: Task) -> None:
        begun.set()
        task.token.wait()
        tidied.append(not link.closing.is_set())

    lab.session.boards.run("Setting up", "door", job, lambda _: None, lambda e: None, tidies=True)
    qtbot.waitUntil(begun.is_set)
    lab.session.close()
    assert tidied == [True]
    assert link.closing.is_set()
