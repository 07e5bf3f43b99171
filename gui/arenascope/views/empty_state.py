"""What a view says while it has nothing to show: what is missing, and the button that gets it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget


class EmptyState(QWidget):
    """Lies over its parent's content. ``set_action`` gives it the window's own action."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = QLabel()
        self._title.setProperty("role", "title")
        self._why = QLabel()
        self._why.setProperty("role", "muted")
        for label in (self._title, self._why):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(True)
        self._button = QToolButton()
        self._button.setProperty("role", "primary")
        self._button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self._button.hide()
        self._words = self._meanwhile = ("", "")
        self._waits = False
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addStretch(1)
        column.addWidget(self._title)
        column.addWidget(self._why)
        self._other = QToolButton()
        self._other.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self._other.hide()
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self._button)
        buttons.addWidget(self._other)
        buttons.addStretch(1)
        column.addLayout(buttons)
        column.addStretch(1)

    def set_action(self, action: QAction | None) -> None:
        if action is not None:
            self._button.setDefaultAction(action)
        self._button.setVisible(action is not None)
        self._waits = action is not None
        self._show()

    def set_other_action(self, action: QAction | None) -> None:
        """A second way on, beside the first."""
        if action is not None:
            self._other.setDefaultAction(action)
        self._other.setVisible(action is not None)

    def say(self, title: str, why: str) -> None:
        self._words = (title, why)
        self._show()

    def say_meanwhile(self, title: str, why: str) -> None:
        """Said in place of the view's own words until it is taken back with ''.

        Without an action the view waits for nothing (a search found nothing): then its own words stay.
        """
        self._meanwhile = (title, why)
        self._show()

    def _show(self) -> None:
        title, why = self._meanwhile if self._meanwhile[0] and self._waits else self._words
        self._title.setText(title)
        self._why.setText(why)
        self.setAccessibleName(f"{title} {why}")

    @property
    def text(self) -> str:
        return f"{self._title.text()} {self._why.text()}".strip()
