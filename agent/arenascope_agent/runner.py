"""One task from its start to its "ended": worker, sampler, time limit, and what became of it."""

from __future__ import annotations

import time

from . import aside, ending, hold, marks, protocol
from .sampler import OwnCost, RunSampler
from .worker import Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .children import Children
    from .loop import Loop, Timer
    from .protocol import Message

#: Frames up to this length are opened to follow the phases; longer ones (tensors of a model) pass
#: through as they are, because decoding them would make the server several times as large.
_OPENED = 4096

#: Endings whose cause is worth a search, and the seconds that it may take.
_SEARCHED = ("killed", "crashed", "timed_out")
_SEARCH_LIMIT = 15.0
#: Seconds before the time limit at which is noted what the worker does, to be compared with the end.
_LAST_SECOND = 1.0


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
        self._step: str | None = None
        self._report: dict[str, Any] | None = None
        self._ours: str | None = None
        self.result: dict[str, Any] | None = None
        self._sampler: RunSampler | None = None
        self._prefix = ('{"run":%d,' % number).encode()
        start = time.monotonic()
        self._unsampled: OSError | None = None
        self._cost = OwnCost(start)
        self._worker = Worker(loop, children, argv, task, params, start, self._payload, self._exited)
        self._children = children
        self._marks = marks.Marks(start)
        self._moments: list[dict[str, Any]] = []
        self._limits: list[Timer] = []
        self._set_limit()
        if hz is not None:
            hold.hold()
            try:
                self._sampler = RunSampler(loop, self._worker.pid, start, hz, self._emit)
            except OSError as error:  # no descriptor is left: the run ends as every other, and says so
                self._unsampled = error
                self._kill("failed")

    def give(self, params: dict[str, Any], timeout: float | None) -> None:
        """What was missing to a run that was begun ahead. The time limit counts from now."""
        if self._worker.ended:
            return  # and why is being looked for
        self._timeout = timeout
        self._set_limit()
        self._worker.give(params)

    def _set_limit(self) -> None:
        if self._timeout is not None:
            early = max(self._timeout - _LAST_SECOND, self._timeout / 2)
            self._limits = [
                self._loop.after(early, self._note_moment), self._loop.after(self._timeout, self._too_long)
            ]  # fmt: skip

    def _note_moment(self) -> None:
        self._moments.append(marks.moment(self._worker.pid))

    def cancel(self) -> None:
        self._kill("cancelled")

    def pause(self) -> None:
        """The client does not take what is sent: let the worker wait."""
        self._worker.pause()

    def resume(self) -> None:
        self._worker.resume()

    def _too_long(self) -> None:
        self._note_moment()
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
        if name == "step":
            self._step = str(data.get("name"))
            return False
        if name in ("phase_started", "phase"):
            self._step = None
            if name == "phase_started":
                self._phase = str(data.get("name"))
            if self._sampler:
                self._sampler.flush()
        return True

    def _exited(self, status: int) -> None:
        for timer in self._limits:
            self._loop.cancel(timer)
        if self._sampler:
            self._sampler.stop()
        if self._worker.broken is not None and self._ours is None:
            self._ours = "failed"
        log = self._worker.log.lines()
        end = ending.describe(
            status, self._phase, self._step, self._report, self.result is not None, self._ours, log,
            self._timeout,
        )  # fmt: skip
        if self._unsampled is not None and self._ours == "failed":
            end["message"] = "the worker's memory cannot be read: %s" % self._unsampled.strerror
        end["log"] = log
        if end["status"] not in _SEARCHED or not self._search(end):
            self._finish(end)

    def _search(self, end: dict[str, Any]) -> bool:
        """Look for the cause, in a process of its own. False when there can be none."""
        case = self._case(end)

        def explain() -> dict[str, Any]:
            from . import causes  # in the fork: none of it stays in the server

            return causes.explain(causes.Case(**case))

        def found(answer: dict[str, Any] | aside.Failure) -> None:
            if isinstance(answer, aside.Failure):
                end["message"] += "; why could not be looked up: " + answer.message
            else:
                end.update(answer)
            self._finish(end)

        try:
            aside.run(self._loop, self._children, explain, found, _SEARCH_LIMIT, self._marks.log)
        except OSError:
            return False
        return True

    def _case(self, end: dict[str, Any]) -> dict[str, Any]:
        report, sampler = self._report or {}, self._sampler
        pid = report.get("pid")  # of a copy of the worker that was killed in its stead
        return {
            "status": end["status"],
            "where": ending.place(self._phase, self._step)[1],
            "signal": end["signal"],
            "pid": pid if type(pid) is int else self._worker.pid,
            "message": end["message"],
            "said": ending.last_words(end["log"]),
            "start": self._marks.start,
            "counters": self._marks.counters,
            "log": self._marks.log,
            "last": sampler.last if sampler else None,
            "gone": sampler.gone if sampler else None,
            "available": sampler.board["available"] if sampler else None,
            "ram_total": sampler.board["ram_total"] if sampler else None,
            "moments": tuple(self._moments),
        }

    def _finish(self, end: dict[str, Any]) -> None:
        self._marks.close()
        hold.let_go()
        end.update(self._cost.read())
        end["samples"] = self._sampler.taken if self._sampler else 0  # a client can tell that it has all
        self._on_end(end)
