"""The phases of a run: how long each took and what it did to the process's memory."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from ...domain.capture import Capture
from ...domain.measurement import Phase
from ...domain.plain_text import plain
from ...domain.units import format_exact, format_seconds
from ..labels import label, set_tip
from .mini_table import MiniRow, MiniTable

_COLUMNS = ("phase", "time", "before", "peak", "after", "anon", "file")
#: Each can be reckoned from the others.
_OPTIONAL = (6, 2, 5)
_UNKNOWN = "–"
_WORDS = (
    "Measured on the device. before, after: resident memory at the borders of the phase;\n"
    "anon, file: the anonymous and the file-backed part of it at the end.\n"
    "peak: the kernel's own high-water mark (VmHWM), reset before each phase, good to about 1 MiB."
)


def _size(value: int | None) -> str:
    """In MiB, as the title says."""
    return _UNKNOWN if value is None else f"{value / 1024**2:,.1f}"


def _row(phase: Phase, highest: int | None) -> MiniRow:
    peak = _size(phase.rss_peak)
    if phase.rss_peak is not None and phase.rss_peak == highest:
        peak = f"▲ {peak}"
    sizes = (phase.rss_before, phase.rss_peak, phase.rss_after, phase.anon_after, phase.file_after)
    names = ("resident before", "peak", "resident after", "anonymous after", "file-backed after")
    words = "\n".join(f"{n}: {format_exact(v)}" for n, v in zip(names, sizes, strict=True))
    return MiniRow(
        (
            plain(phase.name, 40),
            format_seconds(phase.seconds),
            _size(phase.rss_before),
            peak,
            _size(phase.rss_after),
            _size(phase.anon_after),
            _size(phase.file_after),
        ),
        phase.name,
        tip=f"{plain(phase.name, 40)}, measured\n{words}",
    )


class PhasesPanel(QWidget):
    """All figures are measured; the peak is the kernel's own mark (VmHWM), reset before each phase."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = MiniTable(
            _COLUMNS, range(1, len(_COLUMNS)), name="Phases of the run", optional=_OPTIONAL
        )
        self._rule = label("", "small", wrap=True)
        set_tip(self, _WORDS)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(label("Phases: resident memory in MiB", "title"))
        column.addWidget(self.table, 1)
        column.addWidget(self._rule)

    def set_capture(self, capture: Capture | None) -> None:
        phases = capture.phases if capture is not None else ()
        highest = max((p.rss_peak for p in phases if p.rss_peak is not None), default=None)
        self.table.set_rows([_row(p, highest) for p in phases])
        self._rule.setText(
            "▲ the highest peak (VmHWM, good to about 1 MiB)" if phases else "This run has no phases."
        )
