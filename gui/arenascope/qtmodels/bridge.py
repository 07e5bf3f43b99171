"""The only crossing from worker threads to the window.

Workers post frozen values into one deque; one timer drains it on the GUI thread into typed signals.
Nothing is pushed: a worker never waits for the window, and a storm of events costs one pass every 33 ms.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from ..workflow import events

INTERVAL_MS = 33
#: One pass may take this long; the rest waits for the next, so that the window keeps answering.
_PASS_SECONDS = 0.015


class GuiBridge(QObject):
    """``post`` may be called from any thread, everything else from the GUI thread only.

    Each signal carries the event and its ``source`` (whatever the poster gave, for example a run's name).
    """

    connecting = Signal(object, object)  #: events.Connecting
    uploadProgress = Signal(object, object)  #: events.UploadProgress
    phaseStarted = Signal(object, object)  #: events.PhaseStarted
    phaseEnded = Signal(object, object)  #: events.PhaseEnded
    samplesArrived = Signal(object, object)  #: events.SamplesArrived
    processesSeen = Signal(object, object)  #: events.ProcessesSeen
    linkAway = Signal(object, object)  #: events.LinkAway
    linkBack = Signal(object, object)  #: events.LinkBack
    runEnded = Signal(object, object)  #: events.RunEnded
    posted = Signal(object, object)  #: every other value

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: deque[tuple[Any, Hashable]] = deque()
        self._signals = {
            events.Connecting: self.connecting,
            events.UploadProgress: self.uploadProgress,
            events.PhaseStarted: self.phaseStarted,
            events.PhaseEnded: self.phaseEnded,
            events.SamplesArrived: self.samplesArrived,
            events.ProcessesSeen: self.processesSeen,
            events.LinkAway: self.linkAway,
            events.LinkBack: self.linkBack,
            events.RunEnded: self.runEnded,
        }
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.drain)

    def start(self) -> None:
        self._timer.start()

    def stop(self) -> None:
        """Stop delivering and forget what waits. Workers may still post; nobody hears them."""
        self._timer.stop()
        self._waiting.clear()

    @property
    def running(self) -> bool:
        return self._timer.isActive()

    def post(self, event: object, source: Hashable = None) -> None:
        """Hand over a frozen value. Thread-safe (``deque.append``), never blocks."""
        self._waiting.append((event, source))

    def follow(
        self,
        future: Future[Any],
        on_result: Callable[[Any], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        """Call one of the two on the GUI thread when ``future`` is done; neither when it was cancelled."""

        def done(finished: Future[Any]) -> None:
            self.post(_Finished(finished, on_result, on_error))

        future.add_done_callback(done)

    def drain(self) -> None:
        """Deliver what waits, in order, for at most 15 ms."""
        until = time.monotonic() + _PASS_SECONDS
        while self._waiting:
            event, source = self._waiting.popleft()
            if isinstance(event, _Finished):
                event.deliver()
            else:
                self._signals.get(type(event), self.posted).emit(event, source)
            if time.monotonic() > until:
                return


class _Finished:
    """A future that is done, on its way to the GUI thread."""

    def __init__(
        self,
        future: Future[Any],
        on_result: Callable[[Any], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._future, self._on_result, self._on_error = future, on_result, on_error

    def deliver(self) -> None:
        if self._future.cancelled():
            return
        error = self._future.exception()
        if error is None:
            self._on_result(self._future.result())
        elif not isinstance(error, CancelledError):
            self._on_error(error)
