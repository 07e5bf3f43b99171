"""Work off the caller's thread, and a way to stop it.

Plain threads: paramiko blocks, and nothing here has heard of Qt.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import TypeVar

from ..errors import Cancelled, UsageError

T = TypeVar("T")


class CancelToken:
    """A request to stop. Set once, from any thread; callbacks run at once on that thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._callbacks: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def cancel(self) -> None:
        with self._lock:
            if self._cancelled.is_set():
                return
            self._cancelled.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` on cancel (now, if it has come already). Returns what takes it back."""
        with self._lock:
            if not self._cancelled.is_set():
                self._callbacks.append(callback)
                return lambda: self._forget(callback)
        callback()
        return lambda: None

    def raise_if_cancelled(self) -> None:
        if self.cancelled:
            raise Cancelled("Stopped as asked.", hint="")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for a cancel; True if it came."""
        return self._cancelled.wait(timeout)

    def _forget(self, callback: Callable[[], None]) -> None:
        with self._lock:
            if callback in self._callbacks:
                self._callbacks.remove(callback)


class JobRunner:
    """One worker thread, jobs in order: a board does one thing at a time."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"job-{name}")

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Errors of the job travel in its future."""
        return self._executor.submit(job)

    def leave(self) -> None:
        """Drop what has not begun; returns at once, and the thread ends with what has."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """Drop what has not begun and wait for what has; cancel its token first."""
        self._executor.shutdown(wait=True, cancel_futures=True)


def check_time_limit(seconds: float) -> None:
    """Raises UsageError for one that cannot be meant."""
    if not 0.001 <= seconds <= 7 * 86400:
        raise UsageError(
            f"The time limit is {seconds} s; it must be from 0.001 s to a week.",
            hint="Give seconds, as in --timeout 120.",
        )


def side_by_side(jobs: Sequence[Callable[[], None]], cancel: CancelToken) -> None:
    """Do all jobs, each on a thread of its own. The first that fails cancels the others; its error is raised
    when all have ended. A job that ends by the cancel is no failure, unless that came from outside."""
    with ThreadPoolExecutor(max(1, len(jobs)), thread_name_prefix="side") as executor:
        futures = [executor.submit(job) for job in jobs]
        errors = []
        for future in as_completed(futures):
            error = future.exception()
            if error is not None:
                errors.append(error)
                cancel.cancel()
    if errors:
        raise next((e for e in errors if not isinstance(e, Cancelled)), errors[0])
