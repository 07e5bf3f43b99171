"""The captures of this sitting, newest first, as a list model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from ..domain.capture import Capture
from ..domain.measurement import Status
from ..domain.plain_text import plain
from ..domain.units import format_bytes

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, eq=False)
class HistoryEntry:
    """One capture. ``path`` is where it is kept; ``example``: it came with the program.

    ``model_path`` is the model's file, where it is known: with it the run can be repeated.
    """

    capture: Capture
    path: Path | None = None
    model_path: Path | None = None
    example: bool = False

    @property
    def saved(self) -> bool:
        return self.path is not None


def time_text(capture: Capture) -> str:
    """'14:03' in local time; '' where the capture does not say when it was made."""
    if capture.created is None:
        return ""
    try:
        moment = datetime.fromisoformat(capture.created)
    except ValueError:
        return ""
    return moment.astimezone().strftime("%H:%M")


def batch_of(capture: Capture) -> int | None:
    """The first dimension that the inputs share; None where they share none."""
    firsts = {shape[0] for shape in capture.options.inputs.values() if shape}
    return firsts.pop() if len(firsts) == 1 else None


def summary(entry: HistoryEntry) -> str:
    """'batch 1 · 423.0 KiB · pi4-lab', or how the run ended where it did not end well."""
    capture = entry.capture
    batch = batch_of(capture)
    result = (
        format_bytes(capture.totals.arena_rw)
        if capture.outcome.status is Status.OK
        else capture.outcome.status.value.replace("_", " ")
    )
    parts = [f"batch {batch}" if batch is not None else "", result, plain(capture.device.name, 40)]
    return " · ".join(p for p in parts if p)


class HistoryModel(QAbstractListModel):
    """``EntryRole`` gives the HistoryEntry; ``CurrentRole`` whether it is the one on show."""

    EntryRole = Qt.ItemDataRole.UserRole + 1
    SubtitleRole = Qt.ItemDataRole.UserRole + 2
    TimeRole = Qt.ItemDataRole.UserRole + 3
    CurrentRole = Qt.ItemDataRole.UserRole + 4

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: list[HistoryEntry] = []
        self._current: HistoryEntry | None = None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._entries):
            return None
        entry = self._entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return plain(entry.capture.model.name, 80)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{plain(entry.capture.model.name, 80)}, {time_text(entry.capture)}, {summary(entry)}"
        if role == self.EntryRole:
            return entry
        if role == self.SubtitleRole:
            return summary(entry)
        if role == self.TimeRole:
            return "example" if entry.example else time_text(entry.capture)
        if role == self.CurrentRole:
            return entry is self._current
        return None

    @property
    def entries(self) -> tuple[HistoryEntry, ...]:
        return tuple(self._entries)

    @property
    def current(self) -> HistoryEntry | None:
        return self._current

    def add(self, entry: HistoryEntry) -> None:
        """At the top."""
        self.beginInsertRows(QModelIndex(), 0, 0)
        self._entries.insert(0, entry)
        self.endInsertRows()

    def add_last(self, entry: HistoryEntry) -> None:
        row = len(self._entries)
        self.beginInsertRows(QModelIndex(), row, row)
        self._entries.append(entry)
        self.endInsertRows()

    def find(self, capture: Capture | None) -> HistoryEntry | None:
        return next((e for e in self._entries if e.capture is capture), None)

    def set_current(self, entry: HistoryEntry | None) -> None:
        before, self._current = self._current, entry
        for changed in (before, entry):
            if changed in self._entries:
                index = self.index(self._entries.index(changed))
                self.dataChanged.emit(index, index)

    def mark_saved(self, entry: HistoryEntry, path: Path) -> HistoryEntry:
        """The entry with its new place; the old value is no longer in the list."""
        saved = replace(entry, path=path)
        if entry in self._entries:
            row = self._entries.index(entry)
            self._entries[row] = saved
            if self._current is entry:
                self._current = saved
            self.dataChanged.emit(self.index(row), self.index(row))
        return saved

    def remove(self, entry: HistoryEntry) -> None:
        if entry in self._entries:
            row = self._entries.index(entry)
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._entries[row]
            self.endRemoveRows()
