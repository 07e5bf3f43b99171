"""A run on a board that ends only when somebody ends it, followed event by event."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from arenascope.domain.capture import Capture
from arenascope.workflow.connect import Device
from arenascope.workflow.events import RunEvent, SamplesArrived
from arenascope.workflow.inspect import InspectRequest, inspect
from arenascope.workflow.jobs import CancelToken
from tests.support.models import own

#: A model whose run ends only when somebody ends it.
ENDLESS = own("hang_while.tflite")
#: Seconds after which a test gives up; never a measure of anything.
LONG = 300.0


class Run:
    """A run of the endless model on another thread; ``wait`` for an event of it, ``end`` it."""

    def __init__(self, pool: ThreadPoolExecutor, device: Device, limit: float = LONG) -> None:
        self._seen: list[type[object]] = []
        self._changed = threading.Condition()
        self._cancel = CancelToken()
        request = InspectRequest(timeout=limit)
        self.future: Future[Capture] = pool.submit(
            inspect, device, ENDLESS, request, self._on_event, self._cancel
        )

    def _on_event(self, event: RunEvent) -> None:
        with self._changed:
            self._seen.append(type(event))
            self._changed.notify_all()

    def wait(self, kind: type[object]) -> None:
        """For the next event of this kind after the one that was waited for last."""

        def came() -> bool:
            if kind not in self._seen:
                return self.future.done()
            del self._seen[: self._seen.index(kind) + 1]
            return True

        with self._changed:
            assert self._changed.wait_for(came, LONG)
        assert not self.future.done(), self.future

    def end(self) -> Capture:
        self._cancel.cancel()
        return self.future.result(LONG)


@contextmanager
def running(device: Device) -> Iterator[Run]:
    with ThreadPoolExecutor(1) as pool:
        run = Run(pool, device)
        try:
            run.wait(SamplesArrived)
            yield run
        finally:
            run._cancel.cancel()
