"""The recorded examples that come with the program: what a first start shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..errors import FileError
from ..resources import resource_path
from .documents import read_capture
from .history_model import HistoryEntry
from .session import Session

#: The first is shown, the others stand in the history.
NAMES = ("lstm", "cnn")


def recorded_for(path: Path) -> Path | None:
    """The recorded capture of an example model, where ``path`` is one."""
    try:
        folder = resource_path("examples").resolve()
        beside = path.resolve().with_suffix(".ascope")
    except (FileError, OSError):
        return None
    return beside if beside.parent == folder and beside.is_file() else None


def read_examples() -> list[HistoryEntry]:
    """Those that are there, in order. Raises StoreError for a damaged one."""
    found = []
    for name in NAMES:
        try:
            path = resource_path("examples", f"{name}.ascope")
        except FileError:
            continue
        found.append(replace(read_capture(path), example=True, path=None))
    return found


class Examples:
    """Reads the examples off the GUI thread, then shows ``first``."""

    def __init__(self, session: Session, first: str = NAMES[0]) -> None:
        self._session, self._first = session, first

    def show(self) -> None:
        self._session.documents.submit(read_examples, self._have)

    def _have(self, entries: list[HistoryEntry]) -> None:
        history = self._session.history
        there = {e.capture.model.name: e for e in history.entries if e.example}
        for entry in entries:
            if entry.capture.model.name not in there:
                there[entry.capture.model.name] = entry
                history.add_last(entry)
        shown = next((e for e in there.values() if Path(e.capture.model.name).stem == self._first), None)
        shown = shown or next(iter(there.values()), None)
        if shown is not None:
            self._session.show(shown)
