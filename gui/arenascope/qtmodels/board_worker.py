"""One device as the window holds it: a connection kept open, and the one thread that talks to it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from ..domain.link_state import LinkState
from ..errors import ArenaScopeError, BoardError, Cancelled, InputError, LinkError, SetupError, UsageError
from ..remote.prompts import Prompts
from ..workflow.connect import Device, connect
from ..workflow.events import Connecting
from ..workflow.jobs import CancelToken, JobRunner

T = TypeVar("T")
#: After these the connection is as good as before.
_HARMLESS = (InputError, UsageError, BoardError, SetupError, Cancelled)
#: Seconds that a job which tidies up after itself gets for it when its connection is to be closed.
_TIDYING = 15.0

OnLink = Callable[[LinkState], None]
Connect = Callable[[str, Prompts, Callable[[Connecting], None], OnLink], Device]


def connect_with_runtime(
    target: str, prompts: Prompts, tell: Callable[[Connecting], None], on_link: OnLink
) -> Device:
    return connect(target, prompts, tell, probe_runtime=True, on_link=on_link)


class _Ear:
    """What a connection says of itself, until it is closed from here: then nobody wants to hear it."""

    def __init__(self, hear: OnLink) -> None:
        self._hear: OnLink | None = hear

    def __call__(self, state: LinkState) -> None:
        hear = self._hear
        if hear is not None:
            hear(state)

    def close(self) -> None:
        self._hear = None


class BoardWorker:
    """Connects when the first job comes. A connection that failed is dropped; the next job makes a new one.

    ``make`` stands here to be replaced in tests. ``hear`` is told, on other threads, how the connection is
    doing.
    """

    def __init__(
        self,
        target: str,
        prompts: Prompts,
        make: Connect = connect_with_runtime,
        hear: OnLink = lambda state: None,
    ) -> None:
        self.target = target
        self._prompts, self._make, self._hear = prompts, make, hear
        self._runner = JobRunner(target)
        self._lock = threading.Lock()
        self._device: Device | None = None
        self._ear: _Ear | None = None
        self._tidies: Future[Any] | None = None
        self._closed = False

    def submit(
        self,
        job: Callable[[Device], T],
        tell: Callable[[Connecting], None],
        cancel: CancelToken,
        *,
        tidies: bool = False,
    ) -> Future[T]:
        """Run ``job`` with the connected device on this device's thread.

        ``tidies``: when it is cancelled it still has something to take away there before the connection goes.
        """

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

        future = self._runner.submit(run)
        if tidies:
            self._tidies = future
        return future

    def submit_apart(self, job: Callable[[Prompts], T], cancel: CancelToken) -> Future[T]:
        """Run ``job`` on this device's thread while nothing of ours is connected to it."""

        def run() -> T:
            cancel.raise_if_cancelled()
            self._drop()
            return job(self._prompts)

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
        if self._tidies is not None:
            wait([self._tidies], _TIDYING)
        self._drop()
        self._runner.close()

    def _connected(self, tell: Callable[[Connecting], None]) -> Device:
        with self._lock:
            kept = self._device
        if kept is not None and kept.link.answers():
            return kept  # otherwise it went away while nothing was asked of it
        self._drop()
        ear = _Ear(self._hear)
        device = self._make(self.target, self._prompts, tell, ear)
        with self._lock:
            if not self._closed:
                self._device, self._ear = device, ear
                return device
        ear.close()
        device.close()
        raise LinkError(f"The connection to {self.target} was closed.", hint="")

    def _drop(self) -> None:
        with self._lock:
            device, self._device = self._device, None
            ear, self._ear = self._ear, None
        if ear is not None:
            ear.close()
        if device is not None:
            device.close()
