"""The list of boards: what a row says, what is the matter with the chosen one, and what can be done."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arenascope.errors import DeployError, LinkError, LinkLost
from arenascope.qtmodels.boards_model import BoardItem, BoardState
from arenascope.qtmodels.next_steps import NextStep, steps_of
from arenascope.qtmodels.notices import Level, Notice
from arenascope.qtmodels.session import Session
from arenascope.remote.prompts import Prompts
from arenascope.views.dialogs.add_board import AddBoardDialog
from arenascope.views.main_window import MainWindow
from arenascope.views.panels.boards import BoardRows
from tests.support.window import BOARD, FakeBook, connects, filled_window, make_window
from tests.views.probes import grabbed, mask_of


def with_boards(qtbot: QtBot, *items: BoardItem) -> MainWindow:
    window = filled_window(qtbot)
    window.session.boards.model.set_items([*window.session.boards.model.items, *items])
    QApplication.processEvents()
    return window


def test_a_row_says_what_a_board_is_and_how_it_is_now(qtbot: QtBot) -> None:
    slow = BoardItem("a", "attic", BoardState.READY, BOARD, round_trip=0.5)
    away = BoardItem("b", "door", BoardState.AWAY, BOARD, round_trip=0.5, away=12)
    window = with_boards(qtbot, slow, away, BoardItem("c", "cellar"))
    rows = window.boards.list.itemDelegate()
    assert isinstance(rows, BoardRows)
    model = window.session.boards.model
    here, there, lost, unknown = (rows.row(model.index(n)) for n in range(4))
    assert (there.title, there.subtitle, there.foot) == ("attic", "armv7l · TFLite", "412.0 MiB free")
    assert (there.foot_aside, there.bars, there.sign) == ("500 ms", 1, "dot")
    assert (lost.subtitle, lost.sign, lost.has_foot) == ("reconnecting, 12 s", "gap", False)
    assert not here.has_foot
    assert not unknown.has_foot
    heights = [window.boards.list.visualRect(model.index(n)).height() for n in range(4)]
    assert heights[1] > heights[0] == heights[2] == heights[3]
    signs = {rows.row(model.index(n)).sign for n in (1, 2, 3)}
    assert len(signs) == 3, "states differ in shape"


def test_bars_differ_in_number_and_not_in_colour_alone(qtbot: QtBot) -> None:
    boards = [
        BoardItem(f"b{n}", f"board {n}", BoardState.READY, BOARD, round_trip=seconds)
        for n, seconds in enumerate((0.5, 0.2, 0.05, 0.01))
    ]
    window = with_boards(qtbot, *boards)
    picture = grabbed(window.boards.list.viewport())
    model, muted, warn = window.session.boards.model, window.themes.theme.muted, window.themes.theme.warn
    inked = []
    for n in range(1, 5):
        box = window.boards.list.visualRect(model.index(n))
        foot = picture[box.bottom() - 20 : box.bottom() - 4, box.right() - 90 : box.right()]
        inked.append(int((mask_of(foot, muted, 2) | mask_of(foot, warn, 2)).sum()))
    assert len(set(inked)) == 4


def test_what_is_the_matter_with_the_chosen_board_stands_below_the_list(qtbot: QtBot) -> None:
    error = DeployError("There is no Python on attic.", hint="Install it: sudo apt install python3")
    lost = BoardItem("a", "attic", BoardState.FAILED, None, error.message, steps_of(error, "check_board"))
    window = with_boards(qtbot, lost)
    panel = window.boards
    assert not panel.trouble.isVisible()
    window.session.set_target("a")
    QApplication.processEvents()
    assert panel.trouble.text() == "There is no Python on attic."
    copy, again = panel.steps.buttons
    assert window.boards.list.viewport().rect().intersects(panel.list.visualRect(panel.list.currentIndex()))
    copy.click()
    assert QGuiApplication.clipboard().text() == "sudo apt install python3"
    assert window.toast.notice is not None
    assert window.toast.notice.message == "Copied: sudo apt install python3"
    QGuiApplication.clipboard().clear()
    with qtbot.waitSignal(window.session.boards.answered):
        again.click()
    assert not panel.trouble.isVisible()
    assert panel.steps.buttons == ()


def test_a_next_step_is_about_the_board_that_failed(qtbot: QtBot) -> None:
    window = with_boards(qtbot, BoardItem("a", "attic"))
    error = LinkLost("The connection to attic was lost.")
    window.show_notice(Notice.of_error(error, "Inspecting", "inspect", "a"))
    connect, run = window.banner.steps.buttons
    assert (connect.text(), run.text()) == ("Connect Again", "Run Again")
    with qtbot.waitSignal(window.session.boards.answered) as answered:
        connect.click()
    assert answered.args == ["a"]
    assert window.session.target == "a"
    assert not window.banner.isVisible()


def test_what_is_copied_leaves_the_message_to_be_read(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    window.show_notice(Notice(Level.ERROR, "It broke.", steps=(NextStep("Copy It", copies="rm x"),)))
    window.banner.steps.buttons[0].click()
    assert window.banner.isVisible()
    QGuiApplication.clipboard().clear()


def test_what_could_not_be_added_is_there_to_be_tried_again(qtbot: QtBot) -> None:
    def refuses(prompts: Prompts | None) -> None:
        raise LinkError("nobody at home")

    window = make_window(qtbot, Session(book=FakeBook(asks=refuses), connect=connects))
    window.session.boards.add("pi@door", "door")
    qtbot.waitUntil(window.banner.isVisible)
    window.banner.steps.buttons[0].click()
    dialog = next(d for d in window.findChildren(AddBoardDialog))
    assert (dialog.address.text(), dialog.name.text()) == ("pi@door", "door")
    dialog.reject()


def test_the_list_of_boards_can_be_read_again(qtbot: QtBot) -> None:
    window = make_window(qtbot)
    with qtbot.waitSignal(window.session.boards.model.modelReset):
        window.actions_["reload_boards"].trigger()
