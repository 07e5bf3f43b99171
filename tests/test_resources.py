"""Files of ours, found from a checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from arenascope import resources
from arenascope.errors import FileError
from arenascope.resources import resource_path, resource_text


def test_a_file_of_the_checkout() -> None:
    path = resource_path("examples", "lstm.tflite")
    assert path == Path(__file__).parents[1] / "resources" / "examples" / "lstm.tflite"


def test_text_is_utf_8() -> None:
    assert "ArenaScope" in resource_text("examples", "README.md")


def test_a_missing_file_says_that_the_installation_is_incomplete() -> None:
    with pytest.raises(FileError, match="missing: nowhere/nothing") as caught:
        resource_path("nowhere", "nothing")
    assert "Install" in caught.value.hint


def test_the_folder_of_an_installed_wheel_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "arenascope"
    (package / "_resources").mkdir(parents=True)
    (package / "_resources" / "here.txt").write_text("installed")
    monkeypatch.setattr(resources, "__file__", str(package / "resources.py"))
    resources._root.cache_clear()
    try:
        assert resource_text("here.txt") == "installed"
    finally:
        resources._root.cache_clear()
