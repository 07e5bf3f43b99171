"""Live: the chart of a run or of a watched board, and a card with what a second or a range says."""

from __future__ import annotations

import time
from bisect import bisect_right
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction, QImage, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ...domain.capture import Capture
from ...domain.measurement import BoardSample, Phase, Samples, TopProcesses
from ...domain.plain_text import plain
from ...domain.units import format_bytes, format_exact, format_seconds
from ..grab import grab, grab_svg
from ..plots.live_chart import LiveChart
from ..theme import Theme
from .mini_table import MiniRow
from .moment_card import MomentCard

#: Seconds for which a reading of the board's memory stands for the moment.
_STILL_TRUE = 1.5
#: Milliseconds between two looks at the clock while a device cannot be reached.
_TICK = 200


class LivePanel(QWidget):
    """Shows one recording: the run that goes on, a watch, or the samples of a capture."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chart = LiveChart(theme)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 6, 0, 0)
        row.addWidget(self.chart)
        self.card = MomentCard(theme, self)
        self._t: list[float] = []
        self._rss: list[int | None] = []
        self._available: list[int | None] = []
        self._top: list[TopProcesses] = []
        self._phases: dict[str, Phase] = {}
        self._worker = True
        self._capture: Capture | None = None
        self._heard = 0.0  # when something came last, on this computer's clock
        self._clock = QTimer(self)
        self._clock.setInterval(_TICK)
        self._clock.timeout.connect(self._go_on)
        self.chart.secondClicked.connect(self.show_second)
        self.chart.rangeSelected.connect(self.show_range)
        self.chart.rangeCleared.connect(self.card.hide)
        self.chart.markerClicked.connect(self.show_phase)

    def set_theme(self, theme: Theme) -> None:
        self.chart.set_theme(theme)
        self.card.set_theme(theme)

    def set_empty_action(self, action: QAction | None) -> None:
        self.chart.set_empty_action(action)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.card.place()

    # -- what is recorded -------------------------------------------------------------------------

    @property
    def capture(self) -> Capture | None:
        """Whose samples are shown; None for a run that goes on and for a watch."""
        return self._capture

    def set_capture(self, capture: Capture | None) -> None:
        self._forget()
        self._capture = capture
        if capture is not None:
            samples = capture.samples
            self._t, self._rss = list(samples.t), list(samples.rss)
            self._available, self._top = list(samples.available), list(samples.processes)
            self._phases = {p.name: p for p in capture.phases}
        self._show_worker(True)
        self.chart.set_capture(capture)

    def begin(self, *, worker: bool = True) -> None:
        """A run or a watch (without a worker) starts: what was shown gives way."""
        self._forget()
        self.chart.clear()
        self._show_worker(worker)

    def _show_worker(self, shown: bool) -> None:
        """A watch has no worker, so its curve and axis would stand empty; they come back by themselves."""
        if shown != self._worker:
            self._worker = shown
            self.chart.set_visible("rss", shown)

    def end(self) -> None:
        """Nothing more comes: what was recorded stays until another capture is shown."""
        self.set_away(False)
        if self._t:
            self.chart.add_gap(self._t[-1])

    def set_away(self, away: bool) -> None:
        """The device cannot be reached: time goes on, and the samples of it come later."""
        if away:
            self._clock.start()
            self._go_on()
        elif self._clock.isActive():
            self._clock.stop()
            self.chart.set_away(None)

    def _go_on(self) -> None:
        last = self._t[-1] if self._t else 0.0
        self.chart.set_away(last + time.monotonic() - self._heard)

    def add_samples(self, samples: Samples) -> None:
        self._heard = time.monotonic()
        self._t += samples.t
        self._rss += samples.rss
        self._available += samples.available
        self.chart.add_samples(samples.t, samples.rss, samples.available)

    def add_board_sample(self, sample: BoardSample) -> None:
        self._heard = time.monotonic()
        self._t.append(sample.t)
        self._rss.append(None)
        self._available.append(sample.available)
        if sample.top:
            self._top.append(TopProcesses(sample.t, sample.top))
        self.chart.add_samples((sample.t,), (None,), (sample.available,))

    def add_phase_start(self, name: str, t: float) -> None:
        self.chart.add_phase(name, t)

    def add_phase(self, phase: Phase) -> None:
        self._phases[phase.name] = phase

    def add_processes(self, top: TopProcesses) -> None:
        self._top.append(top)

    def _forget(self) -> None:
        self._t, self._rss, self._available, self._top, self._phases = [], [], [], [], {}
        self._capture = None
        self._clock.stop()
        self._heard = time.monotonic()
        self.card.hide()

    # -- what is asked ----------------------------------------------------------------------------

    def show_second(self, t: float) -> None:
        """Who held memory at ``t`` (seconds of the recording)."""
        at = self._at(t)
        if at is None:
            return
        rss, available = self._rss[at], self._available_at(at)
        known = [
            f"worker {format_bytes(rss)}" if rss is not None else "",
            f"available {format_bytes(available)}" if available is not None else "",
        ]
        top = next((x for x in reversed(self._top) if x.t <= t), self._top[0] if self._top else None)
        rows = [
            MiniRow((plain(p.name, 60), format_bytes(p.rss)), tip=f"pid {p.pid}\n{format_exact(p.rss)}")
            for p in (top.processes if top is not None else ())
        ]
        note = " · ".join(k for k in known if k) or "A gap: nothing was read here."
        self.card.tell(f"At {format_seconds(self._t[at])}", note, left=self._late(t), processes=rows)

    def show_range(self, start: float, end: float) -> None:
        first, last = self._at(start), self._at(end)
        if first is None or last is None:
            return
        ends = (
            ("worker", self._rss[first], self._rss[last]),
            ("available", self._available_at(first), self._available_at(last)),
        )
        rows = [
            MiniRow((name, format_bytes(before), format_bytes(after), _difference(before, after)))
            for name, before, after in ends
        ]
        span = self._t[last] - self._t[first]
        self.card.tell(
            f"{format_seconds(self._t[first])} to {format_seconds(self._t[last])}",
            f"{last - first + 1} samples in {format_seconds(span)}",
            left=self._late((start + end) / 2),
            span=rows,
        )

    def show_phase(self, name: str) -> None:
        phase = self._phases.get(name)
        left = phase is not None and phase.start is not None and self._late(phase.start)
        if phase is None:
            self.card.tell(plain(name, 60), "This phase has not ended.", left=left)
            return
        sizes = (
            ("resident before", phase.rss_before),
            ("highest", phase.rss_peak),
            ("resident after", phase.rss_after),
            ("of it anonymous", phase.anon_after),
            ("of it file-backed", phase.file_after),
        )
        rows = [MiniRow((words, format_bytes(size)), tip=format_exact(size)) for words, size in sizes]
        note = f"took {format_seconds(phase.seconds)}, measured"
        self.card.tell(plain(name, 60), note, left=left, processes=rows)

    def render_image(self, scale: float = 1.0) -> QImage:
        return self.chart.render_image(scale) if self._t else grab(self, scale)

    def render_svg(self, path: Path) -> None:
        if self._t:
            self.chart.render_svg(path)
        else:
            grab_svg(self, path)

    def _at(self, t: float) -> int | None:
        """The last sample at or before ``t``; the first where none is."""
        return max(0, bisect_right(self._t, t) - 1) if self._t else None

    def _available_at(self, at: int) -> int | None:
        """The board is asked less often than the worker: the last answer counts, unless it is too old."""
        earliest = self._t[at] - _STILL_TRUE
        for index in range(at, -1, -1):
            if self._available[index] is not None or self._t[index] < earliest:
                return self._available[index]
        return None

    def _late(self, t: float) -> bool:
        return bool(self._t) and t > (self._t[0] + self._t[-1]) / 2


def _difference(start: int | None, end: int | None) -> str:
    if start is None or end is None:
        return "unknown"
    return ("+" if end >= start else "−") + format_bytes(abs(end - start))
