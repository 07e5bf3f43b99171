"""Phases on a time axis: a diamond, a dotted line, and a name that never lies on another."""

from __future__ import annotations

from dataclasses import dataclass

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPolygonF
from PySide6.QtWidgets import QWidget

from ...domain.plain_text import plain
from ..theme import Theme, scaled
from .pixel_item import PixelItem

ROWS = 3
_DIAMOND, _GAP = 5.0, 6.0


@dataclass(frozen=True, slots=True)
class Marker:
    name: str
    t: float
    failed: bool = False  #: the run ended badly here


def stagger(starts: list[float], widths: list[float], rows: int = ROWS) -> list[int | None]:
    """Row of each label, first free row first; None where it would lie on another in every row.

    ``starts`` ascend; label i covers ``starts[i]`` to ``starts[i] + widths[i]``.
    """
    ends = [float("-inf")] * rows
    placed: list[int | None] = []
    for start, width in zip(starts, widths, strict=True):
        row = next((r for r in range(rows) if ends[r] <= start), None)
        if row is not None:
            ends[row] = start + width + _GAP
        placed.append(row)
    return placed


class PhaseMarkers(PixelItem):
    """Child of a ViewBox; paints in its coordinates."""

    def __init__(self, view: pg.ViewBox, theme: Theme, font: QFont) -> None:
        super().__init__(view, z=20)
        self._markers: list[Marker] = []
        self._placed: list[tuple[Marker, float, int | None, QRectF]] = []
        self.restyle(theme, font)

    def restyle(self, theme: Theme, font: QFont) -> None:
        self._theme, self._font = theme, scaled(font, 0.92)
        self._metrics = QFontMetricsF(self._font)
        self.place()

    @property
    def band(self) -> float:
        """Pixels at the top that the names need."""
        rows = max((1 + (row or 0) for _, _, row, _ in self._placed), default=1)
        return rows * self._line + 8

    @property
    def _line(self) -> float:
        return self._metrics.height() + 2

    @property
    def markers(self) -> tuple[Marker, ...]:
        return tuple(self._markers)

    def set_markers(self, markers: list[Marker]) -> None:
        self._markers = sorted(markers, key=lambda m: m.t)
        self.place()

    def place(self) -> None:
        rect = self._view.rect()
        low, high = self._view.viewRange()[0]
        seen = [m for m in self._markers if low <= m.t <= high] if high > low else []
        xs = [(m.t - low) / (high - low) * rect.width() for m in seen]
        names = [plain(m.name, 32) for m in seen]
        widths = [2 * _DIAMOND + 3 + self._metrics.horizontalAdvance(n) for n in names]
        # A name that would leave on the right stands left of its diamond.
        left = [
            x - w + _DIAMOND if x + w > rect.width() else x - _DIAMOND
            for x, w in zip(xs, widths, strict=True)
        ]
        order = sorted(range(len(seen)), key=left.__getitem__)
        rows = dict(zip(order, stagger([left[i] for i in order], [widths[i] for i in order]), strict=True))
        self._placed = [
            (seen[i], xs[i], rows[i], QRectF(left[i], 2 + (rows[i] or 0) * self._line, widths[i], self._line))
            for i in range(len(seen))
        ]
        self.update()

    def hit(self, position: QPointF) -> Marker | None:
        """The marker whose diamond or name is at a point of the view."""
        for marker, x, row, box in self._placed:
            diamond = QRectF(x - 7, box.center().y() - 7, 14, 14)
            if diamond.contains(position) or (row is not None and box.contains(position)):
                return marker
        return None

    # -- painting -----------------------------------------------------------------------------

    def draw(self, painter: QPainter, widget: QWidget | None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font)
        bottom = self._view.rect().bottom()
        for marker, x, row, box in self._placed:
            color = self._theme.error if marker.failed else self._theme.warn
            middle = box.center().y()
            painter.setPen(pg.mkPen(self._theme.muted, width=1, style=Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(round(x) + 0.5, middle + _DIAMOND), QPointF(round(x) + 0.5, bottom))
            self._paint_diamond(painter, QPointF(x, middle), color)
            if row is not None:
                self._paint_name(painter, marker, x, box)

    def _paint_diamond(self, painter: QPainter, at: QPointF, color: QColor) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        d = _DIAMOND
        painter.drawPolygon(
            QPolygonF([at + QPointF(0, -d), at + QPointF(d, 0), at + QPointF(0, d), at + QPointF(-d, 0)])
        )

    def _paint_name(self, painter: QPainter, marker: Marker, x: float, box: QRectF) -> None:
        painter.setPen(self._theme.error if marker.failed else self._theme.muted)
        beside = box.left() < x - _DIAMOND - 1
        taken = 2 * _DIAMOND + 3
        inner = box.adjusted(0, 0, -taken, 0) if beside else box.adjusted(taken, 0, 4, 0)
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter, plain(marker.name, 32))
