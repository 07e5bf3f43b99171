"""The settings file: a lost one costs nothing but a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arenascope.errors import FileError
from arenascope.settings import Settings, Theme
from arenascope.store import preferences

CHOSEN = Settings(Theme.DARK, "AdnQywAD", "AAAA/w==")


def test_it_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "new" / "settings.json"
    assert preferences.load(path) == (Settings(), "")
    preferences.save(CHOSEN, path)
    assert preferences.load(path) == (CHOSEN, "")
    assert list(path.parent.iterdir()) == [path]


def _document(**changes: object) -> bytes:
    whole = {"schema": preferences.SCHEMA, "theme": "dark", "geometry": "", "window_state": ""}
    return json.dumps({**whole, **changes}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        _document(schema="x"),
        _document(theme="pink"),
        _document(geometry=None),
        b"\x00" * 64,
    ],
)
def test_a_damaged_file_gives_the_defaults_and_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    settings, note = preferences.load(path)
    assert settings == Settings()
    assert "start anew" in note and str(path) in note
    preferences.save(CHOSEN, path)
    assert preferences.load(path) == (CHOSEN, "")


def test_what_cannot_be_read_or_written(tmp_path: Path) -> None:
    (tmp_path / "settings.json").mkdir()
    settings, note = preferences.load(tmp_path / "settings.json")
    assert settings == Settings() and note
    with pytest.raises(FileError):
        preferences.save(CHOSEN, tmp_path / "settings.json")
