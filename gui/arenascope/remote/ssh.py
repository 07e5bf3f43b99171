"""A board over SSH. The only module that knows paramiko: what a foreign library raises, asks or leaves
open ends here.

One connection a board and a few channels on it. Unknown host keys are asked about and changed ones
are a hard stop (trust.py); no PTY, no agent forwarding; every step has a time-out.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko
from paramiko import ssh_exception as kinds
from paramiko.pkey import UnknownKeyType

from ..domain.plain_text import plain
from ..errors import Cancelled, DeployError, FileError, HostKeyChanged, LinkError, LinkLost
from ..settings import places
from . import bundle, deploy
from . import ssh_faults as faults
from .address import Address
from .login import HungUp, Key, LockedKey, Login, UnusableKey
from .prompts import NoPrompts, Prompts
from .ssh_channel import KILL_TIMEOUT, LEAVE_TIMEOUT, SshChannel
from .ssh_config import HostConfig, host_config
from .transport import Progress
from .trust import Trust

CONNECT_TIMEOUT = 10.0
BANNER_TIMEOUT = 30.0
AUTH_TIMEOUT = 30.0
CHANNEL_TIMEOUT = 30.0
START_TIMEOUT = 30.0
CLEAN_TIMEOUT = 120.0
KEEPALIVE = 15
MAX_CHANNELS = 4
_BLOCK = 256 * 1024

# What paramiko raises itself, and what its reader thread leaves behind when a peer sends nonsense.
_FOREIGN = (
    paramiko.SSHException,
    paramiko.SFTPError,
    UnknownKeyType,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    struct.error,
)

# Every failure reaches the user through translate(); the library's own tracebacks in the log do not.
_LOG_NAME = "arenascope.paramiko"
logging.getLogger(_LOG_NAME).setLevel(logging.CRITICAL + 1)


class SshTransport:
    """A device behind SSH. Connects at the first use, on the thread that uses it first.

    ``ssh_dir`` is the user's ~/.ssh; ``known_hosts`` our own file of accepted keys.
    """

    is_local = False
    keeps_sessions = True

    def __init__(
        self,
        address: Address,
        prompts: Prompts | None = None,
        *,
        ssh_dir: Path | None = None,
        known_hosts: Path | None = None,
    ) -> None:
        self.name = address.text
        self._address = address
        self._prompts = prompts or NoPrompts()
        self._ssh_dir = ssh_dir or Path.home() / ".ssh"
        self._known_hosts = known_hosts or places().known_hosts
        self._connecting = threading.Lock()
        self._lock = threading.Lock()
        self.last_progress = 0.0
        self._closed = False
        self._socket: socket.socket | None = None
        self._session: Any = None
        self._channels: set[SshChannel] = set()
        self._room = threading.BoundedSemaphore(MAX_CHANNELS)

    def connect(self) -> None:
        """Reach the device and log in; nothing where that is done. LinkError and its kin."""
        with self._connecting:
            if self._is_up():
                return
            session = self._log_in()
            with self._lock:
                closed = self._closed
                self._session = session
            if closed:
                _end(session, self._socket)
                raise self._was_closed()

    def drop(self) -> None:
        """Break the connection at once; the next use makes a new one."""
        with self._lock:
            session, self._session = self._session, None
            sock, channels = self._socket, list(self._channels)
        if session is not None:
            _end(session, sock)
        for channel in channels:
            channel.close()

    def open_agent(self, session: str, seen: int | None) -> SshChannel:
        """Start the agent there, sending it first where it is missing. LinkError, DeployError."""
        archive, sha256 = bundle.build()
        channel = self._run(deploy.agent_command(sha256, len(archive), session, seen))
        try:
            channel.timeout = START_TIMEOUT
            started = deploy.start_agent(channel, archive, self.name)
            channel.timeout = None
            channel.put_back(started.ahead)
            channel.pid = started.pid
        except DeployError as error:
            channel.close()
            if not self._is_up():
                raise faults.cut(self.name, error.detail) from error
            raise
        except BaseException:
            channel.close()
            raise
        return channel

    def put_file(self, local: Path, remote: str, progress: Progress | None = None) -> None:
        """Write a local file to a path on the device, mode 0600.

        FileError for the local side; LinkLost; BoardError for a full or failing disk. On any failure,
        and when ``progress`` raises, the partial file is removed there.
        """
        if "\n" in remote:
            raise FileError(f"The path “{remote}” cannot be used on {self.name}.", hint="")
        try:
            with local.open("rb") as file:
                size = local.stat().st_size
                channel = self._run(deploy.receive_command(size))
                try:
                    channel.timeout = CHANNEL_TIMEOUT
                    self._send_file(channel, file, remote.encode("utf-8", "surrogateescape"), size, progress)
                finally:
                    channel.close()
        except OSError as error:
            raise FileError(f"{local.name} cannot be read: {error.strerror or error}.") from error

    def kept(self, *, remove: bool = False) -> deploy.Kept:
        channel = self._run(deploy.clean_command(remove=remove))
        try:
            channel.timeout = CLEAN_TIMEOUT
            return deploy.finish_clean(channel, self.name)
        finally:
            channel.close()

    def close(self) -> None:
        """End everything that was opened there. May be called from any thread, and twice."""
        with self._lock:
            self._closed = True
            session, sock, channels = self._session, self._socket, list(self._channels)
        for channel in channels:
            channel.close()
        _end(session, sock)

    def _is_up(self) -> bool:
        session = self._session
        return session is not None and bool(session.is_active())

    # -- channels ---------------------------------------------------------------------------------

    def _run(self, command: str) -> SshChannel:
        self.connect()
        if not self._room.acquire(timeout=CHANNEL_TIMEOUT):
            raise LinkError(f"Too much is being done on {self.name} at once.", hint="Wait for it to end.")
        try:
            with self._translated():
                raw = self._session.open_session(timeout=CHANNEL_TIMEOUT)
                raw.exec_command(command)
        except BaseException:
            self._room.release()
            raise
        channel = SshChannel(raw, self.name, _FOREIGN, self._gone, self._kill)
        with self._lock:
            self._channels.add(channel)
        return channel

    def _gone(self, channel: SshChannel) -> None:
        with self._lock:
            self._channels.discard(channel)
        self._room.release()

    def _kill(self, pid: int) -> None:
        """The last resort for a far process that ignores the end of its stdin."""
        session = self._session
        if session is None or not session.is_active():
            return
        with self._translated():
            raw = session.open_session(timeout=KILL_TIMEOUT)
            raw.exec_command(deploy.kill_command(pid))
            raw.status_event.wait(KILL_TIMEOUT)
            raw.close()

    def _send_file(
        self, channel: SshChannel, file: Any, remote: bytes, size: int, progress: Progress | None
    ) -> None:
        try:
            channel.send(remote + b"\n")
            done = 0
            while done < size:
                block = file.read(min(_BLOCK, size - done))
                if not block:
                    raise FileError(f"{file.name} became shorter while it was being sent.")
                done += len(block)
                # The last byte waits for the last word of ``progress``: without it nothing is kept there.
                channel.send(block if done < size else block[:-1])
                self.last_progress = time.monotonic()
                if progress is not None:
                    progress(done, size)
                if done == size:
                    channel.send(block[-1:])
        except LinkLost:
            if not self._is_up():
                raise
            # The far side stopped reading; its mark says why.
        try:
            deploy.finish_receive(channel, self.name)
        except DeployError as error:
            if self._is_up():
                raise
            raise faults.cut(self.name, error.detail) from error

    # -- reaching the device ----------------------------------------------------------------------

    def _log_in(self) -> Any:
        config = host_config(self._address, self._ssh_dir)
        if config.jump is not None:
            raise LinkError(
                f"{self.name} is reached through “{config.jump}”, and that is not supported yet.",
                hint="Give an address that this computer reaches directly, "
                "or forward a port with ssh -L and connect to 127.0.0.1:PORT.",
            )
        with self._translated(config):
            keys = _KeyStore()
            try:
                login = Login(
                    config, self._prompts, keys, self._ssh_dir, lambda: _Session(self._greet(config))
                )
                session = login.run().raw
            finally:
                keys.close()
        session.set_keepalive(KEEPALIVE)
        return session

    def _greet(self, config: HostConfig) -> Any:
        """An encrypted connection to a host whose key is known; nobody is logged in yet."""
        sock = self._dial(config)
        session = paramiko.Transport(sock)
        try:
            session.set_log_channel(_LOG_NAME)
            session.banner_timeout = BANNER_TIMEOUT
            session.handshake_timeout = BANNER_TIMEOUT
            session.auth_timeout = AUTH_TIMEOUT
            session.channel_timeout = CHANNEL_TIMEOUT
            trust = Trust(self.name, config, self._ssh_dir, self._known_hosts, self._prompts)
            _prefer(session, trust.key_types)
            done = threading.Event()
            session.start_client(event=done)
            done.wait(BANNER_TIMEOUT + CONNECT_TIMEOUT)
            error = session.get_exception()
            if error is None and not session.is_active():
                error = EOFError("the server ended the connection")
            elif error is None and not session.initial_kex_done:
                error = TimeoutError()
            if error is not None:  # of any class: the peer has not shown yet who it is
                raise self._was_closed() if self._closed else translate(error, self.name, config.port)
            key = session.get_remote_server_key()
            trust.check(key.get_name(), key.asbytes())
        except BaseException:
            _end(session, sock)
            raise
        return session

    def _dial(self, config: HostConfig) -> socket.socket:
        first: OSError | None = None
        for family, kind, proto, _, target in socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM
        ):
            sock = socket.socket(family, kind, proto)
            with self._lock:
                closed = self._closed
                self._socket = sock
            try:
                if closed:
                    raise self._was_closed()
                sock.settimeout(CONNECT_TIMEOUT)
                sock.connect(target)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                sock.close()
                first = first or error
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise first or OSError("no address")

    # -- errors -----------------------------------------------------------------------------------

    @contextmanager
    def _translated(self, config: HostConfig | None = None) -> Iterator[None]:
        port = config.port if config else self._address.port or 22
        try:
            yield
        except _FOREIGN as error:
            if self._closed:
                raise self._was_closed() from error
            raise translate(error, self.name, port) from error

    def _was_closed(self) -> Cancelled:
        return Cancelled(f"The connection to {self.name} was closed.", hint="")


class _Session:
    """A paramiko transport as the login policy sees it (login.Session)."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw

    def is_alive(self) -> bool:
        return bool(self.raw.is_active())

    def methods(self, user: str) -> list[str]:
        try:
            self.raw.auth_none(user)
        except paramiko.BadAuthenticationType as error:
            return list(error.allowed_types)
        return []  # a server that asks for nothing

    def try_key(self, user: str, key: Key) -> list[str] | None:
        return self._tried(lambda: self.raw.auth_publickey(user, key.handle))

    def try_password(self, user: str, secret: str) -> list[str] | None:
        return self._tried(lambda: self.raw.auth_password(user, secret, fallback=False))

    def try_questions(self, user: str, secret: str) -> list[str] | None:
        def answer(_title: str, _text: str, questions: list[tuple[str, bool]]) -> list[str]:
            # One hidden question is the password; nothing else has an answer here.
            return [secret if len(questions) == 1 and not shown else "" for _, shown in questions]

        return self._tried(lambda: self.raw.auth_interactive(user, answer))

    def _tried(self, way: Callable[[], list[str]]) -> list[str] | None:
        try:
            return list(way())
        except _FOREIGN as error:
            if not self.is_alive():
                raise HungUp from error
            if isinstance(error, paramiko.AuthenticationException) and "timeout" not in str(error):
                return None
            raise

    def close(self) -> None:
        _end(self.raw, None)


