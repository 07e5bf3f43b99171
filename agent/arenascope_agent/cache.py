"""Models that were sent to this device, kept under the SHA-256 of their content.

    ${XDG_CACHE_HOME:-~/.cache}/arenascope/agent    the agent's archive (placed by the desktop)
    ${XDG_CACHE_HOME:-~/.cache}/arenascope/models   models, named by their hash

Folders are 0700 and files 0600. A file counts as present only after its content was hashed here.
The least recently used go when more than LIMIT bytes would lie there.

An upload that broke off stays as a ``.part`` for STALE seconds, and the next upload of that model goes on
from there. A part that some process has open for writing belongs to another upload, unless nothing has
come for LOST seconds: then its client is gone without a word, as behind a dead Wi-Fi, and it is ended.
"""

from __future__ import annotations

import os
import signal
import stat
import time

from . import protocol
from .aside import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LIMIT = 2 * 1024**3
#: Seconds after which an upload that nobody finished is removed.
STALE = 24 * 3600
#: Seconds without a byte after which the writer of an upload is taken for lost.
LOST = 15.0
#: A file that somebody only reads.
READER = 0
_PART = ".part"
_BLOCK = 1024 * 1024


def root() -> str:
    """The cache folder of this program; the environment decides as in the XDG rules."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "arenascope")


def sha256_of(path: str) -> str:
    """Hex digest of a regular file, no symbolic link followed. OSError."""
    import hashlib  # 4 MB with OpenSSL: only ever imported in a fork

    digest = hashlib.sha256()
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(0, "not a regular file", path)
        while block := os.read(fd, _BLOCK):
            digest.update(block)
    finally:
        os.close(fd)
    return digest.hexdigest()


def own_hash(data: bytes) -> str:
    """Hex digest of a short text, by the small module that Python brings for its own use."""
    try:
        from _sha2 import sha256  # type: ignore[import-not-found]  # Python 3.12 and later
    except ImportError:
        try:
            from _sha256 import sha256  # type: ignore[import-not-found]  # Python 3.9 to 3.11
        except ImportError:
            from hashlib import sha256
    digest: str = sha256(data).hexdigest()
    return digest


class ModelCache:
    """The folder of models. Every method touches the disk and is meant for ``aside.run``."""

    def __init__(self, folder: str | None = None, limit: int = LIMIT) -> None:
        self.folder = folder or os.path.join(root(), "models")
        self._limit = limit

    def status(self, sha256: str, size: int, broken: str = "") -> dict[str, Any]:
        """Whether the content is here: {"present", "path", "upload", "have", "have_sha256"}.

        Where it is not, ``upload`` is a file to write it to, whose first ``have`` bytes are there already
        and hash to ``have_sha256``; whoever sends must compare. ``broken``: an upload that the client knows
        to have broken off, whatever holds it open here. Failure(no_space) when it cannot fit.
        """
        make_private(self.folder)
        path = os.path.join(self.folder, sha256)
        self._remove_stale()
        if os.path.lexists(path):
            if os.path.isfile(path) and not os.path.islink(path) and sha256_of(path) == sha256:
                os.utime(path)
                return {"present": True, "path": path, "upload": "", "have": 0, "have_sha256": ""}
            os.unlink(path)
        upload = os.path.join(self.folder, "%s.%s%s" % (sha256, os.urandom(8).hex(), _PART))
        have = self._take_over(sha256, size, upload, broken)
        try:
            self._make_room(size - have, upload)
            digest = sha256_of(upload) if have else ""
        except BaseException:
            remove(upload)
            raise
        return {"present": False, "path": path, "upload": upload, "have": have, "have_sha256": digest}

    def drop(self, sha256: str, upload: str) -> dict[str, Any]:
        """{}: an upload that is not wanted any more is gone."""
        self._check_own(sha256, upload)
        remove(upload)
        return {}

    def adopt(self, sha256: str, upload: str) -> dict[str, Any]:
        """{"path"}: the uploaded file under its final name, once its content has the announced hash.

        Failure(not_found), Failure(hash_mismatch); the upload is removed when it is wrong.
        """
        self._check_own(sha256, upload)
        try:
            found = sha256_of(upload)
        except FileNotFoundError:
            raise Failure(protocol.NOT_FOUND, "Nothing was uploaded to %s." % upload) from None
        if found != sha256:
            os.unlink(upload)
            raise Failure(
                protocol.HASH_MISMATCH,
                "The file arrived damaged: its SHA-256 is not the announced one.",
                "Send it again.",
                "announced %s, found %s" % (sha256, found),
            )
        os.chmod(upload, 0o600)
        path = os.path.join(self.folder, sha256)
        os.rename(upload, path)
        return {"path": path}

    def _check_own(self, sha256: str, upload: str) -> None:
        name = os.path.basename(upload)
        if os.path.dirname(upload) != self.folder or not (
            name.startswith(sha256 + ".") and name.endswith(_PART)
        ):
            raise Failure(protocol.INVALID, "%s is not an upload of this cache." % upload)

    def _take_over(self, sha256: str, size: int, upload: str, broken: str) -> int:
        """Make ``upload`` out of the longest part of this content that nobody writes to, and return its
        length; else an empty one. The other parts that nobody writes to are removed."""
        parts = sorted(
            (facts.st_size, path, facts.st_mtime)
            for path, facts in self._files()
            if os.path.basename(path).startswith(sha256 + ".") and path.endswith(_PART) and facts.st_size
        )
        have = 0
        if parts:
            users = users_of([path for _, path, _ in parts])
            for length, path, changed in reversed(parts):
                writer = users.get(path)
                in_use = writer is not None and path != broken and -LOST < time.time() - changed < LOST
                if in_use or writer == READER:
                    continue
                taken = not have and length <= size and _renamed(path, upload)
                if not taken:
                    remove(path)
                if writer is not None:
                    _end(writer)
                if taken:
                    os.utime(upload)
                    have = os.stat(upload).st_size
        if not have:
            os.close(os.open(upload, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return have

    def _remove_stale(self) -> None:
        now = time.time()
        for path, facts in self._files():
            # A board without a clock battery may have been in the future before: that is stale as well.
            if path.endswith(_PART) and not -STALE < now - facts.st_mtime < STALE:
                remove(path)

    def _make_room(self, size: int, upload: str) -> None:
        if self._free() < size:
            self._remove_parts(upload)
        models = sorted(
            ((facts.st_mtime, facts.st_size, path) for path, facts in self._files() if path[-5:] != _PART)
        )
        total = sum([bytes for _, bytes, _ in models])
        free = self._free()
        if free + total < size:
            raise no_space(self.folder, free, "the model", size)
        while models and (total + size > self._limit or free < size):
            _, bytes, path = models.pop(0)
            remove(path)
            total -= bytes
            free += bytes

    def _remove_parts(self, kept: str) -> None:
        """What broke off of other models; where room is short, that goes first."""
        parts = [path for path, facts in self._files() if path.endswith(_PART) and facts.st_size]
        users = users_of(parts)
        for path in parts:
            if path != kept and path not in users:
                remove(path)

    def _free(self) -> int:
        facts = os.statvfs(self.folder)
        return facts.f_bavail * facts.f_frsize

    def _files(self) -> list[tuple[str, os.stat_result]]:
        with os.scandir(self.folder) as entries:
            return [
                (entry.path, entry.stat(follow_symlinks=False))
                for entry in entries
                if entry.is_file(follow_symlinks=False)
            ]


def make_private(folder: str) -> None:
    """Make a folder of the cache, and the cache around it, 0700. Failure where one of them is a link or
    somebody else's; then nothing is made behind it."""
    parent = os.path.dirname(folder)
    os.makedirs(os.path.dirname(parent), 0o700, exist_ok=True)
    for path in (parent, folder):
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            pass
        facts = os.lstat(path)
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid():
            raise Failure(
                protocol.IO_FAILED,
                "%s is not a folder of this user." % path,
                "Remove it, or set XDG_CACHE_HOME to another place.",
            )
        if stat.S_IMODE(facts.st_mode) != 0o700:
            os.chmod(path, 0o700)


