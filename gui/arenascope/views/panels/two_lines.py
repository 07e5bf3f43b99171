"""Painting of a list row: a sign, a title, a note at the right, quieter lines below."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ..theme import Theme, scaled

Index = QModelIndex | QPersistentModelIndex
_PAD = 8.0
_SIGN = 9.0
_BARS = 4
_BAR, _BAR_STEP, _BAR_HIGH = 2.5, 4.0, 9.0


@dataclass(frozen=True, slots=True)
class Row:
    """``sign``: dot, ring, half, gap, cross, or '' for none. ``foot`` and, at its right, ``bars`` (1 to 4
    of 4, 0 for none) with ``foot_aside`` make a third line, where there is any of them."""

    title: str
    subtitle: str
    aside: str = ""
    sign: str = ""
    color: QColor | None = None
    strong: bool = False
    foot: str = ""
    foot_aside: str = ""
    bars: int = 0

    @property
    def has_foot(self) -> bool:
        return bool(self.foot or self.foot_aside or self.bars)


def draw_sign(painter: QPainter, box: QRectF, sign: str, color: QColor) -> None:
    """States differ in shape as well as in colour."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(color, 1.6))
    inner = box.adjusted(0.8, 0.8, -0.8, -0.8)
    if sign == "dot":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawEllipse(box)
    elif sign == "ring":
        painter.drawEllipse(inner)
    elif sign == "half":
        painter.drawEllipse(inner)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawPie(box, 90 * 16, 180 * 16)
    elif sign == "gap":
        painter.drawArc(inner, 35 * 16, 110 * 16)
        painter.drawArc(inner, 215 * 16, 110 * 16)
    elif sign == "cross":
        painter.drawLine(inner.topLeft(), inner.bottomRight())
        painter.drawLine(inner.topRight(), inner.bottomLeft())


def draw_bars(painter: QPainter, left: float, bottom: float, count: int, color: QColor, rest: QColor) -> None:
    """``count`` bars of four, each higher than the one before; the others are outlines of them."""
    for number in range(_BARS):
        high = _BAR_HIGH * (number + 1) / _BARS
        box = QRectF(left + number * _BAR_STEP, bottom - high, _BAR, high)
        if number < count:
            painter.fillRect(box, color)
        else:
            painter.fillRect(QRectF(box.left(), bottom - 1.5, _BAR, 1.5), rest)


class TwoLines(QStyledItemDelegate):
    """``row`` turns an index into what is painted."""

    def __init__(self, theme: Theme, parent: object = None) -> None:
        super().__init__(parent)  # type: ignore[arg-type]
        self.theme = theme

    def row(self, index: Index) -> Row:
        raise NotImplementedError

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        title, small = self._metrics(option)
        lines = 2 if self.row(index).has_foot else 1
        return QSize(80, round(title.height() + lines * (small.height() + 2) + 2 * 5))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, row = self.theme, self.row(index)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(option.rect).adjusted(1, 1, -1, -1)
        state = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.selection if selected else theme.hover)
            painter.drawRoundedRect(box, 6, 6)
        if selected and state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(theme.accent)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 6, 6)
        title, small = self._metrics(option)
        x, y = box.left() + _PAD, box.top() + 5
        if row.sign:
            sign = QRectF(x, y + (title.height() - _SIGN) / 2, _SIGN, _SIGN)
            draw_sign(painter, sign, row.sign, row.color or theme.muted)
            x += _SIGN + _PAD
        right = box.right() - _PAD
        small_font = scaled(option.font, 0.92)
        if row.aside:
            painter.setFont(small_font)
            painter.setPen(theme.muted)
            width = small.horizontalAdvance(row.aside)
            painter.drawText(QPointF(right - width, y + title.ascent()), row.aside)
        else:
            width = -_PAD
        painter.setFont(scaled(option.font, 1.0, bold=row.strong))
        painter.setPen(theme.text)
        room = right - width - _PAD - x
        shown = QFontMetricsF(painter.font()).elidedText(row.title, Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(QPointF(x, y + title.ascent()), shown)
        y += title.height() + 2
        painter.setFont(small_font)
        painter.setPen(theme.muted)
        shown = small.elidedText(row.subtitle, Qt.TextElideMode.ElideRight, right - x)
        painter.drawText(QPointF(x, y + small.ascent()), shown)
        if row.has_foot:
            self._paint_foot(painter, row, small, x, right, y + small.height() + 2 + small.ascent())
        painter.restore()

    def _paint_foot(
        self, painter: QPainter, row: Row, small: QFontMetricsF, x: float, right: float, base: float
    ) -> None:
        """Where it is narrow, the words beside the bars give way first: the bars say the same."""
        bars = _BARS * _BAR_STEP - (_BAR_STEP - _BAR) if row.bars else 0.0
        words = small.horizontalAdvance(row.foot_aside)
        taken = small.horizontalAdvance(row.foot) + _PAD + bars + _PAD / 2 + words
        if row.foot_aside and (not row.bars or taken <= right - x):
            right -= words
            painter.drawText(QPointF(right, base), row.foot_aside)
            right -= _PAD / 2
        if row.bars:
            right -= bars
            color = self.theme.warn if row.bars == 1 else self.theme.muted
            draw_bars(painter, right, base, row.bars, color, self.theme.disabled)
            right -= _PAD
        painter.setPen(self.theme.muted)
        shown = small.elidedText(row.foot, Qt.TextElideMode.ElideRight, right - x)
        painter.drawText(QPointF(x, base), shown)

    def _metrics(self, option: QStyleOptionViewItem) -> tuple[QFontMetricsF, QFontMetricsF]:
        font = option.font
        return QFontMetricsF(font), QFontMetricsF(scaled(font, 0.92))
