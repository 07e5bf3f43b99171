"""Files are read with a bound, and written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from arenascope.errors import FileError, StoreError
from arenascope.store import files

pytestmark = pytest.mark.pure


def test_a_new_file_replaces_the_old_one_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a"
    files.write_atomic(path, b"one")
    path.chmod(0o640)
    files.write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_as_long_as_the_system_allows_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    files.write_atomic(path, b"x")
    assert path.read_bytes() == b"x"


def test_a_link_keeps_pointing_where_it_did(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    files.write_atomic(tmp_path / "link", b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"x"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    files.write_atomic(pipe, b"through")
    reader.join(10)
    assert got == [b"through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "permission denied")],
)
def test_a_failed_write_leaves_the_old_file_and_no_part(
    number: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    files.write_atomic(path, b"old")

    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(FileError, match=words) as caught:
        files.write_atomic(path, b"new")
    assert caught.value.hint
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_really_full_disk_is_told() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("/dev/full is not here")
    with pytest.raises(FileError, match="the disk is full"):
        files.write_atomic(full, b"x" * 100_000)
    assert stat.S_ISCHR(full.stat().st_mode)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing/a", "its folder does not exist"),
        ("file/a", "its folder does not exist"),
        ("folder", "it is a folder"),
        ("n" * 300, "the name is too long"),
        ("circle", "circle|not a path"),
        ("nul\0", "not a path"),
    ],
)
def test_a_place_that_cannot_be_written_is_told(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(FileError, match=words):
        files.write_atomic(tmp_path / name, b"x")
    assert sorted(tmp_path.iterdir()) == before


def test_reading_stops_at_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 10)
    assert files.read_bounded(path, 10) == b"x" * 10
    with pytest.raises(StoreError, match="larger than 9 B"):
        files.read_bounded(path, 9)


def test_what_is_not_a_regular_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for a writer
    for path in (tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(FileError, match="not a regular file"):
            files.read_bounded(path, 10)


def test_a_path_with_a_nul_is_told() -> None:
    with pytest.raises(FileError, match="not a path"):
        files.read_bounded(Path("a\0b"), 10)


def test_a_file_beside_takes_its_place_only_when_the_block_ends_well(tmp_path: Path) -> None:
    target = tmp_path / "model.tflite"
    target.write_bytes(b"old")
    target.chmod(0o640)
    with pytest.raises(KeyError), files.written_beside(target, b"new") as part:
        assert (part.parent, part.read_bytes(), target.read_bytes()) == (tmp_path, b"new", b"old")
        raise KeyError
    assert target.read_bytes() == b"old" and os.listdir(tmp_path) == ["model.tflite"]
    with files.written_beside(target, b"new"):
        pass
    assert target.read_bytes() == b"new" and target.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["model.tflite"]


def test_a_file_beside_that_cannot_be_written_is_a_file_error(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere" / "x", Path("a\0b")):
        with pytest.raises(FileError), files.written_beside(path, b"new"):
            raise AssertionError("the block is never entered")
