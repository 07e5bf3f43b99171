"""What a test must not leave running: threads, child processes, Qt windows, threads and timers."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
import time
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Seconds that something which is just ending gets.
GRACE = 5.0
#: Threads of the test tools.
TOOLS = ("pytest_timeout", "execnet", "Dummy-", "asyncio_", "pydevd")
#: Processes that a fixture of the whole session started, and will end.
LASTING: set[int] = set()


@dataclass(frozen=True)
class Stock:
    threads: frozenset[int]
    children: frozenset[int]
    windows: frozenset[int]
    timers: frozenset[int]


def take_stock() -> Stock:
    threads = frozenset(t.ident or 0 for t in threading.enumerate())
    windows = frozenset(id(w) for w in _windows())
    return Stock(threads, frozenset(_children()), windows, frozenset(id(t) for t in _timers()))


def since(before: Stock) -> list[str]:
    """Names of what is there now and was not before, after a moment of grace."""
    deadline = time.monotonic() + GRACE
    left: list[str] = []
    for thread in threading.enumerate():
        if thread.ident in before.threads or thread.name.startswith(TOOLS):
            continue
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive():
            left.append(f"thread {thread.name}")
    for pid in _children() - before.children - LASTING:
        if not _ends(pid, deadline):
            left.append(f"process {pid} ({_command(pid)})")
    left += [f"window {w!r}" for w in _windows() if id(w) not in before.windows]
    left += [f"timer started in {_started[t]}" for t in _timers() if id(t) not in before.timers]
    return left


def _children() -> set[int]:
    """Children of this process, those that nobody has waited for included. Linux only."""
    found: set[int] = set()
    for task in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found.update(int(pid) for pid in task.read_text().split())
    return found


def _ends(pid: int, deadline: float) -> bool:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        return bool(ready)
    finally:
        os.close(descriptor)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:200]
    except OSError:
        return "ended"


def _windows() -> list[object]:
    """Visible top-level widgets, if this process has loaded widgets at all."""
    widgets = sys.modules.get("PySide6.QtWidgets")
    if widgets is None or widgets.QApplication.instance() is None:
        return []
    return [w for w in widgets.QApplication.topLevelWidgets() if w.isVisible()]


#: Timers that Python started, and where.
_started: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()


def _timers() -> list[Any]:
    """Running QTimers. The first call that finds Qt loaded begins to note who starts one."""
    core = sys.modules.get("PySide6.QtCore")
    if core is None:
        return []
    if not hasattr(core.QTimer.start, "noted"):
        core.QTimer.start = _noting(core.QTimer.start)
    core.QCoreApplication.sendPostedEvents(None, core.QEvent.Type.DeferredDelete)
    import shiboken6

    return [timer for timer in _started if shiboken6.isValid(timer) and timer.isActive()]


def _noting(start: Any) -> Any:
    def noted(timer: Any, *arguments: Any) -> None:
        caller = sys._getframe(1)
        _started[timer] = f"{caller.f_code.co_filename}:{caller.f_lineno}"
        start(timer, *arguments)

    noted.noted = True  # type: ignore[attr-defined]
    return noted
