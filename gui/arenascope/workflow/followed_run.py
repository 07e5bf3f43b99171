"""A run on a device, followed to its end: events come on the reader thread, the end is waited for."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from ..domain.measurement import Outcome
from ..errors import ArenaScopeError, Cancelled, InputError, WireError
from ..remote.exchange import AWAY, BACK, LOST, again
from .connect import Device
from .jobs import CancelToken


class FollowedRun(ABC):
    """Whoever follows a run says in ``take`` what an event is to it, and calls ``end`` with the last."""

    def __init__(self, cancel: CancelToken) -> None:
        self.cancel = cancel
        self._away = False
        self._done = threading.Event()
        self._outcome: Outcome | None = None
        self._error: ArenaScopeError | None = None

    @abstractmethod
    def take(self, name: str, data: dict[str, Any]) -> None:
        """An event, on the reader thread. Raises WireError for one that makes no sense."""

    def end(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._done.set()

    def on_event(self, name: str, data: dict[str, Any]) -> None:
        if self._done.is_set():
            return
        if name == LOST:
            self._fail(data["error"])
            return
        if name in (AWAY, BACK):
            self._away = name == AWAY
        try:
            self.take(name, data)
        except ArenaScopeError as error:
            self._fail(again(error))
            if isinstance(error, WireError):
                raise  # whoever sends that cannot be relied on: the link ends

    def wait(self) -> Outcome:
        """How the run ended. Raises what came in its place; Cancelled where that was asked for while the
        device cannot be reached."""
        while not self._done.wait(0.5):  # Ctrl+C is not heard during an endless wait on Windows
            if self._away and self.cancel.cancelled:
                raise Cancelled(
                    "Stopped while the device could not be reached; what runs there ends by itself.", hint=""
                )
        if self._error is not None:
            raise self._error
        assert self._outcome is not None
        return self._outcome

    def _fail(self, error: ArenaScopeError) -> None:
        self._error = error
        self._done.set()


F = TypeVar("F", bound=FollowedRun)


@contextmanager
def started(
    device: Device, task: str, params: dict[str, Any], run: F, *, timeout: float, sample_hz: float
) -> Iterator[F]:
    """The task is begun on the device; a cancel ends it, and so does a block that fails."""
    run_id = device.link.start_run(task, params, run.on_event, timeout=timeout, sample_hz=sample_hz)
    forget = run.cancel.on_cancel(lambda: device.link.cancel_run(run_id))
    try:
        yield run
    except BaseException as error:
        device.link.cancel_run(run_id)
        if isinstance(error, InputError):
            run.wait()  # the link is sound, and whoever asks next finds the device free
        raise
    finally:
        forget()
