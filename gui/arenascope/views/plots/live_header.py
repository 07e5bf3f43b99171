"""The head of the live chart: its legend with the latest values, what it does, and the chosen range."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from ..labels import set_tip
from ..theme import Theme, tabular
from .series_button import SeriesButton


class LiveHeader(QWidget):
    """``series``: key → name."""

    pauseAsked = Signal(bool)
    fitAsked = Signal()
    clearRangeAsked = Signal()
    seriesChanged = Signal()  #: other series are to be shown

    def __init__(self, series: Mapping[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._series = {key: SeriesButton(key, name) for key, name in series.items()}
        for button in self._series.values():
            set_tip(button, f"Show or hide: {button.text()} memory. Alt+click shows only this one.")
            button.toggled.connect(self.seriesChanged)
            button.soloed.connect(self._solo)
        self._status, self._range = QLabel(), QLabel()
        for label in (self._status, self._range):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setProperty("role", "small")
            label.setFont(tabular(self.font()))
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._pause = _tool("Pause", "Freeze the view; recording goes on (Space)")
        self._pause.setCheckable(True)
        self._pause.clicked.connect(self.pauseAsked)
        self._fit = _tool("Fit", "Show the whole run (F)")
        self._fit.clicked.connect(self.fitAsked)
        self._clear = _tool("Clear range", "Forget the chosen range (Esc)")
        self._clear.clicked.connect(self.clearRangeAsked)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for button in self._series.values():
            row.addWidget(button)
        row.addWidget(self._status, 1)
        row.addWidget(self._range, 1)
        for tool in (self._clear, self._pause, self._fit):
            row.addWidget(tool)
        self.set_range("", "")

    @property
    def range_text(self) -> str:
        """Start, end and difference of the chosen range."""
        return self._range.accessibleDescription()

    def set_colors(self, colors: Mapping[str, QColor], theme: Theme) -> None:
        for key, button in self._series.items():
            button.set_color(colors[key], theme.disabled)

    def set_values(self, values: Mapping[str, str], status: str) -> None:
        for key, button in self._series.items():
            button.set_value(values[key])
        self._status.setText(status)

    def set_range(self, short: str, whole: str) -> None:
        """The chosen range in few words, and with everything as a tip; both empty without one."""
        self._range.setText(short)
        set_tip(self._range, whole)
        self._range.setAccessibleDescription(whole)
        self._status.setVisible(not short)
        self._range.setVisible(bool(short))
        self._clear.setVisible(bool(short))

    def set_paused(self, paused: bool) -> None:
        self._pause.setChecked(paused)
        self._pause.setText("Resume" if paused else "Pause")

    def shows(self, key: str) -> bool:
        return self._series[key].isChecked()

    def set_shown(self, key: str, shown: bool) -> None:
        self._series[key].setChecked(shown)

    def words(self, key: str) -> str:
        """Name and latest value of a series, for the legend of a picture."""
        return f"{self._series[key].text()} {self._series[key].value}"

    def _solo(self, wanted: str) -> None:
        """Only this series; a second time: all again."""
        alone = all(b.isChecked() == (k == wanted) for k, b in self._series.items())
        for key, button in self._series.items():
            button.setChecked(alone or key == wanted)


def _tool(text: str, says: str) -> QToolButton:
    made = QToolButton()
    made.setText(text)
    set_tip(made, says)
    made.setProperty("role", "flat")
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return made
