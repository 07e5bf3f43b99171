"""One fresh process for one task: started, listened to, ended.

The worker gets the task on one inherited descriptor and answers with frames on another. What native
code prints on its fd 1 and 2 is kept as a ring of last lines and never touches the protocol.
"""

from __future__ import annotations

import os
import sys

from . import environment, protocol
from .loop import READABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .children import Children
    from .loop import Loop

LOG_LINES = 40
LOG_LINE_BYTES = 4096
_READ = 64 * 1024

#: What makes two runs comparable (pi-facts.md §4): no transparent huge pages for NumPy, one malloc arena.
ENVIRONMENT = {"NUMPY_MADVISE_HUGEPAGE": "0", "MALLOC_ARENA_MAX": "1"}


class LogRing:
    """The last lines of a byte stream. Each line keeps its first 4 KiB."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._open = b""

    def feed(self, data: bytes) -> None:
        *complete, last = data.split(b"\n")
        for line in complete:
            self._lines.append((self._open + line)[:LOG_LINE_BYTES])
            self._open = b""
        self._open = (self._open + last)[:LOG_LINE_BYTES]
        del self._lines[:-LOG_LINES]

    def lines(self) -> list[str]:
        """Readable text: undecodable bytes replaced, control characters left out, no empty lines."""
        texts = [
            "".join([c for c in line.decode("utf-8", "replace") if c.isprintable() or c == "\t"])
            for line in [*self._lines, self._open]
        ]
        return [text for text in texts if text][-LOG_LINES:]


class Worker:
    """A running task. ``params`` None: it begins as far as it can without them, and waits for ``give``.

    ``on_payload`` gets each frame's payload; ``on_exit`` is called once, with the wait status, after
    everything that the worker had written was handed over.
    """

    def __init__(
        self,
        loop: Loop,
        children: Children,
        argv: list[str],
        task: str,
        params: dict[str, Any] | None,
        start: float,
        on_payload: Callable[[bytes], None],
        on_exit: Callable[[int], None],
    ) -> None:
        """OSError when no process can be started."""
        self._loop = loop
        self._children = children
        self._on_payload = on_payload
        self._on_exit = on_exit
        self._frames = protocol.FrameReader()
        self.broken: protocol.ProtocolError | None = None
        self.log = LogRing()
        self._task = task
        self._give = -1
        self.pid = self._spawn(argv, params, start)
        children.add(self.pid, self._exited)
        self._listen(self._events, self._events_readable)
        self._listen(self._noise, self._noise_readable)

    def give(self, params: dict[str, Any]) -> None:
        """The parameters of a task that was begun without them. Nothing when the worker has ended."""
        try:
            os.write(self._give, self._encoded(params))  # less than a pipe holds: checked by the server
        except BrokenPipeError:
            pass
        self._close_give()

    def _encoded(self, params: dict[str, Any]) -> bytes:
        return protocol.encode({"task": self._task, "params": params})

    @property
    def ended(self) -> bool:
        return self._events < 0

    def kill(self) -> None:
        self._children.kill(self.pid)

    def pause(self) -> None:
        """Take no more events; the worker waits when its pipe is full."""
        self._loop.forget(self._events)

    def resume(self) -> None:
        if self._events >= 0:
            self._listen(self._events, self._events_readable)

    def _spawn(self, argv: list[str], params: dict[str, Any] | None, start: float) -> int:
        if params is None:
            task_fd, self._give = os.pipe()
            os.set_inheritable(task_fd, True)
        else:
            task_fd = os.memfd_create("arenascope-task", 0)  # 0: inherited
        self._events, event_fd = os.pipe()
        self._noise, noise_fd = os.pipe()
        os.set_inheritable(event_fd, True)
        try:
            variables = dict(os.environ)
            variables.update(environment.variables())
            variables.update(ENVIRONMENT)
            if params is None:
                variables[protocol.ENV_AHEAD] = self._task
            else:
                os.write(task_fd, self._encoded(params))
                os.lseek(task_fd, 0, os.SEEK_SET)
            variables[protocol.ENV_TASK_FD] = str(task_fd)
            variables[protocol.ENV_EVENT_FD] = str(event_fd)
            variables[protocol.ENV_RUN_START] = repr(start)
            variables[protocol.ENV_SERVER_PID] = str(os.getpid())
            return os.posix_spawn(
                argv[0],
                argv,
                variables,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, noise_fd, 1),
                    (os.POSIX_SPAWN_DUP2, noise_fd, 2),
                ],
                setpgroup=0,
            )
        except OSError:
            os.close(self._events)
            os.close(self._noise)
            self._close_give()
            raise
        finally:
            os.close(task_fd)
            os.close(event_fd)
            os.close(noise_fd)

    def _listen(self, fd: int, callback: Callable[[int], None]) -> None:
        os.set_blocking(fd, False)
        self._loop.watch(fd, READABLE, callback)

    def _read(self, fd: int) -> bytes | None:
        """What is there; None when nothing is, b"" at the end."""
        try:
            return os.read(fd, _READ)
        except BlockingIOError:
            return None

    def _events_readable(self, _events: int) -> None:
        data = self._read(self._events)
        if data == b"":
            self._loop.forget(self._events)
        elif data:
            self._take(data)

    def _take(self, data: bytes) -> None:
        if self.broken is not None:
            return
        try:
            for payload in self._frames.feed(data):
                self._on_payload(payload)
        except protocol.ProtocolError as error:
            self.broken = error
            self.kill()

    def _noise_readable(self, _events: int) -> None:
        data = self._read(self._noise)
        if data == b"":
            self._loop.forget(self._noise)
        elif data:
            self.log.feed(data)

    def _exited(self, status: int) -> None:
        while data := self._read(self._events):
            self._take(data)
        while data := self._read(self._noise):
            self.log.feed(data)
        for fd in (self._events, self._noise):
            self._loop.forget(fd)
            os.close(fd)
        self._events = self._noise = -1
        self._close_give()
        self._on_exit(status)

    def _close_give(self) -> None:
        if self._give >= 0:
            os.close(self._give)
            self._give = -1


def own_argv(started_from: str) -> list[str]:
    """How the worker is started: this Python with its ordinary flags, because a runtime may be
    installed with ``pip install --user`` or lie on PYTHONPATH, while the server itself sees neither."""
    return [sys.executable, started_from, "child"]
