"""An encrypted connection to one host, and the keys of this computer: paramiko as the rest sees it.

What a foreign library raises, asks or leaves open ends here and in ``ssh_errors.py``.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paramiko

from ..errors import LinkError
from . import ssh_faults as faults
from . import ssh_questions
from .login import Answering, HungUp, Key, LockedKey, UnusableKey
from .ssh_channel import LEAVE_TIMEOUT
from .ssh_errors import FOREIGN, LOG_NAME, is_reset, is_timeout, said, translate
from .ssh_limits import Limits

#: Encrypting and authenticating in one pass costs both sides least; the rest in the library's order.
FAST_CIPHER = "aes128-gcm@openssh.com"


class Reset(Exception):
    """The other side broke the connection before anybody could log in. ``error`` is what that means."""

    def __init__(self, error: LinkError) -> None:
        super().__init__(error.message)
        self.error = error


def greet(sock: Any, name: str, port: int, limits: Limits, known_types: set[str]) -> Any:
    """Agree on keys over ``sock`` (a socket, or a channel through another host). Nobody is logged in yet,
    and the host's key has still to be judged. Reset, or a LinkError that says which step failed.

    ``known_types``: the types of host key to ask for first, so that a known host can prove itself.
    """
    session = paramiko.Transport(sock)
    try:
        session.set_log_channel(LOG_NAME)
        session.banner_timeout = limits.banner
        session.handshake_timeout = limits.keys
        session.auth_timeout = limits.auth
        session.channel_timeout = limits.channel
        _prefer(session, known_types)
        done = threading.Event()
        session.start_client(event=done)
        done.wait(limits.banner + limits.keys)
        _check(session, name, port, limits)
    except BaseException:
        end(session, sock)
        raise
    return session


def _check(session: Any, name: str, port: int, limits: Limits) -> None:
    """Raise what stands between a session and its use."""
    slow_keys = session.packetizer.handshake_timed_out()  # the library calls it the end of the stream
    error = session.get_exception()
    if error is None and session.is_active() and session.initial_kex_done:
        return
    if error is None and session.is_active():
        error = TimeoutError("neither a key nor an end came")
    elif error is None:
        error = EOFError("the server ended the connection")
    introduced = bool(session.remote_version)
    if introduced and (slow_keys or is_timeout(error)):
        raise faults.slow_keys(name, limits.keys, said(error))
    if not introduced and (is_timeout(error) or isinstance(error.__context__, TimeoutError)):
        raise faults.slow_banner(name, port, limits.banner, said(error))
    if is_reset(error):
        raise Reset(faults.cut_early(name, port, said(error)))
    raise translate(error, name, port)  # of any class: the peer has not shown yet who it is


def _prefer(session: Any, known_types: set[str]) -> None:
    options = session.get_security_options()
    if "ssh-rsa" in known_types:  # the key's name; its signatures are made with SHA-2
        known_types = known_types | {"rsa-sha2-512", "rsa-sha2-256"}
    options.key_types = sorted(options.key_types, key=lambda name: name not in known_types)
    options.ciphers = sorted(options.ciphers, key=lambda name: name != FAST_CIPHER)


def tunnel(session: Any, hop: str, name: str, target: tuple[str, int], limits: Limits) -> Any:
    """A channel through the host ``hop`` to ``target``, to be used as a socket. LinkError."""
    try:
        return session.open_channel("direct-tcpip", target, ("127.0.0.1", 0), timeout=limits.channel)
    except paramiko.ChannelException as error:
        if error.code == 1:  # RFC 4254 §5.1: administratively prohibited
            raise faults.no_forwarding(hop, name, target, said(error)) from error
        raise faults.hop_cannot_reach(hop, name, target, said(error)) from error
    except FOREIGN as error:
        if is_timeout(error):
            raise faults.hop_is_slow(hop, name, target, limits.channel, said(error)) from error
        raise translate(error, hop, target[1]) from error


def run_command(session: Any, name: str, command: str, limit: float) -> Any:
    """A channel on which the host runs a command. LinkError, and what the library raises."""
    try:
        channel = session.open_session(timeout=limit)
    except paramiko.SSHException as error:
        if isinstance(error, paramiko.ChannelException) or not is_timeout(error):
            raise
        raise faults.slow_channel(name, limit, said(error)) from error
    late = threading.Event()

    def give_up() -> None:
        late.set()
        try:
            channel.close()
        except FOREIGN:
            pass  # the connection has ended

    # The library waits for the answer to this request without an end.
    timer = threading.Timer(limit, give_up)
    timer.daemon = True
    timer.start()
    try:
        channel.exec_command(command)
    except FOREIGN as error:
        if late.is_set():
            raise faults.slow_command(name, limit, said(error)) from error
        channel.close()
        if session.is_active():
            raise faults.no_command(name, said(error)) from error
        raise
    finally:
        timer.cancel()
    return channel


def shut(sock: Any) -> None:
    """Wake whoever reads from a socket or writes to it."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except FOREIGN:
        pass  # not connected


