"""The live chart: the worker's resident memory and the board's available memory over a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from ...domain.capture import Capture
from ..theme import Theme


class LiveChart(QWidget):
    """One combined chart: worker RSS on the left axis, available memory of the board on the right one."""

    markerClicked = Signal(str)  #: name of a phase
    secondClicked = Signal(float)
    rangeSelected = Signal(float, float)
    pausedChanged = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)

    def set_theme(self, theme: Theme) -> None: ...

    def set_capture(self, capture: Capture | None) -> None:
        """Show the samples and phases of a finished run."""

    def clear(self) -> None:
        """A new run begins."""

    def add_samples(
        self, t: Sequence[float], rss: Sequence[int | None], available: Sequence[int | None]
    ) -> None: ...

    def add_phase(self, name: str, t: float) -> None: ...

    def add_gap(self, t: float) -> None:
        """The link was lost at ``t``."""

    @property
    def paused(self) -> bool:
        return False

    def set_paused(self, paused: bool) -> None:
        """Freeze the view; recording goes on."""

    def toggle_pause(self) -> None: ...

    def fit(self) -> None: ...

    def clear_range(self) -> None: ...

    def render_image(self, scale: float = 1.0) -> QImage:
        return QImage()

    def render_svg(self, path: Path) -> None: ...
