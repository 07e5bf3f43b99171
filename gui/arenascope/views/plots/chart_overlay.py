"""What lies over every chart: the values under the mouse, and the frame that the keyboard's focus needs."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from ..palette import with_alpha
from ..theme import Theme, scaled, tabular
from .pixel_item import PixelItem


class ChartOverlay(PixelItem):
    """Child of a ViewBox. ``hover``: where the mouse points, None where nowhere; ``words``: of that place,
    one a line, each in its colour."""

    def __init__(self, view: pg.ViewBox, theme: Theme, font: QFont) -> None:
        super().__init__(view, z=30)
        self.hover: float | None = None
        self.words: list[tuple[str, QColor]] = []
        self.focused = False
        self.restyle(theme, font)

    def restyle(self, theme: Theme, font: QFont) -> None:
        self._theme, self._font = theme, tabular(scaled(font, 0.92))
        self._metrics = QFontMetricsF(self._font)
        self.update()

    def paint_focus(self, painter: QPainter, rect: QRectF) -> None:
        if self.focused:
            painter.setPen(pg.mkPen(with_alpha(self._theme.accent, 0.7), width=1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5))

    def paint_hover(self, painter: QPainter, rect: QRectF) -> None:
        """A line where the mouse points, and the words beside it."""
        if self.hover is None:
            return
        x = self.x_of(self.hover)
        painter.setPen(pg.mkPen(with_alpha(self._theme.text, 0.4), width=1))
        painter.drawLine(QPointF(round(x) + 0.5, rect.top()), QPointF(round(x) + 0.5, rect.bottom()))
        if not self.words:
            return
        line = self._metrics.height() + 2
        wide = max(self._metrics.horizontalAdvance(text) for text, _ in self.words) + 16
        high = line * len(self.words) + 10
        box = QRectF(x + 10, self.top_of_words(rect, high), wide, high)
        if box.right() > rect.right():
            box.moveRight(x - 10)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(pg.mkPen(self._theme.border))
        painter.setBrush(self._theme.raised)
        painter.drawRoundedRect(box, 6, 6)
        painter.setFont(self._font)
        for row, (text, color) in enumerate(self.words):
            painter.setPen(color)
            at = box.adjusted(8, 5 + row * line, -8, 0)
            painter.drawText(at, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, text)

    def top_of_words(self, rect: QRectF, high: float) -> float:
        """Where a box of ``high`` pixels with the words begins."""
        raise NotImplementedError

    def x_of(self, value: float) -> float:
        """Pixels from the left edge of the plot."""
        low, high = self._view.viewRange()[0]
        return float((value - low) / (high - low) * self._view.rect().width())
