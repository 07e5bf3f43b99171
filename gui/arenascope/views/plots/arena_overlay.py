"""What lies over the blocks: arena line, high-water mark, step cursor with its chip, hover, selection."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QFont, QFontMetricsF, QPainter, QPainterPath, QPolygonF
from PySide6.QtWidgets import QWidget

from ..palette import with_alpha
from ..theme import Theme, scaled
from .arena_item import ArenaItem
from .pixel_item import PixelItem

_CHIP_PAD = 10
_SIDE = 4  #: pixels on either side of the words at the arena line
_BESIDE = 8  #: half of the mark, and a gap


def shorter(text: str) -> tuple[str, ...]:
    """``text`` and what may stand for it where room is short: without its middle, then its beginning."""
    parts = text.split(" · ")
    return tuple(dict.fromkeys((text, " · ".join((parts[0], *parts[1:][-1:])), parts[0])))


def place_words(
    text: str, metrics: QFontMetricsF, left: float, right: float, mark: float | None
) -> tuple[str, float]:
    """The words that fit between ``left`` and ``right``, and where they begin: right of ``mark``, else left.

    Where not even the shortest fit, they are elided; '' where there is no room at all.
    """
    rooms = [(left, right)]
    if mark is not None and left - _BESIDE < mark < right + _BESIDE:
        rooms = [(max(left, mark + _BESIDE), right), (left, min(right, mark - _BESIDE))]
    for words in shorter(text):
        wide = metrics.horizontalAdvance(words) + 2 * _SIDE
        for start, end in rooms:
            if wide <= end - start:
                return words, end - wide
    start, end = max(rooms, key=lambda room: room[1] - room[0])
    room = end - start - 2 * _SIDE
    words = metrics.elidedText(shorter(text)[-1], Qt.TextElideMode.ElideRight, room) if room > 0 else ""
    if metrics.horizontalAdvance(words) > room:
        words = ""
    return words, end - metrics.horizontalAdvance(words) - 2 * _SIDE


class ArenaOverlay(PixelItem):
    """Child of the PlotItem, so that the chip may stand below the axis. Positions come from the ViewBox."""

    def __init__(self, plot: pg.PlotItem, blocks: ArenaItem, theme: Theme, font: QFont) -> None:
        super().__init__(plot, z=1000)
        self._box, self._blocks = plot.getViewBox(), blocks
        self._theme, self._font = theme, scaled(font, 0.92)
        self._metrics = QFontMetricsF(self._font)
        self._arena_bytes = 0
        self.line_text = ""
        self._mark: int | None = None
        self._step, self.chip_text = -1, ""
        self._hovered: int | None = None
        self._selected: int | None = None
        self.focused = False

    def restyle(self, theme: Theme, font: QFont) -> None:
        self._theme, self._font = theme, scaled(font, 0.92)
        self._metrics = QFontMetricsF(self._font)
        self.update()

    @property
    def headroom(self) -> float:
        """Pixels above the arena line that its words need."""
        return self._metrics.height() + 10

    def set_arena(self, arena_bytes: int, text: str, mark: int | None) -> None:
        """``mark``: the step at which the top of the arena is first in use."""
        self._arena_bytes, self.line_text, self._mark = arena_bytes, text, mark
        self.update()

    def set_step(self, step: int, chip: str) -> None:
        self._step, self.chip_text = step, chip
        self.update()

    def set_rows(self, hovered: int | None, selected: int | None) -> None:
        self._hovered, self._selected = hovered, selected
        self.update()

    # -- painting -----------------------------------------------------------------------------

    def draw(self, painter: QPainter, widget: QWidget | None) -> None:
        view = self._box.mapRectToItem(self._view, self._box.rect())
        painter.setFont(self._font)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_step(painter, view)
        self._paint_blocks(painter, view)
        self._paint_arena_line(painter, view)
        self._paint_chip(painter, view)
        if self.focused:
            painter.setPen(pg.mkPen(with_alpha(self._theme.accent, 0.7), width=1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(view.adjusted(0.5, 0.5, -0.5, -0.5))

    def _across(self, view: QRectF, x: float) -> float:
        low, high = self._box.viewRange()[0]
        return view.left() + (x - low) / (high - low) * view.width()

    def _up(self, view: QRectF, y: float) -> float:
        low, high = self._box.viewRange()[1]
        return view.bottom() - (y - low) / (high - low) * view.height()

    def _paint_step(self, painter: QPainter, view: QRectF) -> None:
        if self._step < 0:
            return
        middle = self._across(view, self._step + 0.5)
        if view.left() <= middle <= view.right():
            painter.setPen(pg.mkPen(self._theme.accent, width=1.4))
            painter.drawLine(QPointF(middle, view.top()), QPointF(middle, view.bottom()))

    def _paint_blocks(self, painter: QPainter, view: QRectF) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for row, width in ((self._hovered, 1.5), (self._selected, 2.0)):
            if row is None or (row == self._selected and width < 2):
                continue
            outline = self._blocks.rect_of(row).translated(view.topLeft()) & view.adjusted(-3, -3, 3, 3)
            if outline.isEmpty():
                continue
            painter.setPen(pg.mkPen(self._theme.panel, width=width + 2))
            painter.drawRect(outline)
            painter.setPen(pg.mkPen(self._theme.text, width=width))
            painter.drawRect(outline)

    def _paint_arena_line(self, painter: QPainter, view: QRectF) -> None:
        y = self._up(view, self._arena_bytes)
        if not self._arena_bytes or not view.top() <= y <= view.bottom():
            return
        y = round(y) + 0.5
        painter.setPen(pg.mkPen(self._theme.warn, width=1, style=Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(view.left(), y), QPointF(view.right(), y))
        right = view.right()
        mark = None if self._mark is None else self._across(view, self._mark + 0.5)
        if mark is not None and view.left() <= mark <= right:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.warn)
            painter.drawPolygon(
                QPolygonF([QPointF(mark - 5, y - 8), QPointF(mark + 5, y - 8), QPointF(mark, y - 1)])
            )
        words, start = place_words(self.line_text, self._metrics, view.left(), right, mark)
        wide, high = self._metrics.horizontalAdvance(words) + 2 * _SIDE, self._metrics.height()
        above = y - high - 3 >= view.top()
        box = QRectF(start, y - high - 3 if above else y + 3, wide, high)
        if not above:
            painter.fillRect(box, with_alpha(self._theme.panel, 0.85))
        painter.setPen(self._theme.warn)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

    def _paint_chip(self, painter: QPainter, view: QRectF) -> None:
        """The chip stays in sight when its step is not: an arrow says on which side it is."""
        if self._step < 0 or not self.chip_text:
            return
        middle = self._across(view, self._step + 0.5)
        text = self.chip_text
        if middle < view.left():
            text = f"‹ {text}"
        elif middle > view.right():
            text = f"{text} ›"
        wide = self._metrics.horizontalAdvance(text) + 2 * _CHIP_PAD
        high = self._metrics.height() + 5
        left = min(max(middle - wide / 2, view.left()), view.right() - wide)
        top = view.bottom() + self._metrics.height() + 10
        chip = QRectF(left, top, wide, high)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QBrush(self._theme.accent))
        path = QPainterPath()
        path.addRoundedRect(chip, high / 2, high / 2)
        if view.left() <= middle <= view.right():
            tip = min(max(middle, left + high / 2), chip.right() - high / 2)
            path.addPolygon(
                QPolygonF([QPointF(tip - 4, top + 1), QPointF(tip, top - 4), QPointF(tip + 4, top + 1)])
            )
        painter.drawPath(path.simplified())
        painter.setPen(self._theme.accent_text)
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, text)
