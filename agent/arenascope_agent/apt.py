"""What this device's own package system knows: its sources, its keys, what is installed. For ``aside.run``.

The desktop fetches packages for a device that has no way out; the device says from where, and judges by
its own keys whether what came is its distribution's. Nothing is changed here, and apt itself is not run.
"""

from __future__ import annotations

import base64
import binascii
import glob
import os
import subprocess

from . import protocol
from .aside import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

#: Bytes of all source files together: what is sent must fit an answer (aside.py).
_MAX_SOURCES = 40 * 1024
_GPGV_SECONDS = 120


def sources(root: str = "/etc/apt") -> dict[str, Any]:
    """{"files": {path: text}}: apt's source lists, as they stand."""
    names = [os.path.join(root, "sources.list")]
    for pattern in ("*.list", "*.sources"):
        names += sorted(glob.glob(os.path.join(root, "sources.list.d", pattern)))
    files, left = {}, _MAX_SOURCES
    for name in names:
        try:
            with open(name, "rb") as file:
                text = file.read(left + 1).decode("utf-8", "replace")
        except OSError:
            continue
        left -= len(text)
        if left < 0:
            break
        files[name] = text
    return {"files": files}


def installed(names: list[str], status: str = "/var/lib/dpkg/status") -> dict[str, Any]:
    """{"architecture", "packages": {name: version}}: those of ``names`` that are installed, or provided by
    what is (then with the version "" where none is said)."""
    wanted, architecture = frozenset(names), None
    found: dict[str, str] = {}
    try:
        with open(status, encoding="utf-8", errors="replace") as file:
            for entry in _stanzas(file):
                if entry.get("Status", "").split()[-1:] != ["installed"]:
                    continue
                name = entry.get("Package", "")
                if name == "dpkg":
                    architecture = entry.get("Architecture")
                for provided in entry.get("Provides", "").split(","):
                    word, _, version = provided.strip().partition(" ")
                    if word in wanted:
                        found.setdefault(word, version.strip("(=) "))
                if name in wanted:
                    found[name] = entry.get("Version", "")
    except OSError:
        raise Failure(
            protocol.NOT_FOUND,
            "There is no list of installed packages (%s): this is no Debian system." % status,
            "Install NumPy with the system's own means, then set the board up again.",
        ) from None
    return {"architecture": architecture, "packages": found}


def _stanzas(lines: Any) -> Iterator[dict[str, str]]:
    """The fields that are asked for, on one line each in dpkg's own files."""
    entry: dict[str, str] = {}
    for line in lines:
        if line == "\n":
            yield entry
            entry = {}
        elif line[0] not in " \t":
            key, _, value = line.partition(":")
            if key in ("Package", "Status", "Version", "Provides", "Architecture"):
                entry[key] = value.strip()
    yield entry


def verify(release: str, signed_by: list[str], wanted: list[str], root: str = "/etc/apt") -> dict[str, Any]:
    """{"files": {path: [sha256, size]}, "fields"} out of an InRelease file whose signature is good.

    ``signed_by``: paths of the keyrings that the source names, or keys as text; where it names none, the
    keys that apt trusts. What is read is what gpgv says was signed. Failure(hash_mismatch) where it is not.
    """
    keyrings = [_in_memory(key) for key in _keys(signed_by, root)]
    given = _in_memory(release.encode("utf-8", "replace"))
    pipe_read, pipe_write = os.pipe()
    try:
        # A board without a battery may live before the day on which the keys were made.
        argv = ["gpgv", "--ignore-time-conflict", "--status-fd", str(pipe_write), "--output", "-"]
        for fd in keyrings:
            argv += ["--keyring", "/proc/self/fd/%d" % fd]
        done = subprocess.run(
            [*argv, "/proc/self/fd/%d" % given],
            stdin=subprocess.DEVNULL, capture_output=True, pass_fds=[*keyrings, given, pipe_write],
            timeout=_GPGV_SECONDS, check=False,
        )  # fmt: skip
        os.close(pipe_write)
        pipe_write = -1
        said = os.read(pipe_read, 65536).decode("utf-8", "replace")
    except FileNotFoundError:
        raise Failure(
            protocol.NOT_FOUND, "gpgv is not on this device, so no package can be verified.",
            "Install it there: sudo apt install gpgv",
        ) from None  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Failure(protocol.IO_FAILED, "gpgv did not come to an end.", "Try again.") from None
    finally:
        for fd in (*keyrings, given, pipe_read, pipe_write):
            if fd >= 0:
                os.close(fd)
    words = [line.split()[1:2] for line in said.splitlines()]
    if ["GOODSIG"] not in words or ["BADSIG"] in words:
        raise Failure(
            protocol.HASH_MISMATCH,
            "The signature of the package list is not one that this device trusts.",
            "Look at the device's own sources with: sudo apt update",
            done.stderr.decode("utf-8", "replace")[-800:],
        )
    return _signed(done.stdout.decode("utf-8", "replace"), frozenset(wanted))


def _keys(signed_by: list[str], root: str) -> list[bytes]:
    """The keyrings, as gpgv reads them. Failure where there is none."""
    found = []
    trusted = [os.path.join(root, "trusted.gpg")]
    for pattern in ("*.gpg", "*.asc"):
        trusted += sorted(glob.glob(os.path.join(root, "trusted.gpg.d", pattern)))
    for one in signed_by or trusted:
        data = one.encode("utf-8", "replace")
        if one.startswith("/"):
            try:
                with open(one, "rb") as file:
                    data = file.read()
            except OSError:
                continue
        found.append(_dearmored(data) if b"-----BEGIN PGP PUBLIC KEY" in data else data)
    if not found:
        raise Failure(
            protocol.NOT_FOUND,
            "None of the keys is there by which this device would verify its packages.",
            "Look at the device's own sources with: sudo apt update",
            ", ".join(signed_by or trusted)[:800],
        )
    return found


def _dearmored(data: bytes) -> bytes:
    """Every key block of an ASCII-armoured file, as bytes."""
    found = b""
    for block in data.split(b"-----BEGIN PGP PUBLIC KEY BLOCK-----")[1:]:
        lines = [line.strip() for line in block.partition(b"-----END")[0].strip(b"\r\n").splitlines()]
        # Headers such as "Version:" stand before an empty line; a line of its own with = is the checksum.
        body = lines[lines.index(b"") + 1 :] if b"" in lines else lines
        try:
            found += base64.b64decode(b"".join([line for line in body if line[:1] != b"="]), validate=True)
        except binascii.Error:
            continue
    return found


def _in_memory(data: bytes) -> int:
    """A descriptor to read ``data`` from by name: nothing is written to the disk."""
    fd = os.memfd_create("arenascope-apt", 0)
    with open(fd, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _signed(text: str, wanted: frozenset[str]) -> dict[str, Any]:
    files: dict[str, list[Any]] = {}
    fields: dict[str, str] = {}
    section = ""
    for line in text.splitlines():
        if line[:1] != " ":
            section, _, value = line.partition(":")
            if section in ("Suite", "Codename", "Date", "Valid-Until", "Acquire-By-Hash"):
                fields[section] = value.strip()[:200]
        elif section == "SHA256":
            words = line.split()
            if len(words) == 3 and words[2] in wanted and words[1].isdigit():
                files[words[2]] = [words[0], int(words[1])]
    return {"files": files, "fields": fields}
