"""Whole files, read with a bound and written so that no half of one is ever seen."""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..domain.units import format_bytes
from ..errors import FileError, StoreError
from .fields import JsonObject

_WORDS = {
    errno.ENOENT: ("it does not exist", "Check the path."),
    errno.EACCES: ("permission denied", "Check the permissions of the file and of its folder."),
    errno.EPERM: ("permission denied", "Check the permissions of the file and of its folder."),
    errno.EROFS: ("the disk is read-only", "Choose another folder."),
    errno.ENOSPC: ("the disk is full", "Free some space, or choose another disk."),
    errno.EDQUOT: ("your quota on this disk is used up", "Free some space, or choose another disk."),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter name."),
    errno.ENOTDIR: ("a part of the path is not a folder", "Check the path."),
    errno.EISDIR: ("it is a folder", "Name a file."),
    errno.ELOOP: ("its symbolic links go round in a circle", "Check the links on the path."),
}


def read_bounded(path: Path, limit: int) -> bytes:
    """The whole file. Raises FileError where it cannot be read, StoreError above ``limit`` bytes."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening a pipe would wait for its writer
            raise FileError(f"Cannot read {path}: it is not a regular file", hint="Name a file.")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise _translated("read", path, error) from error
    except ValueError as error:  # a NUL in the path
        raise FileError(f"Cannot read {str(path)!r}: that is not a path", hint="Check the path.") from error
    if len(data) > limit:
        raise StoreError(
            f"{path.name} is larger than {format_bytes(limit)}, the most that is read",
            hint="Check that this is the file you meant.",
        )
    return data


def write_atomic(path: Path, data: bytes) -> None:
    """Writes ``data`` beside ``path``, then renames: the old file or the new one, nothing between.

    A symbolic link keeps pointing where it did. What is not a regular file (a pipe, a terminal)
    is written to as it is. Raises FileError; then nothing of the new file is left.
    """
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            if target.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
            target.write_bytes(data)
            return
        _replace(target, data)
    except OSError as error:
        raise _translated("write", path, error) from error
    except (ValueError, RuntimeError) as error:  # a NUL in the path; links in a circle (Python < 3.13)
        raise FileError(f"Cannot write {str(path)!r}: that is not a path", hint="Check the path.") from error


@contextmanager
def written_beside(path: Path, data: bytes) -> Iterator[Path]:
    """``data`` in a file beside ``path``, which takes its place at the end of the block, if that ends well.

    Raises FileError; then, and when the block fails, nothing of the new file is left.
    """
    try:
        target = path.resolve()
        part = _part(target, data)
    except OSError as error:
        raise _translated("write", path, error) from error
    except (ValueError, RuntimeError) as error:
        raise FileError(f"Cannot write {str(path)!r}: that is not a path", hint="Check the path.") from error
    try:
        yield part
        try:
            _take_place(part, target)
        except OSError as error:
            raise _translated("write", path, error) from error
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def write_document(path: Path, document: JsonObject) -> None:
    """Writes a JSON document whole or not at all. Raises FileError."""
    write_atomic(path, "".join(_pretty(document)).encode("ascii"))


def _pretty(document: JsonObject) -> Iterator[str]:
    """One line for a value, one line for each tensor, operator or phase: readable, and small in a diff.

    ASCII, because a name may hold half of a surrogate pair, which is no valid UTF-8.
    """
    yield "{"
    for number, (key, value) in enumerate(document.items()):
        yield (",\n" if number else "\n") + f"{json.dumps(key)}: "
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield "[\n" + ",\n".join(json.dumps(item, allow_nan=False) for item in value) + "\n]"
        else:
            yield json.dumps(value, allow_nan=False)
    yield "\n}\n"


def _replace(target: Path, data: bytes) -> None:
    part = _part(target, data)
    try:
        _take_place(part, target)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def _part(target: Path, data: bytes) -> Path:
    """A whole file beside ``target``; nothing of it is left when it cannot be written."""
    part = (
        target.parent / f".{secrets.token_hex(8)}.part"
    )  # not the target's name: that may be at its longest
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    return part


def _take_place(part: Path, target: Path) -> None:
    if target.exists():
        part.chmod(stat.S_IMODE(target.stat().st_mode))
    part.replace(target)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Makes the rename itself durable where a folder can be opened (not on Windows)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _translated(verb: str, path: Path, error: OSError) -> FileError:
    if verb == "write" and error.errno in (errno.ENOENT, errno.ENOTDIR):
        reason, hint = "its folder does not exist", "Create the folder first, or choose another."
    else:
        known = _WORDS.get(error.errno or 0)
        reason, hint = known or (error.strerror or type(error).__name__, FileError.default_hint)
    return FileError(f"Cannot {verb} {path}: {reason}", hint=hint, detail=str(error))
