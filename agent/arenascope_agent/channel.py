"""The server's side of one connection: frames in, frames out, over any pair of descriptors."""

from __future__ import annotations

import os
import select
import time

from . import protocol
from .loop import READABLE, WRITABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .loop import Loop
    from .protocol import Message

#: Bytes waiting for the client above which nothing more is taken from the worker: its pipe fills
#: and it waits. Small, because this is memory of the server.
CROWDED = 512 * 1024
#: Bytes waiting above which the client counts as gone.
GONE = 16 * 1024 * 1024
_READ = 64 * 1024


class Channel:
    """Never blocks: what the client does not take waits here, up to GONE.

    ``on_payload`` gets the payload of each frame. ``on_end`` is called once, with None when the client
    has gone, or with the ProtocolError when it sent what is no frame.
    """

    def __init__(self, loop: Loop, incoming: int, outgoing: int) -> None:
        self._loop = loop
        self._incoming = incoming
        self._outgoing = outgoing
        self._frames = protocol.FrameReader(protocol.MAX_REQUEST)
        self._outbox = bytearray()
        self._ended = False
        self._on_room: Callable[[], None] | None = None
        #: The CLOCK_MONOTONIC second at which something came from the client.
        self.heard = time.monotonic()
        #: Frames of the client that were taken.
        self.taken = 0
        os.set_blocking(outgoing, False)

    def start(
        self,
        hello: Message,
        on_payload: Callable[[bytes], None],
        on_end: Callable[[protocol.ProtocolError | None], None],
    ) -> None:
        """Greet, say ``hello``, and listen from now on."""
        self._on_payload = on_payload
        self._on_end = on_end
        self._loop.watch(self._incoming, READABLE, self._readable)
        self._write(protocol.GREETING + protocol.encode(hello))

    @property
    def crowded(self) -> bool:
        return len(self._outbox) > CROWDED

    def when_room(self, callback: Callable[[], None]) -> None:
        """Call once, when the client has taken what was waiting. The last one asked for counts."""
        self._on_room = callback

    def send(self, message: Message) -> None:
        self._write(protocol.encode(message))

    def send_payload(self, payload: bytes) -> None:
        self._write(protocol.frame(payload))

    def send_frame(self, frame: bytes) -> None:
        """A frame that is made already."""
        self._write(frame)

    def confirm(self, seen: int) -> None:
        """The client has got that many frames. Nothing here depends on it: see ``SessionChannel``."""

    def finish(self, seconds: float) -> None:
        """Give the client that long to take what is waiting, then close."""
        deadline = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._outgoing, WRITABLE)
        while self._outbox:
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                break
            self._flush()
        self.close()

    def close(self) -> None:
        if self._incoming < 0:
            return
        self._ended = True
        for fd in {self._incoming, self._outgoing}:
            self._loop.forget(fd)
            os.close(fd)
        self._incoming = self._outgoing = -1

    def _end(self, error: protocol.ProtocolError | None) -> None:
        if not self._ended:
            self._ended = True
            self._loop.forget(self._incoming)
            self._loop.forget(self._outgoing)
            self._on_end(error)

    def _readable(self, _events: int) -> None:
        try:
            data = os.read(self._incoming, _READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end(None)
            return
        self.heard = time.monotonic()
        try:
            for payload in self._frames.feed(data):
                self.taken += 1
                self._on_payload(payload)
                if self._ended:
                    return
        except protocol.ProtocolError as error:
            self._end(error)

    def _write(self, data: bytes) -> None:
        if self._outgoing < 0:
            return
        waiting = bool(self._outbox)
        self._outbox += data
        if not waiting:
            self._flush()
            if self._outbox and not self._ended:
                self._loop.watch(self._outgoing, WRITABLE, self._writable)
        elif len(self._outbox) > GONE:
            self._end(None)

    def _writable(self, _events: int) -> None:
        self._flush()
        if not self._outbox and not self._ended:
            self._loop.forget(self._outgoing)
            callback, self._on_room = self._on_room, None
            if callback is not None:
                callback()

    def _flush(self) -> None:
        try:
            while self._outbox:
                done = os.write(self._outgoing, self._outbox)
                del self._outbox[:done]
        except BlockingIOError:
            pass
        except OSError:  # the client closed its end
            self._outbox.clear()
            self._end(None)
