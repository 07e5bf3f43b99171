"""The dialogs: what they ask, what an answer does, and that no is the default where it must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from arenascope.domain.figures import header_figures
from arenascope.domain.graph import Graph
from arenascope.qtmodels.notices import Level, Notice
from arenascope.qtmodels.prompts import GivenSecret, Question, SecretQuestion, ServerQuestions
from arenascope.qtmodels.session import Session
from arenascope.remote.prompts import HostKeyQuestion, Prompts
from arenascope.remote.prompts import Question as ServerQuestion
from arenascope.resources import resource_path, resource_text
from arenascope.tflite.reader import read_model
from arenascope.views.dialogs.about import AboutDialog
from arenascope.views.dialogs.add_board import AddBoardDialog
from arenascope.views.dialogs.error_box import ErrorBox
from arenascope.views.dialogs.explain import ExplainPopover
from arenascope.views.dialogs.export import ExportDialog
from arenascope.views.dialogs.help import HelpDialog, pages
from arenascope.views.dialogs.host_key import HostKeyDialog
from arenascope.views.dialogs.inputs import InputsDialog, parse_shape
from arenascope.views.dialogs.report import ReportDialog
from arenascope.views.dialogs.secret import SecretDialog
from arenascope.views.dialogs.server_questions import ServerQuestionsDialog
from arenascope.views.dialogs.shortcuts import ShortcutsDialog
from arenascope.views.theme import Theme, apply
from arenascope.workflow.inspect import InspectRequest
from tests.support.captures import example_capture, hostile_capture
from tests.support.window import FakeBook, connects, filled_window, make_window

KEY = HostKeyQuestion(
    "pi4-lab.local", 22, "ssh-ed25519", "SHA256:2QZ7gVvq0b3aYzR0uYpJQmKfY4uKyq1kP1s1e8m1Jdc"
)


@pytest.fixture
def graph() -> Graph:
    return read_model(resource_path("examples", "lstm.tflite"))


def opened(qtbot: QtBot, dialog: QDialog) -> QDialog:
    qtbot.addWidget(dialog)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    dialog.open()
    qtbot.waitExposed(dialog)
    return dialog


def answer_of(question: Question) -> object:
    return question.wait() if question.answered else "none yet"


# -- questions of a connection --------------------------------------------------------------------


def test_enter_and_escape_both_refuse_an_unknown_key(qtbot: QtBot) -> None:
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Escape):
        question = Question(KEY, "pi")
        dialog = opened(qtbot, HostKeyDialog(question))
        qtbot.keyClick(dialog, key)
        assert answer_of(question) is False


def test_only_its_button_accepts_a_key(qtbot: QtBot) -> None:
    question = Question(KEY, "pi")
    dialog = HostKeyDialog(question)
    opened(qtbot, dialog)
    assert KEY.fingerprint in "".join(w.text() for w in dialog.findChildren(QWidget) if hasattr(w, "text"))
    qtbot.mouseClick(dialog.accept_button, Qt.MouseButton.LeftButton)
    assert answer_of(question) is True


def test_a_secret_is_hidden_given_and_forgotten(qtbot: QtBot) -> None:
    question = Question(SecretQuestion("Password", "Password of pi on door"), "pi")
    dialog = SecretDialog(question)
    opened(qtbot, dialog)
    assert dialog.edit.echoMode() is QLineEdit.EchoMode.Password
    qtbot.keyClicks(dialog.edit, "s3cret")
    qtbot.keyClick(dialog.edit, Qt.Key.Key_Return)
    assert answer_of(question) == GivenSecret("s3cret", remember=False)
    assert dialog.edit.text() == ""
    assert "s3cret" not in repr(question)


def test_a_secret_is_remembered_only_where_that_is_ticked(qtbot: QtBot) -> None:
    question = Question(SecretQuestion("Password", "Password of pi on door"), "pi")
    dialog = SecretDialog(question)
    opened(qtbot, dialog)
    assert not dialog.remember.isChecked()
    dialog.remember.setChecked(True)
    qtbot.keyClicks(dialog.edit, "s3cret")
    dialog.accept()
    assert answer_of(question) == GivenSecret("s3cret", remember=True)


ROUND = ServerQuestions(
    "Second step",
    "<b>Look</b> at\nyour phone",
    (ServerQuestion("Name?", True), ServerQuestion("Code:", False)),
)


def test_the_questions_of_a_server_are_answered_in_their_order(qtbot: QtBot) -> None:
    question = Question(ROUND, "pi@door")
    dialog = ServerQuestionsDialog(question)
    opened(qtbot, dialog)
    name, code = dialog.edits
    assert (name.echoMode(), code.echoMode()) == (QLineEdit.EchoMode.Normal, QLineEdit.EchoMode.Password)
    shown = " ".join(w.text() for w in dialog.findChildren(QLabel))
    for words in ("pi@door says:", "Second step", "<b>Look</b> at\nyour phone", "Name?", "Code:"):
        assert words in shown
    qtbot.keyClicks(name, "ada")
    qtbot.keyClicks(code, "123")
    qtbot.keyClick(code, Qt.Key.Key_Return)
    assert answer_of(question) == ["ada", "123"]
    assert "123" not in repr(question)
    assert code.text() == ""


def test_a_message_of_a_server_is_only_read(qtbot: QtBot) -> None:
    for accept, expected in ((True, []), (False, None)):
        question = Question(ServerQuestions("", "Your password expires tomorrow", ()), "pi")
        dialog = ServerQuestionsDialog(question)
        opened(qtbot, dialog)
        (dialog.accept if accept else dialog.reject)()
        assert answer_of(question) == expected


def test_a_question_of_a_server_opens_its_dialog(qtbot: QtBot) -> None:
    answers: list[object] = []

    def asks(prompts: Prompts | None) -> None:
        assert prompts is not None
        answers.append(prompts.answers("", "", (ServerQuestion("Code:", False),)))

    window = make_window(qtbot, Session(book=FakeBook(asks=asks), connect=connects))
    window.session.boards.add("pi@door")

    def dialog() -> ServerQuestionsDialog | None:
        return next((d for d in window.findChildren(ServerQuestionsDialog) if d.isVisible()), None)

    qtbot.waitUntil(lambda: dialog() is not None)
    shown = dialog()
    assert shown is not None
    qtbot.keyClicks(shown.edits[0], "123")
    with qtbot.waitSignal(window.session.boards.added):
        shown.accept()
    assert answers == [["123"]]


def test_no_secret_is_no_answer(qtbot: QtBot) -> None:
    question = Question(SecretQuestion("Password", "x"), "pi")
    dialog = SecretDialog(question)
    opened(qtbot, dialog)
    qtbot.keyClicks(dialog.edit, "typed")
    dialog.reject()
    assert answer_of(question) is None


def test_a_question_of_a_thread_opens_its_dialog(qtbot: QtBot) -> None:
    answers: list[object] = []
    book = FakeBook(asks=lambda prompts: answers.append(prompts and prompts.confirm_host_key(KEY)))
    window = make_window(qtbot, Session(book=book, connect=connects))
    window.actions_["add_board"].trigger()
    asking = window.findChild(AddBoardDialog)
    qtbot.keyClicks(asking.address, "pi@pi4-lab.local")
    qtbot.keyClick(asking.address, Qt.Key.Key_Return)

    def dialog() -> HostKeyDialog | None:
        return next((d for d in window.findChildren(HostKeyDialog) if d.isVisible()), None)

    qtbot.waitUntil(lambda: dialog() is not None)
    shown = dialog()
    assert shown is not None
    with qtbot.waitSignal(window.session.boards.added):
        shown.accept_button.click()
    assert answers == [True]


def test_cancelling_while_asked_answers_no(qtbot: QtBot) -> None:
    answers: list[object] = []

    def asks(prompts: Prompts | None) -> None:
        assert prompts is not None
        answers.append(prompts.password("pi", "door"))

    window = make_window(qtbot, Session(book=FakeBook(asks=asks), connect=connects))
    window.session.boards.add("pi@door")
    qtbot.waitUntil(lambda: any(d.isVisible() for d in window.findChildren(SecretDialog)))
    window.actions_["cancel"].trigger()
    qtbot.waitUntil(lambda: answers == [None])
    for dialog in window.findChildren(SecretDialog):
        dialog.reject()


# -- boards ---------------------------------------------------------------------------------------


def test_an_address_is_checked_while_it_is_written(qtbot: QtBot) -> None:
    dialog = AddBoardDialog()
    opened(qtbot, dialog)
    assert not dialog._connect.isEnabled()
    for text in ("pi@", "local", "pi@door:99999"):
        dialog.address.setText(text)
        assert not dialog._connect.isEnabled(), text
        assert dialog._problem.text().strip(), text
    dialog.address.setText("pi@door:2222")
    with qtbot.waitSignal(dialog.chosen) as chosen:
        qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert chosen.args == ["pi@door:2222", ""]


# -- shapes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["1, 96, 96, 3", "[1,96,96,3]", "1x96x96x3", "1 96 96 3", "1 × 96 × 96 × 3"])
def test_shapes_may_be_written_in_many_ways(text: str) -> None:
    assert parse_shape(text) == (1, 96, 96, 3)


def test_shapes_are_checked_against_the_model(qtbot: QtBot, graph: Graph) -> None:
    dialog = InputsDialog(graph, InspectRequest(batch=4))
    opened(qtbot, dialog)
    field = dialog.fields[0]
    assert field.placeholderText().startswith("4, "), "what the batch makes of it"
    for wrong in ("1, 2", "one", "0, 128, 16"):
        field.setText(wrong)
        assert dialog.problem, wrong
        assert not dialog._use.isEnabled()
    field.setText("2, 64, 16")
    assert dialog.problem == ""
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog._use.click()
    assert chosen.args[0].inputs == {graph.main.tensors[graph.main.inputs[0]].name: (2, 64, 16)}
    assert chosen.args[0].batch == 4


def test_as_in_the_file_empties_every_field(qtbot: QtBot, graph: Graph) -> None:
    name = graph.main.tensors[graph.main.inputs[0]].name
    dialog = InputsDialog(graph, InspectRequest(inputs={name: (2, 64, 16)}))
    opened(qtbot, dialog)
    assert dialog.fields[0].text() == "2, 64, 16"
    next(b for b in dialog.findChildren(QPushButton) if b.text() == "As in the File").click()
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog._use.click()
    assert chosen.args[0].inputs == {}


def test_the_action_reads_the_model_and_asks(qtbot: QtBot) -> None:
    window = make_window(qtbot)
    with qtbot.waitSignal(window.session.modelChanged):
        window.session.open(resource_path("examples", "lstm.tflite"))
    window.actions_["inputs"].trigger()
    dialog = window.findChild(InputsDialog)
    dialog.fields[0].setText("2, 64, 16")
    dialog._use.click()
    assert list(window.session.request.inputs.values()) == [(2, 64, 16)]
    assert window.bar.inputs.text() == "inputs (1)…"


# -- words ----------------------------------------------------------------------------------------


def test_every_help_page_has_a_title_and_shows(qtbot: QtBot) -> None:
    found = pages()
    assert len(found) >= 5
    dialog = HelpDialog(Theme.load("light"), found[1][0])
    opened(qtbot, dialog)
    assert dialog.list.currentRow() == 1
    for row, (name, title) in enumerate(found):
        dialog.list.setCurrentRow(row)
        assert title
        assert title in dialog.text.toPlainText()
        assert resource_text("help", name).startswith(f"# {title}")


def test_details_can_be_copied(qtbot: QtBot) -> None:
    dialog = ErrorBox(Notice(Level.ERROR, "It broke.", "Mend it.", "line 1\nline 2"))
    opened(qtbot, dialog)
    assert dialog.details.isReadOnly()
    next(b for b in dialog.findChildren(QPushButton) if b.text() == "Copy Details").click()
    assert QGuiApplication.clipboard().text() == "It broke.\n\nMend it.\n\nline 1\nline 2"
    QGuiApplication.clipboard().clear()


def test_an_unknown_figure_is_explained_too(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    capture = replace(example_capture(), attribution=())
    figure = header_figures(capture)[-1]
    popover = ExplainPopover(figure, window.themes.theme, window.root)
    popover.show_under(window.strip)
    assert popover.table.rows == ()
    popover.dismiss()


def test_additions_with_hostile_names_stay_text(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    for figure in header_figures(hostile_capture()):
        popover = ExplainPopover(figure, window.themes.theme, window.root)
        popover.show_under(window.strip)
        for row in popover.table.rows:
            assert row.cells[0].isprintable()
        popover.dismiss()


def makers(graph: Graph) -> dict[str, Callable[[], QDialog]]:
    return {
        "host key": lambda: HostKeyDialog(Question(KEY, "pi")),
        "secret": lambda: SecretDialog(Question(SecretQuestion("Password", "Password of pi"), "pi")),
        "questions": lambda: ServerQuestionsDialog(Question(ROUND, "pi")),
        "many questions": lambda: ServerQuestionsDialog(
            Question(ServerQuestions("t" * 300, "\n".join(["x" * 300] * 20), ROUND.questions * 16), "pi@door")
        ),
        "add board": AddBoardDialog,
        "inputs": lambda: InputsDialog(graph, InspectRequest()),
        "export": lambda: ExportDialog("Arena map", Path("/tmp/x.png")),
        "report": lambda: ReportDialog(Path("/tmp/x.html")),
        "help": lambda: HelpDialog(Theme.load("light")),
        "shortcuts": ShortcutsDialog,
        "error": lambda: ErrorBox(Notice(Level.ERROR, "It broke.", "Mend it.", "x")),
        "about": AboutDialog,
    }


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_dialog_fits_a_small_screen_and_closes_by_escape(qtbot: QtBot, graph: Graph, mode: str) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    apply(app, mode)
    for name, make in makers(graph).items():
        dialog = opened(qtbot, make())
        assert dialog.width() <= 1280, name
        assert dialog.height() <= 760, name
        assert dialog.windowTitle(), name
        for field in dialog.findChildren(QLineEdit):
            assert field.accessibleName() or field.objectName().startswith("qt_"), name
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
        assert not dialog.isVisible(), name
