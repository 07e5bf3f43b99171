"""Axes in true units: bytes in powers of two, steps of the program, seconds."""

from __future__ import annotations

import math
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QWidget

from ..theme import Theme, scaled, tabular
from .pixel_item import PixelItem

_UNITS = ((1, "B"), (1024, "KiB"), (1024**2, "MiB"), (1024**3, "GiB"), (1024**4, "TiB"))
#: Pixels between two ticks, at least.
_ROW, _COLUMN = 40, 64


def binary_step(span: float, count: float) -> int:
    """The smallest power of two that divides ``span`` into at most ``count`` steps."""
    return 1 << max(0, math.ceil(math.log2(max(1.0, span / max(1.0, count)))))


def decimal_step(span: float, count: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that divides ``span`` into at most ``count`` steps."""
    wanted = max(1e-9, span / max(1.0, count))
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(power * f for f in (1, 2, 5, 10) if power * f >= wanted * (1 - 1e-9))


def byte_labels(values: list[float], step: float) -> list[str]:
    """Labels of one unit: the largest that a value reaches and in which a step is at least a quarter.

    >>> byte_labels([0, 131072], 131072), byte_labels([1310720], 262144)
    (['0 KiB', '128 KiB'], ['1.25 MiB'])
    """
    most = max(max(values, default=0.0), step)
    factor, unit = next(u for u in reversed(_UNITS) if u[0] == 1 or (most >= u[0] and step >= u[0] / 4))
    digits = 0 if step >= factor else (1 if step * 2 >= factor else 2)
    return [f"{value / factor:,.{digits}f} {unit}" for value in values]


class _Axis(pg.AxisItem):
    """An axis without a line of its own, in the colours and the font of the theme."""

    _text = ""

    def __init__(self, side: str, label: str) -> None:
        super().__init__(side, maxTickLength=0)
        self._text = label
        self.enableAutoSIPrefix(False)
        self.setStyle(tickTextOffset=5, hideOverlappingLabels=False)

    def restyle(self, theme: Theme, font: QFont) -> None:
        small = tabular(scaled(font, 0.92))
        self.setStyle(tickFont=small)
        self.setPen(pg.mkPen(theme.border))
        self.setTextPen(theme.muted)
        self.setLabel(self._text)
        self.label.setFont(scaled(font, 0.92))
        self.label.setDefaultTextColor(theme.muted)

    def set_text(self, label: str) -> None:
        if label != self._text:
            self._text = label
            self.setLabel(label)

    def labelString(self) -> str:  # plain words: pyqtgraph would add units and a style of its own
        return self._text.replace("&", "&amp;").replace("<", "&lt;")


class BytesAxis(_Axis):
    """Bytes with binary ticks. ``width`` is the same in every plot, so that stacked plots line up."""

    def __init__(self, label: str, side: str = "left") -> None:
        super().__init__(side, label)

    def restyle(self, theme: Theme, font: QFont) -> None:
        super().restyle(theme, font)
        metrics = QFontMetricsF(tabular(scaled(font, 0.92)))
        self.setWidth(metrics.horizontalAdvance("1,024 KiB") + metrics.height() + 10)

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        if high <= low or size <= 0:
            return []
        step = binary_step(high - low, size / _ROW)
        first = math.ceil(low / step)
        return [(step, [float(i * step) for i in range(first, math.floor(high / step) + 1) if i >= 0])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return byte_labels(values, spacing)


class StepAxis(_Axis):
    """Positions in the program; the label stands under the middle of its column. Dragging scrubs the step."""

    scrubbed = Signal(int)

    def __init__(self) -> None:
        super().__init__("bottom", "program order, not time")

    def set_steps(self, steps: int) -> None:
        """Say what the axis is: an order of operators, not a clock."""
        span = f" (operators 0–{steps - 1})" if steps else ""
        self.set_text(f"program order{span}, not time")

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        if high <= low or size <= 0:
            return []
        step = max(1, round(decimal_step(high - low, size / _COLUMN)))
        first = math.ceil((low - 0.5) / step)
        return [(step, [i * step + 0.5 for i in range(first, math.floor((high - 0.5) / step) + 1) if i >= 0])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [f"{int(value):,}" for value in values]

    def mouseDragEvent(self, event: Any) -> None:
        event.accept()
        self._scrub(event.pos())

    def mouseClickEvent(self, event: Any) -> None:
        event.accept()
        self._scrub(event.pos())

    def _scrub(self, position: QPointF) -> None:
        view = self.linkedView()
        if view is not None:
            self.scrubbed.emit(math.floor(view.mapToView(view.mapFromItem(self, position)).x()))


class SecondsAxis(_Axis):
    """Seconds since the start of a run; long runs in minutes and hours."""

    def __init__(self) -> None:
        super().__init__("bottom", "seconds since start")

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        if high <= low or size <= 0:
            return []
        step = decimal_step(high - low, size / _COLUMN)
        first = math.ceil(low / step - 1e-9)
        return [(step, [i * step for i in range(first, math.floor(high / step + 1e-9) + 1) if i >= 0])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        digits = max(0, -math.floor(math.log10(spacing) + 1e-9))
        return [f"{value:,.{digits}f}" for value in values]


class BatchAxis(_Axis):
    """Batches: whole numbers."""

    def __init__(self) -> None:
        super().__init__("bottom", "batch (samples in one invoke)")

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        if high <= low or size <= 0:
            return []
        step = max(1, round(decimal_step(high - low, size / _COLUMN)))
        first = max(1, math.ceil(low / step))
        return [(step, [float(i * step) for i in range(first, math.floor(high / step) + 1)])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [f"{int(value):,}" for value in values]


class GridLines(PixelItem):
    """Horizontal hairlines at the ticks of an axis, behind everything else of its view."""

    def __init__(self, view: pg.ViewBox, axis: BytesAxis) -> None:
        super().__init__(view, z=-100)
        self._axis = axis
        self._pen = QPen()

    def restyle(self, theme: Theme) -> None:
        self._pen = pg.mkPen(theme.grid)
        self.update()

    def draw(self, painter: QPainter, widget: QWidget | None) -> None:
        rect = self._view.rect()
        low, high = self._view.viewRange()[1]
        painter.setPen(self._pen)
        for _, values in self._axis.tickValues(low, high, rect.height()):
            for value in values:
                y = round(rect.bottom() - (value - low) / (high - low) * rect.height()) + 0.5
                painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))
