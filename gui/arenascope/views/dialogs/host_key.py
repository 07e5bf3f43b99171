"""A device that has not been met before: is it the one you mean?"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from ...domain.plain_text import plain
from ...qtmodels.prompts import Question
from ...remote.prompts import HostKeyQuestion
from ..labels import label
from .frame import Frame


class HostKeyDialog(Frame):
    """Closing it in any other way than by its button means no."""

    def __init__(self, question: Question, parent: QWidget | None = None) -> None:
        about = question.about
        assert isinstance(about, HostKeyQuestion)
        super().__init__(
            "Is this your device?",
            "It has not been met before. Compare the fingerprint with the one that the device itself shows; "
            "if they differ, somebody may stand between you and it.",
            parent,
            wide=64,
        )
        self._question = question
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        rows = (
            ("device", f"{plain(about.host, 120)}, port {about.port}", ""),
            ("key type", plain(about.key_type, 60), ""),
            ("fingerprint", plain(about.fingerprint, 120), "code"),
            ("on the device", about.command, "code"),
        )
        for row, (name, value, role) in enumerate(rows):
            shown = label(value, role, wrap=True)
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(label(name, "muted"), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(shown, row, 1)
        self.body.addLayout(grid)
        self.accept_button = self.add_button("They Are the Same: Connect")
        self.accept_button.clicked.connect(self.accept)
        self.refuse_button = self.add_button("Do Not Connect", primary=True, cancel=True)
        self.refuse_button.setFocus()
        self.finished.connect(lambda result: question.answer(result == HostKeyDialog.DialogCode.Accepted))
