"""A board over SSH: the way there, the agent, files, and the end of it all.

One connection a board (through other hosts where ProxyJump says so) and a few channels on it. Unknown
host keys are asked about and changed ones are a hard stop (trust.py); no PTY, no agent forwarding; every
step has a time-out (ssh_limits.py). The SSH library itself is behind ``ssh_session.py``.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import Cancelled, DeployError, FileError, LinkError, LinkLost
from ..settings import places
from . import bundle, deploy, ssh_session
from . import ssh_faults as faults
from .address import Address
from .login import Login
from .prompts import NoPrompts, Prompts
from .ssh_channel import KILL_TIMEOUT, PACKET, SshChannel
from .ssh_config import HostConfig
from .ssh_errors import FOREIGN, said, translate
from .ssh_limits import LIMITS, Limits
from .ssh_route import Hop, route
from .transport import Progress
from .trust import Trust
from .vault import Vault

KEEPALIVE = 15
MAX_CHANNELS = 4
_BLOCK = 8 * PACKET


class SshTransport:
    """A device behind SSH. Connects at the first use, on the thread that uses it first.

    ``ssh_dir`` is the user's ~/.ssh; ``known_hosts`` our own file of accepted keys. ``tell`` hears, in a
    sentence, why it takes longer.
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
        limits: Limits = LIMITS,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.name = address.text
        self._address = address
        self._prompts = prompts or NoPrompts()
        self._ssh_dir = ssh_dir or Path.home() / ".ssh"
        self._known_hosts = known_hosts or places().known_hosts
        self._limits = limits
        self._tell = tell or (lambda text: None)
        self._vault = Vault(self._prompts, self._tell)
        self._connecting = threading.Lock()
        self._lock = threading.Lock()
        self.last_progress = 0.0
        self._closed = threading.Event()
        self._socket: socket.socket | None = None
        self._way: list[Any] = []  # the sessions with the hosts on the way, in their order
        self._session: Any = None
        self._channels: set[SshChannel] = set()
        self._room = threading.BoundedSemaphore(MAX_CHANNELS)

    def connect(self) -> None:
        """Reach the device and log in; nothing where that is done and still holds. LinkError and its kin."""
        with self._connecting:
            if self._is_up():
                return
            self._leave()
            try:
                for hop in route(self._address, self._ssh_dir):
                    session = self._log_in(hop)
                    with self._lock:
                        self._way.append(session)
                        closed = self._closed.is_set()
                    if closed:
                        raise self._was_closed()
            except BaseException:
                self._leave()
                raise
            self._session = self._way[-1]

    def drop(self) -> None:
        """Break the connection at once; the next use makes a new one."""
        with self._lock:
            channels, self._session = list(self._channels), None
        self._leave(at_once=True)
        for channel in channels:
            channel.close()

    def open_agent(self, session: str, seen: int | None) -> SshChannel:
        """Start the agent there, sending it first where it is missing. LinkError, DeployError."""
        archive, sha256 = bundle.build()
        channel = self._run(deploy.agent_command(sha256, len(archive), session, seen))
        try:
            channel.timeout = self._limits.start
            started = deploy.start_agent(channel, archive, self.name, self._limits.start)
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

    def put_file(
        self,
        local: Path,
        remote: str,
        progress: Progress | None = None,
        *,
        start: int = 0,
        keep: bool = False,
    ) -> None:
        """Write a local file to a path on the device, mode 0600; see transport.Transport.

        FileError for the local side; LinkLost; BoardError for a full or failing disk.
        """
        if "\n" in remote:
            raise FileError(f"The path “{remote}” cannot be used on {self.name}.", hint="")
        try:
            with local.open("rb") as file:
                size = local.stat().st_size
                file.seek(start)
                channel = self._run(deploy.receive_command(size, start, keep=keep))
                try:
                    channel.timeout = self._limits.channel
                    channel.send(remote.encode("utf-8", "surrogateescape") + b"\n")
                    self._send_file(channel, file, start, size, progress)
                finally:
                    channel.close()
        except OSError as error:
            raise FileError(f"{local.name} cannot be read: {error.strerror or error}.") from error

    def kept(self, *, remove: bool = False) -> deploy.Kept:
        channel = self._run(deploy.clean_command(remove=remove))
        try:
            channel.timeout = self._limits.clean
            return deploy.finish_clean(channel, self.name)
        finally:
            channel.close()

    def close(self) -> None:
        """End everything that was opened there, from the inside out. From any thread, and twice."""
        self._closed.set()
        with self._lock:
            channels = list(self._channels)
        for channel in channels:
            channel.close()
        self._leave()

    def _is_up(self) -> bool:
        session = self._session
        return session is not None and bool(session.is_active())

    # -- channels ---------------------------------------------------------------------------------

    def _run(self, command: str) -> SshChannel:
        self.connect()
        if not self._room.acquire(timeout=self._limits.channel):
            raise LinkError(f"Too much is being done on {self.name} at once.", hint="Wait for it to end.")
        try:
            with self._translated(self.name, self._address.port or 22):
                raw = ssh_session.run_command(self._session, self.name, command, self._limits.channel)
        except BaseException:
            self._room.release()
            raise
        channel = SshChannel(raw, self.name, FOREIGN, self._gone, self._kill)
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
        with self._translated(self.name, self._address.port or 22):
            raw = ssh_session.run_command(session, self.name, deploy.kill_command(pid), KILL_TIMEOUT)
            raw.status_event.wait(KILL_TIMEOUT)
            raw.close()

    def _send_file(
        self, channel: SshChannel, file: Any, start: int, size: int, progress: Progress | None
    ) -> None:
        try:
            done = start
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
            channel.end_of_input()
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

    def _log_in(self, hop: Hop) -> Any:
        with self._translated(hop.name, hop.config.port):
            keys = ssh_session.KeyStore()
            try:
                login = Login(
                    hop.config,
                    self._prompts,
                    self._vault,
                    keys,
                    self._ssh_dir,
                    lambda: ssh_session.Session(self._meet(hop), hop.name, self._limits),
                    shown=hop.shown,
                )
                session = login.run().raw
            finally:
                keys.close()
        session.set_keepalive(KEEPALIVE)
        return session

    def _meet(self, hop: Hop) -> Any:
        """An encrypted connection to a host whose key is known; nobody is logged in yet.

        One that is reset is tried again after each of ``limits.pauses``.
        """
        pauses = iter(self._limits.pauses)
        while True:
            try:
                return self._greet(hop)
            except ssh_session.Reset as reset:
                if self._closed.is_set():
                    raise self._was_closed() from reset
                pause = next(pauses, None)
                if pause is None:
                    raise reset.error from reset
            self._tell(f"{hop.name} broke the connection; trying again in {pause:g} s")
            if self._closed.wait(pause):
                raise self._was_closed()

    def _greet(self, hop: Hop) -> Any:
        config = hop.config
        trust = Trust(hop.name, self._address.text, config, self._ssh_dir, self._known_hosts, self._prompts)
        sock = self._dial(hop)
        try:
            session = ssh_session.greet(sock, hop.name, config.port, self._limits, trust.key_types)
        except LinkError as error:
            raise (self._was_closed() if self._closed.is_set() else error) from error.__cause__
        try:
            key = session.get_remote_server_key()
            trust.check(key.get_name(), key.asbytes())
        except BaseException:
            ssh_session.end(session, sock)
            raise
        return session

    def _dial(self, hop: Hop) -> Any:
        """A socket to the host, or a channel to it through the one before."""
        if self._closed.is_set():
            raise self._was_closed()
        config = hop.config
        if self._way:
            before = hop.before or self.name
            target = (config.host, config.port)
            return ssh_session.tunnel(self._way[-1], before, hop.name, target, self._limits)
        try:
            return self._tcp(config)
        except ConnectionResetError as error:
            raise ssh_session.Reset(faults.cut_early(hop.name, config.port, said(error))) from error
        except TimeoutError as error:
            raise faults.silent(hop.name, config.port, said(error), self._limits.connect) from error

    def _tcp(self, config: HostConfig) -> socket.socket:
        first: OSError | None = None
        for family, kind, proto, _, target in socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM
        ):
            sock = socket.socket(family, kind, proto)
            with self._lock:
                closed = self._closed.is_set()
                self._socket = sock
            try:
                if closed:
                    raise self._was_closed()
                sock.settimeout(self._limits.connect)
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

    def _leave(self, *, at_once: bool = False) -> None:
        """End the sessions, the innermost first, and the connection that carries them. ``at_once``: nothing
        more can be sent on it, and nobody may wait for that."""
        with self._lock:
            way, self._way = self._way, []
            sock, self._socket = self._socket, None
        if at_once and sock is not None:
            ssh_session.shut(sock)
        for session in reversed(way):
            ssh_session.end(session, session.sock)
        ssh_session.end(None, sock)

    # -- errors -----------------------------------------------------------------------------------

    @contextmanager
    def _translated(self, name: str, port: int) -> Iterator[None]:
        try:
            yield
        except FOREIGN as error:
            if self._closed.is_set():
                raise self._was_closed() from error
            raise translate(error, name, port) from error

    def _was_closed(self) -> Cancelled:
        return Cancelled(f"The connection to {self.name} was closed.", hint="")
