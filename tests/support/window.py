"""A window for tests: a session with devices of our choosing, in a window that is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
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
from arenascope.workflow.events import Connecting
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
