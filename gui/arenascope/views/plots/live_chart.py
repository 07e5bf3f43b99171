"""The live chart: the worker's resident memory and the board's available memory over a run.

Both share the time axis; the worker reads on the left axis, the board on the right one, each from 0. The
wheel zooms time, dragging chooses a range (Shift or another button: pans), a click chooses a second, a
click on a diamond opens its phase. Keys: Space pauses the view (recording goes on), Left/Right move the
chosen second (Shift: ten times as far, Ctrl: take the range along), [ and ] go from phase to phase, Enter
asks who held memory then, + and - zoom, F or 0 show everything, Esc clears.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QAction, QColor, QImage, QKeyEvent, QPainter, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ...domain.capture import Capture
from ...domain.plain_text import plain
from ...domain.units import format_bytes
from ...qtmodels.run_curves import RunCurves
from ..empty_state import EmptyState
from ..theme import Theme
from .away_region import AwayRegion
from .axes import BytesAxis, GridLines, SecondsAxis
from .legend import Legend, LegendEntry
from .live_header import LiveHeader
from .live_overlay import LiveOverlay
from .live_words import moment_words, range_deltas, range_words
from .phase_markers import Marker, PhaseMarkers
from .picture import paint_plot, picture_size, settle, to_image, to_svg
from .plot_panel import PlotPanel
from .plot_view import TimeViewBox, make_view
from .trace_item import TraceItem

#: Channel → what it is, in the legend.
SERIES = {"rss": "worker resident", "available": "board available"}
#: While less has happened, the axis shows this many seconds.
_SHORTEST = 5.0
#: Ceiling of each axis over the largest value in view; two flat curves do not lie on each other.
_HEADROOM = {"rss": 1.25, "available": 1.06}


class LiveChart(PlotPanel):
    """One combined chart of one run, live or recorded."""

    markerClicked = Signal(str)  #: name of a phase
    secondClicked = Signal(float)
    rangeSelected = Signal(float, float)
    rangeCleared = Signal()
    pausedChanged = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._curves = RunCurves()
        self._until: dict[str, int] | None = None  # rows of each curve that a paused view shows
        self._following = True
        self._shown_end = _SHORTEST
        self._now = 0.0  # as far as time is known to have gone on, with samples or without
        self._away = False
        self._title = "Live"
        self.setAccessibleName("Live memory chart")

        self._box = TimeViewBox()
        self._axes = {
            "rss": BytesAxis("worker resident"),
            "available": BytesAxis("board available", "right"),
        }
        self._seconds = SecondsAxis()
        self._view, self._plot = make_view(
            self._box, self._axes["rss"], self._seconds, self._axes["available"]
        )
        self._grid = GridLines(self._box, self._axes["rss"])
        self._traces = {
            "available": TraceItem(self._box, filled=False),
            "rss": TraceItem(self._box, filled=True),
        }
        self._region = AwayRegion(self._box, theme, self.font())
        self._markers = PhaseMarkers(self._box, theme, self.font())
        self._overlay = LiveOverlay(self._box, theme, self.font())
        self._empty = EmptyState()
        self._header = LiveHeader(SERIES)
        self._build()
        self.set_theme(theme)
        self.clear()

    # -- public -------------------------------------------------------------------------------

    @property
    def curves(self) -> RunCurves:
        """What was recorded: "rss" and "available"."""
        return self._curves

    @property
    def graphics(self) -> pg.GraphicsView:
        """The widget that draws, for benchmarks and pixel probes."""
        return self._view

    @property
    def view_box(self) -> TimeViewBox:
        return self._box

    @property
    def plot(self) -> pg.PlotItem:
        return self._plot

    @property
    def markers(self) -> tuple[Marker, ...]:
        return self._markers.markers

    @property
    def selected_range(self) -> tuple[float, float] | None:
        return self._overlay.range

    @property
    def selected_second(self) -> float | None:
        return self._overlay.second

    @property
    def range_text(self) -> str:
        """Start, end and difference of the chosen range, in words; empty without one."""
        return self._header.range_text

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        font = self.font()
        self._view.setBackground(theme.panel)
        colors = self._colors()
        for key, axis in self._axes.items():
            axis.restyle(theme, font)
            axis.setTextPen(colors[key])
            axis.label.setDefaultTextColor(colors[key])
            self._traces[key].set_color(colors[key], theme.panel)
        self._header.set_colors(colors, theme)
        self._seconds.restyle(theme, font)
        self._grid.restyle(theme)
        self._region.restyle(theme, font)
        self._markers.restyle(theme, font)
        self._overlay.restyle(theme, font)
        self._refresh()

    def _colors(self) -> dict[str, QColor]:
        return {key: self._theme.charts[number] for number, key in enumerate(SERIES)}

    def set_empty_action(self, action: QAction | None) -> None:
        """The button of the empty view."""
        self._empty.set_action(action)

    def set_capture(self, capture: Capture | None) -> None:
        """Show the samples and phases of a finished run."""
        self.clear()
        if capture is None:
            return
        samples = capture.samples
        self._title = plain(capture.model.name, 60)
        self._curves.append(samples.t, samples.rss, samples.available)
        markers = [Marker(p.name, p.start) for p in capture.phases if p.start is not None]
        if not capture.outcome.ok and samples.t:
            markers.append(Marker(capture.outcome.status.value, samples.t[-1], failed=True))
        self._markers.set_markers(markers)
        self._changed()
        self.fit()

    def clear(self) -> None:
        """A new run begins: nothing recorded, nothing chosen, the view follows."""
        self._curves.clear()
        self._markers.set_markers([])
        self._overlay.range = self._overlay.second = self._overlay.hover = None
        self._until, self._following = None, True
        self._now, self._away = 0.0, False
        self._title = "Live"
        self._show_range()
        self._header.set_paused(self.paused)
        self._changed()
        self.fit()

    def add_samples(
        self, t: Sequence[float], rss: Sequence[float | None], available: Sequence[float | None]
    ) -> None:
        """Seconds since the start of the run, and bytes; ``RunCurves`` says what None means."""
        self._curves.append(t, rss, available)
        self._changed()

    def add_phase(self, name: str, t: float) -> None:
        self._markers.set_markers([*self._markers.markers, Marker(name, t)])
        self._changed()

    def add_gap(self, t: float) -> None:
        """Nothing was recorded from ``t`` on, and nothing will be."""
        self._curves.add_gap(t)
        self._changed()

    def set_away(self, now: float | None) -> None:
        """The device cannot be reached, and its time is about ``now``; None: it can be again.

        No line is drawn over that time and no sample is refused: those that were missed may still come.
        """
        self._away = now is not None
        self._now = max(self._now, now or 0.0)
        self._changed()

    @property
    def away(self) -> tuple[float, float] | None:
        """From the last sample until now, as it is drawn; None while the device can be reached."""
        return self._region.span

    @property
    def paused(self) -> bool:
        return self._until is not None

    def set_paused(self, paused: bool) -> None:
        """Freeze the view; recording goes on."""
        if paused == self.paused:
            return
        self._until = {key: len(curve) for key, curve in self._curves.items()} if paused else None
        self._header.set_paused(self.paused)
        self._changed()
        self.pausedChanged.emit(paused)

    def toggle_pause(self) -> None:
        self.set_paused(not self.paused)

    def fit(self) -> None:
        """Show the whole run, and follow it while it grows."""
        self._following = True
        self._box.setRange(xRange=(0, self._end()), padding=0)
        self._refresh()

    def set_range(self, t0: float, t1: float) -> None:
        """Choose a range: its start, end and difference are shown until it is cleared."""
        self._overlay.range = (min(t0, t1), max(t0, t1))
        self._show_range()
        self._overlay.update()
        self.rangeSelected.emit(*self._overlay.range)

    def clear_range(self) -> None:
        if self._overlay.range is not None:
            self._overlay.range = None
            self._show_range()
            self._overlay.update()
            self.rangeCleared.emit()

    def set_visible(self, series: str, shown: bool) -> None:
        """Show or hide "rss" or "available"."""
        self._header.set_shown(series, shown)

    def look_as(self, other: LiveChart) -> None:
        """Show the same stretch, range and curves as ``other``, for a picture of other data."""
        for key in SERIES:
            self._header.set_shown(key, other._header.shows(key))
        self._overlay.range, self._overlay.second = other.selected_range, other.selected_second
        self._show_range()
        self._following = False
        self._box.setRange(xRange=other.view_box.viewRange()[0], padding=0)
        self._refresh()

    def render_image(self, scale: float = 1.0) -> QImage:
        """The chart with its legend, without controls and what only the mouse shows."""
        return to_image(self._paint_picture, picture_size(self), scale, self._theme.panel)

    def render_svg(self, path: Path) -> None:
        title = f"Memory over time: {self._title}"
        to_svg(self._paint_picture, picture_size(self), path, self._theme.panel, title)

    # -- building -----------------------------------------------------------------------------

    def _build(self) -> None:
        self._header.pauseAsked.connect(self.set_paused)
        self._header.fitAsked.connect(self.fit)
        self._header.clearRangeAsked.connect(self.clear_range)
        self._header.seriesChanged.connect(self._refresh)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._header)
        column.addWidget(self._view, 1)
        column.addWidget(self._empty, 1)
        for axis in self._axes.values():
            axis.unlinkFromView()  # the curves are scaled to what is seen; the axes are told
        self._box.sigXRangeChanged.connect(self._refresh)
        self._box.sigResized.connect(self._refresh)
        self._box.sigRangeChangedManually.connect(self._moved_by_hand)
        self._box.rangeDragged.connect(self._dragged)
        self._view.scene().sigMouseMoved.connect(self._mouse_moved)
        self._view.scene().sigMouseClicked.connect(self._mouse_clicked)
        self._view.installEventFilter(self)

    # -- following the run --------------------------------------------------------------------

    def _end(self) -> float:
        """Seconds that there are to show."""
        return max([self._curves.end or 0.0, self._now, *(m.t for m in self._markers.markers)]) or _SHORTEST

    def _changed(self) -> None:
        """New data: move the view along if it follows, then draw."""
        something = self._curves.samples > 0 or bool(self._markers.markers) or self._away
        self._view.setVisible(something)
        self._empty.setVisible(not something)
        self._empty.say("Nothing recorded yet", "Inspect a model or watch a board: its memory is drawn here.")
        end = self._end()
        self._box.bound(end)
        low, high = self._box.viewRange()[0]
        if not self.paused:
            self._region.span = (self._curves.end or 0.0, self._now) if self._away else None
            self._region.update()
            if self._following:
                self._box.setRange(xRange=(0, end), padding=0)
            elif high >= self._shown_end - 1e-6 * (high - low) and end > self._shown_end:
                shift = end - self._shown_end
                self._box.setRange(xRange=(low + shift, high + shift), padding=0)
            self._shown_end = end
        self._show_values()
        self._refresh()

    def _moved_by_hand(self) -> None:
        self._following = False

    def _refresh(self) -> None:
        """Prepare both curves for the range, size and choice of series that there are now."""
        rect = self._box.rect()
        if rect.width() < 2 or rect.height() < 2:
            return
        low, high = self._box.viewRange()[0]
        self._markers.place()
        band = min(self._markers.band, rect.height() / 3)
        for key, trace in self._traces.items():
            shown = self._header.shows(key)
            trace.set_shown(shown)
            self._axes[key].setVisible(shown)
            until = None if self._until is None else self._until[key]
            t, y = self._curves[key].view(low, high, int(rect.width()), until)
            known = y[~np.isnan(y)]
            ceiling = float(known.max()) * _HEADROOM[key] if len(known) and known.max() > 0 else 1024.0
            trace.set_points(t, y, ceiling, band)
            self._axes[key].setRange(0, ceiling * rect.height() / (rect.height() - band))
        self._grid.update()
        self._overlay.update()

    def _show_values(self) -> None:
        values = {
            key: format_bytes(None if (last := curve.last()) is None else int(last))
            for key, curve in self._curves.items()
        }
        count = self._curves.samples
        waiting = 0 if self._until is None else count - max(self._until.values())
        paused = f"view paused · {waiting:,} new samples recorded"
        lost = "no connection, trying again" if self._away else ""
        self._header.set_values(values, paused if self.paused else lost or f"{count:,} samples")

    def _show_range(self) -> None:
        chosen = self._overlay.range
        if chosen is None:
            self._header.set_range("", "")
        else:
            self._header.set_range(range_deltas(self._curves, *chosen), range_words(self._curves, *chosen))

    # -- mouse and keys -----------------------------------------------------------------------

    def _dragged(self, t0: float, t1: float, finished: bool) -> None:
        self._overlay.hover = None
        self._overlay.range = (t0, t1)
        self._show_range()
        self._overlay.update()
        if finished:
            self.rangeSelected.emit(t0, t1)

    def _mouse_moved(self, scene_position: QPointF) -> None:
        inside = self._box.sceneBoundingRect().contains(scene_position)
        t = self._box.mapSceneToView(scene_position).x()
        known = inside and 0 <= t <= self._end() and self._curves.samples > 0
        self._overlay.hover = t if known else None
        self._overlay.words = []
        if known:
            words = moment_words(self._curves, t, SERIES, self._colors(), self._theme.text)
            self._overlay.words = words
        over = inside and self._markers.hit(self._box.mapFromScene(scene_position)) is not None
        self._view.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)
        self._overlay.update()

    def _mouse_clicked(self, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton or event.isAccepted():
            return
        if not self._box.sceneBoundingRect().contains(event.scenePos()):
            return
        if event.double():
            self.fit()
            return
        marker = self._markers.hit(self._box.mapFromScene(event.scenePos()))
        if marker is not None:
            self.markerClicked.emit(marker.name)
            return
        self.choose_second(self._box.mapSceneToView(event.scenePos()).x())

    def choose_second(self, t: float) -> None:
        """Mark a moment and tell who wants to know what held memory then."""
        self._overlay.second = min(max(0.0, t), self._end())
        self._overlay.update()
        self.secondClicked.emit(self._overlay.second)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        match event.key():
            case Qt.Key.Key_Space:
                self.toggle_pause()
            case Qt.Key.Key_Left if not alt:
                self._move_second(-10 if shift else -1, control)
            case Qt.Key.Key_Right if not alt:
                self._move_second(10 if shift else 1, control)
            case Qt.Key.Key_BracketLeft:
                self._go_to_marker(-1)
            case Qt.Key.Key_BracketRight:
                self._go_to_marker(1)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter if self._overlay.second is not None:
                self.secondClicked.emit(self._overlay.second)
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self._zoom(0.7)
            case Qt.Key.Key_Minus:
                self._zoom(1 / 0.7)
            case Qt.Key.Key_F | Qt.Key.Key_0:
                self.fit()
            case Qt.Key.Key_Escape if self.selected_range or self.selected_second is not None:
                self.clear_range()
                self._overlay.second = None
                self._overlay.update()
            case _:
                super().keyPressEvent(event)

    def _move_second(self, steps: int, with_range: bool) -> None:
        low, high = self._box.viewRange()[0]
        before = self._overlay.second if self._overlay.second is not None else (low + high) / 2
        now = min(max(0.0, before + steps * (high - low) / 200), self._end())
        self._overlay.second = now
        if with_range:
            chosen = self._overlay.range
            anchor = before if chosen is None else (chosen[0] if chosen[1] == before else chosen[1])
            self.set_range(anchor, now)
        self._overlay.update()

    def _go_to_marker(self, by: int) -> None:
        times = [m.t for m in self._markers.markers]
        now = self._overlay.second if self._overlay.second is not None else -1.0
        ahead = [t for t in times if t > now] if by > 0 else [t for t in reversed(times) if t < now]
        if ahead:
            self.choose_second(ahead[0])

    def _zoom(self, factor: float) -> None:
        self._following = False
        self._box.zoom_about(self._overlay.second, factor)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._overlay.hover = None
            self._overlay.update()
        return super().eventFilter(watched, event)

    def mark_focus(self, focused: bool) -> None:
        self._overlay.focused = focused
        self._overlay.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._refresh()

    # -- pictures -----------------------------------------------------------------------------

    def _paint_picture(self, painter: QPainter) -> None:
        settle(self)
        legend = Legend(self._theme)
        legend.setFont(self.font())
        shown = {key: color for key, color in self._colors().items() if self._header.shows(key)}
        legend.set_entries("", tuple(LegendEntry(self._header.words(k), c) for k, c in shown.items()))
        hover, self._overlay.hover = self._overlay.hover, None
        title = f"Memory over time: {self._title}"
        paint_plot(painter, picture_size(self), title, legend, self._view, self._theme)
        self._overlay.hover = hover
