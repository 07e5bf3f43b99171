"""A bare board at the window: it becomes a working one, and a clean one again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from arenascope.qtmodels.boards_model import BoardItem, BoardState, describe
from arenascope.qtmodels.session import Session
from arenascope.views.dialogs.board_work import BoardWorkDialog
from arenascope.views.main_window import MainWindow
from tests.support import packages
from tests.support.sshd import Sshd
from tests.support.window import make_window

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the board is this computer behind an sshd")
LONG = 60_000
Index = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def window(qtbot: QtBot, bare: Sshd) -> Iterator[MainWindow]:
    """With the bare board on its list, met and chosen."""
    made = make_window(qtbot, Session())
    with qtbot.waitSignal(made.session.boards.added, timeout=LONG):
        made.session.boards.add(bare.address, "bare")
    with qtbot.waitSignal(made.session.boards.answered, timeout=LONG):
        made.actions_["check_board"].trigger()
    qtbot.waitUntil(lambda: made.session.tasks.running == (), timeout=LONG)
    yield made
    made.close()
    made.session.close()


def item(window: MainWindow) -> BoardItem:
    found = window.session.boards.model.item("bare")
    assert found is not None
    return found


def opened(window: MainWindow, qtbot: QtBot) -> BoardWorkDialog:
    """The dialog that was just opened, when it asks for its yes."""
    dialog = next(d for d in window.findChildren(BoardWorkDialog) if d.isVisible())
    qtbot.waitUntil(dialog.go_button.isVisible, timeout=LONG)
    return dialog


def set_up(window: MainWindow, qtbot: QtBot) -> BoardWorkDialog:
    window.boards.steps.buttons[0].click()
    dialog = opened(window, qtbot)
    dialog.go_button.click()
    return dialog


def of_ours(server: Sshd) -> list[str]:
    """What lies on the board besides the agent's archive."""
    return [name for name in server.files() if "/agent/" not in name]


def test_a_bare_board_becomes_a_working_one_and_a_clean_one(
    window: MainWindow, qtbot: QtBot, bare: Sshd, index: Index
) -> None:
    index(packages.RUNTIME)
    assert describe(item(window)).endswith("no runtime")
    assert of_ours(bare) == []
    dialog = set_up(window, qtbot)
    qtbot.waitUntil(lambda: "has LiteRT 2.3.0 with NumPy 2.4.6 now" in dialog.about.text(), timeout=LONG)
    assert describe(item(window)).endswith("LiteRT 2.3.0")
    assert of_ours(bare)
    dialog.reject()
    assert not window.boards.trouble.isVisible()

    window.actions_["undo_setup"].trigger()
    dialog = opened(window, qtbot)
    dialog.go_button.click()
    qtbot.waitUntil(lambda: "were taken away" in dialog.about.text(), timeout=LONG)
    dialog.reject()
    assert list(bare.home.iterdir()) == []
    assert item(window).state is BoardState.UNKNOWN
    bare.wait_for_quiet()
    assert bare.processes() == []

    with qtbot.waitSignal(window.session.boards.answered, timeout=LONG):
        window.actions_["check_board"].trigger()
    assert describe(item(window)).endswith("no runtime"), "as before"


def test_what_does_not_work_there_is_said_and_does_not_stay(
    window: MainWindow, qtbot: QtBot, bare: Sshd, index: Index
) -> None:
    index(packages.BROKEN_RUNTIME)
    dialog = set_up(window, qtbot)
    qtbot.waitUntil(dialog.problem.isVisible, timeout=LONG)
    assert "GLIBC_2.99" in dialog.problem.text()
    assert "taken away again" in dialog.hint.text()
    assert dialog.isVisible()
    assert of_ours(bare) == []
    assert item(window).state is BoardState.READY
    dialog.reject()


def test_a_window_that_closes_in_the_middle_leaves_nothing(
    window: MainWindow, qtbot: QtBot, bare: Sshd, index: Index
) -> None:
    index(packages.RUNTIME)
    dialog = set_up(window, qtbot)
    middle = ("Unpacking", "Trying")  # either may be over between two looks
    qtbot.waitUntil(lambda: dialog.status.text().startswith(middle), timeout=LONG)
    window.close()
    window.session.close()
    bare.wait_for_quiet()
    assert of_ours(bare) == []
    assert bare.processes() == []
