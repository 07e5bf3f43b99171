"""Paths that are no model file: each is refused in its own words, before anything is read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from arenascope.errors import FileError, ModelError
from arenascope.tflite.reader import read_model
from arenascope.tflite.source import sha256_of
from tests.support.models import own


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no file .*nothing\.tflite") as caught:
        read_model(tmp_path / "nothing.tflite")
    assert caught.value.hint


def test_a_file_in_place_of_a_folder_of_the_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(FileError, match="no file"):
        read_model(tmp_path / "file" / "model.tflite")


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="is a directory"):
        read_model(tmp_path)


def test_a_saved_model_directory_is_told_how_to_become_a_model(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").touch()
    with pytest.raises(FileError, match="SavedModel") as caught:
        read_model(tmp_path)
    assert "from_saved_model" in caught.value.hint


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for use in (read_model, sha256_of):
        with pytest.raises(FileError, match="not a regular file"):
            use(tmp_path / "pipe")


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are not a number there")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret.tflite"
    path.write_bytes(b"x")
    path.chmod(0)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    with _not_root(), pytest.raises(FileError, match=r"No permission to read secret\.tflite"):
        read_model(path)


@contextmanager
def _not_root() -> Iterator[None]:
    """Root may read everything, so it becomes nobody for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_path_that_no_system_has() -> None:
    for name in ("model\0.tflite", "x" * 5000):
        with pytest.raises(FileError):
            read_model(Path(name))


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.tflite"
    path.touch()
    with pytest.raises(ModelError, match=r"empty\.tflite is empty"):
        read_model(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89HDF\r\n\x1a\n" + bytes(64), "HDF5"),
        (b"PK\x03\x04" + bytes(64), "zip archive"),
        (b"version https://git-lfs.github.com/spec/v1\n" + b"oid sha256:0\n", "Git LFS pointer"),
        (b"\x1f\x8b\x08" + bytes(64), "gzip"),
        (b"\n <!DOCTYPE html><html>", "web page"),
        (b"TFL3", "not a TensorFlow Lite model"),
        (b"\x1c\x00\x00\x00TFL2" + bytes(64), "not a TensorFlow Lite model"),
        (b"hello, this is a letter", "not a TensorFlow Lite model"),
    ],
)
def test_other_files_are_recognised(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=words) as caught:
        read_model(path)
    assert caught.value.hint


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep file names as Unicode")
@pytest.mark.parametrize("what", ["file", "folder", "link"])
def test_a_path_that_is_not_utf_8(what: str, tmp_path: Path) -> None:
    odd, content = os.fsdecode(b"gr\xfc\xdf"), own("cnn_float.tflite").read_bytes()
    path = tmp_path / (f"{odd}.tflite" if what == "file" else f"{odd}/model.tflite")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    if what == "link":
        (tmp_path / "link.tflite").symlink_to(path)
        path = tmp_path / "link.tflite"
    with pytest.raises(FileError, match="not UTF-8") as caught:
        read_model(path)
    assert caught.value.message.isascii()
    assert "Rename" in caught.value.hint
