"""Devices whose agent is scripted in this process, for ``AgentLink`` and everything above it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from arenascope.errors import LinkLost
from arenascope.remote import translate
from arenascope.remote.link import AgentLink, Patience
from arenascope.remote.transport import Progress
from arenascope.workflow.connect import Device
from arenascope_agent import protocol

BOOT = "b" * 36
#: A link that sends no sign of life by itself and comes back without waiting.
QUIET = Patience(heartbeat=10_000.0, silence=10_000.0, delays=(0.0,))
PIECE = 64 * 1024

#: What arrives when a request does: pieces of the stream, None for its end.
Reaction = Callable[[dict[str, Any]], Iterable["bytes | None"]]


def hello(**changes: Any) -> bytes:
    message = protocol.hello("source", 4321, "3.11.2")
    return protocol.GREETING + protocol.encode(
        {**message, "boot": BOOT, "seen": 0, "resumed": False, **changes}
    )


class Channel:
    """A stream of what is scripted; a reaction may be endless, it is only taken as far as it is read."""

    def __init__(self, opening: Iterable[bytes | None], react: Reaction) -> None:
        self._arriving: queue.Queue[Iterator[bytes | None]] = queue.Queue()
        self._current: Iterator[bytes | None] = iter(opening)
        self._rest = b""
        self._frames = protocol.FrameReader(protocol.MAX_REQUEST)
        self._react = react
        self.requests: list[dict[str, Any]] = []
        self.closed = threading.Event()
        self.words = "last \x1b[31mwords\n"

    def send(self, data: bytes) -> None:
        if self.closed.is_set():
            raise LinkLost("closed")
        for payload in self._frames.feed(data):
            message = protocol.decode_payload(payload)
            self.requests.append(message)
            self._arriving.put(iter([None] if message["method"] == "shutdown" else self._react(message)))

    def recv(self, limit: int) -> bytes:
        while not self._rest:
            if self.closed.is_set():
                return b""
            for piece in self._current:
                if piece is None:
                    self._arriving.put(iter([None]))
                    return b""
                if piece:
                    self._rest = piece
                    break
            else:
                self._current = self._arriving.get()
        data, self._rest = self._rest[:limit], self._rest[limit:]
        return data

    def close(self) -> None:
        self.closed.set()
        self._arriving.put(iter([None]))

    def served_by(self, pid: int) -> None:
        assert pid > 0

    def stderr_tail(self) -> str:
        return self.words

    def exit_status(self) -> int | None:
        return None


class Transport:
    """One channel after another, each begun by ``openings`` in turn; the last one repeats."""

    name = "hostile"
    is_local = False
    last_progress = 0.0

    def __init__(
        self, *openings: Iterable[bytes | None], react: Reaction, keeps_sessions: bool = False
    ) -> None:
        self._openings = openings
        self._react = react
        self.keeps_sessions = keeps_sessions
        self.channels: list[Channel] = []
        self.files: list[tuple[Path, str]] = []

    def open_agent(self, session: str, seen: int | None) -> Channel:
        opening = self._openings[min(len(self.channels), len(self._openings) - 1)]
        self.channels.append(Channel(opening, self._react))
        return self.channels[-1]

    def drop(self) -> None:
        self.channels[-1].close()

    def put_file(
        self,
        local: Path,
        remote: str,
        progress: Progress | None = None,
        *,
        start: int = 0,
        keep: bool = False,
    ) -> None:
        assert 0 <= start <= local.stat().st_size
        self.files.append((local, remote))

    def close(self) -> None:
        for channel in self.channels:
            channel.close()


def device(transport: Transport) -> Device:
    """Connected already: the link is open. To be closed by the caller."""
    link = AgentLink(transport, patience=QUIET)
    link.open(20.0)
    return Device("hostile", translate.board({}, "hostile"), link, transport)


def answer(message: dict[str, Any], **result: Any) -> bytes:
    return protocol.encode(protocol.response(message["id"], result))


def event(run: Any, name: Any, data: Any) -> bytes:
    return protocol.encode({"type": "event", "run": run, "name": name, "data": data})
