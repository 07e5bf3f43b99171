"""What lies over the curves: the chosen range, the chosen second, and the values under the mouse."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QWidget

from ..palette import with_alpha
from ..theme import Theme
from .chart_overlay import ChartOverlay


class LiveOverlay(ChartOverlay):
    """Times in seconds, None where there is none."""

    def __init__(self, view: pg.ViewBox, theme: Theme, font: QFont) -> None:
        super().__init__(view, theme, font)
        self.range: tuple[float, float] | None = None
        self.second: float | None = None

    def draw(self, painter: QPainter, widget: QWidget | None) -> None:
        rect = self._view.rect()
        if self.range is not None:
            left, right = (min(max(self.x_of(t), rect.left()), rect.right()) for t in self.range)
            painter.fillRect(
                QRectF(left, rect.top(), right - left, rect.height()), with_alpha(self._theme.accent, 0.16)
            )
            painter.setPen(pg.mkPen(self._theme.accent, width=1))
            for x in (left, right):
                painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        if self.second is not None and rect.left() <= self.x_of(self.second) <= rect.right():
            x = round(self.x_of(self.second)) + 0.5
            painter.setPen(pg.mkPen(self._theme.accent, width=1))
            painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        self.paint_hover(painter, rect)
        self.paint_focus(painter, rect)

    def top_of_words(self, rect: QRectF, high: float) -> float:
        return rect.bottom() - high - 8
