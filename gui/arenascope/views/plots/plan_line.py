"""The line under the head of the arena map: of what the plan is, and how the reading differs from it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from ..labels import ElidedLabel, set_tip


class PlanLine(QWidget):
    """Hidden while only a reading is shown."""

    likeRunAsked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = ElidedLabel("", "")
        self._like = QToolButton()
        self._like.setText("Plan what was run")
        self._like.setProperty("role", "flat")
        set_tip(self._like, "Set the knobs of the What-if view to those of the run on show")
        self._like.clicked.connect(lambda _checked=False: self.likeRunAsked.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._words, 1)
        row.addWidget(self._like)
        self.hide()

    @property
    def text(self) -> str:
        return self._words.text()

    @property
    def offered(self) -> bool:
        """Whether the knobs can be set to those of the run."""
        return not self._like.isHidden()

    def say(self, words: str, offered: bool) -> None:
        self._words.set_text(words)
        self._like.setVisible(offered)
        self.setVisible(bool(words))
