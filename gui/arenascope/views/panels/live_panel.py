"""Live: the chart of a run or of a watched board, and beside it what a second or a range says."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from ...domain.capture import Capture
from ...domain.measurement import BoardSample, Phase, Samples, TopProcesses
from ...domain.plain_text import plain
from ...domain.units import format_bytes, format_exact, format_seconds
from ..actions import Actions
from ..grab import grab, grab_svg
from ..labels import label
from ..plots.live_chart import LiveChart
from ..theme import Theme
from .mini_table import MiniRow, MiniTable


class LivePanel(QWidget):
    """Shows one recording: the run that goes on, a watch, or the samples of a capture."""

    def __init__(self, actions: Actions, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chart = LiveChart(theme)
        self.chart.setMinimumWidth(self.fontMetrics().averageCharWidth() * 55)
        self._t: list[float] = []
        self._rss: list[int | None] = []
        self._available: list[int | None] = []
        self._top: list[TopProcesses] = []
        self._phases: dict[str, Phase] = {}
        self.chart.secondClicked.connect(self.show_second)
        self.chart.rangeSelected.connect(self.show_range)
        self.chart.markerClicked.connect(self.show_phase)

        side = QFrame()
        side.setMinimumWidth(self.fontMetrics().averageCharWidth() * 26)
        side.setMaximumWidth(self.fontMetrics().averageCharWidth() * 44)
        column = QVBoxLayout(side)
        column.setContentsMargins(8, 0, 0, 0)
        column.setSpacing(6)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        watch = QToolButton()
        watch.setDefaultAction(actions["watch"])
        watch.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        buttons.addWidget(watch)
        buttons.addStretch(1)
        self._reset = QPushButton("Reset range")
        self._reset.setProperty("role", "flat")
        self._reset.clicked.connect(self.chart.clear_range)
        self._reset.clicked.connect(self.show_nothing)
        column.addLayout(buttons)
        self._title = label("", "title", wrap=True)
        self._note = label("", "muted", wrap=True)
        self._table = MiniTable(("", "start", "end", "difference"), (1, 2, 3), name="The chosen range")
        self._processes = MiniTable(("process", "resident"), (1,), name="Processes that held memory then")
        for widget in (self._title, self._note, self._table):
            column.addWidget(widget)
        column.addWidget(self._processes, 1)
        column.addWidget(self._reset, 0, Qt.AlignmentFlag.AlignLeft)
        self._filler = QWidget()
        column.addWidget(self._filler, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 6, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.chart, 1)
        row.addWidget(side)
        self.show_nothing()

    def set_empty_action(self, action: QAction | None) -> None:
        self.chart.set_empty_action(action)

    def set_theme(self, theme: Theme) -> None:
        self.chart.set_theme(theme)

    # -- what is recorded -------------------------------------------------------------------------

    def set_capture(self, capture: Capture | None) -> None:
        self._forget()
        if capture is not None:
            samples = capture.samples
            self._t, self._rss = list(samples.t), list(samples.rss)
            self._available, self._top = list(samples.available), list(samples.processes)
            self._phases = {p.name: p for p in capture.phases}
        self.chart.set_capture(capture)
        self.show_nothing()

    def begin(self) -> None:
        """A run or a watch starts: what was shown gives way."""
        self._forget()
        self.chart.clear()
        self.show_nothing()

    def add_samples(self, samples: Samples) -> None:
        self._t += samples.t
        self._rss += samples.rss
        self._available += samples.available
        self.chart.add_samples(samples.t, samples.rss, samples.available)

    def add_board_sample(self, sample: BoardSample) -> None:
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

    # -- what is asked ----------------------------------------------------------------------------

    def show_nothing(self) -> None:
        self._title.setText("Read the curve")
        self._note.setText(
            "Click a second to see which processes held memory then. Drag a range for its start, end and "
            "difference. Click a marker for its phase."
        )
        self._table.hide()
        self._processes.hide()
        self._reset.hide()
        self._filler.show()

    def show_second(self, t: float) -> None:
        at = self._at(t)
        if at is None:
            return
        self._title.setText(f"At {format_seconds(self._t[at])}")
        known = [
            f"worker {format_bytes(self._rss[at])}" if self._rss[at] is not None else "",
            f"available {format_bytes(self._available[at])}" if self._available[at] is not None else "",
        ]
        self._note.setText("\n".join(k for k in known if k) or "A gap: nothing was read here.")
        top = next((x for x in reversed(self._top) if x.t <= t), self._top[0] if self._top else None)
        self._table.hide()
        self._reset.hide()
        self._processes.setVisible(top is not None)
        self._filler.setVisible(top is None)
        if top is not None:
            self._processes.set_rows([
                MiniRow((plain(p.name, 60), format_bytes(p.rss)), tip=f"pid {p.pid}\n{format_exact(p.rss)}")
                for p in top.processes
            ])  # fmt: skip

    def show_range(self, start: float, end: float) -> None:
        first, last = self._at(start), self._at(end)
        if first is None or last is None:
            return
        self._title.setText(f"{format_seconds(self._t[first])} to {format_seconds(self._t[last])}")
        self._note.setText(f"{last - first + 1} samples in {format_seconds(self._t[last] - self._t[first])}")
        rows = [
            MiniRow(
                (name, format_bytes(curve[first]), format_bytes(curve[last]), _difference(curve, first, last))
            )
            for name, curve in (("worker", self._rss), ("available", self._available))
        ]
        self._table.set_rows(rows)
        self._table.setFixedHeight(self._table.full_height())
        self._table.show()
        self._processes.hide()
        self._reset.show()
        self._filler.show()

    def show_phase(self, name: str) -> None:
        phase = self._phases.get(name)
        self._title.setText(plain(name, 60))
        self._table.hide()
        self._processes.hide()
        self._reset.hide()
        self._filler.show()
        if phase is None:
            self._note.setText("This phase has not ended yet.")
            return
        self._note.setText(
            f"took {format_seconds(phase.seconds)}\n"
            f"resident before: {format_bytes(phase.rss_before)}\n"
            f"peak: {format_bytes(phase.rss_peak)}\n"
            f"resident after: {format_bytes(phase.rss_after)}\n"
            f"of it anonymous: {format_bytes(phase.anon_after)}\n"
            f"of it file-backed: {format_bytes(phase.file_after)}\n"
            "measured"
        )

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


def _difference(curve: list[int | None], first: int, last: int) -> str:
    start, end = curve[first], curve[last]
    if start is None or end is None:
        return "unknown"
    return ("+" if end >= start else "−") + format_bytes(abs(end - start))
