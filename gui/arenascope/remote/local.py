"""This computer as a device: the agent as a process of ours, over pipes.

The command line starts the agent through this module before it loads anything else, so it imports
next to nothing: no subprocess, no typing, no pathlib, no NumPy.
"""

# ruff: noqa: PTH110, PTH118, PTH123

from __future__ import annotations

import os
import select
import sys
import threading
import time

import arenascope_agent

from ..errors import BoardError, DeployError, FileError, LinkLost

TYPE_CHECKING = False  # see arenascope_agent.protocol
if TYPE_CHECKING:
    from pathlib import Path

    from .transport import Progress

_TAIL = 16 * 1024
_BLOCK = 1024 * 1024
#: Seconds for the agent to leave by itself: after its stdin has ended, and after its stdout has.
_LEAVE = 3.0


def platform_has_proc() -> bool:
    """Whether this computer can be measured: the agent reads Linux's /proc."""
    return sys.platform == "linux" and os.path.exists("/proc/self/statm")


class LocalChannel:
    """A ByteChannel to an agent on this computer. The constructor starts it. OSError.

    ``ahead``: its first run begins to load the runtime at once, before it is asked for.
    ``python``: another interpreter than our own, with another runtime.
    """

    def __init__(self, *, ahead: bool = False, python: str = "") -> None:
        agent_in, self._to_agent = os.pipe()
        self._from_agent, agent_out = os.pipe()
        self._errors, agent_err = os.pipe()
        self._wake_read, self._wake = os.pipe()
        main = os.path.join(arenascope_agent.__path__[0], "__main__.py")
        # Isolated and without site-packages: the server starts faster and stays small.
        argv = [python or sys.executable, "-I", "-S", main, "serve", *(["--ahead"] if ahead else [])]
        try:
            self._pid = os.posix_spawn(
                argv[0],
                argv,
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, agent_in, 0),
                    (os.POSIX_SPAWN_DUP2, agent_out, 1),
                    (os.POSIX_SPAWN_DUP2, agent_err, 2),
                ],
                setsid=True,  # Ctrl+C in the terminal is ours to handle, not the agent's
            )
        except OSError:
            for fd in (self._to_agent, self._from_agent, self._errors, self._wake_read, self._wake):
                os.close(fd)
            raise
        finally:
            for fd in (agent_in, agent_out, agent_err):
                os.close(fd)
        self._tail = b""
        self._status: int | None = None
        self._ended = False
        self._closed = False
        self._sending = threading.Lock()
        self._receiving = threading.Lock()
        self._closing = threading.Lock()

    @property
    def pid(self) -> int:
        return self._pid

    def send(self, data: bytes) -> None:
        with self._sending:
            if self._to_agent < 0:
                raise LinkLost("The agent on this computer was closed.")
            view = memoryview(data)
            try:
                while view:
                    view = view[os.write(self._to_agent, view) :]
            except BrokenPipeError as error:
                raise LinkLost("The agent on this computer has ended.", detail=self.stderr_tail()) from error

    def recv(self, limit: int) -> bytes:
        with self._receiving:
            while not self._ended:
                ready = self._poll((self._from_agent, self._errors, self._wake_read), None)
                if self._closed:
                    break
                if self._from_agent in ready:
                    data = os.read(self._from_agent, limit)
                    if data:
                        return data
                    self._see_off()
        return b""

    def _poll(self, descriptors: tuple[int, ...], seconds: float | None) -> set[int]:
        """Those with something to read; what is on stderr goes to the tail."""
        poll = select.poll()
        for fd in descriptors:
            if fd >= 0:
                poll.register(fd, select.POLLIN)
        ready = {fd for fd, _ in poll.poll(None if seconds is None else seconds * 1000)}
        if self._errors in ready:
            data = os.read(self._errors, _TAIL)
            self._tail = (self._tail + data)[-_TAIL:]
            if not data:
                os.close(self._errors)
                self._errors = -1
        return ready

    def _see_off(self) -> None:
        """Wait for the agent's end, which is also the end of its stderr; bring it about if it must be."""
        deadline = time.monotonic() + _LEAVE
        while self._errors >= 0 or not self._ended:
            left = deadline - time.monotonic()
            if left <= 0:
                os.kill(self._pid, 9)  # its workers die with it
                break
            ready = self._poll((-1 if self._ended else self._from_agent, self._errors), left)
            if self._from_agent in ready and not os.read(self._from_agent, _BLOCK):
                self._ended = True
        self._ended = True
        try:
            _, status = os.waitpid(self._pid, 0)
        except ChildProcessError:  # somebody else in this program waited for every child
            return
        self._status = os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        with self._closing:
            if self._closed:
                return
            self._closed = True
            os.write(self._wake, b"x")
            if not self._sending.acquire(timeout=_LEAVE):  # a sender waits for an agent that hangs
                os.kill(self._pid, 9)
                self._sending.acquire()
            os.close(self._to_agent)
            self._to_agent = -1
            self._sending.release()
            with self._receiving:
                if not self._ended:
                    self._see_off()
                for fd in (self._from_agent, self._errors, self._wake_read, self._wake):
                    if fd >= 0:
                        os.close(fd)
                self._from_agent = self._errors = self._wake_read = self._wake = -1

    def served_by(self, pid: int) -> None:
        pass  # it is the process that was started here

    def stderr_tail(self) -> str:
        return self._tail.decode("utf-8", "replace")

    def exit_status(self) -> int | None:
        """Exit status, or minus the signal that ended it."""
        return self._status


