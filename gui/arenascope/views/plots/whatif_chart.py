"""The curve over all batches: what is planned and predicted, what was measured, and where the board ends.

x is the batch (samples of one invoke), y bytes. Dragging or a click sets the batch, the wheel zooms the
batches at the cursor, Shift and dragging pans, a double click shows all. Keys: Left/Right the next batch
(Shift: ten positions), Home/End the first and the last of the curve, L the largest that fits, + and - zoom,
F or 0 show everything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ...domain.units import format_bytes
from ...qtmodels.batch_scale import LARGEST, STOPS, position
from ...qtmodels.whatif_curve import Curve
from ..palette import mix
from ..theme import Theme
from .axes import BatchAxis, BytesAxis, GridLines
from .curve_item import CurveItem, CurvePoints
from .curve_overlay import CurveOverlay
from .legend import Legend, LegendEntry
from .picture import paint_plot, picture_size, settle, to_image, to_svg
from .plot_panel import PlotPanel
from .plot_view import BatchViewBox, make_view

#: A limit this many times above everything else is named at the edge and not drawn to scale.
_TOO_FAR = 3.0


class WhatIfChart(PlotPanel):
    batchChosen = Signal(int)
    largestAsked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._fitted = True
        self._curve: Curve | None = None
        self._title = "What-if"
        self.setAccessibleName("Curve of batches")
        self._box = BatchViewBox()
        self._bytes, self._batches = BytesAxis("bytes"), BatchAxis()
        self._view, self._plot = make_view(self._box, self._bytes, self._batches)
        self._grid = GridLines(self._box, self._bytes)
        self._item = CurveItem(self._box, theme, self.font())
        self._overlay = CurveOverlay(self._box, theme, self.font())
        self._legend = Legend(theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._legend)
        column.addWidget(self._view, 1)
        self._box.sigRangeChanged.connect(self._moved)
        self._box.sigResized.connect(self._refit)
        self._box.sigRangeChangedManually.connect(self._moved_by_hand)
        self._box.scrubbed.connect(self._scrubbed)
        scene = self._view.scene()
        scene.sigMouseMoved.connect(self._mouse_moved)
        scene.sigMouseClicked.connect(self._mouse_clicked)
        self._view.installEventFilter(self)
        self.setMinimumHeight(self.fontMetrics().height() * 8)
        self.set_theme(theme)

    # -- public -------------------------------------------------------------------------------

    @property
    def graphics(self) -> pg.GraphicsView:
        return self._view

    @property
    def view_box(self) -> BatchViewBox:
        return self._box

    @property
    def plot(self) -> pg.PlotItem:
        return self._plot

    @property
    def points(self) -> CurvePoints | None:
        return self._item.points

    @property
    def chip_text(self) -> str:
        return self._overlay.chip

    @property
    def hover_words(self) -> list[str]:
        return [text for text, _ in self._overlay.words]

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        font = self.font()
        self._view.setBackground(theme.panel)
        for axis in (self._bytes, self._batches):
            axis.restyle(theme, font)
        self._grid.restyle(theme)
        self._item.restyle(theme, font)
        self._overlay.restyle(theme, font)
        self._legend.set_theme(theme)
        self._tell_legend()

    def set_curve(self, curve: Curve, points: CurvePoints, title: str) -> None:
        """What is known now. Whoever sees all of it goes on to do so; a zoom stays."""
        longer = self._item.points is None or self._item.points.limit != points.limit
        self._curve, self._title = curve, title
        self._box.bound(points.limit)
        self._item.set_points(points)
        if longer and self._fitted:
            self.fit()
        self._fit_height()
        self._tell_legend()
        self._describe()

    def set_batch(self, batch: int | None, pending: bool) -> None:
        """The present one; ``pending``: its plan is being made."""
        self._overlay.batch = batch
        chip = "" if batch is None else f"batch {batch:,}"
        self._overlay.chip = f"{chip} …" if pending and chip else chip
        self._overlay.update()
        self._describe()

    def fit(self) -> None:
        points = self._item.points
        self._fitted = True
        if points is not None:
            self._box.setRange(xRange=(0, points.limit * 1.06), padding=0)
            self._fit_height()

    def render_image(self, scale: float = 1.0) -> QImage:
        """The curve with its title and legend, without what only the mouse shows."""
        return to_image(self._paint_picture, picture_size(self), scale, self._theme.panel)

    def render_svg(self, path: Path) -> None:
        to_svg(self._paint_picture, picture_size(self), path, self._theme.panel, self._title)

    # -- following ----------------------------------------------------------------------------

    def _fit_height(self) -> None:
        """From 0 to a little above everything in view; a limit that is far away does not flatten it."""
        points, rect = self._item.points, self._box.rect()
        if points is None or rect.height() < 2:
            return
        low, high = self._box.viewRange()[0]
        seen = (points.batch >= low) & (points.batch <= high)
        values = [points.arena[seen], points.high[seen]]
        values += [np.array([d.arena, d.peak], np.float64) for d in points.dots if low <= d.batch <= high]
        known = np.concatenate(values) if values else np.zeros(0)
        top = float(np.nanmax(known, initial=0.0)) if len(known) else 0.0
        if points.room is not None and points.room[1] <= _TOO_FAR * max(top, 1.0):
            top = max(top, points.room[1])
        band = min(self._overlay.band + 6, rect.height() / 3)
        top = max(top, 1024.0) * rect.height() / (rect.height() - band)
        if abs(self._box.viewRange()[1][1] - top) > 1e-6 * top:
            self._box.setRange(yRange=(0, top), padding=0)

    def _moved(self) -> None:
        self._fit_height()
        self._item.place()
        self._grid.update()
        self._overlay.update()

    def _refit(self) -> None:
        if self._fitted:
            self.fit()
        self._moved()

    def _moved_by_hand(self) -> None:
        self._fitted = False

    def _tell_legend(self) -> None:
        points = self._item.points
        entries = [LegendEntry("planned arena", self._item.arena_color, tip="The arena, to the byte: a line")]
        if points is not None and not np.isnan(points.high).all():
            band = mix(self._theme.panel, self._item.peak_color, 0.26)
            entries.append(LegendEntry("predicted peak", self._item.peak_color, tip="What is likely"))
            entries.append(LegendEntry("range", band, tip="From low to high"))
        if points is not None and points.refused_from is not None:
            entries.append(LegendEntry("refused", self._theme.muted, hatched=True))
        note = "● measured" if points is not None and points.dots else ""
        self._legend.set_entries("", tuple(entries), note)

    def _describe(self) -> None:
        points = self._item.points
        words = [self.chip_text]
        if points is not None and points.largest is not None and points.exact:
            words.append(f"the largest batch that fits, planned, is {points.largest:,}")
        self.setAccessibleDescription(". ".join(w for w in words if w))

    # -- mouse and keys -----------------------------------------------------------------------

    def _choose(self, batch: float) -> None:
        self.batchChosen.emit(min(max(1, round(batch)), LARGEST))

    def _scrubbed(self, batch: float) -> None:
        self._choose(batch)

    def _mouse_clicked(self, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton or event.isAccepted():
            return
        if not self._box.sceneBoundingRect().contains(event.scenePos()):
            return
        if event.double():
            self.fit()
        else:
            self._choose(self._box.mapSceneToView(event.scenePos()).x())

    def _mouse_moved(self, scene_position: QPointF) -> None:
        self._overlay.hover, self._overlay.words = None, []
        curve = self._curve
        if curve is not None and self._box.sceneBoundingRect().contains(scene_position):
            batch = curve.nearest(self._box.mapSceneToView(scene_position).x())
            if batch is not None:
                self._overlay.hover = float(batch)
                self._overlay.words = self._words_of(curve, batch)
        self._overlay.update()

    def _words_of(self, curve: Curve, batch: int) -> list[tuple[str, QColor]]:
        forecast = curve.get(batch)
        assert forecast is not None
        text = self._theme.text
        words = [(f"batch {batch:,}: {forecast.verdict.fit.value}", text)]
        words.append((f"arena {format_bytes(forecast.plan.totals.arena_rw)} planned", self._item.arena_color))
        if forecast.prediction is not None:
            peak = forecast.prediction.peak
            sizes = " – ".join(format_bytes(size) for size in (peak.low, peak.likely, peak.high))
            words.append((f"peak {sizes}", self._item.peak_color))
        points = self._item.points
        for dot in points.dots if points is not None else ():
            if dot.batch == batch:
                said = f"measured: arena {format_bytes(dot.arena)}, peak {format_bytes(dot.peak)}"
                words.append((said, text))
        return words

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ten = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        points = self._item.points
        match event.key():
            case Qt.Key.Key_Left if not alt:
                self._step(-ten)
            case Qt.Key.Key_Right if not alt:
                self._step(ten)
            case Qt.Key.Key_Home:
                self._choose(1)
            case Qt.Key.Key_End if points is not None:
                self._choose(points.limit)
            case Qt.Key.Key_L:
                self.largestAsked.emit()
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self._zoom(0.7)
            case Qt.Key.Key_Minus:
                self._zoom(1 / 0.7)
            case Qt.Key.Key_F | Qt.Key.Key_0:
                self.fit()
            case _:
                super().keyPressEvent(event)

    def _step(self, by: int) -> None:
        batch = self._overlay.batch or 1
        at = position(batch)
        if by < 0 or STOPS[at] <= batch:
            at += by
        self._choose(STOPS[min(max(at, 0), len(STOPS) - 1)])

    def _zoom(self, factor: float) -> None:
        self._fitted = False
        self._box.zoom_about(self._overlay.batch, factor)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._overlay.hover, self._overlay.words = None, []
            self._overlay.update()
        return super().eventFilter(watched, event)

    def mark_focus(self, focused: bool) -> None:
        self._overlay.focused = focused
        self._overlay.update()

    # -- pictures -----------------------------------------------------------------------------

    def _paint_picture(self, painter: QPainter) -> None:
        settle(self)
        hover, self._overlay.hover = self._overlay.hover, None
        paint_plot(painter, picture_size(self), self._title, self._legend, self._view, self._theme)
        self._overlay.hover = hover
