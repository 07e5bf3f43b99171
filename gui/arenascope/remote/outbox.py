"""Frames on their way to the agent, kept until it has confirmed them."""

from __future__ import annotations

import contextlib
import threading

from ..errors import LinkLost, WireError
from .transport import ByteChannel


class Outbox:
    """Both sides count the frames that they took, so a number says which ones to send again.

    ``keeps`` False: nothing is kept, and a channel that is gone is an error at once. Methods may be
    called from any thread; the order of frames is that of the calls.
    """

    def __init__(self, *, keeps: bool) -> None:
        self._keeps = keeps
        self._lock = threading.Lock()
        self._kept: list[bytes] = []
        self._confirmed = 0
        self._sent = 0
        self._channel: ByteChannel | None = None

    def send(self, frame: bytes) -> None:
        """Send it now, or when there is a connection again. LinkLost where nothing is kept."""
        with self._lock:
            if not self._keeps:
                if self._channel is None:
                    raise LinkLost("There is no connection.")
                self._channel.send(frame)
                return
            self._sent += 1
            self._kept.append(frame)
            self._try(frame)

    def confirm(self, count: int) -> None:
        """The agent has taken that many frames since the beginning of the session.

        WireError where so many were not sent. An older count than the last one changes nothing.
        """
        with self._lock:
            if count > self._sent:
                raise WireError(f"The agent has taken {count} requests, and {self._sent} were sent.")
            del self._kept[: max(0, count - self._confirmed)]
            self._confirmed = max(self._confirmed, count)

    def attach(self, channel: ByteChannel, taken: int = 0) -> None:
        """Use this channel from now on, and send over it what the agent has not taken.

        WireError where it has taken more than was sent, or forgotten what it had confirmed.
        """
        self.confirm(taken)
        with self._lock:
            if taken < self._confirmed:
                raise WireError(f"The agent has taken {taken} requests, and {self._confirmed} before.")
            self._channel = channel
            for frame in self._kept:
                self._try(frame)

    def detach(self) -> None:
        """There is no connection for now."""
        with self._lock:
            self._channel = None

    def _try(self, frame: bytes) -> None:
        if self._channel is not None:
            with contextlib.suppress(LinkLost):  # the reader will notice; the frame is kept
                self._channel.send(frame)
