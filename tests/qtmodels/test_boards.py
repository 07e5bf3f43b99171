"""The list of devices, and what becomes of their connections."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from arenascope.errors import LinkError, LinkLost
from arenascope.qtmodels.board_worker import OnLink
from arenascope.qtmodels.boards import PLANS_ONLY, THIS_COMPUTER, Boards
from arenascope.qtmodels.boards_model import BoardItem, BoardsModel, BoardState, describe, machine_text
from arenascope.qtmodels.bridge import GuiBridge
from arenascope.qtmodels.notices import Notice
from arenascope.qtmodels.tasks import Tasks
from arenascope.remote.prompts import Prompts
from arenascope.store.devices import SavedDevice
from arenascope.workflow.connect import LOCAL, Device
from arenascope.workflow.events import Connecting
from tests.support.window import BOARD, FakeBook, connects, fake_device


class Desk:
    """The boards with what stands round them."""

    def __init__(self, book: FakeBook, connect: Callable[..., Device], here: bool = True) -> None:
        self.bridge = GuiBridge()
        self.tasks = Tasks(self.bridge)
        self.boards = Boards(self.bridge, self.tasks, book=book, connect=connect, measures_here=here)
        self.notices: list[Notice] = []
        self.boards.noticed.connect(self.notices.append)
        self.bridge.start()

    def state(self, target: str) -> BoardState:
        item = self.boards.model.item(target)
        assert item is not None
        return item.state

    def close(self) -> None:
        self.boards.close()
        self.bridge.stop()


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def make(
        book: FakeBook | None = None, connect: Callable[..., Device] = connects, here: bool = True
    ) -> Desk:
        made.append(Desk(book or FakeBook(), connect, here))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_this_computer_comes_first(desk: Callable[..., Desk], qtbot: QtBot) -> None:
    at = desk(FakeBook([SavedDevice("door", "pi@door"), SavedDevice("attic", "pi@attic:2222")]))
    with qtbot.waitSignal(at.boards.model.modelReset):
        at.boards.reload()
    assert [i.title for i in at.boards.model.items] == [THIS_COMPUTER, "door", "attic"]
    QAbstractItemModelTester(at.boards.model, QAbstractItemModelTester.FailureReportingMode.Fatal)


def test_a_board_that_answers_is_ready_and_says_what_it_is(desk: Callable[..., Desk], qtbot: QtBot) -> None:
    at = desk(FakeBook([SavedDevice("door", "pi@door")]))
    with qtbot.waitSignal(at.boards.model.modelReset):
        at.boards.reload()
    at.boards.run("Looking", "door", lambda device, task: device.board.name, lambda name: None, pytest.fail)
    assert at.state("door") is BoardState.CONNECTING
    qtbot.waitUntil(lambda: at.state("door") is BoardState.READY)
    item = at.boards.model.item("door")
    assert item is not None
    assert describe(item) == "armv7l · TFLite"


def test_a_board_that_does_not_answer_has_failed(desk: Callable[..., Desk], qtbot: QtBot) -> None:
    def refuses(target: str, prompts: Prompts, tell: Callable[[Connecting], None], on_link: OnLink) -> Device:
        raise LinkError(f"{target} does not answer.")

    at = desk(FakeBook([SavedDevice("door", "pi@door")]), refuses)
    with qtbot.waitSignal(at.boards.model.modelReset):
        at.boards.reload()
    at.boards.check("door", quiet=True)
    qtbot.waitUntil(lambda: at.state("door") is BoardState.FAILED)
    assert not at.notices, "quietly"
    at.boards.check("door")
    qtbot.waitUntil(lambda: bool(at.notices))
    assert at.notices[0].message == "door does not answer."
    assert at.notices[0].hint


def test_a_lost_link_is_lost_and_the_next_job_connects_again(desk: Callable[..., Desk], qtbot: QtBot) -> None:
    made: list[str] = []

    def counts(target: str, prompts: Prompts, tell: Callable[[Connecting], None], on_link: OnLink) -> Device:
        made.append(target)
        return fake_device()

    at = desk(connect=counts)
    failures: list[BaseException] = []
    done: list[object] = []

    def breaks(device: Device, task: object) -> None:
        raise LinkLost("the cable was pulled")

    at.boards.run("Working", LOCAL, breaks, done.append, failures.append)
    qtbot.waitUntil(lambda: bool(failures))
    assert at.state(LOCAL) is BoardState.LOST
    for _ in range(2):
        at.boards.run("Working", LOCAL, lambda device, task: "well", done.append, failures.append)
    qtbot.waitUntil(lambda: len(done) == 2)
    assert made == [LOCAL, LOCAL], "one connection serves two jobs"
    assert at.state(LOCAL) is BoardState.READY


def test_connecting_can_be_given_up_at_once(desk: Callable[..., Desk], qtbot: QtBot) -> None:
    gate = threading.Event()

    def hangs(target: str, prompts: Prompts, tell: Callable[[Connecting], None], on_link: OnLink) -> Device:
        gate.wait()
        return fake_device()

    at = desk(connect=hangs)
    cancelled: list[bool] = []
    task = at.boards.run(
        "Working", LOCAL, lambda device, task: None, pytest.fail, pytest.fail, lambda: cancelled.append(True)
    )
    at.tasks.cancel(task)
    assert cancelled == [True]
    assert at.tasks.running == ()
    assert at.state(LOCAL) is BoardState.UNKNOWN
    gate.set()


def test_adding_keeps_a_device_that_answered(desk: Callable[..., Desk], qtbot: QtBot) -> None:
    book = FakeBook()
    at = desk(book)
    with qtbot.waitSignal(at.boards.added) as added:
        at.boards.add("pi@door", "door")
    assert added.args == ["door"]
    assert at.state("door") is BoardState.READY
    assert book.saved == [SavedDevice("door", "pi@door")]


def test_what_cannot_be_added_is_told_and_not_kept(desk: Callable[..., Desk], qtbot: QtBot) -> None:
    def refuses(prompts: Prompts | None) -> None:
        raise LinkError("nobody at home")

    at = desk(FakeBook(asks=refuses))
    at.boards.add("pi@door")
    qtbot.waitUntil(lambda: bool(at.notices))
    assert len(at.boards.model.items) == 1


def test_forgetting_takes_it_off_the_list(desk: Callable[..., Desk], qtbot: QtBot) -> None:
    book = FakeBook([SavedDevice("door", "pi@door")])
    at = desk(book)
    with qtbot.waitSignal(at.boards.model.modelReset):
        at.boards.reload()
    at.boards.forget("door")
    at.boards.forget(LOCAL)
    assert [i.title for i in at.boards.model.items] == [THIS_COMPUTER]
    qtbot.waitUntil(lambda: not book.saved)


def test_without_proc_this_computer_makes_plans_only(desk: Callable[..., Desk], qtbot: QtBot) -> None:
    at = desk(here=False)
    item = at.boards.model.items[0]
    assert item.state is BoardState.PLANS_ONLY
    assert not item.can_inspect
    assert describe(item) == PLANS_ONLY
    assert at.boards.check(LOCAL) is None


def test_facts_that_were_asked_again_keep_the_runtime(qtbot: QtBot) -> None:
    model = BoardsModel()
    model.set_items([BoardItem("a", "a", BoardState.READY, BOARD), BoardItem("b", "b")])
    model.set_items([BoardItem("b", "B"), BoardItem("a", "A")])
    assert model.item("a") == BoardItem("a", "A", BoardState.READY, BOARD)
    assert model.row("nobody") == -1
    model.update("nobody", state=BoardState.LOST)
    with qtbot.assertNotEmitted(model.dataChanged):
        model.update("a", state=BoardState.READY)


@pytest.mark.parametrize(
    ("machine", "bits", "words"),
    [
        ("x86_64", 64, "x86_64"),
        ("aarch64", 64, "aarch64"),
        ("aarch64", 32, "aarch64 · 32-bit"),
        ("armv7l", 32, "armv7l"),
        (None, 32, ""),
    ],
)
def test_the_width_is_said_where_it_surprises(machine: str | None, bits: int, words: str) -> None:
    assert machine_text(replace(BOARD, machine=machine, bits=bits)) == words
