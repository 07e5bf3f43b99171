"""The file of the log: private, bounded, and without the names of people and machines."""

from __future__ import annotations

import itertools
import logging
import os
import socket
import sys
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path

from .errors import ArenaScopeError
from .reporters.redact import names_in, redact_text
from .settings import places
from .store import devices
from .store.folders import make_private

NAME = "arenascope.log"
MAX_BYTES = 256 * 1024
_OLD_FILES = 2
#: Options of ssh_config(5) whose values are names, and what makes a pattern of one.
_NAMING = ("host", "hostname", "user", "hostkeyalias", "proxyjump")
_PATTERN = frozenset("*?!%")
_FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"


def opened() -> logging.Handler:
    """A handler that writes to the file; one that writes nowhere if that cannot be."""
    path = places().log / NAME
    try:
        make_private(path.parent)
        file = _PrivateFile(path, maxBytes=MAX_BYTES, backupCount=_OLD_FILES, encoding="utf-8")
    except (OSError, ArenaScopeError):
        return logging.NullHandler()
    file.setFormatter(_Redacting(_FORMAT))
    return file


class _PrivateFile(RotatingFileHandler):
    def _open(self):  # type: ignore[no-untyped-def]
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "a", encoding=self.encoding, errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:
        """A full disk, mostly. The terminal is not the place to say so."""


class _Redacting(logging.Formatter):
    """Takes names, logins, addresses and home folders out of the whole line, a traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        # Each time: a device may just have been added. A record is rare.
        return redact_text(super().format(record), sorted(_names()))


def _names() -> set[str]:
    """What the machines and people are called whom the user has to do with, as far as it is written down."""
    known = [f"{_user()}@{socket.gethostname()}", *_devices_in(sys.argv[1:])]
    with suppress(OSError, ArenaScopeError):
        for device in devices.load(places().devices):
            known += [device.name, device.address]
    with suppress(OSError, UnicodeDecodeError):
        for line in (Path.home() / ".ssh" / "config").read_text(encoding="utf-8").splitlines():
            keyword, _, values = line.strip().replace("=", " ", 1).partition(" ")
            if keyword.lower() in _NAMING:
                known += values.replace(",", " ").split()
    found = {name for one in known if not set(one) & _PATTERN for name in names_in(one)}
    # Addresses have a form of their own, and a number of one may stand for anything.
    return {name for name in found if not name.replace(".", "").isdigit()}


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


def _devices_in(arguments: list[str]) -> list[str]:
    """The words of a command line that name a device."""
    if arguments[:1] == ["devices"]:
        return [word for word in arguments[2:] if not word.startswith("-")]
    found = [word.partition("=")[2] for word in arguments if word.startswith("--device=")]
    return found + [b for a, b in itertools.pairwise(arguments) if a in ("--device", "-d")]
