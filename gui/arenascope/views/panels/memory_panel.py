"""Memory of the process: whose it is, and how it grew from phase to phase."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedLayout, QWidget

from ...domain.capture import Capture
from ..empty_state import EmptyState
from ..grab import grab
from ..theme import Theme
from .attribution import AttributionPanel
from .phases import PhasesPanel


class MemoryPanel(QWidget):
    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.attribution = AttributionPanel(theme)
        self.phases = PhasesPanel()
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(16)
        split.addWidget(self.attribution)
        split.addWidget(self.phases)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 1)
        self._empty = EmptyState()
        self._empty.say("Nothing measured yet", "A run shows whose the process's memory is, and how it grew.")
        self._stack = QStackedLayout(self)
        page = QWidget()
        row = QHBoxLayout(page)
        row.setContentsMargins(4, 8, 4, 4)
        row.addWidget(split)
        self._stack.addWidget(page)
        self._stack.addWidget(self._empty)
        self.set_capture(None)

    def set_empty_action(self, action: QAction | None) -> None:
        self._empty.set_action(action)

    def set_theme(self, theme: Theme) -> None:
        self.attribution.set_theme(theme)

    def set_capture(self, capture: Capture | None) -> None:
        self._stack.setCurrentIndex(1 if capture is None else 0)
        self.attribution.set_capture(capture)
        self.phases.set_capture(capture)

    def render_image(self, scale: float = 1.0) -> QImage:
        return grab(self, scale)
