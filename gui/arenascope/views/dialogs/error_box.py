"""The evidence behind a message: what happened, what to do, and details that can be copied."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from ...qtmodels.notices import Notice
from ..labels import label
from .frame import Frame


class ErrorBox(Frame):
    def __init__(self, notice: Notice, parent: QWidget | None = None) -> None:
        super().__init__("What happened", parent=parent, wide=76)
        self._notice = notice
        self.body.addWidget(label(notice.message, wrap=True))
        if notice.hint:
            self.body.addWidget(label(notice.hint, "muted", wrap=True))
        self.details = QPlainTextEdit(notice.detail)
        self.details.setReadOnly(True)
        self.details.setAccessibleName("Details")
        self.details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.details.setMinimumHeight(self.fontMetrics().height() * 10)
        self.details.setVisible(bool(notice.detail))
        self.body.addWidget(self.details, 1)
        copy = self.add_button("Copy Details")
        copy.clicked.connect(self._copy)
        self.add_button("Close", primary=True, cancel=True).setFocus()

    def _copy(self) -> None:
        parts = (self._notice.message, self._notice.hint, self._notice.detail)
        QGuiApplication.clipboard().setText("\n\n".join(p for p in parts if p))
