"""A board at the window: met, inspected, lost and found again, with a real sshd of this computer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from arenascope.domain.measurement import Status
from arenascope.qtmodels.boards_model import BoardState
from arenascope.qtmodels.notices import Notice
from arenascope.remote.link import Patience
from arenascope.resources import resource_path
from arenascope.views.dialogs.add_board import AddBoardDialog
from arenascope.views.dialogs.host_key import HostKeyDialog
from arenascope.views.labels import label
from arenascope.views.main_window import MainWindow
from tests.support.models import own
from tests.support.sshd import Sshd, StartSshd

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the board is this computer behind an sshd")
LONG = 60_000


def add(window: MainWindow, address: str, name: str) -> None:
    window.actions_["add_board"].trigger()
    dialog = window.findChildren(AddBoardDialog)[-1]
    dialog.address.setText(address)
    dialog.name.setText(name)
    dialog._connect.click()


def question(window: MainWindow) -> HostKeyDialog | None:
    return next((d for d in window.findChildren(HostKeyDialog) if d.isVisible()), None)


def words(dialog: HostKeyDialog) -> str:
    return " ".join(w.text() for w in dialog.findChildren(type(label())))


def inspect(window: MainWindow, qtbot: QtBot, model: Path) -> None:
    with qtbot.waitSignal(window.session.modelChanged, timeout=LONG):
        window.session.open(model)
    with qtbot.waitSignal(window.session.runStopped, timeout=LONG):
        window.actions_["inspect"].trigger()


def test_meeting_a_board_and_inspecting_on_it(
    window: MainWindow, qtbot: QtBot, start_sshd: StartSshd, ssh_dir: Path
) -> None:
    server = start_sshd()
    server.allow(ssh_dir / "id_ed25519.pub")
    session = window.session
    add(window, server.address, "lab")
    qtbot.waitUntil(lambda: question(window) is not None, timeout=LONG)
    dialog = question(window)
    assert dialog is not None
    assert server.fingerprint() in words(dialog)
    with qtbot.waitSignal(session.boards.added, timeout=LONG):
        dialog.accept_button.click()
    assert session.target == "lab"
    item = session.boards.model.item("lab")
    assert item is not None
    assert item.board is not None
    assert item.board.runtime

    inspect(window, qtbot, resource_path("examples", "lstm.tflite"))
    assert session.capture is not None
    assert session.capture.outcome.status is Status.OK
    assert session.capture.device.name == "lab"
    assert "lab: connected" in window.status._link.text()
    window.close()
    server.wait_for_quiet()
    assert server.processes() == []


def test_no_means_no(window: MainWindow, qtbot: QtBot, start_sshd: StartSshd, ssh_dir: Path) -> None:
    server = start_sshd()
    server.allow(ssh_dir / "id_ed25519.pub")
    add(window, server.address, "lab")
    qtbot.waitUntil(lambda: question(window) is not None, timeout=LONG)
    dialog = question(window)
    assert dialog is not None
    dialog.refuse_button.click()
    qtbot.waitUntil(window.banner.isVisible, timeout=LONG)
    assert len(window.session.boards.model.items) == 1
    assert server.processes() == []


def test_a_run_goes_on_while_its_link_is_lost(window: MainWindow, qtbot: QtBot, server: Sshd) -> None:
    session = window.session
    with qtbot.waitSignal(session.boards.added, timeout=LONG):
        session.boards.add(server.address, "lab")
    with qtbot.waitSignal(session.modelChanged, timeout=LONG):
        session.open(own("hang_while.tflite"))
    with qtbot.waitSignal(session.bridge.samplesArrived, timeout=LONG):
        window.actions_["inspect"].trigger()
    with qtbot.waitSignals([session.bridge.linkAway, session.bridge.linkBack], timeout=LONG):
        server.cut()
    with qtbot.waitSignal(session.bridge.samplesArrived, timeout=LONG):
        pass
    with qtbot.waitSignal(session.runStopped, timeout=LONG):
        window.actions_["cancel"].trigger()
    window.close()
    server.wait_for_quiet()
    assert server.processes() == []


def test_a_link_that_stays_lost_is_said_and_the_next_run_connects_again(
    window: MainWindow, qtbot: QtBot, server: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arenascope.remote.link.PATIENCE", Patience(delays=(0.01,), give_up=0.2))
    session = window.session
    heard: list[Notice] = []
    session.noticed.connect(heard.append)
    with qtbot.waitSignal(session.boards.added, timeout=LONG):
        session.boards.add(server.address, "lab")
    with qtbot.waitSignal(session.modelChanged, timeout=LONG):
        session.open(own("hang_while.tflite"))
    with qtbot.waitSignal(session.bridge.samplesArrived, timeout=LONG):
        window.actions_["inspect"].trigger()
    with qtbot.waitSignal(session.runStopped, timeout=LONG):
        server.stop()
    server.start()
    item = session.boards.model.item("lab")
    assert item is not None
    assert item.state is BoardState.LOST
    assert heard
    assert heard[-1].hint
    assert window.banner.isVisible()
    assert "link lost" in window.status._link.text()

    inspect(window, qtbot, resource_path("examples", "lstm.tflite"))
    assert session.capture is not None
    assert session.capture.outcome.ok
    item = session.boards.model.item("lab")
    assert item is not None
    assert item.state is BoardState.READY
