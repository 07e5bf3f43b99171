"""One device as the window holds it: a connection kept open, and the one thread that talks to it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from ..errors import ArenaScopeError, BoardError, Cancelled, InputError, LinkError, UsageError
from ..remote.prompts import Prompts
from ..workflow.connect import Device, connect
from ..workflow.events import Connecting
from ..workflow.jobs import CancelToken, JobRunner

T = TypeVar("T")
#: After these the connection is as good as before.
_HARMLESS = (InputError, UsageError, BoardError, Cancelled)

Connect = Callable[[str, Prompts, Callable[[Connecting], None]], Device]


def connect_with_runtime(target: str, prompts: Prompts, tell: Callable[[Connecting], None]) -> Device:
    return connect(target, prompts, tell, probe_runtime=True)


class BoardWorker:
    """Connects when the first job comes. A connection that failed is dropped; the next job makes a new one.

    ``connect`` stands here to be replaced in tests.
    """

    def __init__(self, target: str, prompts: Prompts, make: Connect = connect_with_runtime) -> None:
        self.target = target
        self._prompts, self._make = prompts, make
        self._runner = JobRunner(target)
        self._lock = threading.Lock()
        self._device: Device | None = None
        self._closed = False

    def submit(
        self, job: Callable[[Device], T], tell: Callable[[Connecting], None], cancel: CancelToken
    ) -> Future[T]:
        """Run ``job`` with the connected device on this device's thread."""

        def run() -> T:
            cancel.raise_if_cancelled()
            device = self._connected(tell)
            cancel.raise_if_cancelled()
            try:
                return job(device)
            except ArenaScopeError as error:
                if not isinstance(error, _HARMLESS):
                    self._drop()
                raise

        return self._runner.submit(run)

    def replace_device(self, device: Device) -> None:
        """Keep the facts that a job has asked for again, unless the connection is another by now."""
        with self._lock:
            if self._device is not None and self._device.link is device.link:
                self._device = device

    def close(self) -> None:
        """End the connection, whatever it does, and wait for the thread."""
        with self._lock:
            self._closed = True
        self._drop()
        self._runner.close()

    def _connected(self, tell: Callable[[Connecting], None]) -> Device:
        with self._lock:
            kept = self._device
        if kept is not None and kept.link.answers():
            return kept  # otherwise it went away while nothing was asked of it
        self._drop()
        device = self._make(self.target, self._prompts, tell)
        with self._lock:
            if not self._closed:
                self._device = device
                return device
        device.close()
        raise LinkError(f"The connection to {self.target} was closed.", hint="")

    def _drop(self) -> None:
        with self._lock:
            device, self._device = self._device, None
        if device is not None:
            device.close()
