"""One task from its start to its "ended": worker, sampler, time limit, and what became of it."""

from __future__ import annotations

import time

from . import ending, protocol
from .sampler import OwnCost, RunSampler
from .worker import Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .children import Children
    from .loop import Loop
    from .protocol import Message

#: Frames up to this length are opened to follow the phases; longer ones (tensors of a model) pass
#: through as they are, because decoding them would make the server several times as large.
_OPENED = 4096


class Run:
    """A running task. Sends every event of the run through ``send_payload``; "ended" is the last.

    ``params`` None: the worker does what it can without them and waits for ``give``.
    ``hz`` None: the worker is not sampled (a probe). ``result`` is what its ``result`` event carried.
    """

    def __init__(
        self,
        loop: Loop,
        children: Children,
        argv: list[str],
        number: int,
        task: str,
        params: dict[str, Any] | None,
        timeout: float | None,
        hz: float | None,
        send_payload: Callable[[bytes], None],
        on_end: Callable[[dict[str, Any]], None],
    ) -> None:
        """OSError when no process can be started."""
        self._loop = loop
        self._number = number
        self._timeout = timeout
        self._send_payload = send_payload
        self._on_end = on_end
        self._phase: str | None = None
        self._report: dict[str, Any] | None = None
        self._ours: str | None = None
        self.result: dict[str, Any] | None = None
        self._sampler: RunSampler | None = None
        self._prefix = ('{"run":%d,' % number).encode()
        start = time.monotonic()
        self._unsampled: OSError | None = None
        self._cost = OwnCost(start)
        self._worker = Worker(loop, children, argv, task, params, start, self._payload, self._exited)
        self._limit = None if timeout is None else loop.after(timeout, self._too_long)
        if hz is not None:
            try:
                self._sampler = RunSampler(loop, self._worker.pid, start, hz, self._emit)
            except OSError as error:  # no descriptor is left: the run ends as every other, and says so
                self._unsampled = error
                self._kill("failed")

    def give(self, params: dict[str, Any], timeout: float | None) -> None:
        """What was missing to a run that was begun ahead. The time limit counts from now."""
        self._timeout = timeout
        self._limit = None if timeout is None else self._loop.after(timeout, self._too_long)
        self._worker.give(params)

    def cancel(self) -> None:
        self._kill("cancelled")

    def pause(self) -> None:
        """The client does not take what is sent: let the worker wait."""
        self._worker.pause()

    def resume(self) -> None:
        self._worker.resume()

    def _too_long(self) -> None:
        self._limit = None
        self._kill("timed_out")

    def _kill(self, why: str) -> None:
        if self._ours is None:
            self._ours = why
        self._worker.kill()

    def _emit(self, name: str, data: dict[str, Any]) -> None:
        self._send_payload(protocol.encode_payload(protocol.event(name, data, self._number)))

    def _payload(self, payload: bytes) -> None:
        """An event of the worker: look at the small ones, pass all on with the run's number."""
        if payload[:1] != b"{":
            raise protocol.ProtocolError("the worker sent no object")
        if len(payload) <= _OPENED and not self._look(protocol.decode_payload(payload)):
            return
        self._send_payload(self._prefix + payload[1:])

    def _look(self, message: Message) -> bool:
        """Whether this event goes on to the client."""
        name, data = message.get("name"), message.get("data")
        if message.get("type") != "event" or not isinstance(name, str) or not isinstance(data, dict):
            raise protocol.ProtocolError("the worker sent no event")
        if name == "failure":
            self._report = data
            return False
        if name == "result":
            self.result = data
            return False
        if name in ("phase_started", "phase"):
            if name == "phase_started":
                self._phase = str(data.get("name"))
            if self._sampler:
                self._sampler.flush()
        return True

    def _exited(self, status: int) -> None:
        if self._limit:
            self._loop.cancel(self._limit)
        if self._sampler:
            self._sampler.stop()
        if self._worker.broken is not None and self._ours is None:
            self._ours = "failed"
        log = self._worker.log.lines()
        end = ending.describe(
            status, self._phase, self._report, self.result is not None, self._ours, log, self._timeout
        )
        if self._unsampled is not None and self._ours == "failed":
            end["message"] = "the worker's memory cannot be read: %s" % self._unsampled.strerror
        end["log"] = log
        end.update(self._cost.read())
        end["samples"] = self._sampler.taken if self._sampler else 0  # a client can tell that it has all
        self._on_end(end)
