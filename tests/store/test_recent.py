"""The list of recent files: the latest first, each once, and never a reason to stop."""

from __future__ import annotations

from pathlib import Path

import pytest

from arenascope.errors import FileError
from arenascope.store import recent
from arenascope.store.recent import LONGEST, RecentFile, RecentFiles, RecentKind

pytestmark = pytest.mark.pure


def _file(name: str, kind: RecentKind = RecentKind.MODEL) -> RecentFile:
    return RecentFile(f"/models/{name}", kind, "2026-11-20T14:03:12Z")


def test_the_latest_stands_first_and_once() -> None:
    files = RecentFiles().with_file(_file("a")).with_file(_file("b")).with_file(_file("a"))
    assert [f.path for f in files.files] == ["/models/a", "/models/b"]
    assert files.without("/models/a").files == (_file("b"),)


def test_the_list_does_not_grow_for_ever() -> None:
    files = RecentFiles()
    for number in range(LONGEST + 5):
        files = files.with_file(_file(str(number)))
    assert len(files.files) == LONGEST
    assert files.files[0] == _file(str(LONGEST + 4))


def test_it_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "recent.json"
    files = RecentFiles().with_file(_file("zürich\ud800")).with_file(_file("run", RecentKind.CAPTURE))
    recent.save(files, path)
    assert recent.load(path) == files
    assert files.of(RecentKind.CAPTURE) == (_file("run", RecentKind.CAPTURE),)


def test_no_list_yet_is_an_empty_list_without_a_note(tmp_path: Path) -> None:
    assert recent.load(tmp_path / "recent.json") == RecentFiles()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b'{"schema": "arenascope.recent/2", "files": []}', b"\xff",
        b'{"schema": "arenascope.recent/1", "files": [{"path": 1}]}',
        b'{"schema": "arenascope.recent/1", "files": [{"path": "a", "kind": "x", "opened": ""}]}',
    ],
)  # fmt: skip
def test_a_damaged_list_is_empty_with_a_note(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "recent.json"
    path.write_bytes(data)
    read = recent.load(path)
    assert read.files == ()
    assert "starts anew" in read.note


def test_a_list_that_cannot_be_read_is_empty_with_a_note(tmp_path: Path) -> None:
    assert "folder" in recent.load(tmp_path).note


def test_a_list_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "none").write_text("a file where the folder should be")
    with pytest.raises(FileError, match="Cannot make the folder"):
        recent.save(RecentFiles(), tmp_path / "none" / "recent.json")


def test_the_first_save_makes_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "fresh" / "recent.json"
    recent.save(RecentFiles(()), path)
    assert path.exists()
