"""The curve of the What-if view: planned line, predicted band, measured dots, the board's limit.

Shapes tell what colours tell: a line is planned, a band predicted, a dot measured, a cross a run that did
not come to its end, dashes a limit, hatching what the model refuses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPolygonF
from PySide6.QtWidgets import QWidget

from ...domain.measurement import Status
from ...domain.units import format_bytes
from ...qtmodels.batch_scale import LARGEST
from ...qtmodels.whatif_curve import Curve, Dot
from ..palette import mix, with_alpha
from ..theme import Theme, scaled
from .pixel_item import PixelItem

Floats = npt.NDArray[np.float64]
_DOT, _CROSS = 4.5, 5.0


@dataclass(frozen=True, eq=False)
class CurvePoints:
    """Row i of every array is one batch that the model takes; NaN: not known."""

    batch: Floats
    arena: Floats
    low: Floats
    likely: Floats
    high: Floats
    dots: tuple[Dot, ...]
    room: tuple[str, int] | None
    largest: int | None
    exact: bool
    refused_from: int | None
    own: int | None
    limit: int

    @classmethod
    def of(
        cls, curve: Curve, dots: tuple[Dot, ...], room: tuple[str, int] | None, own: int | None
    ) -> CurvePoints:
        rows = []
        for batch in curve.batches:
            forecast = curve.get(batch)
            if forecast is None or forecast.plan.refusal is not None:
                continue
            size, prediction = forecast.plan.totals.arena_rw, forecast.prediction
            peak = prediction.peak if prediction is not None else None
            rows.append(
                (batch, size, *((peak.low, peak.likely, peak.high) if peak is not None else (None,) * 3))
            )
        table = np.array(rows, np.float64).reshape(-1, 5)
        refusal = curve.first_refusal
        batches, arena, low, likely, high = table.T
        return cls(
            batch=batches,
            arena=arena,
            low=low,
            likely=likely,
            high=high,
            dots=dots,
            room=room,
            largest=curve.largest_fit,
            exact=curve.exact,
            refused_from=refusal[0] if refusal is not None else None,
            own=own,
            limit=curve.limit,
        )


class CurveItem(PixelItem):
    """Child of a ViewBox; ``place`` turns values into pixels once for each change of view or data."""

    def __init__(self, view: pg.ViewBox, theme: Theme, font: QFont) -> None:
        super().__init__(view)
        self._points: CurvePoints | None = None
        self._paths: dict[str, QPainterPath] = {}
        self._band = QPolygonF()
        self.restyle(theme, font)

    def restyle(self, theme: Theme, font: QFont) -> None:
        self._theme, self._font = theme, scaled(font, 0.92)
        self._metrics = QFontMetricsF(self._font)
        self.arena_color, self.peak_color = theme.charts[0], theme.charts[1]
        self.update()

    def set_points(self, points: CurvePoints | None) -> None:
        self._points = points
        self.place()

    @property
    def points(self) -> CurvePoints | None:
        return self._points

    def place(self) -> None:
        self._paths, self._band = {}, QPolygonF()
        points = self._points
        if points is not None and len(points.batch):
            x = self.across(points.batch)
            for name, values in (("arena", points.arena), ("likely", points.likely)):
                self._paths[name] = pg.functions.arrayToQPath(x, self.up(values), connect="finite")
            known = ~np.isnan(points.high)
            upper = zip(x[known], self.up(points.high[known]), strict=True)
            lower = zip(x[known][::-1], self.up(points.low[known])[::-1], strict=True)
            self._band = QPolygonF([QPointF(a, b) for a, b in (*upper, *lower)])
        self.update()

    def across(self, batch: Floats) -> Floats:
        low, high = self._view.viewRange()[0]
        return np.asarray((batch - low) / (high - low) * self._view.rect().width())

    def up(self, size: Floats) -> Floats:
        rect = self._view.rect()
        low, high = self._view.viewRange()[1]
        return np.asarray(rect.bottom() - (size - low) / (high - low) * rect.height())

    # -- painting -----------------------------------------------------------------------------

    def draw(self, painter: QPainter, widget: QWidget | None) -> None:
        points, rect = self._points, self._view.rect()
        if points is None or rect.width() < 2:
            return
        painter.setClipRect(rect)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_refused(painter, points, rect)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(mix(self._theme.panel, self.peak_color, 0.26))
        painter.drawPolygon(self._band)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if "likely" in self._paths:
            painter.setPen(pg.mkPen(self.peak_color, width=1.4))
            painter.drawPath(self._paths["likely"])
        if "arena" in self._paths:
            painter.setPen(pg.mkPen(self.arena_color, width=2.2))
            painter.drawPath(self._paths["arena"])
        if len(points.batch) == 1:  # a line of one point is none
            self._paint_square(painter, points.batch[0], points.arena[0], self.arena_color)
            self._paint_square(painter, points.batch[0], points.likely[0], self.peak_color)
        self._paint_room(painter, points, rect)
        self._paint_largest(painter, points, rect)
        for dot in points.dots:
            self._paint_dot(painter, dot, rect)

    def _paint_refused(self, painter: QPainter, points: CurvePoints, rect: QRectF) -> None:
        """From the first refused batch on, and below the file's own."""
        if points.refused_from is None:
            return
        taken = points.batch.max(initial=0)
        left = self._at(max(taken, 0.5) + 0.5) if taken else rect.left()
        if points.refused_from < taken:  # the smaller ones are refused, too
            self._hatch(painter, QRectF(rect.left(), rect.top(), self._at(taken - 0.5), rect.height()))
        self._hatch(painter, QRectF(left, rect.top(), rect.right() - left, rect.height()))

    def _hatch(self, painter: QPainter, box: QRectF) -> None:
        if box.width() > 0:
            painter.fillRect(box, QBrush(with_alpha(self._theme.muted, 0.28), Qt.BrushStyle.BDiagPattern))

    def _paint_room(self, painter: QPainter, points: CurvePoints, rect: QRectF) -> None:
        if points.room is None:
            return
        name, size = points.room
        y = float(self.up(np.array(float(size))))
        painter.setFont(self._font)
        arrow = " ↑" if y < rect.top() else ""  # far above: said at the upper edge
        texts = [f"{words} {format_bytes(size)}{arrow}".strip() for words in (name, "limit", "")]
        text, wide = self._fitting(texts, rect.width() - 8)
        high = self._metrics.height()
        if arrow:
            box = QRectF(rect.right() - wide, rect.top() + 2 * high + 11, wide, high)
        else:
            y = round(y) + 0.5
            painter.setPen(pg.mkPen(self._theme.warn, width=1.4, style=Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))
            above = y - high - 2 >= rect.top()
            box = QRectF(rect.left() + 4, y - high - 2 if above else y + 3, wide, high)
        painter.fillRect(box, with_alpha(self._theme.panel, 0.8))
        painter.setPen(self._theme.warn)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_largest(self, painter: QPainter, points: CurvePoints, rect: QRectF) -> None:
        if points.largest is None or not points.exact:
            return
        x = self._at(points.largest)
        if not rect.left() <= x <= rect.right():
            return
        painter.setPen(pg.mkPen(self._theme.ok, width=1.4, style=Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        painter.setFont(self._font)
        right = rect.right() - x >= x - rect.left()
        room = (rect.right() - x if right else x - rect.left()) - 4
        number = f"{points.largest:,}"
        texts = [f"largest that fits: {number}", f"fits: {number}", number]
        if points.largest == LARGEST:
            texts = [f"{number} and more fit", f"fits: {number}+", f"{number}+"]
        text, wide = self._fitting(texts, room)
        top = rect.top() + self._metrics.height() + 9
        box = QRectF(x + 4 if right else x - 4 - wide, top, wide, self._metrics.height())
        painter.fillRect(box, with_alpha(self._theme.panel, 0.8))
        painter.setPen(self._theme.ok)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _fitting(self, texts: list[str], room: float) -> tuple[str, float]:
        """The first of the texts that fits, else the last; and its width with a little space."""
        widths = [self._metrics.horizontalAdvance(text) + 8 for text in texts]
        return next(
            ((t, w) for t, w in zip(texts, widths, strict=True) if w <= room), (texts[-1], widths[-1])
        )

    def _paint_dot(self, painter: QPainter, dot: Dot, rect: QRectF) -> None:
        x = self._at(dot.batch)
        if dot.status is Status.OK:
            for size, color in ((dot.arena, self.arena_color), (dot.peak, self.peak_color)):
                if size is not None:
                    painter.setPen(pg.mkPen(self._theme.panel, width=1.5))
                    painter.setBrush(color)
                    painter.drawEllipse(QPointF(x, float(self.up(np.array(float(size))))), _DOT, _DOT)
            return
        painter.setPen(pg.mkPen(self._theme.error, width=2))
        y = rect.top() + 3 * self._metrics.height() + 14
        painter.drawLine(QPointF(x - _CROSS, y - _CROSS), QPointF(x + _CROSS, y + _CROSS))
        painter.drawLine(QPointF(x - _CROSS, y + _CROSS), QPointF(x + _CROSS, y - _CROSS))

    def _paint_square(self, painter: QPainter, batch: float, size: float, color: QColor) -> None:
        if np.isnan(size):
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        y = float(self.up(np.array(size)))
        painter.drawRect(QRectF(self._at(batch) - 4, y - 4, 8, 8))

    def _at(self, batch: float) -> float:
        return float(self.across(np.array(float(batch))))
