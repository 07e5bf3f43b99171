"""Where this program keeps its files."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from arenascope.settings import Settings, Theme, places


def test_one_folder_for_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ARENASCOPE_HOME", str(tmp_path))
    there = places()
    files = (
        there.preferences,
        there.devices,
        there.known_hosts,
        there.recent,
        there.cache / "x",
        there.log / "x",
    )
    assert all(path.is_relative_to(tmp_path) for path in files)
    assert len({path.parent for path in files}) == 4
    assert list(tmp_path.iterdir()) == []  # asking makes nothing


def test_a_relative_folder_stays_where_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARENASCOPE_HOME", "mine")
    assert places().config == tmp_path / "mine" / "config"


@pytest.mark.parametrize("value", [None, ""])
def test_the_folders_of_the_system(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("ARENASCOPE_HOME")
    if value is not None:
        monkeypatch.setenv("ARENASCOPE_HOME", value)
    there = places()
    assert there.config.is_absolute()
    assert all("arenascope" in str(p).lower() for p in (there.config, there.cache, there.data, there.log))


def test_settings_are_frozen_and_quiet_by_default() -> None:
    assert Settings() == Settings(Theme.SYSTEM, "", "")
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().theme = Theme.DARK  # type: ignore[misc]
