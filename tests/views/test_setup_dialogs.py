"""Setting a board up and undoing it in the window: what is shown, the yes, progress, cancel, the end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from arenascope.domain.provision import NoRecipe
from arenascope.errors import BoardError, SetupError
from arenascope.qtmodels.boards_model import BoardState, describe
from arenascope.views.dialogs.board_work import BoardWorkDialog
from arenascope.views.dialogs.setup_board import SetupDialog
from arenascope.views.dialogs.undo_setup import UndoDialog
from arenascope.views.labels import ElidedLabel
from arenascope.views.main_window import MainWindow
from tests.support.window import FakeVerbs, bare_window


@pytest.fixture
def verbs() -> FakeVerbs:
    return FakeVerbs()


@pytest.fixture
def window(qtbot: QtBot, verbs: FakeVerbs) -> MainWindow:
    return bare_window(qtbot, verbs)


def opened(window: MainWindow, key: str = "setup_board") -> BoardWorkDialog:
    window.actions_[key].trigger()
    return next(d for d in window.findChildren(BoardWorkDialog) if d.isVisible())


def words(widget: QWidget) -> str:
    """Everything that can be read in it."""
    labels = [w.text() for w in widget.findChildren(QLabel) if w.isVisible()]
    return "\n".join([*labels, *(w.text() for w in widget.findChildren(ElidedLabel) if w.isVisible())])


def planned(window: MainWindow, qtbot: QtBot) -> SetupDialog:
    dialog = opened(window)
    assert isinstance(dialog, SetupDialog)
    qtbot.waitUntil(dialog.go_button.isVisible)
    return dialog


def button(dialog: QWidget, text: str) -> QPushButton:
    return next(b for b in dialog.findChildren(QPushButton) if b.isVisible() and b.text() == text)


def test_a_bare_board_offers_its_setup_below_the_list(window: MainWindow, qtbot: QtBot) -> None:
    assert describe(window.session.boards.model.items[1]) == "armv7l · no runtime"
    assert window.boards.trouble.isVisible()
    (offer,) = window.boards.steps.buttons
    assert offer.text() == "Set Up This Board…"
    offer.setFocus()
    qtbot.keyClick(offer, Qt.Key.Key_Space)
    dialog = next(d for d in window.findChildren(SetupDialog))
    dialog.reject()
    window.session.set_target("local")
    assert not window.boards.trouble.isVisible()
    assert not window.actions_["setup_board"].isEnabled(), "this computer is not set up over a connection"
    assert not window.actions_["undo_setup"].isEnabled()


def test_nothing_is_done_before_a_yes(window: MainWindow, qtbot: QtBot, verbs: FakeVerbs) -> None:
    dialog = planned(window, qtbot)
    shown = words(dialog)
    for part in (
        "tflite-runtime", "2.14.0", "1.8 MiB", "a wheel", "python3-numpy", "bookworm",
        "about 6.9 MiB over the connection", "~/.cache/arenascope/env", "about 38.1 MiB",
        "arenascope devices setup pi4-lab --undo", "Pressure figures (PSI)",
    ):  # fmt: skip
        assert part in shown, part
    assert verbs.calls == ["plan"]
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert verbs.calls == ["plan"]
    assert window.session.tasks.running == ()


def test_a_yes_sets_it_up_and_the_list_knows(window: MainWindow, qtbot: QtBot, verbs: FakeVerbs) -> None:
    dialog = planned(window, qtbot)
    verbs.gate.clear()
    dialog.go_button.click()
    qtbot.waitUntil(lambda: "1.7 MiB of 6.9 MiB" in dialog.status.text())
    assert dialog.status.text().startswith("Fetching tflite-runtime 2.14.0")
    assert dialog.progress.value() == 250
    assert window.session.boards.model.items[1].state is BoardState.BUSY
    verbs.gate.set()
    qtbot.waitUntil(lambda: "has TFLite 2.14.0 with NumPy 1.24.2 now" in dialog.about.text())
    assert describe(window.session.boards.model.items[1]) == "armv7l · TFLite 2.14.0"
    assert not window.boards.trouble.isVisible()
    assert button(dialog, "Inspect")
    dialog.stop_button.click()
    assert not dialog.isVisible()


def test_it_can_be_stopped_and_begun_again(window: MainWindow, qtbot: QtBot, verbs: FakeVerbs) -> None:
    dialog = planned(window, qtbot)
    verbs.gate.clear()
    dialog.go_button.click()
    qtbot.waitUntil(lambda: "setup" in verbs.calls)
    dialog.stop_button.click()
    qtbot.waitUntil(lambda: "Stopped" in dialog.status.text())
    assert dialog.isVisible()
    assert window.session.boards.model.items[1].state is BoardState.READY
    dialog.go_button.click()
    qtbot.waitUntil(lambda: "now" in dialog.about.text())
    dialog.reject()


def test_closing_the_dialog_stops_it(window: MainWindow, qtbot: QtBot, verbs: FakeVerbs) -> None:
    dialog = planned(window, qtbot)
    verbs.gate.clear()
    dialog.go_button.click()
    qtbot.waitUntil(lambda: "setup" in verbs.calls)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible(), "at once"
    qtbot.waitUntil(lambda: window.session.tasks.running == ())
    assert not window.banner.isVisible()


def test_closing_the_window_stops_it(window: MainWindow, qtbot: QtBot, verbs: FakeVerbs) -> None:
    dialog = planned(window, qtbot)
    verbs.gate.clear()
    dialog.go_button.click()
    qtbot.waitUntil(lambda: "setup" in verbs.calls)
    window.close()
    window.session.close()
    assert verbs.calls == ["plan", "setup"]


def test_a_failure_stays_with_its_reason_and_its_next_step(
    window: MainWindow, qtbot: QtBot, verbs: FakeVerbs
) -> None:
    dialog = planned(window, qtbot)
    verbs.error = SetupError("The mirror has no NumPy.", hint="By hand: sudo apt install python3-numpy")
    dialog.go_button.click()
    qtbot.waitUntil(dialog.problem.isVisible)
    assert "The mirror has no NumPy." in words(dialog)
    first, second = dialog.steps.buttons
    first.click()
    assert QGuiApplication.clipboard().text() == "sudo apt install python3-numpy"
    QGuiApplication.clipboard().clear()
    assert dialog.isVisible()
    assert not window.banner.isVisible(), "said once"
    assert window.session.boards.model.items[1].state is BoardState.READY, (
        "the connection is as good as before"
    )
    verbs.error = None
    second.click()
    again = next(d for d in window.findChildren(SetupDialog) if d is not dialog and d.isVisible())
    qtbot.waitUntil(again.go_button.isVisible)
    again.reject()


def test_where_nothing_can_be_had_it_says_why_and_what_can_be_done(
    window: MainWindow, qtbot: QtBot, verbs: FakeVerbs
) -> None:
    none = NoRecipe("No runtime is built for Python 3.13 on 32-bit ARM.", "Plan instead of measuring.")
    verbs.plan = replace(verbs.plan, none=none, items=())
    dialog = opened(window)
    qtbot.waitUntil(lambda: bool(dialog.steps.buttons))
    assert none.reason in dialog.about.text()
    assert none.next in dialog.about.text()
    assert not dialog.go_button.isVisible()
    assert [b.text() for b in dialog.steps.buttons] == ["Inspect Here with CPU Kernels", "Watch the Board"]
    dialog.steps.buttons[0].click()
    assert window.session.request.delegate == "none"
    assert not dialog.isVisible()


def test_where_one_works_there_is_nothing_to_do(window: MainWindow, qtbot: QtBot, verbs: FakeVerbs) -> None:
    verbs.plan = replace(verbs.plan, works="tflite_runtime 2.14.0", items=())
    dialog = opened(window)
    qtbot.waitUntil(lambda: "there is nothing to bring" in dialog.about.text())
    assert not dialog.go_button.isVisible()
    dialog.reject()


# -- and back -------------------------------------------------------------------------------------


def test_no_is_what_enter_means_before_everything_goes(
    window: MainWindow, qtbot: QtBot, verbs: FakeVerbs
) -> None:
    dialog = opened(window, "undo_setup")
    qtbot.waitUntil(dialog.go_button.isVisible)
    assert "42.2 MiB lie in /home/pi/.cache/arenascope on pi4-lab" in dialog.about.text()
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert not dialog.isVisible()
    assert verbs.calls == ["kept"]


def test_a_yes_takes_it_away_and_nothing_is_known_to_work(
    window: MainWindow, qtbot: QtBot, verbs: FakeVerbs
) -> None:
    dialog = opened(window, "undo_setup")
    assert isinstance(dialog, UndoDialog)
    qtbot.waitUntil(dialog.go_button.isVisible)
    verbs.gate.clear()
    dialog.go_button.click()
    qtbot.waitUntil(lambda: "undo" in verbs.calls)
    assert not dialog.stop_button.isEnabled(), "half a removal helps nobody"
    verbs.gate.set()
    qtbot.waitUntil(lambda: "were taken away" in dialog.about.text())
    item = window.session.boards.model.items[1]
    assert item.state is BoardState.UNKNOWN
    assert describe(item) == "armv7l · not connected"
    dialog.reject()


def test_nothing_there_is_said(window: MainWindow, qtbot: QtBot, verbs: FakeVerbs) -> None:
    verbs.there = replace(verbs.there, bytes=0)
    dialog = opened(window, "undo_setup")
    qtbot.waitUntil(lambda: "keeps nothing" in dialog.about.text())
    assert not dialog.go_button.isVisible()
    dialog.reject()


def test_somebody_else_at_work_is_told_after_the_dialog_is_gone_too(
    window: MainWindow, qtbot: QtBot, verbs: FakeVerbs
) -> None:
    dialog = opened(window, "undo_setup")
    qtbot.waitUntil(dialog.go_button.isVisible)
    verbs.gate.clear()
    verbs.error = BoardError("Another ArenaScope is at work on pi4-lab.", board_code="busy", hint="Wait.")
    dialog.go_button.click()
    qtbot.waitUntil(lambda: "undo" in verbs.calls)
    dialog.reject()
    verbs.gate.set()
    qtbot.waitUntil(window.banner.isVisible)
    assert window.banner.notice is not None
    assert window.banner.notice.target == "pi4-lab"


# -- how it looks -----------------------------------------------------------------------------------


def overlaps(dialog: QWidget) -> list[str]:
    """Pairs of things to be read that lie on each other, outside of what scrolls."""
    inner = {w for area in dialog.findChildren(QScrollArea) for w in area.findChildren(QWidget)}
    shown = [
        w
        for w in dialog.findChildren(QWidget)
        if isinstance(w, QLabel | QPushButton | QScrollArea) and w.isVisible() and w not in inner
    ]
    boxes = [(w, w.rect().translated(w.mapTo(dialog, QPoint(0, 0)))) for w in shown]
    return [
        f"{a!r} {b!r}"
        for i, (a, first) in enumerate(boxes)
        for b, second in boxes[:i]
        if first.intersects(second)
    ]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_state_fits_and_overlaps_nothing(qtbot: QtBot, mode: str) -> None:
    verbs = FakeVerbs()
    window = bare_window(qtbot, verbs, mode)

    def check(dialog: QWidget) -> None:
        QApplication.processEvents()
        assert dialog.width() <= 1280
        assert dialog.height() <= 760
        assert not overlaps(dialog)
        for one in dialog.findChildren(QPushButton):
            assert not one.isVisible() or one.width() >= one.sizeHint().width(), one.text()

    dialog = planned(window, qtbot)
    check(dialog)
    verbs.error = SetupError("It does not work there: " + "a long reason " * 12, hint="Do this. " * 20)
    dialog.go_button.click()
    qtbot.waitUntil(dialog.problem.isVisible)
    check(dialog)
    dialog.reject()
    verbs.error = None
    for ending in (
        lambda: replace(verbs.plan, none=NoRecipe("No runtime. " * 10, "Plan instead. " * 20), items=()),
        lambda: replace(verbs.plan, works="tflite_runtime 2.14.0", items=()),
    ):
        verbs.plan = ending()
        dialog = opened(window)
        qtbot.waitUntil(lambda d=dialog: not d.setup.working)  # type: ignore[misc]
        check(dialog)
        dialog.reject()


def test_a_board_that_names_itself_in_html_stays_text(qtbot: QtBot, verbs: FakeVerbs) -> None:
    window = bare_window(qtbot, verbs)
    window.session.boards.model.update_facts("pi4-lab", user="<b>pi</b>", kernel_log=False)
    verbs.plan = replace(verbs.plan, device="<img src=x>")
    dialog = planned(window, qtbot)
    for one in dialog.findChildren(QLabel):
        assert one.textFormat() is Qt.TextFormat.PlainText or "<" not in one.text()
    dialog.reject()