class _KeyStore:
    """The SSH agent and key files (login.KeyStore)."""

    def __init__(self) -> None:
        self._agent: Any = None

    def agent_keys(self) -> list[Key]:
        if not _agent_listens():
            return []
        try:
            self._agent = paramiko.Agent()
            keys = self._agent.get_keys()
        except _FOREIGN:  # it speaks something else: as if there were none
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
        except _FOREIGN as error:
            if passphrase:
                raise LockedKey from error
            raise UnusableKey(_said(error)) from error
        return Key(str(path), key.asbytes(), key)

    def public_blob(self, path: Path) -> bytes | None:
        try:
            return bytes(paramiko.PublicBlob.from_file(f"{path}.pub").key_blob)
        except _FOREIGN:
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


def _prefer(session: Any, known_types: set[str]) -> None:
    """Ask for the types of key that are known first, so that a known host can prove itself."""
    options = session.get_security_options()
    wanted = known_types
    if "ssh-rsa" in wanted:  # the key's name; its signatures are made with SHA-2
        wanted = wanted | {"rsa-sha2-512", "rsa-sha2-256"}
    options.key_types = sorted(options.key_types, key=lambda name: name not in wanted)


def _end(session: Any, sock: socket.socket | None) -> None:
    """Close a session and its socket, and wake whoever waits on them. Either may be None or closed."""
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # not connected
    if session is not None:
        session.close()
        if session.is_alive():
            session.join(LEAVE_TIMEOUT)
        # A handshake that failed leaves a timer behind, which would hold up the end of the program.
        session.packetizer.complete_handshake()
    if sock is not None:
        sock.close()


