"""The time for which a device cannot be reached: hatched, with its words, from the last sample until now."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QWidget

from ..palette import mix
from ..theme import Theme, scaled
from .pixel_item import PixelItem

WORDS = ("no connection,", "trying again")
_SPACING = 9.0
_PAD = 6.0


class AwayRegion(PixelItem):
    """Child of a ViewBox, under its curves. ``span``: seconds from and to; None while there is nothing."""

    def __init__(self, view: pg.ViewBox, theme: Theme, font: QFont) -> None:
        super().__init__(view, z=-50)
        self.span: tuple[float, float] | None = None
        self._card: QRectF | None = None
        self.restyle(theme, font)

    def restyle(self, theme: Theme, font: QFont) -> None:
        self._theme, self._font = theme, scaled(font, 0.92)
        self._metrics = QFontMetricsF(self._font)
        self.update()

    def draw(self, painter: QPainter, widget: QWidget | None) -> None:
        box = self._box()
        if box is None:
            return
        painter.save()
        painter.setClipRect(box)
        painter.fillRect(box, mix(self._theme.panel, self._theme.warn, 0.08))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(pg.mkPen(mix(self._theme.panel, self._theme.warn, 0.38), width=1))
        x = box.left() - box.height()
        while x < box.right():
            painter.drawLine(QPointF(x, box.bottom()), QPointF(x + box.height(), box.top()))
            x += _SPACING
        painter.restore()
        painter.setPen(pg.mkPen(self._theme.warn, width=1, style=Qt.PenStyle.DashLine))
        edge = round(box.left()) + 0.5
        painter.drawLine(QPointF(edge, box.top()), QPointF(edge, box.bottom()))
        self._write(painter, box)

    def _box(self) -> QRectF | None:
        """The part of it that is in view, in pixels."""
        rect = self._view.rect()
        low, high = self._view.viewRange()[0]
        if self.span is None or high <= low or self.span[1] <= low or self.span[0] >= high:
            return None
        left, right = ((t - low) / (high - low) * rect.width() for t in self.span)
        left, right = max(left, rect.left()), min(right, rect.right())
        return QRectF(left, rect.top(), right - left, rect.height())

    def _write(self, painter: QPainter, box: QRectF) -> None:
        """In the middle of it, or left of it while it is too narrow."""
        wide = max(self._metrics.horizontalAdvance(line) for line in WORDS) + 2 * _PAD
        high = self._metrics.height() * len(WORDS) + _PAD
        card = QRectF(box.center().x() - wide / 2, box.center().y() - high / 2, wide, high)
        if wide > box.width():
            card.moveRight(box.left() - _PAD)
            card.moveLeft(max(card.left(), self._view.rect().left() + _PAD))
        self._card = card
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.panel)
        painter.drawRoundedRect(card, 5, 5)
        painter.setFont(self._font)
        painter.setPen(self._theme.warn)
        painter.drawText(card, Qt.AlignmentFlag.AlignCenter, "\n".join(WORDS))
