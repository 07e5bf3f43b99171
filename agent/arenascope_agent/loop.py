"""One thread, one poll: descriptors with callbacks, deadlines, and signals as data."""

from __future__ import annotations

import os
import select
import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

READABLE = select.POLLIN | select.POLLHUP | select.POLLERR
WRITABLE = select.POLLOUT


class Timer:
    """A moment on CLOCK_MONOTONIC, at which ``callback`` runs; ``period`` repeats it without drift."""

    __slots__ = ("callback", "due", "period")

    def __init__(self, due: float, callback: Callable[[], None], period: float | None) -> None:
        self.due = due
        self.callback = callback
        self.period = period

    def advance(self, now: float) -> None:
        """The next due moment on the grid of the first one. Moments that were missed are left out."""
        assert self.period is not None
        self.due += self.period
        if self.due <= now:
            self.due += self.period * int((now - self.due) / self.period + 1)


class Loop:
    """Everything the server waits for. Callbacks run on the one thread, one after the other."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._callbacks: dict[int, Callable[[int], None]] = {}
        self._timers: list[Timer] = []
        self._signals: dict[int, Callable[[], None]] = {}
        self._stopped = False
        self._wake_read = -1

    def watch(self, fd: int, events: int, callback: Callable[[int], None]) -> None:
        """Call ``callback(revents)`` whenever ``fd`` is ready; replaces an earlier watch of it."""
        self._poll.register(fd, events)
        self._callbacks[fd] = callback

    def forget(self, fd: int) -> None:
        """No more callbacks for ``fd``. To be called before it is closed."""
        if self._callbacks.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def after(self, seconds: float, callback: Callable[[], None]) -> Timer:
        return self._add(Timer(time.monotonic() + seconds, callback, None))

    def every(self, period: float, callback: Callable[[], None], start: float) -> Timer:
        """Call at ``start + n * period`` for n = 1, 2, … (absolute moments: no drift)."""
        timer = Timer(start, callback, period)
        timer.advance(time.monotonic())
        return self._add(timer)

    def _add(self, timer: Timer) -> Timer:
        self._timers.append(timer)
        return timer

    def cancel(self, timer: Timer) -> None:
        if timer in self._timers:
            self._timers.remove(timer)

    def on_signal(self, number: int, callback: Callable[[], None]) -> None:
        """Run ``callback`` on the loop when the signal arrives. Main thread only."""
        if self._wake_read < 0:
            self._wake_read, wake_write = os.pipe()
            os.set_blocking(self._wake_read, False)
            os.set_blocking(wake_write, False)
            signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
            self.watch(self._wake_read, READABLE, self._woken)
        self._signals[number] = callback
        signal.signal(number, _note)

    def _woken(self, _events: int) -> None:
        for number in set(os.read(self._wake_read, 512)):
            callback = self._signals.get(number)
            if callback is not None:
                callback()

    def stop(self) -> None:
        self._stopped = True

    def run(self) -> None:
        """Until ``stop``."""
        poll, callbacks = self._poll.poll, self._callbacks
        while not self._stopped:
            timeout = None
            if self._timers:
                next_due = min([timer.due for timer in self._timers])
                timeout = max(0.0, next_due - time.monotonic()) * 1000
            for fd, events in poll(timeout):
                callback = callbacks.get(fd)  # an earlier callback may have forgotten this one
                if callback is not None:
                    callback(events)
            if self._timers:
                self._run_due()

    def _run_due(self) -> None:
        now = time.monotonic()
        for timer in [timer for timer in self._timers if timer.due <= now]:
            if timer not in self._timers:
                continue  # cancelled by one that ran just before
            if timer.period is None:
                self._timers.remove(timer)
            else:
                timer.advance(now)
            timer.callback()


def _note(_number: int, _frame: object) -> None:
    """Makes Python write the signal's number into the wake-up pipe, nothing more."""
