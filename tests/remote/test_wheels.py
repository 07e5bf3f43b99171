"""Wheels by pip, from a folder that stands in for an index: the very file, or a clear word."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from arenascope.domain.provision import Pin
from arenascope.errors import Cancelled, SetupError
from arenascope.remote import wheels
from arenascope.remote.fetching import Kept
from tests.support import packages


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder from which alone this computer's pip takes what it is asked for."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "kept")


def made(folder: Path, version: str = "2.3.0", text: str = "") -> wheels.Wheel:
    path = packages.wheel(folder, "ai-edge-litert", version, {"it.py": text}, "armv7l", "cp39")
    return packages.locked(path, "armv7l", "cp39")


def never() -> bool:
    return False


def test_a_wheel_for_another_machine_and_python_is_fetched_once(
    index: Path, kept: Kept, tmp_path: Path
) -> None:
    wheel = made(index)
    path = wheels.fetch(wheel, kept, never)
    assert path.read_bytes() == (index / wheel.file).read_bytes()
    (index / wheel.file).unlink()
    assert wheels.fetch(wheel, kept, never) == path
    assert [one.name for one in (tmp_path / "kept").iterdir()] == [wheel.sha256]


def test_a_kept_file_that_was_damaged_is_fetched_again(index: Path, kept: Kept) -> None:
    wheel = made(index)
    path = wheels.fetch(wheel, kept, never)
    path.write_bytes(b"damaged")
    assert wheels.fetch(wheel, kept, never).read_bytes() == (index / wheel.file).read_bytes()


def test_another_file_of_that_name_is_refused(index: Path, kept: Kept, tmp_path: Path) -> None:
    wheel = made(index)
    made(index, text="evil")
    with pytest.raises(SetupError, match="is not the file that ArenaScope knows") as caught:
        wheels.fetch(wheel, kept, never)
    assert wheel.sha256 in caught.value.detail
    assert "pip config list" in caught.value.hint
    assert not (tmp_path / "kept").exists()


def test_a_wheel_that_cannot_be_had_is_named_with_pips_own_words(index: Path, kept: Kept) -> None:
    wheel = made(index)
    (index / wheel.file).unlink()
    with pytest.raises(
        SetupError, match=f"pip could not fetch {wheel.file}: .*ai-edge-litert==2.3.0"
    ) as caught:
        wheels.fetch(wheel, kept, never)
    assert "PIP_FIND_LINKS" in caught.value.hint


def test_a_network_that_is_not_there_is_told(
    index: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = made(index)
    (index / wheel.file).unlink()
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(SetupError, match="its package index cannot be reached") as caught:
        wheels.fetch(wheel, kept, never)
    assert "network" in caught.value.hint
    assert "refused" in caught.value.detail


def test_a_python_without_pip_says_how_to_get_it(
    index: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = made(index)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SetupError, match="has no pip") as caught:
        wheels.fetch(wheel, kept, never)
    assert "-m ensurepip --upgrade" in caught.value.hint


def test_a_pip_that_takes_long_is_ended_when_somebody_wants_to_stop(
    index: Path, kept: Kept, tmp_path: Path
) -> None:
    wheel = made(index)
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o755)
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        wheels.fetch(wheel, kept, lambda: next(asked), str(slow))


def test_what_is_not_known_is_not_looked_for() -> None:
    with pytest.raises(SetupError, match="knows no numpy 9 for armv7l and cp311"):
        wheels.find([Pin("numpy", "9")], "armv7l", "cp311")