def no_space(folder: str, free: int, what: str, size: int) -> Failure:
    """``free`` bytes are left where the folder lies, and ``what`` needs ``size``."""
    return Failure(
        protocol.NO_SPACE,
        "No space left on the device: %.1f MB are free at %s and %s needs %.1f MB."
        % (free / 1e6, folder, what, size / 1e6),
        "Free some space there, or set XDG_CACHE_HOME to a larger disk.",
    )


def users_of(paths: list[str]) -> dict[str, int]:
    """Which of the files a process of this user has open: the process that writes, or READER."""
    found: dict[str, int] = {}
    for pid in os.listdir("/proc"):
        if not pid.isdigit():
            continue
        try:
            for descriptor in os.listdir("/proc/%s/fd" % pid):
                target = os.readlink("/proc/%s/fd/%s" % (pid, descriptor))
                if target in paths:
                    with open("/proc/%s/fdinfo/%s" % (pid, descriptor)) as facts:
                        flags = int(facts.read().split("flags:")[1].split()[0], 8)
                    found[target] = int(pid) if flags & os.O_ACCMODE else READER
        except OSError:
            continue  # it ended, or belongs to somebody else
    return found


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it ended by itself


def _renamed(path: str, other: str) -> bool:
    try:
        os.rename(path, other)
    except FileNotFoundError:
        return False  # another server of the same user was faster
    return True


def remove_if_empty(path: str) -> None:
    """What was handed out and never written to."""
    try:
        if os.path.getsize(path) == 0:
            os.unlink(path)
    except OSError:
        pass  # adopted, dropped, never made, or out of reach


def remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass  # another server of the same user was faster
