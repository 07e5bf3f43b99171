"""The pyqtgraph parts that the plots share: a graphics view without chrome, and bounded view boxes."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal

#: As far as one may zoom in: half a step, 16 bytes.
_LEAST_X, _LEAST_Y = 0.5, 16.0


class MemoryViewBox(pg.ViewBox):
    """Wheel zooms at the cursor, dragging pans, nothing can be lost out of sight. No context menu."""

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseMode(pg.ViewBox.PanMode)
        self.disableAutoRange()

    def bound(self, x0: float, x1: float, y0: float, y1: float) -> None:
        """The range that there is: one can pan half of it beyond its edges and zoom out to twice of it."""
        wide, high = x1 - x0, (y1 - y0) * 1.3
        self.setLimits(
            xMin=x0 - wide / 2, xMax=x1 + wide / 2, yMin=y0 - high / 2, yMax=y1 + high / 2,
            minXRange=min(wide, _LEAST_X), minYRange=min(high, _LEAST_Y),
            maxXRange=2 * wide, maxYRange=2 * high,
        )  # fmt: skip

    def fit_to(self, x0: float, x1: float, y0: float, y1: float) -> None:
        self.setRange(xRange=(x0, x1), yRange=(y0, y1), padding=0, disableAutoRange=True)


class AcrossViewBox(pg.ViewBox):
    """Moves across only: the wheel zooms, dragging chooses; with another button or Shift it pans."""

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=True, y=False)
        self.disableAutoRange()

    def zoom_about(self, x: float | None, factor: float) -> None:
        """Keep ``x``, the middle where None, in its place."""
        low, high = self.viewRange()[0]
        kept = (low + high) / 2 if x is None else x
        self.setRange(xRange=(kept - (kept - low) * factor, kept + (high - kept) * factor), padding=0)

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        pans = event.button() != Qt.MouseButton.LeftButton or bool(
            event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        )
        event.accept()
        if pans or axis is not None:
            before = event.buttonDownPos() if event.isStart() else event.lastPos()
            self.translateBy(x=self.mapToView(before).x() - self.mapToView(event.pos()).x())
            self.sigRangeChangedManually.emit([True, False])
        else:
            self.dragged(event)

    def dragged(self, event: Any) -> None:
        raise NotImplementedError


class TimeViewBox(AcrossViewBox):
    """Seconds; dragging chooses a range of them."""

    rangeDragged = Signal(float, float, bool)  #: from, to, whether the mouse was let go

    def __init__(self) -> None:
        super().__init__()
        self.setRange(yRange=(0, 1), padding=0)

    def bound(self, end: float) -> None:
        """Seconds that there are."""
        self.setLimits(xMin=-0.02 * end, xMax=1.25 * end, minXRange=min(0.02, end), maxXRange=1.27 * end)

    def dragged(self, event: Any) -> None:
        start = self.mapToView(event.buttonDownPos()).x()
        end = self.mapToView(event.pos()).x()
        self.rangeDragged.emit(min(start, end), max(start, end), event.isFinish())


class BatchViewBox(AcrossViewBox):
    """Batches; dragging chooses one."""

    scrubbed = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.setRange(xRange=(0, 16), yRange=(0, 1024), padding=0)

    def bound(self, limit: int) -> None:
        self.setLimits(xMin=-0.05 * limit, xMax=1.3 * limit, minXRange=3, maxXRange=1.35 * limit)

    def dragged(self, event: Any) -> None:
        self.scrubbed.emit(self.mapToView(event.pos()).x())


def make_view(
    box: pg.ViewBox, left: pg.AxisItem, bottom: pg.AxisItem, right: pg.AxisItem | None = None
) -> tuple[pg.GraphicsView, pg.PlotItem]:
    """A view that holds one plot. Focus and keys stay with the widget around it."""
    view = pg.GraphicsView(useOpenGL=False, background=None)
    view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    view.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
    axes = {"left": left, "bottom": bottom} | ({} if right is None else {"right": right})
    plot = pg.PlotItem(viewBox=box, axisItems=axes, enableMenu=False)
    if right is not None:
        plot.showAxis("right")
        right.unlinkFromView()  # its range is its own
    plot.hideButtons()
    plot.layout.setContentsMargins(0, 4, 2, 0)
    view.setCentralItem(plot)
    return view, plot