def end(session: Any, sock: Any) -> None:
    """Close a session and its socket, and wake whoever waits on them. Either may be None or closed."""
    if sock is not None:
        shut(sock)
    if session is not None:
        session.close()
        if session.is_alive():
            session.join(LEAVE_TIMEOUT)
        # A handshake that failed leaves a timer behind, which would hold up the end of the program.
        session.packetizer.complete_handshake()
    if sock is not None:
        try:
            sock.close()
        except FOREIGN:
            pass  # a channel of a session that has ended


class Session:
    """A paramiko transport as the login policy sees it (login.Session). LinkError for a login that hangs."""

    def __init__(self, raw: Any, name: str, limits: Limits) -> None:
        self.raw = raw
        self._name = name
        self._limits = limits

    def is_alive(self) -> bool:
        return bool(self.raw.is_active())

    def methods(self, user: str) -> list[str]:
        try:
            self.raw.auth_none(user)
        except paramiko.BadAuthenticationType as error:
            return list(error.allowed_types)
        except FOREIGN as error:
            if self._is_late(error):
                raise self._late(user, error) from error
            if not self.is_alive():
                raise HungUp from error
            raise
        return []  # a server that asks for nothing

    def try_key(self, user: str, key: Key) -> list[str] | None:
        return self._tried(user, lambda: self.raw.auth_publickey(user, key.handle))

    def try_password(self, user: str, secret: str) -> list[str] | None:
        return self._tried(user, lambda: self.raw.auth_password(user, secret, fallback=False))

    def try_questions(self, user: str, answer: Answering) -> list[str] | None:
        limit = self._limits.auth
        try:
            return ssh_questions.ask(self.raw, user, answer, limit, lambda way: self._tried(user, way))
        except ssh_questions.NoAnswer as error:
            raise self._late(user, error) from error

    def _tried(self, user: str, way: Callable[[], list[str]]) -> list[str] | None:
        try:
            return list(way())
        except FOREIGN as error:
            if self._is_late(error):
                raise self._late(user, error) from error
            if not self.is_alive():
                raise HungUp from error
            if isinstance(error, paramiko.AuthenticationException):
                return None
            raise

    @staticmethod
    def _is_late(error: BaseException) -> bool:
        return isinstance(error, paramiko.AuthenticationException) and is_timeout(error)

    def _late(self, user: str, error: BaseException) -> LinkError:
        return faults.slow_login(self._name, user, self._limits.auth, said(error))

    def close(self) -> None:
        end(self.raw, self.raw.sock)


class KeyStore:
    """The SSH agent and key files (login.KeyStore)."""

    def __init__(self) -> None:
        self._agent: Any = None

    def agent_keys(self) -> list[Key]:
        if not _agent_listens():
            return []
        try:
            self._agent = paramiko.Agent()
            keys = self._agent.get_keys()
        except FOREIGN:  # it speaks something else: as if there were none
            return []
        return [
            Key(f"the agent's key {key.comment or key.fingerprint}", key.asbytes(), key)
            for key in keys
            if key.inner_key is not None  # a kind of key that paramiko cannot announce
        ]

    def load(self, path: Path, passphrase: str | None) -> Key:
        try:
            key = paramiko.PKey.from_path(path, passphrase and passphrase.encode("utf-8"))
        except FileNotFoundError:
            raise
        except TypeError as error:  # how the library says that it needs a passphrase
            raise LockedKey from error
        except FOREIGN as error:
            if passphrase:
                raise LockedKey from error
            raise UnusableKey(said(error)) from error
        return Key(str(path), key.asbytes(), key)

    def public_blob(self, path: Path) -> bytes | None:
        try:
            return bytes(paramiko.PublicBlob.from_file(f"{path}.pub").key_blob)
        except FOREIGN:
            return None

    def close(self) -> None:
        if self._agent is not None:
            self._agent.close()


def _agent_listens() -> bool:
    """False for a socket that nobody serves any more; the library would leave it open."""
    path = os.environ.get("SSH_AUTH_SOCK")
    if sys.platform == "win32" or not path:
        return sys.platform == "win32"
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0
