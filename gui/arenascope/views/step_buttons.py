"""The next steps of a failure as buttons, in a row or one below the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QPushButton, QWidget

from ..qtmodels.next_steps import NextStep
from .labels import set_tip

#: An action's key → its name.
WordsOf = Callable[[str], str]


class StepButtons(QWidget):
    """``words_of`` names the actions of steps that have no words of their own."""

    asked = Signal(object)  #: NextStep

    def __init__(self, words_of: WordsOf, parent: QWidget | None = None, *, upright: bool = False) -> None:
        super().__init__(parent)
        self._words_of = words_of
        direction = QBoxLayout.Direction.TopToBottom if upright else QBoxLayout.Direction.LeftToRight
        self._row = QBoxLayout(direction, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(6)
        self._buttons: list[QPushButton] = []
        self.hide()

    @property
    def buttons(self) -> tuple[QPushButton, ...]:
        return tuple(self._buttons)

    def set_steps(self, steps: Sequence[NextStep]) -> None:
        for old in self._buttons:
            self._row.removeWidget(old)
            old.hide()
            old.deleteLater()  # it may be the one that was just pressed
        self._buttons = [self._button(step) for step in steps]
        self.setVisible(bool(steps))

    def _button(self, step: NextStep) -> QPushButton:
        made = QPushButton(step.text or self._words_of(step.action), self)
        made.setAutoDefault(False)
        made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        if step.copies:
            set_tip(made, step.copies if len(step.copies) <= 400 else "Copies everything that is known of it")
        made.clicked.connect(lambda: self.asked.emit(step))
        self._row.addWidget(made)
        made.show()
        return made
