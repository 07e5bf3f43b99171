"""Files from elsewhere, kept on this computer under the SHA-256 of their content."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..domain.plain_text import plain
from ..errors import FileError, SetupError

TIMEOUT = 60.0
_BLOCK = 256 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")
#: Seconds after which an unfinished file, and one that was not used, is removed.
_STALE = 24 * 3600.0
_UNUSED = 60 * 24 * 3600.0

#: Called with the number of bytes that came in; raises to stop.
Arrived = Callable[[int], None]


class TooLong(SetupError):
    """More came than was announced."""


class Kept:
    """A folder of files by their hash. What lies there is verified each time it is taken."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path | None:
        """The file with this content; None where there is none. A damaged one is removed.

        The hash may be a board's word, and what is no hash names a file anywhere.
        """
        if not is_sha256(sha256):
            return None
        path = self._folder / sha256
        if not path.is_file():
            return None
        if file_sha256(path) == sha256:
            with suppress(OSError):
                os.utime(path)
            return path
        path.unlink()
        return None

    def put(self, data: bytes) -> Path:
        """Keep ``data``. FileError where it cannot be written; nothing of it is left then."""
        part = self._folder / f".{secrets.token_hex(8)}.part"
        path = self._folder / hashlib.sha256(data).hexdigest()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._forget_old()
            try:
                part.write_bytes(data)
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise FileError(f"Cannot write {path}: {error.strerror or error}.") from error
        return path

    def _forget_old(self) -> None:
        """Remove what nobody has used for long, and what a program that was killed has left."""
        for path in self._folder.iterdir():
            with suppress(OSError):
                age = time.time() - path.stat().st_mtime
                if age > (_STALE if path.suffix == ".part" else _UNUSED):
                    path.unlink()


def is_sha256(text: str) -> bool:
    return _SHA256.fullmatch(text) is not None


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def get(url: str, limit: int, arrived: Arrived = lambda count: None) -> bytes:
    """What stands at an address, at most ``limit`` bytes. SetupError; FileNotFoundError where it says
    that there is nothing.

    The system's proxies are used. Nothing is trusted yet: the caller verifies it.
    """
    if not url.startswith(("http://", "https://")) or not url.isascii():
        raise SetupError(f"{plain(url)} is not an address that can be fetched.")
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "arenascope"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            data = bytearray()
            while block := answer.read(_BLOCK):
                data += block
                arrived(len(block))
                if len(data) > limit:
                    raise TooLong(f"{plain(url)} sends more than the {limit} bytes that were announced.")
    except urllib.error.HTTPError as error:
        with error:
            if error.code in (404, 410):
                raise FileNotFoundError(url) from error
            raise _unreachable(url, f"it answers {error.code}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:  # URLError is an OSError
        why = plain(str(getattr(error, "reason", "") or error))
        raise _unreachable(url, why or type(error).__name__) from error
    return bytes(data)


def _unreachable(url: str, why: str) -> SetupError:
    return SetupError(
        f"{plain(url)} cannot be fetched: {why}.",
        hint="Check this computer's network (with a proxy: HTTP_PROXY and HTTPS_PROXY), then try again.",
    )
