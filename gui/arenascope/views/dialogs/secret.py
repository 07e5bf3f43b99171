"""A password or the passphrase of a key. It is kept nowhere unless the person says so."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QLineEdit, QWidget

from ...domain.plain_text import plain
from ...qtmodels.prompts import GivenSecret, Question, SecretQuestion
from .frame import Frame


class SecretDialog(Frame):
    def __init__(self, question: Question, parent: QWidget | None = None) -> None:
        about = question.about
        assert isinstance(about, SecretQuestion)
        super().__init__(about.title, plain(about.what, 200), parent, wide=50)
        self._question = question
        self.edit = QLineEdit()
        self.edit.setEchoMode(QLineEdit.EchoMode.Password)
        self.edit.setAccessibleName(about.title)
        show = QCheckBox("show what is typed")
        show.toggled.connect(self._show)
        self.body.addWidget(self.edit)
        self.body.addWidget(show)
        self.remember = QCheckBox("remember in the keyring of this system")
        self.body.addWidget(self.remember)
        self.add_button("Cancel", cancel=True)
        self.add_button("Go On", primary=True).clicked.connect(self.accept)
        self.finished.connect(self._answer)
        self.edit.setFocus()

    def _show(self, shown: bool) -> None:
        self.edit.setEchoMode(QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password)

    def _answer(self, result: int) -> None:
        given = result == SecretDialog.DialogCode.Accepted
        self._question.answer(GivenSecret(self.edit.text(), self.remember.isChecked()) if given else None)
        self.edit.clear()
