"""The one search: its text, the tensors it finds, or the words of why it cannot be read."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from ..domain.alive import Key
from ..domain.capture import Capture
from ..domain.search import QueryError, parse_query


class SearchState(QObject):
    """``keys`` is None while nothing is searched: then every tensor counts as found.

    A query that cannot be read finds everything too, and says why in ``error``: a slip of the pen must
    not empty the views.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._capture: Capture | None = None
        self._text = ""
        self._keys: frozenset[Key] | None = None
        self._error = ""

    @property
    def text(self) -> str:
        return self._text

    @property
    def keys(self) -> frozenset[Key] | None:
        return self._keys

    @property
    def error(self) -> str:
        return self._error

    @property
    def active(self) -> bool:
        return self._keys is not None

    @property
    def count(self) -> int:
        return self.total if self._keys is None else len(self._keys)

    @property
    def total(self) -> int:
        return len(self._capture.layout.placements) if self._capture is not None else 0

    def set_text(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self._search()

    def set_capture(self, capture: Capture | None) -> None:
        if capture is not self._capture:
            self._capture = capture
            self._search()

    def matches(self, key: Key) -> bool:
        return self._keys is None or key in self._keys

    def neighbour(self, key: Key | None, by: int = 1) -> Key | None:
        """The match after (or before) ``key`` in the order of the model, round the end; None: no match."""
        if not self._keys:
            return None
        ordered = sorted(self._keys)
        if key in self._keys:
            return ordered[(ordered.index(key) + by) % len(ordered)]
        return ordered[0] if by > 0 else ordered[-1]

    def _search(self) -> None:
        self._keys, self._error = None, ""
        if self._text.strip():
            try:
                query = parse_query(self._text)
                if self._capture is not None:
                    self._keys = query.keys(self._capture.layout)
            except QueryError as error:
                self._error = error.message
        self.changed.emit()
