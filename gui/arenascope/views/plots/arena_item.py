"""All blocks of the arena in one graphics item.

Blocks are ordered by colour once; a change of the view only turns their four arrays into pixels, and
``paint`` sets each brush once and hands the pixels to Qt as one array a colour. Coordinates are those of
the view in whole pixels, so that edges stay sharp, nothing thinner than a pixel vanishes, and an export
at twice the size is drawn, not enlarged.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QLine, QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from ...domain.layout import Overlap
from ...qtmodels.arena_blocks import ArenaBlocks, Bools
from ..palette import mix, with_alpha
from ..theme import Theme
from .block_labels import BlockLabel, BlockLabels
from .coloring import Coloring
from .pixel_item import PixelItem
from .rect_array import RectArray

#: How much of the panel's colour is in a block: not found by the search, alive at another step, alive now.
_FADE = {"dark": (0.86, 0.5, 0.06), "light": (0.88, 0.5, 0.0)}
_FADE_ORDERED = (0.86, 0.3, 0.0)  #: a ramp must stay readable where it is faded
_LEVELS = 3
_FAR = 1 << 20  # pixels beyond which a coordinate is as good as any other


class ArenaItem(PixelItem):
    """Child of a ViewBox; paints in the box's own coordinates (pixels, y down)."""

    def __init__(self, view: pg.ViewBox, theme: Theme, font: QFont) -> None:
        super().__init__(view)
        self._theme = theme
        self._labels = BlockLabels(font)
        self._blocks: ArenaBlocks | None = None
        self._coloring: Coloring | None = None
        self._found: Bools | None = None
        self._step = -1
        self._overlaps: tuple[Overlap, ...] = ()
        self._order = np.zeros(0, np.int64)
        self._group = np.zeros(0, np.int64)
        self._sorted: tuple[np.ndarray, ...] = ()
        self._seen = np.zeros(0, np.int64)
        self._rects = RectArray()
        self._runs: list[tuple[QBrush, int, int]] = []
        self._texts: list[BlockLabel] = []
        self._clashes: list[QRectF] = []
        self._shares = np.zeros(0, bool)
        self._seams: list[QLine] = []
        self._column: QRectF | None = None
        self._drawn_once = False
        self._copy: QPixmap | None = None

    # -- what is shown ------------------------------------------------------------------------

    def set_blocks(self, blocks: ArenaBlocks | None, overlaps: tuple[Overlap, ...] = ()) -> None:
        """``overlaps`` of this arena are drawn as errors. Colour and search start anew."""
        self._blocks, self._overlaps = blocks, overlaps
        self._coloring = self._found = None

    def set_coloring(self, coloring: Coloring) -> None:
        self._coloring = coloring
        self.regroup()

    def set_found(self, found: Bools | None) -> None:
        """Mask of the blocks that the search found; None: nothing is searched."""
        self._found = found
        self.regroup()

    def set_step(self, step: int) -> None:
        self._step = step
        self.regroup()

    def restyle(self, theme: Theme, font: QFont) -> None:
        """The colouring of the new theme follows by ``set_coloring``."""
        self._theme = theme
        self._labels = BlockLabels(font)

    # -- preparation --------------------------------------------------------------------------

    def regroup(self) -> None:
        """Order the blocks by colour: once for each change of colour, step or search, never in a pan."""
        blocks, coloring = self._blocks, self._coloring
        if blocks is None or coloring is None or not len(blocks):
            self._order = np.zeros(0, np.int64)
        else:
            level = 1 + blocks.alive(self._step).astype(np.int64)
            if self._found is not None:
                level[~self._found] = 0
            level += _LEVELS * blocks.shares_memory  # painted over the tensor whose memory they use
            group = level * len(coloring.entries) + coloring.class_of
            self._order = np.argsort(group, kind="stable")
            self._group = group[self._order]
            self._shares = blocks.shares_memory[self._order]
            self._sorted = tuple(
                column[self._order].astype(np.float64)
                for column in (blocks.first, blocks.end, blocks.offset, blocks.offset + blocks.size)
            )
        self.place()

    def place(self) -> None:
        """Turn blocks into pixels for the range and size that the view has now."""
        self._runs, self._texts, self._clashes, self._seams = [], [], [], []
        self._drawn_once, self._copy = False, None
        bounds = self._view.rect()
        self._column = self._step_column(bounds)
        if len(self._order) and self._coloring is not None and bounds.width() > 1:
            left, top, right, bottom = self._to_pixels(*self._sorted)
            seen = np.flatnonzero(
                (right >= 0) & (left <= bounds.width()) & (bottom >= 0) & (top <= bounds.height())
            )
            rows = self._rects.rows(len(seen))
            wide, high = int(bounds.width()) - 1, int(bounds.height()) - 1  # SVG knows no clipping
            np.clip(left[seen], 0, wide, out=rows[:, 0], casting="unsafe")
            np.clip(top[seen], 0, high, out=rows[:, 1], casting="unsafe")
            np.clip(right[seen], 0, wide, out=rows[:, 2], casting="unsafe")
            np.clip(bottom[seen], 0, high, out=rows[:, 3], casting="unsafe")
            group = self._group[seen]
            borders = np.flatnonzero(np.diff(group, prepend=-1, append=-1)).tolist()
            self._runs = [(QBrush(self._color(int(group[a]))), a, b - a) for a, b in pairwise(borders)]
            self._seen = seen
            self._seams = self._seam_lines(seen, rows)
            self._texts = self._label(rows, seen)
            self._clashes = [rect for o in self._overlaps if (rect := self._clash(o)) is not None]
        self.update()

    def rect_of(self, row: int) -> QRectF:
        """Where block ``row`` lies in the view, in pixels; beyond its edges where it reaches out."""
        blocks = self._blocks
        assert blocks is not None
        edges = (blocks.first, blocks.end, blocks.offset, blocks.offset + blocks.size)
        left, top, right, bottom = self._to_pixels(*(e[row : row + 1].astype(np.float64) for e in edges))
        corner = QPoint(int(left[0]), int(top[0]))
        return QRectF(QRect(corner, QPoint(int(right[0]), int(bottom[0]))))

    def _step_column(self, bounds: QRectF) -> QRectF | None:
        low, high = self._view.viewRange()[0]
        if self._step < 0 or bounds.width() < 2:
            return None
        across = bounds.width() / (high - low)
        return QRectF((self._step - low) * across, bounds.top(), across, bounds.height()) & bounds

    def thin_row_near(self, position: QPointF) -> int | None:
        """The block under a pixel, by what is painted: also those drawn thicker than they are."""
        count = sum(c for _, _, c in self._runs)
        rows = self._rects.rows(count)
        x, y = position.x(), position.y()
        hits = np.flatnonzero(
            (rows[:, 0] - 1 <= x) & (x <= rows[:, 2] + 1) & (rows[:, 1] - 1 <= y) & (y <= rows[:, 3] + 1)
        )
        return int(self._order[self._seen[hits[-1]]]) if len(hits) else None

    def _to_pixels(
        self, first: np.ndarray, end: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Inclusive edges. Neighbours keep one pixel between them where there is room for it."""
        (x0, x1), (y0, y1) = self._view.viewRange()
        rect = self._view.rect()
        across, up = rect.width() / (x1 - x0), rect.height() / (y1 - y0)
        left = np.rint((first - x0) * across)
        right = np.rint((end - x0) * across)
        top = np.rint((y1 - high) * up)
        bottom = np.rint((y1 - low) * up)
        right -= np.where(right - left >= 5, 2, 1)
        top += np.where(bottom - top >= 5, 1, 0)
        bottom -= 1
        np.maximum(right, left, out=right)
        np.minimum(top, bottom, out=top)
        for edge in (left, top, right, bottom):
            np.clip(edge, -_FAR, _FAR, out=edge)
        return left, top, right, bottom

    def _seam_lines(self, seen: np.ndarray, rows: np.ndarray) -> list[QLine]:
        """Where a tensor begins in memory that another one has until then, there is no gap to part them."""
        return [
            QLine(int(left), int(top), int(left), int(bottom))
            for left, top, _, bottom in rows[np.flatnonzero(self._shares[seen])]
        ]

    def _color(self, group: int) -> QColor:
        assert self._coloring is not None
        level, number = divmod(group, len(self._coloring.entries))
        fade = _FADE_ORDERED if self._coloring.ordered else _FADE[self._theme.name]
        return mix(self._coloring.entries[number][1], self._theme.panel, fade[level % _LEVELS])

    def _label(self, rows: np.ndarray, seen: np.ndarray) -> list[BlockLabel]:
        assert self._blocks is not None and self._coloring is not None
        classes = len(self._coloring.entries)
        placements, order = self._blocks.placements, self._order
        return self._labels.place(
            rows,
            self._view.rect(),
            lambda i: placements[order[seen[i]]],
            lambda i: self._color(int(self._group[seen[i]])),
            lambda i: bool(self._group[seen[i]] // classes % _LEVELS == 0),
        )

    def _clash(self, overlap: Overlap) -> QRectF | None:
        """The bytes and steps that two tensors claim both, where both are in this arena."""
        blocks = self._blocks
        assert blocks is not None
        a, b = blocks.rows.get(overlap.first), blocks.rows.get(overlap.second)
        if a is None or b is None:
            return None
        rect = self.rect_of(a) & self.rect_of(b) & self._view.rect()
        return None if rect.isEmpty() else rect

    # -- painting -----------------------------------------------------------------------------

    def draw(self, painter: QPainter, widget: QWidget | None) -> None:
        """On the screen the second frame of one placing is kept as a pixmap, for the many that only differ
        in what lies over the blocks; a pan never pays for that copy. Pictures are drawn afresh."""
        if widget is None or not self._drawn_once:
            self._drawn_once = self._drawn_once or widget is not None
            self._draw_all(painter)
            return
        if self._copy is None:
            ratio = widget.devicePixelRatioF()
            self._copy = QPixmap((self._view.rect().size() * ratio).toSize())
            self._copy.setDevicePixelRatio(ratio)
            self._copy.fill(Qt.GlobalColor.transparent)
            inner = QPainter(self._copy)
            self._draw_all(inner)
            inner.end()
        painter.drawPixmap(0, 0, self._copy)

    def _draw_all(self, painter: QPainter) -> None:
        painter.setClipRect(self._view.rect())
        painter.setPen(Qt.PenStyle.NoPen)
        if self._column is not None:
            painter.fillRect(self._column, with_alpha(self._theme.accent, 0.13))
        for brush, start, count in self._runs:
            painter.setBrush(brush)
            self._rects.draw(painter, start, count)
        if self._seams:
            painter.setPen(self._theme.panel)
            painter.drawLines(self._seams)
        self._paint_texts(painter)
        if self._clashes:
            self._paint_clashes(painter)

    def _paint_texts(self, painter: QPainter) -> None:
        for label in self._texts:
            painter.setPen(label.color)
            painter.setFont(label.font)
            painter.drawText(QPointF(label.x, label.y), label.text)

    def _paint_clashes(self, painter: QPainter) -> None:
        error = self._theme.role("error")
        painter.setPen(pg.mkPen(error, width=2))
        painter.setBrush(QBrush(error, Qt.BrushStyle.BDiagPattern))
        for rect in self._clashes:
            painter.drawRect(rect)
