"""What lies over the curve of batches: the marker of the present one, and the values under the mouse."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath
from PySide6.QtWidgets import QWidget

from ..palette import with_alpha
from ..theme import Theme, scaled, tabular
from .pixel_item import PixelItem

_PAD = 9.0


class CurveOverlay(PixelItem):
    """Child of a ViewBox. ``words``: of the hovered batch, one a line, each in its colour."""

    def __init__(self, view: pg.ViewBox, theme: Theme, font: QFont) -> None:
        super().__init__(view, z=30)
        self.batch: int | None = None
        self.chip = ""
        self.hover: float | None = None
        self.words: list[tuple[str, QColor]] = []
        self.focused = False
        self.restyle(theme, font)

    def restyle(self, theme: Theme, font: QFont) -> None:
        self._theme, self._font = theme, tabular(scaled(font, 0.92))
        self._metrics = QFontMetricsF(self._font)
        self.update()

    @property
    def band(self) -> float:
        """Pixels at the top that the chip needs."""
        return self._metrics.height() + 8

    def draw(self, painter: QPainter, widget: QWidget | None) -> None:
        rect = self._view.rect()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font)
        if self.batch is not None:
            self._paint_marker(painter, rect, self._x(self.batch))
        if self.hover is not None and self.words:
            self._paint_hover(painter, rect, self._x(self.hover))
        if self.focused:
            painter.setPen(pg.mkPen(with_alpha(self._theme.accent, 0.7), width=1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5))

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

    def _paint_hover(self, painter: QPainter, rect: QRectF, x: float) -> None:
        painter.setPen(pg.mkPen(with_alpha(self._theme.text, 0.4), width=1))
        painter.drawLine(QPointF(round(x) + 0.5, rect.top()), QPointF(round(x) + 0.5, rect.bottom()))
        line = self._metrics.height() + 2
        wide = max(self._metrics.horizontalAdvance(text) for text, _ in self.words) + 16
        box = QRectF(x + 10, rect.top() + self.band + 2, wide, line * len(self.words) + 10)
        if box.right() > rect.right():
            box.moveRight(x - 10)
        if box.bottom() > rect.bottom():
            box.moveBottom(max(rect.bottom() - 2, box.height()))
        painter.setPen(pg.mkPen(self._theme.border))
        painter.setBrush(self._theme.raised)
        painter.drawRoundedRect(box, 6, 6)
        for row, (text, color) in enumerate(self.words):
            painter.setPen(color)
            at = box.adjusted(8, 5 + row * line, -8, 0)
            painter.drawText(at, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, text)

    def _x(self, batch: float) -> float:
        low, high = self._view.viewRange()[0]
        return float((batch - low) / (high - low) * self._view.rect().width())
