"""The one search box."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from ..qtmodels.search_state import SearchState
from ..qtmodels.selection import Selection
from .labels import tip

_RULES = (
    "text            in a name, an operator's name, or #index\n"
    "/regex/         on the name\n"
    "size>64kB       also >= < <= =\n"
    "kind:arena_rw   dtype:int8   op:CONV_2D\n"
    "alive@12        alive at that step\n"
    "Words are joined by and. Enter goes to the next match, Shift+Enter to the one before."
)


class SearchBox(QLineEdit):
    """Typing searches after a short pause; Enter walks the matches; Escape empties it."""

    def __init__(self, search: SearchState, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.search, self.selection = search, selection
        self.setPlaceholderText("search: text, /regex/, size>64kB, alive@12 …")
        self.setAccessibleName("Search tensors")
        self.setClearButtonEnabled(True)
        self.setToolTip(_RULES)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(120)
        self._pause.timeout.connect(self._go)
        self.textEdited.connect(self._edited)
        self.textChanged.connect(self._emptied)
        search.changed.connect(self._follow)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._go()
            back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            found = self.search.neighbour(self.selection.tensor, -1 if back else 1)
            if found is not None:
                self.selection.select(found)
        elif event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)

    def _edited(self) -> None:
        self._pause.start()

    def _emptied(self, text: str) -> None:
        if not text:  # the clear button does not count as an edit
            self._go()

    def _go(self) -> None:
        self._pause.stop()
        self.search.set_text(self.text())

    def _follow(self) -> None:
        """Show what is searched and whether it can be read."""
        if not self.hasFocus() and self.text() != self.search.text:
            self.setText(self.search.text)
        self.setToolTip(tip(self.search.error) or _RULES)
        if self.property("invalid") != bool(self.search.error):
            self.setProperty("invalid", bool(self.search.error))
            self.style().unpolish(self)
            self.style().polish(self)
