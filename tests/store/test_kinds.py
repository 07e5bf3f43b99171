"""Models and captures, told apart by name and by content."""

from __future__ import annotations

from pathlib import Path

from arenascope.store.kinds import is_capture
from tests.support.models import own

DOCUMENT = b' {"schema": "arenascope.capture/1"}'


def test_a_known_suffix_decides(tmp_path: Path) -> None:
    for name, capture in (("a.ascope", True), ("a.ASCOPE", True), ("a.tflite", False), ("a.Lite", False)):
        (tmp_path / name).write_bytes(DOCUMENT)
        assert is_capture(tmp_path / name) is capture


def test_otherwise_the_content_does(tmp_path: Path) -> None:
    for name in ("run", "run.json", "run.txt"):
        (tmp_path / name).write_bytes(DOCUMENT)
        assert is_capture(tmp_path / name)
        (tmp_path / name).write_bytes(own("cnn_float.tflite").read_bytes())
        assert not is_capture(tmp_path / name)


def test_what_cannot_be_read_is_left_to_who_opens_it(tmp_path: Path) -> None:
    assert not is_capture(tmp_path / "nothing.json")
    assert not is_capture(tmp_path)
    assert not is_capture(Path("a\0b"))
