"""The seam to a device: a way to start the agent there and a way to put a file there.

``local.py`` and ``ssh.py`` stand behind it; nothing above knows which. Failures are raised as
LinkError, AuthenticationError, DeployError … of ``arenascope.errors``; no foreign exception passes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

#: Called with (bytes done, bytes in all) while a file is sent.
Progress = Callable[[int, int], None]


class ByteChannel(Protocol):
    """The two byte streams of one running agent. ``send`` and ``recv`` may be on different threads."""

    def send(self, data: bytes) -> None:
        """Send all of it. LinkLost when the other side is gone."""

    def recv(self, limit: int) -> bytes:
        """What has arrived, at most ``limit`` bytes; waits for the first. b"" at the end of the
        stream, also when ``close`` is called from another thread."""

    def served_by(self, pid: int) -> None:
        """Which process it is that answers: the one to end where it does not leave by itself."""

    def close(self) -> None:
        """End the stream, and with it the agent. May be called from any thread, and twice."""

    def stderr_tail(self) -> str:
        """The last lines that the far side wrote to stderr."""

    def exit_status(self) -> int | None:
        """Exit status of the far process once the stream has ended; None where it is not known."""


class Transport(Protocol):
    """One device. ``open_agent`` may deploy first; ``close`` ends everything that was opened."""

    @property
    def name(self) -> str: ...

    @property
    def is_local(self) -> bool:
        """Whether the agent sees the same files as this program."""

    @property
    def keeps_sessions(self) -> bool:
        """Whether the agent outlives a connection, so that a lost one can be made again."""

    def open_agent(self, session: str, seen: int | None) -> ByteChannel:
        """Start the agent of a session, or (``seen`` is the number of frames that came from it) come back
        to it. Transports that keep no sessions start one and ignore both."""

    @property
    def last_progress(self) -> float:
        """The CLOCK_MONOTONIC second at which the other side last took a piece of a file: a sign of life
        while a slow network is full of it. 0 before the first."""

    def drop(self) -> None:
        """Break the present connection at once, without a word; ``open_agent`` makes a new one."""

    def put_file(
        self,
        local: Path,
        remote: str,
        progress: Progress | None = None,
        *,
        start: int = 0,
        keep: bool = False,
    ) -> None:
        """Write a local file to a path on the device. FileError, LinkLost, BoardError (no space).

        ``start`` bytes are there already and are not sent; BoardError ("not_found") when they are not.
        When it fails, or ``progress`` raises, nothing stays there; with ``keep``, what was written up to
        then stays unless the disk is full.
        """

    def close(self) -> None: ...