_prestarted: list[LocalChannel] = []


def prestart() -> None:
    """Start the agent and its first run now, for the first ``LocalTransport.open_agent`` to find them.

    Nothing where it cannot be: that is told when a device is asked for. An agent that nobody asks for
    leaves with this program, or with ``discard_prestarted``.
    """
    if platform_has_proc():
        try:
            _prestarted.append(LocalChannel(ahead=True))
        except OSError:
            pass


def discard_prestarted() -> None:
    """End the agents that were started in advance and that nobody asked for."""
    while _prestarted:
        _prestarted.pop().close()


class LocalTransport:
    """A Transport to this computer. Files are used where they are. ``python``: see LocalChannel."""

    is_local = True
    keeps_sessions = False
    last_progress = 0.0

    def __init__(self, python: str = "") -> None:
        self.name = python or "this computer"
        self._python = python
        self._channels: list[LocalChannel] = []

    def drop(self) -> None:
        pass  # pipes are not lost

    def open_agent(self, session: str = "", seen: int | None = None) -> LocalChannel:
        """BoardError where there is no /proc, DeployError when no process can be started."""
        if not platform_has_proc():
            raise BoardError(
                "This computer has no /proc: only plans can be made here.",
                board_code="no_proc",
                hint="Add a board with: arenascope devices add user@host",
            )
        try:
            started = _prestarted.pop() if _prestarted and not self._python else None
            channel = started or LocalChannel(python=self._python)
        except OSError as error:
            if self._python:
                raise DeployError(
                    f"{self._python} cannot be started: {error.strerror or error}.",
                    hint="Give the path of a Python, as in --python /path/to/venv/bin/python.",
                ) from error
            raise DeployError(
                f"The agent cannot be started on this computer: {error.strerror or error}.",
                hint="Free some memory or end some processes, then try again.",
            ) from error
        self._channels.append(channel)
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
        """Copy a file, mode 0600. FileError for either side."""
        try:
            with open(local, "rb") as source, open(remote, "ab" if start else "wb") as target:
                os.fchmod(target.fileno(), 0o600)
                size, done = os.fstat(source.fileno()).st_size, source.seek(start)
                while block := source.read(_BLOCK):
                    target.write(block)
                    done += len(block)
                    if progress is not None:
                        progress(done, size)
        except OSError as error:
            raise FileError(f"{local} cannot be copied to {remote}: {error.strerror or error}.") from error

    def close(self) -> None:
        for channel in self._channels:
            channel.close()
