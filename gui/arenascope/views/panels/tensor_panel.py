"""The tensor table with its count of what the search found."""

from __future__ import annotations

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from ...domain.capture import Capture
from ...qtmodels.search_state import SearchState
from ...qtmodels.selection import Selection
from ..theme import Theme


class TensorTable(QWidget):
    """All tensors of a capture; sorted by a click on a header, filtered by the one search."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)

    def set_theme(self, theme: Theme) -> None: ...

    def set_selection(self, selection: Selection) -> None: ...

    def set_search(self, search: SearchState) -> None: ...

    def set_capture(self, capture: Capture | None) -> None: ...

    def copy_rows(self) -> str:
        """Put the selected rows on the clipboard as tab-separated text with a header, and return it."""
        return ""

    def render_image(self, scale: float = 1.0) -> QImage:
        return QImage()
