"""A window for tests: a session with devices of our choosing, in a window that is shown."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arenascope.domain.board import Board
from arenascope.errors import UsageError
from arenascope.qtmodels.board_worker import OnLink
from arenascope.qtmodels.history_model import HistoryEntry
from arenascope.qtmodels.session import Session
from arenascope.remote.prompts import Prompts
from arenascope.store.devices import SavedDevice
from arenascope.views import theme
from arenascope.views.main_window import MainWindow
from arenascope.workflow.connect import Device
from arenascope.workflow.devices import Added
from arenascope.workflow.events import Connecting, DownloadProgress, Step
from arenascope.workflow.jobs import CancelToken
from arenascope.workflow.setup import Item, SetupPlan, Undone
from tests.support.captures import example_capture

BOARD = Board("pi4-lab", machine="armv7l", bits=32, ram_available=412 * 1024**2, runtime="tflite_runtime")


class FakeLink:
    """Answers everything with nothing."""

    def request(self, method: str, params: dict[str, Any], timeout: float = 30) -> dict[str, Any]:
        return {}

    def answers(self) -> bool:
        return True

    def close(self) -> None:
        pass


class FakeTransport:
    name = "pi4-lab"
    is_local = False

    def close(self) -> None:
        pass


def fake_device(board: Board = BOARD) -> Device:
    return Device(board.name, board, FakeLink(), FakeTransport())  # type: ignore[arg-type]


@dataclass
class FakeBook:
    """Saved devices without a disk or a network."""

    saved: list[SavedDevice] = field(default_factory=list)
    asks: Callable[[Prompts | None], None] = lambda prompts: None

    def list_devices(self) -> tuple[SavedDevice, ...]:
        return tuple(self.saved)

    def add(
        self,
        address: str,
        name: str | None,
        prompts: Prompts | None,
        on_progress: Callable[[Connecting], None] | None,
    ) -> Added:
        self.asks(prompts)
        device = SavedDevice(name or address, address)
        self.saved.append(device)
        return Added(device, BOARD)

    def forget(self, name: str) -> SavedDevice:
        for device in self.saved:
            if device.name == name:
                self.saved.remove(device)
                return device
        raise UsageError(f"no device {name}")


def connects(target: str, prompts: Prompts, tell: Callable[[Connecting], None], on_link: OnLink) -> Device:
    tell(Connecting(f"Connecting to {target}"))
    return fake_device()


def make_window(qtbot: QtBot, session: Session | None = None, mode: str = "light") -> MainWindow:
    """Shown, empty, at 1280 × 800; closed with the test."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    window = MainWindow(session or Session(book=FakeBook(), connect=connects), theme.apply(app, mode))
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    return window


def filled_window(qtbot: QtBot, mode: str = "light") -> MainWindow:
    """With the example capture on show."""
    window = make_window(qtbot, mode=mode)
    window.session.add_and_show(HistoryEntry(example_capture()))
    window.details.settle()
    return window


def write_junk(path: Path) -> Path:
    path.write_bytes(b"this is no model, and no capture either")
    return path


BARE = replace(BOARD, runtime=None, numpy=None, runtime_errors=(("tflite_runtime", "No module"),), psi=False)
ITEMS = (
    Item("tflite-runtime", "2.14.0", "a wheel", 1_900_000),
    Item("python3-numpy", "1:1.24.2-1+deb12u1", "bookworm", 5_300_000),
)


class FakeVerbs:
    """Stands in for ``workflow.setup``: what it is asked is noted, what it answers is the test's.

    ``gate`` holds every verb up until it is set; a cancelled setup ends at once, as the real one does.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.plan = SetupPlan("pi4-lab", "pi4-lab", items=ITEMS, bytes=7_200_000, unpacked=40_000_000)
        self.error: Exception | None = None
        self.there = Undone("pi4-lab", "/home/pi/.cache/arenascope", 44_300_000)

    def plan_setup(self, device: Device, on_event: Any, cancel: CancelToken) -> SetupPlan:
        self._do("plan", cancel)
        return self.plan

    def setup(self, device: Device, plan: SetupPlan, on_event: Any, cancel: CancelToken) -> Device:
        on_event(Step("Fetching tflite-runtime 2.14.0"))
        on_event(DownloadProgress(1_800_000, 7_200_000))
        self._do("setup", cancel)
        return replace(device, board=replace(BOARD, numpy="1.24.2", runtime_version="2.14.0", psi=False))

    def kept(self, target: str, prompts: Prompts, on_event: Any) -> Undone:
        self._do("kept")
        return self.there

    def undo(self, target: str, prompts: Prompts, on_event: Any) -> Undone:
        self._do("undo")
        return self.there

    def _do(self, name: str, cancel: CancelToken | None = None) -> None:
        self.calls.append(name)
        forget = cancel.on_cancel(self.gate.set) if cancel is not None else lambda: None
        self.gate.wait()
        forget()
        if cancel is not None:
            cancel.raise_if_cancelled()
        if self.error is not None:
            raise self.error


def bare_window(qtbot: QtBot, verbs: FakeVerbs, mode: str = "light") -> MainWindow:
    """With one board on which no runtime works, met and chosen."""

    def meets(target: str, prompts: Prompts, tell: Callable[[Connecting], None], on_link: OnLink) -> Device:
        return fake_device(BARE)

    book = FakeBook([SavedDevice("pi4-lab", "pi@pi4-lab")])
    window = make_window(qtbot, Session(book=book, connect=meets, verbs=verbs), mode)
    with qtbot.waitSignal(window.session.boards.model.modelReset):
        window.session.boards.reload()
    window.session.set_target("pi4-lab")
    done: list[object] = []
    window.session.boards.run("Looking", "pi4-lab", lambda device, task: None, done.append, done.append)
    qtbot.waitUntil(lambda: done == [None])
    return window
