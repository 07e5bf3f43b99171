"""What lies over the curves: the chosen range, the chosen second, and the values under the mouse."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QWidget

from ..palette import with_alpha
from ..theme import Theme, scaled, tabular
from .pixel_item import PixelItem


class LiveOverlay(PixelItem):
    """Child of a ViewBox; times in seconds, None where there is none."""

    def __init__(self, view: pg.ViewBox, theme: Theme, font: QFont) -> None:
        super().__init__(view, z=30)
        self.range: tuple[float, float] | None = None
        self.second: float | None = None
        self.hover: float | None = None
        self.words: list[tuple[str, QColor]] = []  #: of the hovered moment, one a line
        self.focused = False
        self.restyle(theme, font)

    def restyle(self, theme: Theme, font: QFont) -> None:
        self._theme, self._font = theme, tabular(scaled(font, 0.92))
        self._metrics = QFontMetricsF(self._font)
        self.update()

    def draw(self, painter: QPainter, widget: QWidget | None) -> None:
        rect = self._view.rect()
        if self.range is not None:
            left, right = (min(max(self._x(t), rect.left()), rect.right()) for t in self.range)
            painter.fillRect(
                QRectF(left, rect.top(), right - left, rect.height()), with_alpha(self._theme.accent, 0.16)
            )
            painter.setPen(pg.mkPen(self._theme.accent, width=1))
            for x in (left, right):
                painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        if self.second is not None and rect.left() <= self._x(self.second) <= rect.right():
            x = round(self._x(self.second)) + 0.5
            painter.setPen(pg.mkPen(self._theme.accent, width=1))
            painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        if self.hover is not None:
            self._paint_hover(painter, rect, self._x(self.hover))
        if self.focused:
            painter.setPen(pg.mkPen(with_alpha(self._theme.accent, 0.7), width=1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5))

    def _paint_hover(self, painter: QPainter, rect: QRectF, x: float) -> None:
        painter.setPen(pg.mkPen(with_alpha(self._theme.text, 0.4), width=1))
        painter.drawLine(QPointF(round(x) + 0.5, rect.top()), QPointF(round(x) + 0.5, rect.bottom()))
        if not self.words:
            return
        line = self._metrics.height() + 2
        wide = max(self._metrics.horizontalAdvance(text) for text, _ in self.words) + 16
        box = QRectF(x + 10, rect.bottom() - line * len(self.words) - 18, wide, line * len(self.words) + 10)
        if box.right() > rect.right():
            box.moveRight(x - 10)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(pg.mkPen(self._theme.border))
        painter.setBrush(self._theme.raised)
        painter.drawRoundedRect(box, 6, 6)
        painter.setFont(self._font)
        for row, (text, color) in enumerate(self.words):
            painter.setPen(color)
            painter.drawText(
                box.adjusted(8, 5 + row * line, -8, 0),
                Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop,
                text,
            )

    def _x(self, t: float) -> float:
        low, high = self._view.viewRange()[0]
        return (t - low) / (high - low) * self._view.rect().width()
