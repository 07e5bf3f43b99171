"""What is asked of an agent and what it answers: requests that wait, runs that are followed.

No connection here: messages go out as numbers and come in as decoded frames.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from ..domain.plain_text import plain
from ..errors import ArenaScopeError, BoardError, WireError
from .translate import shown

#: Called with an event's name and data, on the reader thread; it must not block.
OnEvent = Callable[[str, dict[str, Any]], None]

#: Events that only this side makes: a run cannot be followed any more; its connection is lost, and is back.
LOST, AWAY, BACK = "lost", "link_lost", "link_back"
#: Bytes of all events of one run together: a day of samples at 20 Hz, or the tensors of the largest
#: models many times over. Whoever follows a run keeps what it sends; a watch may go on for ever.
MOST_OF_A_RUN = 64 * 1024 * 1024
_MAX_TEXT = 4000
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Waiting:
    """A request without its answer yet; ``on_event`` is registered when the answer names a run."""

    method: str
    future: Future[dict[str, Any]]
    on_event: OnEvent | None = None


@dataclass(slots=True)
class _Followed:
    """A run that goes on, and the bytes that it may still send; None where there is no limit."""

    on_event: OnEvent
    left: int | None


class Exchange:
    """Methods may be called from any thread; ``message`` from one, the reader's.

    ``cancel`` is called with the number of a run that nobody waits for any more.
    """

    def __init__(self, name: str, cancel: Callable[[int], None]) -> None:
        self._name = name
        self._cancel = cancel
        self._lock = threading.Lock()
        self._next_id = 1
        self._waiting: dict[int, _Waiting] = {}
        self._given_up: set[int] = set()  # requests for a run whose answer did not come in time
        self._runs: dict[int, _Followed] = {}
        self._error: ArenaScopeError | None = None

    @property
    def error(self) -> ArenaScopeError | None:
        """Why it is over; None as long as it is not."""
        return self._error

    @property
    def follows_runs(self) -> bool:
        """Whether somebody here waits for what happens in a run or a watch."""
        with self._lock:
            return bool(self._runs)

    @property
    def unanswered(self) -> int:
        """Requests that wait for their answer."""
        with self._lock:
            return len(self._waiting)

    def expect(self, method: str, on_event: OnEvent | None) -> tuple[int, Future[dict[str, Any]]]:
        """The number of a new request, and what its answer will complete. Raises what it ended with."""
        future: Future[dict[str, Any]] = Future()
        with self._lock:
            if self._error is not None:
                raise again(self._error)
            number = self._next_id
            self._next_id += 1
            self._waiting[number] = _Waiting(method, future, on_event)
        return number, future

    def withdraw(self, number: int) -> None:
        """The request was not sent."""
        with self._lock:
            self._waiting.pop(number, None)

    def give_up(self, number: int) -> bool:
        """Wait no longer for an answer. False when it has just come."""
        with self._lock:
            waiting = self._waiting.pop(number, None)
            if waiting is not None and waiting.on_event is not None:
                self._given_up.add(number)
        return waiting is not None

    def tell_runs(self, name: str, data: dict[str, Any]) -> None:
        """An event of this side, for every run that is followed."""
        with self._lock:
            runs = list(self._runs.values())
        for run in runs:
            run.on_event(name, data)

    def message(self, message: dict[str, Any], size: int) -> None:
        """Take what has arrived in a frame of ``size`` bytes. WireError for what makes no sense."""
        kind = message.get("type")
        if kind == "event":
            self._event(message, size)
        elif kind == "response":
            self._answer(message)
        elif kind == "error":
            self._refusal(message)
        else:
            raise WireError(f"{self._name} sent a message of the unknown type {shown(kind)}.")

    def end(self, error: ArenaScopeError) -> None:
        """Everything that waits is told so."""
        with self._lock:
            self._error = error
            waiting, self._waiting = list(self._waiting.values()), {}
            runs, self._runs = list(self._runs.values()), {}
        for request in waiting:
            request.future.set_exception(again(error))
        for run in runs:
            try:
                run.on_event(LOST, {"error": again(error)})
            except Exception:  # noqa: BLE001 - the others must hear of it all the same
                _log.exception("A listener failed at the end of the link to %s", self._name)

    def _take_waiting(self, message: dict[str, Any]) -> _Waiting | None:
        """The request that a message answers; None for one that is no longer waited for.

        A run that starts after all is cancelled: nobody here knows its number, so nobody else could.
        """
        number = message.get("id")
        with self._lock:
            if type(number) is not int or not 1 <= number < self._next_id:
                raise WireError(f"{self._name} answered a request that was never made.")
            waiting = self._waiting.pop(number, None)
            given_up = number in self._given_up
            self._given_up.discard(number)
        result = message.get("result")
        if given_up and isinstance(result, dict) and type(result.get("run")) is int:
            self._cancel(result["run"])
        return waiting

    def _answer(self, message: dict[str, Any]) -> None:
        result = message.get("result")
        if not isinstance(result, dict):
            raise WireError(f"{self._name} sent an answer without a result.")
        waiting = self._take_waiting(message)
        if waiting is None:
            return
        if waiting.on_event is not None:
            run = result.get("run")
            if type(run) is not int or run < 1:
                error = WireError(f"{self._name} started a run without a number.")
                waiting.future.set_exception(again(error))
                raise error
            limit = MOST_OF_A_RUN if waiting.method == "run" else None
            with self._lock:
                twice = run in self._runs
                self._runs.setdefault(run, _Followed(waiting.on_event, limit))
            if twice:  # whoever follows the other one would wait for ever
                error = WireError(f"{self._name} gave two runs the number {run}.")
                waiting.future.set_exception(again(error))
                raise error
        waiting.future.set_result(result)

    def _refusal(self, message: dict[str, Any]) -> None:
        texts = {}
        for key in ("code", "message", "hint", "detail"):
            value = message.get(key, "")
            texts[key] = plain(value, _MAX_TEXT) if isinstance(value, str) else ""
        error = BoardError(
            texts["message"] or f"{self._name} refused, and gave no reason.",
            board_code=texts["code"],
            hint=texts["hint"],
            detail=texts["detail"],
        )
        if message.get("id") is None:  # about the connection, not about a request
            raise WireError(f"{self._name} closed the connection: {error.message}", detail=error.detail)
        waiting = self._take_waiting(message)
        if waiting is not None:
            waiting.future.set_exception(error)

    def _event(self, message: dict[str, Any], size: int) -> None:
        run, name, data = message.get("run"), message.get("name"), message.get("data")
        if type(run) is not int or not isinstance(name, str) or not isinstance(data, dict):
            raise WireError(f"{self._name} sent an event without its number, name or data.")
        if name in (LOST, AWAY, BACK):
            raise WireError(f"{self._name} sent an event that only this side can know of.")
        with self._lock:
            followed = self._runs.pop(run, None) if name == "ended" else self._runs.get(run)
        if followed is None:
            return
        if followed.left is not None:
            followed.left -= size
            if followed.left < 0:
                raise WireError(
                    f"{self._name} sent more than {MOST_OF_A_RUN // 2**20} MiB about one run.",
                    hint="A run of more than a day needs fewer samples a second, or a shorter time limit.",
                )
        followed.on_event(name, data)


def again(error: ArenaScopeError) -> ArenaScopeError:
    """A fresh exception that says the same: one instance may not be raised on several threads."""
    if isinstance(error, BoardError):
        return BoardError(error.message, board_code=error.board_code, hint=error.hint, detail=error.detail)
    return type(error)(error.message, hint=error.hint, detail=error.detail)
