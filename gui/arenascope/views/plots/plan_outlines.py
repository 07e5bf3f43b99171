"""What the plan says otherwise than the reading, over the blocks: read places framed, planned ones dashed."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from ...domain.layout import Placement
from ...domain.layout_difference import Difference, LayoutDifference
from ...qtmodels.arena_blocks import ArenaBlocks
from ..theme import Theme
from .pixel_item import PixelItem

#: Dashes of more rectangles than this are texture, and cost a frame.
_MOST_DASHED = 300


class PlanOutlines(PixelItem):
    """Child of a ViewBox, over its blocks. Rows are first step, end, lowest and highest byte."""

    def __init__(self, view: pg.ViewBox, theme: Theme) -> None:
        super().__init__(view, z=20)
        self._theme = theme
        self._read = self._planned = np.zeros((0, 4))

    def restyle(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    @property
    def count(self) -> int:
        """Outlines of both sorts."""
        return len(self._read) + len(self._planned)

    @property
    def top(self) -> float:
        """The highest byte that a planned place reaches."""
        return float(self._planned[:, 3].max()) if len(self._planned) else 0.0

    def set_difference(self, found: LayoutDifference | None, blocks: ArenaBlocks | None) -> None:
        """Of the arena in view; None: nothing is compared."""
        here: list[Difference] = []
        if found is not None and blocks is not None:
            here = [d for d in found.differences if self._is_in(d, blocks)]
        steps = blocks.steps if blocks is not None else 1
        self._read = _rows([d.read for d in here], steps)
        self._planned = _rows([d.planned for d in here], steps)
        self.update()

    def _is_in(self, found: Difference, blocks: ArenaBlocks) -> bool:
        return any(
            p is not None and (p.subgraph, p.kind) == (blocks.subgraph, blocks.kind)
            for p in (found.planned, found.read)
        )

    def draw(self, painter: QPainter, widget: QWidget | None) -> None:
        if not self.count:
            return
        painter.setClipRect(self._view.rect())
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for rows, color, style in (
            (self._read, self._theme.provenance["measured"], Qt.PenStyle.SolidLine),
            (self._planned, self._theme.provenance["planned"], Qt.PenStyle.DashLine),
        ):
            rects = self._pixels(rows)
            if len(rects) > _MOST_DASHED:
                style = Qt.PenStyle.SolidLine
            for pen_color, width, dashes in (
                (self._theme.panel, 3.5, Qt.PenStyle.SolidLine),
                (color, 1.8, style),
            ):
                if len(rects) > _MOST_DASHED and pen_color is self._theme.panel:
                    continue
                painter.setPen(pg.mkPen(pen_color, width=width, style=dashes))
                painter.drawRects(rects)

    def _pixels(self, rows: np.ndarray) -> list[QRectF]:
        (x0, x1), (y0, y1) = self._view.viewRange()
        rect = self._view.rect()
        across, up = rect.width() / (x1 - x0), rect.height() / (y1 - y0)
        bounds = rect.adjusted(-4, -4, 4, 4)  # what lies beyond is cut, so that no painter is troubled
        made = []
        for first, end, low, high in rows:
            left, right = (first - x0) * across, (end - x0) * across
            top, bottom = (y1 - high) * up, (y1 - low) * up
            box = QRectF(left, top, max(2.0, right - left - 1), max(2.0, bottom - top)) & bounds
            if not box.isEmpty():
                made.append(box)
        return made


def _rows(placements: list[Placement | None], steps: int) -> np.ndarray:
    rows = [
        (
            p.first_op or 0,
            steps if p.first_op is None or p.last_op is None else p.last_op + 1,
            p.offset or 0,
            (p.offset or 0) + (p.bytes or 0),
        )
        for p in placements
        if p is not None
    ]
    return np.array(rows, np.float64).reshape(-1, 4)
