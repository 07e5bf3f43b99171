"""What paramiko's and the system's errors mean. Says which of ``ssh_faults`` a foreign error is."""

from __future__ import annotations

import errno
import logging
import socket
import struct
from typing import Any

import paramiko
from paramiko import ssh_exception as kinds
from paramiko.pkey import UnknownKeyType

from ..domain.plain_text import plain
from ..errors import HostKeyChanged, LinkError
from . import ssh_faults as faults

#: What paramiko raises itself, and what its reader thread leaves behind when a peer sends nonsense.
FOREIGN = (
    paramiko.SSHException,
    paramiko.SFTPError,
    UnknownKeyType,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    struct.error,
)
#: How a connection ends that the other side breaks.
CUT = (EOFError, ConnectionResetError, ConnectionAbortedError, BrokenPipeError)

_NO_WAY = {
    errno.EHOSTUNREACH: "the host cannot be reached",
    errno.ENETUNREACH: "its network cannot be reached",
    errno.EHOSTDOWN: "the host is down",
    errno.ENETDOWN: "the network is down",
}

# Every failure reaches the user through translate(); the library's own tracebacks in the log do not.
LOG_NAME = "arenascope.paramiko"
logging.getLogger(LOG_NAME).setLevel(logging.CRITICAL + 1)


def translate(error: BaseException, name: str, port: int) -> LinkError:
    """What a foreign error means for the user of the device ``name``. Knows every class of paramiko's and
    has an answer for whatever else may come."""
    detail = said(error)
    if isinstance(error, kinds.SSHException):
        return _translate_ssh(error, name, port, detail)
    if isinstance(error, kinds.NoValidConnectionsError):
        return translate(next(iter(error.errors.values())), name, port)
    if isinstance(error, socket.gaierror):
        return faults.no_address(name, detail)
    if isinstance(error, ConnectionRefusedError):
        return faults.refused(name, port, detail)
    if isinstance(error, TimeoutError):
        return faults.silent(name, port, detail)
    if isinstance(error, CUT):
        return faults.cut(name, detail)
    if isinstance(error, OSError) and error.errno in _NO_WAY:
        return faults.no_way(name, _NO_WAY[error.errno], detail)
    return faults.other(name, _words(error), detail)


def _translate_ssh(error: Any, name: str, port: int, detail: str) -> LinkError:
    text = str(error)
    if isinstance(error, kinds.BadHostKeyException):
        return HostKeyChanged(f"The host key of {name} has changed.", detail=detail)
    if isinstance(error, kinds.AuthenticationException):
        # The library has no class of its own for a login that hangs.
        return faults.too_slow(name, detail) if is_timeout(error) else faults.not_let_in(name, detail)
    if isinstance(error, kinds.IncompatiblePeer):
        return faults.no_common_algorithm(name, detail)
    if isinstance(error, kinds.ChannelException):
        return faults.no_channel(name, detail)
    if isinstance(error, kinds.MessageOrderError):
        return faults.forbidden_order(name, detail)
    if isinstance(error, kinds.ProxyCommandFailure | kinds.CouldNotCanonicalize | kinds.ConfigParseError):
        return faults.bad_configuration(name, detail)
    # The rest are bare SSHExceptions, told apart by their words alone.
    if "banner" in text or "protocol version" in text:
        return faults.no_ssh_server(name, port, detail)
    if is_timeout(error):
        return faults.too_slow(name, detail)
    if "not active" in text or "No existing session" in text or "losed" in text:
        return faults.cut(name, detail)
    return faults.other(name, _words(error), detail)


def is_timeout(error: BaseException) -> bool:
    """Whether a step took too long. In most places the library says so in words only."""
    return isinstance(error, TimeoutError) or any(w in str(error).lower() for w in ("timeout", "timed out"))


def is_reset(error: BaseException) -> bool:
    """Whether the other side broke a connection that was being made, as far as the error tells.

    The library wraps what happens while it waits for the first line into an error about that line.
    """
    return isinstance(error, CUT) or (
        isinstance(error, kinds.SSHException) and isinstance(error.__context__, CUT)
    )


def said(error: BaseException) -> str:
    """An error as evidence. A peer may have chosen its text."""
    return plain(f"{type(error).__name__}: {error}", 1000) if str(error) else type(error).__name__


def _words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return plain(str(error).rstrip(".")) or type(error).__name__
