"""SSH servers that a package does not install: one that hangs where it is told to, one that asks many
questions, and a relay that breaks the first connections to a real one."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
import pytest

#: Where a server can stop: it accepts and says nothing; introduces itself; answers no login, or not the
#: answers to its questions; opens no channel; begins no command; runs it and reads nothing.
MUTE, BANNER, LOGIN, VERDICT = "mute", "banner", "login", "verdict"
CHANNEL, COMMAND, READING = "channel", "command", "reading"


@dataclass(frozen=True)
class Round:
    """Questions that are asked at once: (text, whether the answer is shown), and the right answers."""

    questions: Sequence[tuple[str, bool]]
    answers: Sequence[str]
    title: str = ""
    instructions: str = ""


@dataclass
class Policy:
    """How the server behaves. ``rounds``: keyboard-interactive. ``password``/``key``: a first proof that is
    not enough when rounds follow it. ``hang``: where it stops."""

    hang: str | None = None
    rounds: Sequence[Round] = ()
    password: str | None = None
    key: bytes | None = None
    #: What it was told: ("password", …), ("answers", …), ("key", …).
    heard: list[tuple[str, object]] = field(default_factory=list)


class OddServer:
    """Listens on loopback until it is closed; every connection has the same ``policy``."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.key = paramiko.ECDSAKey.generate()
        self.over = threading.Event()
        #: Somebody has come as far as the server lets anybody.
        self.met = threading.Event()
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._sockets: list[socket.socket] = []
        self._sessions: list[paramiko.Transport] = []
        self._thread = threading.Thread(target=self._serve, name="odd server")
        self._thread.start()

    @property
    def address(self) -> str:
        return f"pi@127.0.0.1:{self.port}"

    @property
    def known_hosts_line(self) -> str:
        return f"[127.0.0.1]:{self.port} {self.key.get_name()} {self.key.get_base64()}\n"

    @property
    def fingerprint(self) -> str:
        import base64

        digest = hashlib.sha256(self.key.asbytes()).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    def hang_up(self) -> None:
        """End the connections that there are, without a word."""
        for connection in self._sockets:
            connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.over.set()
        _stop_listening(self._listener)
        self._thread.join()
        for session in self._sessions:
            session.close()
            session.join()
            session.packetizer.complete_handshake()
        for connection in self._sockets:
            connection.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._sockets.append(connection)
            if self.policy.hang == BANNER:
                connection.sendall(b"SSH-2.0-odd\r\n")
            if self.policy.hang in (BANNER, MUTE):
                self.met.set()
            else:
                session = paramiko.Transport(connection)
                session.set_log_channel("arenascope.paramiko")
                session.add_server_key(self.key)
                self._sessions.append(session)
                session.start_server(event=threading.Event(), server=_Behaviour(self))


class _Behaviour(paramiko.ServerInterface):
    def __init__(self, server: OddServer) -> None:
        self._server = server
        self._policy = server.policy
        self._rounds = iter(server.policy.rounds)
        self._expected: Sequence[str] = ()
        self._proven = not (server.policy.password or server.policy.key)

    def _reached(self, point: str) -> None:
        if self._policy.hang == point:
            self._server.met.set()
            self._server.over.wait()

    def get_allowed_auths(self, username: str) -> str:
        ways = ["keyboard-interactive"] if self._proven and self._policy.rounds else []
        ways += ["publickey"] if self._policy.key and not self._proven else []
        ways += ["password"] if self._policy.password and not self._proven else []
        return ",".join(ways)

    def check_auth_none(self, username: str) -> int:
        self._reached(LOGIN)
        asks = self._policy.rounds or self._policy.password or self._policy.key
        return paramiko.AUTH_FAILED if asks else paramiko.AUTH_SUCCESSFUL

    def check_auth_password(self, username: str, password: str) -> int:
        self._policy.heard.append(("password", password))
        return self._proof(password == self._policy.password)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._policy.heard.append(("key", key.asbytes()))
        return self._proof(key.asbytes() == self._policy.key)

    def _proof(self, good: bool) -> int:
        if not good:
            return paramiko.AUTH_FAILED
        self._proven = True
        return paramiko.AUTH_PARTIALLY_SUCCESSFUL if self._policy.rounds else paramiko.AUTH_SUCCESSFUL

    def check_auth_interactive(self, username: str, submethods: str) -> int | paramiko.InteractiveQuery:
        if not self._proven:
            return paramiko.AUTH_FAILED
        self._rounds = iter(self._policy.rounds)
        return self._next()

    def check_auth_interactive_response(self, responses: list[str]) -> int | paramiko.InteractiveQuery:
        self._policy.heard.append(("answers", list(responses)))
        self._reached(VERDICT)
        if list(responses) != list(self._expected):
            return paramiko.AUTH_FAILED
        return self._next()

    def _next(self) -> int | paramiko.InteractiveQuery:
        following = next(self._rounds, None)
        if following is None:
            return paramiko.AUTH_SUCCESSFUL
        self._expected = following.answers
        return paramiko.InteractiveQuery(following.title, following.instructions, *following.questions)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        self._reached(CHANNEL)
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self._reached(COMMAND)
        return True


class Relay:
    """Passes connections on to ``port``, but breaks the first ``resets`` of them with a reset: at once, or
    (``late``) after the server's first line."""

    def __init__(self, port: int, resets: int, *, late: bool = False) -> None:
        self._target = port
        self._resets = resets
        self._late = late
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._serve, name="relay")]
        self._threads[0].start()

    def close(self) -> None:
        _stop_listening(self._listener)
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for one in self._open:
            one.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.connections <= self._resets:
                if self._late:
                    near.recv(1000)
                    near.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                    near.recv(1000)
                near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._target))
            self._open += [near, far]
            for one, other in ((near, far), (far, near)):
                thread = threading.Thread(target=_pass_on, args=(one, other), name="relay")
                self._threads.append(thread)
                thread.start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    with contextlib.suppress(OSError):
        other.shutdown(socket.SHUT_WR)


def _stop_listening(listener: socket.socket) -> None:
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


StartOdd = Callable[[Policy], OddServer]


@pytest.fixture
def start_odd(private_home: Path) -> Iterator[StartOdd]:
    """Start servers of which the person knows the key; all are gone at the end."""
    with contextlib.ExitStack() as stack:

        def start(policy: Policy) -> OddServer:
            server = OddServer(policy)
            stack.callback(server.close)
            folder = private_home / ".ssh"
            folder.mkdir(mode=0o700, exist_ok=True)
            with (folder / "known_hosts").open("a") as file:
                file.write(server.known_hosts_line)
            return server

        yield start


@pytest.fixture
def relay() -> Iterator[Callable[..., Relay]]:
    with contextlib.ExitStack() as stack:

        def start(port: int, resets: int, *, late: bool = False) -> Relay:
            started = Relay(port, resets, late=late)
            stack.callback(started.close)
            return started

        yield start


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port that takes no connection any more: each further one waits for an answer in vain."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(2):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
