"""Transports for the link's tests: a peer that is scripted in this process, and any command."""

from __future__ import annotations

import queue
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from arenascope.errors import LinkLost
from arenascope.remote.transport import Progress
from arenascope_agent import protocol

HELLO = protocol.GREETING + protocol.encode(protocol.hello("source", 1, "3.11.0"))

#: What the peer sends when a request arrives: bytes, or None for the end of the stream.
Reaction = Callable[[dict[str, Any]], "list[bytes | None]"]


def answer(message: dict[str, Any], **result: Any) -> bytes:
    return protocol.encode(protocol.response(message["id"], result))


def event(run: Any, name: Any, data: Any) -> bytes:
    return protocol.encode({"type": "event", "run": run, "name": name, "data": data})


class ScriptedChannel:
    """A peer that sends ``opening`` at once and reacts to each request."""

    def __init__(self, opening: list[bytes | None], react: Reaction) -> None:
        self._arriving: queue.Queue[bytes | None] = queue.Queue()
        self._frames = protocol.FrameReader()
        self._react = react
        self.requests: list[dict[str, Any]] = []
        self.closed = threading.Event()
        self.put(*opening)

    def put(self, *data: bytes | None) -> None:
        for item in data:
            self._arriving.put(item)

    def send(self, data: bytes) -> None:
        if self.closed.is_set():
            raise LinkLost("closed")
        for payload in self._frames.feed(data):
            message = protocol.decode_payload(payload)
            self.requests.append(message)
            self.put(*self._react(message))

    def recv(self, limit: int) -> bytes:
        item = self._arriving.get()
        if item is None:
            self._arriving.put(None)
            return b""
        if len(item) > limit:
            raise AssertionError("the test must send smaller pieces")
        return item

    def close(self) -> None:
        self.closed.set()
        self.put(None)

    def served_by(self, pid: int) -> None:
        pass

    def stderr_tail(self) -> str:
        return "last words\n"

    def exit_status(self) -> int | None:
        return None


class ScriptedTransport:
    name = "scripted"
    is_local = False
    keeps_sessions = False
    last_progress = 0.0

    def __init__(self, opening: list[bytes | None] | None = None, react: Reaction | None = None) -> None:
        self.channel = ScriptedChannel(
            [HELLO] if opening is None else opening, react or (lambda message: [answer(message)])
        )

    def open_agent(self, session: str, seen: int | None) -> ScriptedChannel:
        return self.channel

    def drop(self) -> None:
        raise AssertionError("not asked for")

    def put_file(
        self,
        local: Path,
        remote: str,
        progress: Progress | None = None,
        *,
        start: int = 0,
        keep: bool = False,
    ) -> None:
        raise AssertionError("not asked for")

    def close(self) -> None:
        self.channel.close()


class StuckTransport(ScriptedTransport):
    """A network that takes nothing more once the agent has greeted: a sender waits until it is broken."""

    name = "stuck"
    keeps_sessions = True

    def __init__(self) -> None:
        super().__init__()
        self.waits = threading.Event()  # somebody waits for it
        self._broken = threading.Event()
        self.channel.send = self._send  # type: ignore[method-assign]

    def _send(self, data: bytes) -> None:
        self.waits.set()
        self._broken.wait()
        raise LinkLost("broken")

    def open_agent(self, session: str, seen: int | None) -> ScriptedChannel:
        if seen is not None:
            raise LinkLost("still away")
        return self.channel

    def drop(self) -> None:
        self._broken.set()
        self.channel.put(None)


class CommandTransport:
    """An agent behind any command of this computer, as SSH would run it."""

    name = "command"
    is_local = True
    keeps_sessions = False
    last_progress = 0.0

    def __init__(self, *argv: str) -> None:
        self._argv = argv
        self.process: subprocess.Popen[bytes] | None = None

    def drop(self) -> None:
        raise AssertionError("not asked for")

    def served_by(self, pid: int) -> None:
        pass

    def open_agent(self, session: str, seen: int | None) -> CommandTransport:
        self.process = subprocess.Popen(
            self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        return self

    def send(self, data: bytes) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
        except (BrokenPipeError, ValueError) as error:
            raise LinkLost("gone") from error

    def recv(self, limit: int) -> bytes:
        assert self.process is not None
        assert self.process.stdout is not None
        return self.process.stdout.read(limit) or b""

    def close(self) -> None:
        if self.process is not None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            self.process.wait()

    def end(self) -> None:
        """What is left to do after the link was closed."""
        assert self.process is not None
        self.close()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def stderr_tail(self) -> str:
        assert self.process is not None
        assert self.process.stderr is not None
        self.process.wait()
        return self.process.stderr.read().decode()

    def exit_status(self) -> int | None:
        assert self.process is not None
        return self.process.wait()

    def put_file(
        self,
        local: Path,
        remote: str,
        progress: Progress | None = None,
        *,
        start: int = 0,
        keep: bool = False,
    ) -> None:
        raise AssertionError("not asked for")
