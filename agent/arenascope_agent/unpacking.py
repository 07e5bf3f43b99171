"""Sets the private environment up from one archive, and takes it away again. For ``aside.run`` only:
what is imported here would make the server twice as large."""

from __future__ import annotations

import errno
import os
import shutil
import zipfile
import zlib

from . import cache, environment, protocol
from .aside import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_FILES = 50_000
_BLOCK = 256 * 1024
#: What the folder is called while it is made, and the one before it while it is taken away.
_NEW, _OLD = ".new-", ".old-"


def install(archive: str, size: int) -> dict[str, Any]:
    """Unpack an archive that lies on this device and was verified; ``summary`` of it. The archive goes.

    ``size``: bytes of its files as they were announced. Failure(no_space), Failure(invalid_params) for
    an archive that is damaged or reaches outside its folder; then nothing of it is left.
    """
    new = ""
    try:
        cache.make_private(environment.parent())
        _remove_unfinished()
        _check_room(size)
        new = os.path.join(environment.parent(), _NEW + os.urandom(8).hex())
        os.mkdir(new, 0o700)
        _unpack(archive, new, size)
        os.sync()  # a board is switched off without asking; what is named must then be whole
        _exchange(new)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            _remove(new)
            raise _no_space(size) from None
        raise
    finally:
        _remove(new)
        cache.remove(archive)
    return environment.summary() or {}


def remove() -> dict[str, Any]:
    """{"removed"}: whether there was an environment. All of them go, those of other Pythons too."""
    there = os.path.lexists(environment.parent())
    if os.path.islink(environment.parent()):
        os.unlink(environment.parent())
    elif there:
        shutil.rmtree(environment.parent())
    return {"removed": there}


def _exchange(new: str) -> None:
    """The new folder under the final name; the one that stood there goes only after that."""
    old = os.path.join(environment.parent(), _OLD + os.urandom(8).hex())
    try:
        os.rename(environment.folder(), old)
    except FileNotFoundError:
        old = ""
    try:
        os.rename(new, environment.folder())
    except OSError:
        if old:
            os.rename(old, environment.folder())
        raise
    _remove(old)


def _remove(path: str) -> None:
    if path:
        shutil.rmtree(path, ignore_errors=True)


def _remove_unfinished() -> None:
    """What a device that was switched off in the middle has left."""
    for name in os.listdir(environment.parent()):
        if name.startswith((_NEW, _OLD)):
            _remove(os.path.join(environment.parent(), name))


def _check_room(size: int) -> None:
    if environment.free() < size:
        raise _no_space(size)


def _no_space(size: int) -> Failure:
    return cache.no_space(cache.root(), environment.free(), "what is to be set up", size)


def _unpack(path: str, target: str, size: int) -> None:
    left = size
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > _MAX_FILES:
                raise _refused("it holds %d files" % len(entries))
            for entry in entries:
                # The module itself yields no more of a file than its entry announces.
                left -= entry.file_size
                if left < 0:
                    raise _refused("it is larger than was announced")
                _unpack_one(archive, entry, target)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise _refused("two of its files have one name") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _refused(str(error)) from None


def _unpack_one(archive: Any, entry: Any, target: str) -> None:
    parts = entry.filename.split("/")
    if (
        not all(parts)
        or {".", ".."}.intersection(parts)
        or "\\" in entry.filename
        or entry.external_attr >> 28 not in (0, 8)  # the kind in its Unix mode: not told, or a file
        or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others take gigabytes
    ):
        raise _refused("it holds %.200r" % entry.filename)
    path = os.path.join(target, *parts)
    for depth in range(1, len(parts)):
        folder = os.path.join(target, *parts[:depth])
        if not os.path.isdir(folder):
            os.mkdir(folder, 0o700)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(fd, "wb") as file, archive.open(entry) as data:
        shutil.copyfileobj(data, file, _BLOCK)


def _refused(reason: str) -> Failure:
    return Failure(
        protocol.INVALID, "The archive cannot be set up: %s." % reason.rstrip("."), "Set the board up again."
    )
