"""A model file as bytes: opened with care, mapped instead of read, hashed in a stream."""

from __future__ import annotations

import hashlib
import mmap
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from ..domain.plain_text import plain
from ..errors import FileError, ModelError

#: What other files begin with that people hand over in place of a model, and what to do then.
_MISTAKEN: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89HDF", "an HDF5 (Keras) file", "Convert it with tf.lite.TFLiteConverter first."),
    (b"PK\x03\x04", "a zip archive", "Unpack it, or convert what is inside, and open the .tflite file."),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself", "Fetch it with: git lfs pull"),
    (b"\x1f\x8b", "a gzip archive", "Unpack it first and open the .tflite file."),
    (b"{", "a kept run or another JSON document", "For a run: arenascope report FILE -o page.html"),
    (b"<", "a web page or XML", "Download the model again; what came was a page."),
)

#: Root offset and file identifier: nothing smaller can be a model.
_SMALLEST = 8


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in hexadecimal, read in pieces. Raises FileError."""
    with opened(path) as file:
        try:
            return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise _unreadable(path, error) from error


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """The regular file at ``path``, open for reading. Raises FileError for anything else.

    What is not a regular file is refused before it is opened: opening a pipe would wait for ever.
    """
    try:
        _check_name(path)
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise _directory(path)
        if not stat.S_ISREG(mode):
            raise FileError(f"{path.name} is not a regular file", hint="Give the path of a .tflite file.")
        file = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    except ValueError as error:  # a NUL in the path
        raise FileError("The path of the model cannot be used", detail=str(error)) from error
    with file:
        yield file


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    """The bytes of a model file, mapped read-only. Its identifier has been checked.

    Raises FileError where the file cannot be opened, ModelError where it is not a model.
    """
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise ModelError(f"{path.name} is empty", hint="Copy or download the model again.")
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise FileError(
                f"{path.name} cannot be mapped into memory",
                hint="Copy the file to a local disk and open it from there.",
                detail=str(error),
            ) from error
    with data:
        _check_identifier(path, data)
        yield data


def _check_identifier(path: Path, data: mmap.mmap) -> None:
    head = data[:32]
    if len(head) >= _SMALLEST and head[4:8] == b"TFL3":
        return
    for beginning, what, remedy in _MISTAKEN:
        if head.lstrip().startswith(beginning):
            raise ModelError(f"{path.name} is {what}, not a TensorFlow Lite model", hint=remedy)
    raise ModelError(
        f"{path.name} is not a TensorFlow Lite model: its identifier is not TFL3",
        detail=f"{len(data)} bytes, beginning with {head[:8].hex(' ')}",
    )


def _check_name(path: Path) -> None:
    """The runtime takes a path as UTF-8 only; Python keeps other bytes of a name as lone surrogates."""
    for spelled in (str(path), str(path.resolve())):
        try:
            spelled.encode("utf-8")
        except UnicodeEncodeError as error:
            raise FileError(
                f"The path {plain(ascii(spelled), 300)} is not UTF-8; the runtime cannot open such a file",
                hint="Rename the file or its folder, or copy the file to a path of plain letters.",
            ) from error


def _directory(path: Path) -> FileError:
    if (path / "saved_model.pb").exists():
        return FileError(
            f"{path.name} is a SavedModel directory, not a .tflite file",
            hint="Convert it first: tf.lite.TFLiteConverter.from_saved_model(...).convert()",
        )
    return FileError(f"{path.name} is a directory", hint="Give the path of a .tflite file.")


def _unreadable(path: Path, error: OSError) -> FileError:
    name = path.name or str(path)
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return FileError(f"There is no file {path}", hint="Check the path.")
        case PermissionError():
            return FileError(f"No permission to read {name}", hint="Change its permissions, or copy it.")
        case _:
            return FileError(f"{name} cannot be read: {error.strerror or error}", detail=str(path))
