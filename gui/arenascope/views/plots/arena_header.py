"""The head of the arena map: which arena, coloured by what, and room for the search box."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from ...qtmodels.selection import Showing
from .coloring import RULES

_SHOWINGS = {Showing.READING: "reading", Showing.PLAN: "plan", Showing.BOTH: "both"}


class ArenaHeader(QWidget):
    scopeChosen = Signal(int)  #: index among the scopes
    ruleChosen = Signal(str)
    showingChosen = Signal(object)  #: Showing

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title = QLabel("Arena map")
        title.setProperty("role", "title")
        self._scopes, self._rules = QComboBox(), QComboBox()
        self._scopes.setAccessibleName("Arena in view")
        self._scopes.setToolTip("Which subgraph's arena is shown")
        self._scopes.activated.connect(self.scopeChosen)
        for rule, name in RULES.items():
            self._rules.addItem(name, rule)
        self._rules.setAccessibleName("Colour by")
        self._rules.setToolTip("What the colour of a block means")
        self._rules.activated.connect(self._rule_activated)
        self._showings = QComboBox()
        for showing, name in _SHOWINGS.items():
            self._showings.addItem(name, showing.value)
        self._showings.setAccessibleName("What the map shows")
        self._showings.setToolTip("What was read on the device, what is planned, or both with differences")
        self._showings.activated.connect(self._showing_activated)
        for chooser in (self._scopes, self._showings, self._rules):  # they give way in a narrow window
            chooser.setMinimumWidth(self.fontMetrics().averageCharWidth() * 12)
        by = QLabel("colour by")
        by.setProperty("role", "muted")
        by.setBuddy(self._rules)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)
        self._row.addWidget(title)
        self._row.addWidget(self._showings)
        self._row.addWidget(self._scopes)
        self._row.addStretch(1)
        self._row.addWidget(by)
        self._row.addWidget(self._rules)

    def add(self, widget: QWidget) -> None:
        self._row.addWidget(widget)

    def set_scopes(self, titles: list[str]) -> None:
        """There is nothing to choose where there is one."""
        self._scopes.clear()
        self._scopes.addItems(titles)
        self._scopes.setVisible(len(titles) > 1)

    def show_scope(self, index: int) -> None:
        self._scopes.setCurrentIndex(index)

    def show_rule(self, rule: str) -> None:
        self._rules.setCurrentIndex(self._rules.findData(rule))

    def show_showing(self, showing: Showing) -> None:
        self._showings.setCurrentIndex(self._showings.findData(showing.value))

    def _showing_activated(self, index: int) -> None:
        self.showingChosen.emit(Showing(self._showings.itemData(index)))

    def _rule_activated(self, index: int) -> None:
        self.ruleChosen.emit(self._rules.itemData(index))
