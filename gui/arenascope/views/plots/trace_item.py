"""One curve in pixels: a path where points are few, columns of rectangles where they are many.

Stroking a dense zigzag costs Qt up to a second a frame (thick anti-aliased paths, measured at 2,800
points); the same curve as one rectangle a pixel column, from its minimum to its maximum, costs less than
a millisecond and shows every extreme.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath
from PySide6.QtWidgets import QWidget

from ..palette import mix
from .pixel_item import PixelItem
from .rect_array import RectArray

#: Three hairlines, each moved on by this: as strong as a thick pen, without seams, at a tenth of its cost.
_STROKE = (QPointF(0, 0), QPointF(0.5, 0.3), QPointF(0, 0.3))

Floats = npt.NDArray[np.float64]


class TraceItem(PixelItem):
    """Child of a ViewBox; paints in its coordinates. ``filled``: the area below is tinted, under the grid.

    The tint is opaque: blending 1,300 narrow columns costs Qt 35 ms, filling them 1 ms.
    """

    def __init__(self, view: pg.ViewBox, *, filled: bool) -> None:
        super().__init__(view)
        self._filled = filled
        self._color = self._tint = QColor()
        self._under = _Area(self, view)
        self._path: QPainterPath | None = None
        self._areas: list[QPainterPath] = []
        self._dots: list[QPointF] = []  # samples alone between two gaps
        self._line, self._area = RectArray(), RectArray()
        self._columns = 0

    def set_color(self, color: QColor, panel: QColor) -> None:
        self._color, self._tint = color, mix(panel, color, 0.24)
        self.update()
        self._under.update()

    def set_shown(self, shown: bool) -> None:
        self.setVisible(shown)
        self._under.setVisible(shown)

    def set_points(self, t: Floats, y: Floats, ceiling: float, band: float) -> None:
        """Prepare for the range that the view has now. ``ceiling`` is the value at the lower edge of a
        ``band`` of pixels at the top that stays free; NaN breaks the line."""
        self._path, self._areas, self._dots, self._columns = None, [], [], 0
        rect = self._view.rect()
        low, high = self._view.viewRange()[0]
        if len(t) and high > low and rect.width() > 1 and rect.height() > band + 1 and ceiling > 0:
            x = (t - low) / (high - low) * rect.width()
            down = rect.height() - y / ceiling * (rect.height() - band)
            if len(t) > rect.width() / 2:
                self._prepare_columns(x, down, int(rect.width()), int(rect.height()))
            else:
                self._prepare_path(*_clipped(x, down, rect.width()), rect.height())
        self.update()
        self._under.update()

    # -- few points ---------------------------------------------------------------------------

    def _prepare_path(self, x: Floats, y: Floats, bottom: float) -> None:
        self._path = pg.functions.arrayToQPath(x, y, connect="finite")
        known = np.isfinite(y)
        edges = np.flatnonzero(np.diff(np.r_[False, known, False].astype(np.int8)))
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            if end - start == 1:
                self._dots.append(QPointF(x[start], y[start]))
            elif self._filled:
                xs = np.r_[x[start], x[start:end], x[end - 1]]
                ys = np.r_[bottom, y[start:end], bottom]
                self._areas.append(pg.functions.arrayToQPath(xs, ys))

    # -- many points --------------------------------------------------------------------------

    def _prepare_columns(self, x: Floats, y: Floats, width: int, height: int) -> None:
        """One rectangle a pixel column, joined to its neighbour unless a gap lies between."""
        known = np.isfinite(y)
        gap_before = np.r_[False, ~known[:-1]][known]
        x, y = np.floor(x[known]).astype(np.int64), y[known]
        seen = (x >= 0) & (x < width)
        x, y, gap_before = x[seen], y[seen], gap_before[seen]
        if not len(x):
            return
        starts = np.flatnonzero(np.r_[True, x[1:] != x[:-1]])
        column = x[starts]
        top = np.minimum.reduceat(y, starts)
        bottom = np.maximum.reduceat(y, starts)
        joined = ~gap_before[starts]
        joined[0] = False
        entry, leave = y[starts], y[np.r_[starts[1:], len(y)] - 1]
        before = np.r_[entry[:1], leave[:-1]]
        top = np.where(joined, np.minimum(top, before), top)
        bottom = np.where(joined, np.maximum(bottom, before), bottom)
        following = np.r_[column[1:], column[-1] + 1]
        right = np.where(np.r_[joined[1:], False], following - 1, column)
        line = self._line.rows(len(column))
        line[:, 0], line[:, 2] = column, right
        line[:, 1] = np.clip(np.rint(top - 1), 0, height - 1)
        line[:, 3] = np.clip(np.rint(bottom), line[:, 1] + 1, height)
        area = self._area.rows(len(column))
        area[:, 0], area[:, 2] = column, right
        area[:, 1], area[:, 3] = line[:, 3] + 1, height
        self._columns = len(column)

    # -- painting -----------------------------------------------------------------------------

    def paint_area(self, painter: QPainter) -> None:
        if not self._filled:
            return
        if self._columns:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._tint)
            self._area.draw(painter, 0, self._columns)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for area in self._areas:
            painter.fillPath(area, self._tint)

    def draw(self, painter: QPainter, widget: QWidget | None) -> None:
        painter.setClipRect(self._view.rect())
        painter.setPen(Qt.PenStyle.NoPen)
        if self._columns:
            painter.setBrush(self._color)
            self._line.draw(painter, 0, self._columns)
        elif self._path is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(pg.mkPen(self._color, width=1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for by in _STROKE:
                painter.translate(by)
                painter.drawPath(self._path)
            if self._dots:
                painter.setPen(pg.mkPen(self._color, width=3))
                painter.drawPoints(self._dots)


class _Area(PixelItem):
    """The tint below a curve, under the grid lines and every curve."""

    def __init__(self, trace: TraceItem, view: pg.ViewBox) -> None:
        super().__init__(view, z=-200)
        self._trace = trace

    def draw(self, painter: QPainter, widget: QWidget | None) -> None:
        painter.setClipRect(self._view.rect())
        self._trace.paint_area(painter)


def _clipped(x: Floats, y: Floats, width: float) -> tuple[Floats, Floats]:
    """The line cut at both edges, for painters that know no clipping. At most one point lies beyond each."""
    if len(x) > 1 and x[0] < 0 <= x[1]:
        y = y.copy()
        x = x.copy()
        y[0] += (y[1] - y[0]) * -x[0] / (x[1] - x[0])
        x[0] = 0
    if len(x) > 1 and x[-2] <= width < x[-1]:
        x, y = x.copy(), y.copy()
        y[-1] = y[-2] + (y[-1] - y[-2]) * (width - x[-2]) / (x[-1] - x[-2])
        x[-1] = width
    return x, y
