"""What lies over the curve of batches: the marker of the present one, and the values under the mouse."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPainterPath
from PySide6.QtWidgets import QWidget

from ..theme import Theme
from .chart_overlay import ChartOverlay

_PAD = 9.0


class CurveOverlay(ChartOverlay):
    """``batch``: the present one, under its ``chip``."""

    def __init__(self, view: pg.ViewBox, theme: Theme, font: QFont) -> None:
        super().__init__(view, theme, font)
        self.batch: int | None = None
        self.chip = ""

    @property
    def band(self) -> float:
        """Pixels at the top that the chip needs."""
        return self._metrics.height() + 8

    def draw(self, painter: QPainter, widget: QWidget | None) -> None:
        rect = self._view.rect()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font)
        if self.batch is not None:
            self._paint_marker(painter, rect, self.x_of(self.batch))
        self.paint_hover(painter, rect)
        self.paint_focus(painter, rect)

    def _paint_marker(self, painter: QPainter, rect: QRectF, x: float) -> None:
        inside = rect.left() <= x <= rect.right()
        if inside:
            painter.setPen(pg.mkPen(self._theme.accent, width=1.6))
            painter.drawLine(QPointF(x, rect.top() + self.band - 2), QPointF(x, rect.bottom()))
        text = self.chip if inside else (f"{self.chip} ›" if x > rect.right() else f"‹ {self.chip}")
        wide = self._metrics.horizontalAdvance(text) + 2 * _PAD
        left = min(max(x - wide / 2, rect.left()), rect.right() - wide)
        chip = QRectF(left, rect.top() + 1, wide, self._metrics.height() + 4)
        path = QPainterPath()
        path.addRoundedRect(chip, chip.height() / 2, chip.height() / 2)
        painter.fillPath(path, self._theme.accent)
        painter.setPen(self._theme.accent_text)
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, text)

    def top_of_words(self, rect: QRectF, high: float) -> float:
        top = rect.top() + self.band + 2
        return top if top + high <= rect.bottom() else max(rect.bottom() - 2, high) - high
