"""A series in a legend: swatch, name and latest value; a click shows or hides it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from ..theme import tabular

_SWATCH, _GAP, _PAD = 11.0, 7.0, 6.0


class SeriesButton(QAbstractButton):
    """Its width leaves room for the longest value, so that nothing moves while numbers change.

    Where there is less room than that, the value gives way.
    """

    soloed = Signal(str)  #: Alt+click; the key of the series

    def __init__(self, key: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key = key
        self._color, self._faint = QColor(), QColor()
        self.value = "unknown"
        self.setText(name)
        self.setCheckable(True)
        self.setChecked(True)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_color(self, color: QColor, faint: QColor) -> None:
        self._color, self._faint = color, faint
        self.update()

    def set_value(self, value: str) -> None:
        if value != self.value:
            self.value = value
            self.setAccessibleDescription(value)
            self.update()

    def sizeHint(self) -> QSize:
        value = QFontMetricsF(tabular(self.font())).horizontalAdvance("1,023.9 MiB")
        return self.minimumSizeHint() + QSize(int(value + _GAP), 0)

    def minimumSizeHint(self) -> QSize:
        metrics = QFontMetricsF(tabular(self.font()))
        wide = metrics.horizontalAdvance(self.text()) + _SWATCH + _GAP + 2 * _PAD
        return QSize(int(wide) + 1, int(metrics.height()) + 10)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self.soloed.emit(self._key)
        else:
            super().mousePressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = tabular(self.font())
        metrics = QFontMetricsF(font)
        on = self.isChecked()
        middle = self.height() / 2
        painter.setPen(self._color if on else self._faint)
        painter.setBrush(self._color if on else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(_PAD, middle - _SWATCH / 2, _SWATCH, _SWATCH), 2, 2)
        painter.setFont(font)
        x = _PAD + _SWATCH + _GAP
        name = metrics.horizontalAdvance(self.text())
        inks = (self.palette().placeholderText().color(), self.palette().text().color())
        for text, left, ink in (
            (self.text(), x, inks[on]),
            (self.value, x + name + _GAP, self._color if on else self._faint),
        ):
            if left + metrics.horizontalAdvance(text) > self.width():
                continue
            painter.setPen(ink)
            painter.drawText(
                QRectF(left, 0, self.width() - left, self.height()), Qt.AlignmentFlag.AlignVCenter, text
            )
        if self.hasFocus():
            painter.setPen(self._color)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        painter.end()
