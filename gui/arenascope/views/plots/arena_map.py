"""The arena map: where every tensor lies in the arena, and for how long."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from ...domain.alive import Key
from ...domain.capture import Capture
from ...qtmodels.search_state import SearchState
from ...qtmodels.selection import Selection
from ..theme import Theme


class ArenaMap(QWidget):
    """y = offset in the arena, x = program order. One block a tensor, as long as it lives."""

    colorByChanged = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)

    def set_theme(self, theme: Theme) -> None: ...

    def set_selection(self, selection: Selection) -> None:
        """Follow ``selection`` (its capture too) and drive it."""

    def set_search(self, search: SearchState) -> None: ...

    def set_capture(self, capture: Capture | None) -> None:
        """Same as ``selection.set_capture``; for use without other views."""

    def add_header_widget(self, widget: QWidget) -> None:
        """Put a widget (the search box) at the right end of the header."""

    def set_color_by(self, rule: str) -> None:
        """"role" | "kind" | "size" | "lifetime" | "dtype"."""

    def fit(self) -> None: ...

    def fit_tensor(self, key: Key) -> None: ...

    def reset(self) -> None: ...

    def card_text(self) -> str:
        """The card of the pinned or hovered tensor as text."""
        return ""

    def render_image(self, scale: float = 1.0) -> QImage:
        """The map with its header and legend, without what only the mouse shows."""
        return QImage()

    def render_svg(self, path: Path) -> None: ...
