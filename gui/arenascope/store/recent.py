"""Models and captures that were opened lately, the latest first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ..errors import FileError, StoreError
from .fields import Fields, JsonObject, damaged, parse
from .files import read_bounded, write_atomic
from .folders import make_private

SCHEMA = "arenascope.recent/1"
#: What is kept; older entries fall off.
LONGEST = 20
_LARGEST_FILE = 1024**2


class RecentKind(StrEnum):
    MODEL = "model"
    CAPTURE = "capture"


@dataclass(frozen=True, slots=True)
class RecentFile:
    """``path`` as it was opened, absolute. ``opened`` is UTC, ISO 8601."""

    path: str
    kind: RecentKind
    opened: str


@dataclass(frozen=True, slots=True)
class RecentFiles:
    """The list, and what should be said about it (a damaged file becomes an empty list with a note)."""

    files: tuple[RecentFile, ...] = ()
    note: str = ""

    def of(self, kind: RecentKind) -> tuple[RecentFile, ...]:
        return tuple(f for f in self.files if f.kind is kind)

    def with_file(self, file: RecentFile) -> RecentFiles:
        """The list with ``file`` at its head; a path stands in it once."""
        others = (f for f in self.files if f.path != file.path)
        return RecentFiles((file, *others)[:LONGEST], self.note)

    def without(self, path: str) -> RecentFiles:
        return RecentFiles(tuple(f for f in self.files if f.path != path), self.note)


def load(path: Path) -> RecentFiles:
    """The list in a file; empty where there is none yet. Never raises: a lost list costs nothing."""
    try:
        top = Fields(parse(read_bounded(path, _LARGEST_FILE)))
        if top.text("schema") != SCHEMA:
            raise damaged(f"its schema is not {SCHEMA}")
        files = (
            RecentFile(f.text("path"), f.choice("kind", RecentKind), f.text("opened"))
            for f in top.children("files")
        )
        return RecentFiles(tuple(files)[:LONGEST])
    except FileError as error:
        return RecentFiles(note=error.message if path.exists() else "")
    except StoreError as error:
        return RecentFiles(note=f"The list of recent files was lost and starts anew. {error.message}")


def save(recent: RecentFiles, path: Path) -> None:
    """Writes the list whole or not at all. Raises FileError."""
    document: JsonObject = {
        "schema": SCHEMA,
        "files": [{"path": f.path, "kind": f.kind.value, "opened": f.opened} for f in recent.files],
    }
    make_private(path.parent)
    write_atomic(path, (json.dumps(document, indent=1) + "\n").encode("ascii"))
