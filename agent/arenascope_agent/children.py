"""Processes that the server started: who ends, and how. None of them outlives the server."""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .loop import Loop


class Children:
    """Each child leads a process group of its own, so that whatever it starts ends with it."""

    def __init__(self, loop: Loop) -> None:
        self._waiting: dict[int, Callable[[int], None]] = {}
        loop.on_signal(signal.SIGCHLD, self._reap)

    def add(self, pid: int, on_exit: Callable[[int], None]) -> None:
        """``on_exit(wait status)`` is called once, on the loop."""
        self._waiting[pid] = on_exit

    def kill(self, pid: int) -> None:
        """SIGKILL to the child's group; nothing when it has been reaped."""
        if pid in self._waiting:
            try:
                os.killpg(pid, signal.SIGKILL)
            except OSError:
                pass  # just leaving by itself

    def kill_all(self) -> None:
        """SIGKILL to every group, and wait until each child is gone."""
        for pid in list(self._waiting):
            self.kill(pid)
            os.waitpid(pid, 0)
        self._waiting.clear()

    def _reap(self) -> None:
        for pid in list(self._waiting):
            # Look first and reap last: as long as the child is not reaped, its number is nobody else's.
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
                continue
            self.kill(pid)
            _, status = os.waitpid(pid, 0)
            self._waiting.pop(pid)(status)
