"""What a server asks besides a password: a code, a second step, a password that must be changed."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QScrollArea, QVBoxLayout, QWidget

from ...domain.plain_text import plain
from ...qtmodels.prompts import Question, ServerQuestions
from ..labels import label
from .frame import Frame

_MAX_HEIGHT = 360


class ServerQuestionsDialog(Frame):
    """The words are the server's own, and it says so: whoever answers should know who asks."""

    def __init__(self, question: Question, parent: QWidget | None = None) -> None:
        asked = question.about
        assert isinstance(asked, ServerQuestions)
        title = "Questions of the Server" if asked.questions else "Message of the Server"
        super().__init__(title, f"{plain(question.target, 80)} says:", parent, wide=50)
        self._question = question
        self.edits: list[QLineEdit] = []
        inside = QVBoxLayout()
        for text in (asked.title, asked.instructions):
            if text:
                inside.addWidget(label(text, wrap=True))
        for one in asked.questions:
            edit = QLineEdit()
            edit.setEchoMode(QLineEdit.EchoMode.Normal if one.shown else QLineEdit.EchoMode.Password)
            edit.setAccessibleName(one.text)
            inside.addWidget(label(one.text, "muted", wrap=True))
            inside.addWidget(edit)
            self.edits.append(edit)
        self._add_scrolled(inside)
        self.add_button("Cancel", cancel=True)
        self.add_button("Go On", primary=True).clicked.connect(self.accept)
        self.finished.connect(self._answer)
        if self.edits:
            self.edits[0].setFocus()

    def _add_scrolled(self, inside: QVBoxLayout) -> None:
        """A server may ask more than a screen holds."""
        holder = QWidget()
        inside.setContentsMargins(0, 0, 0, 0)
        holder.setLayout(inside)
        scroll = QScrollArea()
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setWidget(holder)
        scroll.setMinimumHeight(min(holder.sizeHint().height(), _MAX_HEIGHT))
        self.body.addWidget(scroll)

    def _answer(self, result: int) -> None:
        given = result == ServerQuestionsDialog.DialogCode.Accepted
        self._question.answer([edit.text() for edit in self.edits] if given else None)
        for edit in self.edits:
            edit.clear()
