"""The settings file. A lost one costs a few clicks, so reading it never fails."""

from __future__ import annotations

import json
from pathlib import Path

from ..errors import FileError, StoreError
from ..settings import Settings, Theme
from .fields import Fields, JsonObject, damaged, parse
from .files import read_bounded, write_atomic
from .folders import make_private

SCHEMA = "arenascope.settings/1"
_LARGEST_FILE = 1024**2


def load(path: Path) -> tuple[Settings, str]:
    """The settings and what should be said about them: "" or, with a damaged file, why these are the
    defaults. A file that is not there yet is no matter."""
    if not path.exists():
        return Settings(), ""
    try:
        top = Fields(parse(read_bounded(path, _LARGEST_FILE)))
        if top.text("schema") != SCHEMA:
            raise damaged(f"its schema is not {SCHEMA}")
        return Settings(top.choice("theme", Theme), top.text("geometry"), top.text("window_state")), ""
    except (FileError, StoreError) as error:
        return Settings(), f"The settings were lost and start anew. {error.message} ({path})"


def save(settings: Settings, path: Path) -> None:
    """Writes the settings whole or not at all. Raises FileError."""
    document: JsonObject = {
        "schema": SCHEMA,
        "theme": settings.theme.value,
        "geometry": settings.geometry,
        "window_state": settings.window_state,
    }
    make_private(path.parent)
    write_atomic(path, (json.dumps(document, indent=1) + "\n").encode("ascii"))
