"""The files opened lately, kept on disk between sittings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from ..settings import places
from ..store import recent
from ..store.recent import RecentFile, RecentFiles, RecentKind
from .documents import Documents

_SHOWN = 12


class Recents(QObject):
    """Reading and writing happen off the GUI thread; a list that cannot be written is no matter."""

    changed = Signal()

    def __init__(self, documents: Documents, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._documents = documents
        self._files = RecentFiles()
        self._loaded = False

    @property
    def paths(self) -> list[Path]:
        return [Path(f.path) for f in self._files.files[:_SHOWN]]

    def load(self) -> None:
        self._documents.submit(lambda: recent.load(places().recent), self._have)

    def opened(self, path: Path, kind: RecentKind) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._files = self._files.with_file(RecentFile(str(path.absolute()), kind, now))
        self.changed.emit()
        files = self._files
        if self._loaded:
            self._documents.submit(lambda: recent.save(files, places().recent), lambda _: None)

    def _have(self, found: RecentFiles) -> None:
        opened_meanwhile = self._files.files
        self._files, self._loaded = found, True
        for file in reversed(opened_meanwhile):
            self._files = self._files.with_file(file)
        if opened_meanwhile:
            files = self._files
            self._documents.submit(lambda: recent.save(files, places().recent), lambda _: None)
        self.changed.emit()