# -- what paramiko's and the system's errors mean --------------------------------------------------

_NO_WAY = {
    errno.EHOSTUNREACH: "the host cannot be reached",
    errno.ENETUNREACH: "its network cannot be reached",
    errno.EHOSTDOWN: "the host is down",
    errno.ENETDOWN: "the network is down",
}
_CUT = (EOFError, ConnectionResetError, ConnectionAbortedError, BrokenPipeError)


def translate(error: BaseException, name: str, port: int) -> LinkError:
    """What a foreign error means for the user of the device ``name``. Knows every class of paramiko's and
    has an answer for whatever else may come."""
    detail = _said(error)
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
    if isinstance(error, _CUT):
        return faults.cut(name, detail)
    if isinstance(error, OSError) and error.errno in _NO_WAY:
        return faults.no_way(name, _NO_WAY[error.errno], detail)
    return faults.other(name, _words(error), detail)


def _translate_ssh(error: Any, name: str, port: int, detail: str) -> LinkError:
    text = str(error)
    if isinstance(error, kinds.BadHostKeyException):
        return HostKeyChanged(f"The host key of {name} has changed.", detail=detail)
    if isinstance(error, kinds.AuthenticationException):
        slow = "timeout" in text.lower()  # the library has no class of its own for it
        return faults.too_slow(name, detail) if slow else faults.not_let_in(name, detail)
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
    if "imeout" in text or "timed out" in text:
        return faults.too_slow(name, detail)
    if "not active" in text or "No existing session" in text or "losed" in text:
        return faults.cut(name, detail)
    return faults.other(name, _words(error), detail)


def _words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return plain(str(error).rstrip(".")) or type(error).__name__


def _said(error: BaseException) -> str:
    """An error as evidence. A peer may have chosen its text."""
    return plain(f"{type(error).__name__}: {error}", 1000) if str(error) else type(error).__name__
