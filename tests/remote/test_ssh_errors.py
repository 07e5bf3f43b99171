"""Every error of paramiko's and of the system's has an answer of ours, with a next step."""

from __future__ import annotations

import errno
import inspect
import os
import socket
from typing import Any

import paramiko
import pytest
from paramiko import ssh_exception
from paramiko.pkey import UnknownKeyType

from arenascope.errors import AuthenticationError, HostKeyChanged, LinkError, LinkLost
from arenascope.remote.ssh_errors import translate

_KEY = paramiko.RSAKey.generate(2048)

#: How each class of paramiko's is made; a new one in a new version makes the test fail until it is here.
SSH_ERRORS: dict[str, tuple[tuple[Any, ...], type[LinkError]]] = {
    "SSHException": (("what it says",), LinkError),
    "AuthenticationException": (("Authentication failed.",), AuthenticationError),
    "PasswordRequiredException": (("encrypted",), AuthenticationError),
    "BadAuthenticationType": (("no", ["publickey"]), AuthenticationError),
    "PartialAuthentication": ((["password"],), AuthenticationError),
    "UnableToAuthenticate": ((), AuthenticationError),
    "ChannelException": ((4, "Resource shortage"), LinkError),
    "BadHostKeyException": (("board", _KEY, _KEY), HostKeyChanged),
    "IncompatiblePeer": (("no acceptable kex",), LinkError),
    "ProxyCommandFailure": (("nc", "gone"), LinkError),
    "NoValidConnectionsError": (({("127.0.0.1", 22): ConnectionRefusedError()},), LinkError),
    "CouldNotCanonicalize": (("board",), LinkError),
    "ConfigParseError": (("line 1",), LinkError),
    "MessageOrderError": (("Expecting 20",), LinkError),
}


def _classes() -> list[type[BaseException]]:
    return [
        kind
        for _, kind in inspect.getmembers(ssh_exception, inspect.isclass)
        if issubclass(kind, BaseException) and kind.__module__ == ssh_exception.__name__
    ]


@pytest.mark.parametrize("kind", _classes(), ids=lambda kind: kind.__name__)
def test_each_class_of_paramiko_is_known(kind: type[BaseException]) -> None:
    arguments, expected = SSH_ERRORS[kind.__name__]
    error = translate(kind(*arguments), "board", 22)
    assert type(error) is expected
    assert error.message and error.hint and error.detail
    assert "board" in error.message


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "No address is known"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "refuses connections on port 2200"),
        (TimeoutError("timed out"), "does not answer on port 2200"),
        (TimeoutError(), "does not answer on port 2200"),
        (OSError(errno.ETIMEDOUT, "timed out"), "does not answer on port 2200"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "There is no way to board: the host"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "There is no way to board: its network"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "was lost"),
        (ConnectionAbortedError(), "was lost"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "was lost"),
        (EOFError(), "was lost"),
        (OSError("Socket is closed"), "Socket is closed"),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), "Too many open files"),
        (paramiko.SSHException("Error reading SSH protocol banner"), "introduce itself as an SSH server"),
        (paramiko.SSHException("Indecipherable protocol version"), "introduce itself as an SSH server"),
        (paramiko.SSHException("Timeout opening channel."), "did not answer in time"),
        (paramiko.AuthenticationException("Authentication timeout."), "did not answer in time"),
        (paramiko.SSHException("SSH session not active"), "was lost"),
        (paramiko.SSHException("Channel closed."), "was lost"),
        (UnknownKeyType(key_type="ssh-odd", key_bytes=b""), "board failed"),
        (paramiko.SFTPError("x"), "board failed"),
        (ValueError("bad length"), "bad length"),
        (RuntimeError(), "RuntimeError"),
    ],
    ids=repr,
)
def test_what_else_comes_out_of_it(raised: BaseException, words: str) -> None:
    error = translate(raised, "board", 2200)
    assert words in error.message
    assert error.hint


@pytest.mark.parametrize(
    "raised", [EOFError(), ConnectionResetError(), paramiko.SSHException("Channel closed.")]
)
def test_a_cut_is_a_lost_link(raised: BaseException) -> None:
    assert type(translate(raised, "board", 22)) is LinkLost


def test_a_peer_cannot_write_into_the_terminal() -> None:
    error = translate(paramiko.SSHException("\x1b[2Jgone\nand more" + "x" * 100_000), "board", 22)
    assert "\x1b" not in error.message + error.detail and "\n" not in error.message + error.detail
    assert len(error.message) + len(error.detail) < 2000
