"""Which host keys are known, and what a presented key means.

Reads the format of OpenSSH's ``known_hosts`` (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): patterns, hashed
names, ``@revoked``. The user's own files are read and never written; a key that a person accepted
here goes to our own file. Certificates of hosts (``@cert-authority``) are not understood and not used.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path

from ..errors import StoreError

SYSTEM_KNOWN_HOSTS = Path("/etc/ssh/ssh_known_hosts")


class Verdict(Enum):
    """KNOWN: go on. UNKNOWN: nothing is known of this host, ask. CHANGED, REVOKED: stop."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """One line that names the host asked for: the key, and where it stands."""

    key_type: str
    blob: bytes
    revoked: bool
    path: Path
    line: int


def fingerprint(blob: bytes) -> str:
    """The SHA-256 fingerprint of a public key as OpenSSH prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")


def known_keys(name: str, files: Iterable[Path]) -> tuple[KnownKey, ...]:
    """Every key that the files hold for ``name`` (``host``, or ``[host]:port`` for other ports than 22).

    A missing or unreadable file holds nothing: that can only make a known host unknown. So does a
    damaged line.
    """
    return tuple(key for path in files for key in _read(path, name))


def judge(keys: Iterable[KnownKey], blob: bytes) -> tuple[Verdict, KnownKey | None]:
    """What a presented key means, and the line that says so (None for UNKNOWN).

    A host known by one type of key that now shows another type counts as CHANGED: connecting asks
    for the known types first, so an honest host would have shown one of them.
    """
    keys = tuple(keys)
    for key in keys:
        if key.revoked and key.blob == blob:
            return Verdict.REVOKED, key
    trusted = [key for key in keys if not key.revoked]
    for key in trusted:
        if key.blob == blob:
            return Verdict.KNOWN, key
    if trusted:
        return Verdict.CHANGED, trusted[0]
    return Verdict.UNKNOWN, None


def remember(path: Path, name: str, key_type: str, blob: bytes) -> None:
    """Add an accepted key to our own file. StoreError when it cannot be written."""
    line = f"{name} {key_type} {base64.b64encode(blob).decode('ascii')}\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # One short write to the end: two programs that add at once cannot spoil each other's line.
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":  # a person edited it
                line = "\n" + line
            os.write(descriptor, line.encode("utf-8"))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StoreError(
            f"The accepted key of {name} cannot be saved: {error.strerror}.",
            hint=f"Make {path} writable.",
        ) from error


def _read(path: Path, name: str) -> list[KnownKey]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        revoked = bool(words) and words[0] == "@revoked"
        if revoked:
            words = words[1:]
        if len(words) < 3 or words[0].startswith(("#", "@")) or not _names(words[0], name):
            continue
        try:
            blob = base64.b64decode(words[2], validate=True)
        except (binascii.Error, ValueError):
            continue
        found.append(KnownKey(words[1], blob, revoked, path, number))
    return found


def _names(field: str, name: str) -> bool:
    if field.startswith("|1|"):
        return _hashed_name_is(field, name)
    patterns = field.lower().split(",")
    if any(_matches(p[1:], name) for p in patterns if p.startswith("!")):
        return False
    return any(_matches(p, name) for p in patterns)


def _matches(pattern: str, name: str) -> bool:
    return fnmatchcase(name, pattern.replace("[", "[[]"))  # the brackets are those of [host]:port


def _hashed_name_is(field: str, name: str) -> bool:
    """``|1|salt|hash``: HMAC-SHA1 of the name keyed with the salt."""
    try:
        _, _, salt, digest = field.split("|")
        expected = hmac.new(base64.b64decode(salt), name.encode("utf-8"), hashlib.sha1).digest()
        return hmac.compare_digest(expected, base64.b64decode(digest))
    except (binascii.Error, ValueError):
        return False
