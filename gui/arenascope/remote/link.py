"""The protocol's client: requests with answers, runs with events, over any transport.

One reader thread a link. It cuts frames, completes the requests that wait, and calls the callbacks of
runs; when the stream ends, for whatever reason, everything that waits is told so.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Any

from arenascope_agent import protocol

from ..domain.plain_text import plain
from ..errors import ArenaScopeError, BoardError, DeployError, LinkError, LinkLost, WireError
from .transport import ByteChannel, Transport

#: Called with an event's name and data, on the reader thread; it must not block.
OnEvent = Callable[[str, dict[str, Any]], None]

#: Seconds to wait for a probe with the runtime, and for file_status and file_adopt: as long as the agent
#: allows itself, so that its own words arrive, and the way there and back.
PROBE_TIMEOUT = protocol.PROBE_LIMIT + 10
FILE_TIMEOUT = protocol.FILE_LIMIT + 10

_CHUNK = 64 * 1024
_JOIN = 10.0
_MAX_TEXT = 4000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hello:
    """The agent's first frame. ``agent`` is the SHA-256 of its archive, or 'source'."""

    agent: str
    pid: int
    python: str


@dataclass(slots=True)
class _Waiting:
    """A request without its answer yet; ``on_event`` is registered when the answer names a run."""

    method: str
    future: Future[dict[str, Any]]
    on_event: OnEvent | None = None


class AgentLink:
    """A connection to one agent.

    Methods may be called from any thread, but only ``cancel_run`` and ``close`` from ``on_event``. An
    ``on_event`` that raises ends the link, because whoever waits for that run would wait for ever.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._name = transport.name
        self._channel: ByteChannel | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._hello: Future[Hello] = Future()
        self._next_id = 1
        self._waiting: dict[int, _Waiting] = {}
        self._given_up: set[int] = set()  # requests for a run whose answer did not come in time
        self._runs: dict[int, OnEvent] = {}
        self._error: ArenaScopeError | None = None
        self._closed = False

    def open(self, timeout: float = 30.0) -> Hello:
        """Start the agent and wait for its greeting.

        LinkError and DeployError of the transport; DeployError when the agent ends before it greets,
        with what it wrote last; WireError when something else answers.
        """
        self._channel = self._transport.open_agent()
        self._thread = threading.Thread(target=self._read, name=f"link-{self._name}", daemon=True)
        self._thread.start()
        try:
            return self._hello.result(timeout)
        except FutureTimeout:
            detail = self._channel.stderr_tail()
            self.close()
            raise DeployError(
                f"The agent on {self._name} did not answer within {timeout:g} s.",
                hint="The device may be overloaded, or its login files wait for input.",
                detail=detail,
            ) from None
        except ArenaScopeError:
            self.close()
            raise

    def request(
        self, method: str, params: dict[str, Any] | None = None, timeout: float = 30.0
    ) -> dict[str, Any]:
        """The answer to one request.

        BoardError when the agent refuses it, LinkLost when the connection ends, LinkError when no
        answer comes in time (a late one is dropped, and the run that it may name is cancelled).
        """
        return self._ask(method, params or {}, timeout, None)

    def start_run(
        self,
        task: str,
        params: dict[str, Any],
        on_event: OnEvent,
        timeout: float | None = None,
        sample_hz: float = 20.0,
    ) -> int:
        """Start a task and return its run number. ``timeout`` is the device's limit for the whole run.

        ``on_event`` gets every event of the run on the reader thread, "ended" last; or "lost"
        {"message", "detail"} last, when the link ends before.
        """
        wanted = {"task": task, "params": params, "timeout": timeout, "sample_hz": sample_hz}
        return self._run_number(self._ask("run", wanted, 30.0, on_event))

    def start_watch(self, on_event: OnEvent, hz: float = 2.0) -> int:
        """Start a watch of the board; events as in ``start_run``."""
        return self._run_number(self._ask("watch", {"hz": hz}, 30.0, on_event))

    def cancel_run(self, run: int) -> None:
        """Ask for the end of a run or watch and return at once; its "ended" tells when it came.

        Nothing when the link has ended: the run ended with it.
        """
        with contextlib.suppress(LinkError, WireError):
            self._send("cancel", {"run": run}, None)

    def close(self) -> None:
        """End the connection and the agent. What still waits gets LinkLost. May be called twice."""
        with self._lock:
            self._closed = True
        if self._channel is not None:
            self._channel.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_JOIN)

    # -- requests ---------------------------------------------------------------------------------

    def _ask(
        self, method: str, params: dict[str, Any], timeout: float, on_event: OnEvent | None
    ) -> dict[str, Any]:
        number, future = self._send(method, params, on_event)
        try:
            return future.result(timeout)
        except FutureTimeout:
            with self._lock:
                unanswered = self._waiting.pop(number, None) is not None
                if unanswered and on_event is not None:
                    self._given_up.add(number)
            if not unanswered:  # the answer came at the last moment, and a run may be registered by it
                return future.result()
            raise LinkError(
                f"{self._name} did not answer “{method}” within {timeout:g} s.",
                hint="The device may be overloaded or the network slow; try again.",
            ) from None

    def _send(
        self, method: str, params: dict[str, Any], on_event: OnEvent | None
    ) -> tuple[int, Future[dict[str, Any]]]:
        channel = self._channel
        if channel is None:
            raise LinkError(f"There is no connection to {self._name}.")
        future: Future[dict[str, Any]] = Future()
        with self._lock:
            if self._error is not None:
                raise _again(self._error)
            number = self._next_id
            self._next_id += 1
            self._waiting[number] = _Waiting(method, future, on_event)
        try:
            channel.send(protocol.encode(protocol.request(number, method, params)))
        except BaseException as error:
            with self._lock:
                self._waiting.pop(number, None)
            if isinstance(error, protocol.ProtocolError):
                raise WireError(f"“{method}” cannot be sent to {self._name}: {error}.") from error
            raise
        return number, future

    def _run_number(self, result: dict[str, Any]) -> int:
        number = result["run"]  # checked by the reader, which registered the run under it
        assert isinstance(number, int)
        return number

    # -- the reader thread ------------------------------------------------------------------------

    def _read(self) -> None:
        assert self._channel is not None
        error: ArenaScopeError
        try:
            self._receive(self._channel)
            error = self._lost()
        except ArenaScopeError as caught:
            error = caught
        except protocol.ProtocolError as caught:
            error = WireError(
                f"What arrived from {self._name} is not the protocol.", detail=plain(str(caught), _MAX_TEXT)
            )
        except Exception as caught:  # noqa: BLE001 - the top of this thread: whoever waits must hear of it
            _log.exception("The reader of %s failed", self._name)
            error = WireError(f"The connection to {self._name} failed: {caught!r}.")
        self._end(error)

    def _receive(self, channel: ByteChannel) -> None:
        """Until the stream ends. Raises for what is not the protocol."""
        frames = protocol.FrameReader()
        data = self._skip_banner(channel)
        while True:
            for payload in frames.feed(data):
                self._message(protocol.decode_payload(payload))
            data = channel.recv(_CHUNK)
            if not data:
                return

    def _skip_banner(self, channel: ByteChannel) -> bytes:
        """What follows the greeting; all that stands before it is the login's business."""
        seen = bytearray()
        while True:
            data = channel.recv(_CHUNK)
            if not data:
                raise self._not_started(bytes(seen))
            seen += data
            found = seen.find(protocol.GREETING)
            if 0 <= found <= protocol.MAX_BANNER:
                return bytes(seen[found + len(protocol.GREETING) :])
            if len(seen) > protocol.MAX_BANNER:
                raise WireError(
                    f"{self._name} sent {len(seen) // 1024} KiB and no greeting of the agent.",
                    hint="Look at what its login files print.",
                    detail=plain(bytes(seen[-400:]).decode("utf-8", "replace"), 400),
                )

    def _not_started(self, banner: bytes) -> ArenaScopeError:
        """Why the far side ended before it greeted: its last lines say, and its exit status."""
        assert self._channel is not None
        if self._closed:
            return self._lost()
        status = self._channel.exit_status()
        written = self._channel.stderr_tail() or banner.decode("utf-8", "replace")
        lines = [plain(line, 400) for line in written.splitlines() if line.strip()][-10:]
        reason = f": {lines[-1]}" if lines else "."
        text = " ".join(lines)
        hint = "Run the same command by hand on the device to see what stands in the way."
        if "needs Python" in text:
            hint = "Install Python 3.9 or newer on the device."
        elif status == 127 or "not found" in text or "No such file" in text:
            hint = "Install Python 3.9 or newer on the device: sudo apt install python3"
        ended = "" if status is None else f" (exit status {status})"
        return DeployError(
            f"The agent on {self._name} did not start{ended}{reason}", hint=hint, detail="\n".join(lines)
        )

    def _message(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if not self._hello.done():
            self._greeted(message)
        elif kind == "event":
            self._event(message)
        elif kind == "response":
            self._answer(message)
        elif kind == "error":
            self._refusal(message)
        else:
            raise WireError(f"{self._name} sent a message of the unknown type {str(kind)[:40]!r}.")

    def _greeted(self, message: dict[str, Any]) -> None:
        agent, pid, python = message.get("agent"), message.get("pid"), message.get("python")
        if message.get("type") != "hello" or message.get("protocol") != protocol.PROTOCOL:
            raise WireError(
                f"The agent on {self._name} speaks another protocol than this program.",
                hint="End older agents on the device and connect again.",
                detail=plain(repr(message.get("protocol")), 100),
            )
        if type(pid) is not int or not isinstance(agent, str) or not isinstance(python, str):
            raise WireError(f"The agent on {self._name} introduced itself wrongly.")
        self._hello.set_result(Hello(plain(agent, 64), pid, plain(python, 40)))

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
            self.cancel_run(result["run"])
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
                waiting.future.set_exception(_again(error))
                raise error
            with self._lock:
                self._runs[run] = waiting.on_event
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

    def _event(self, message: dict[str, Any]) -> None:
        run, name, data = message.get("run"), message.get("name"), message.get("data")
        if type(run) is not int or not isinstance(name, str) or not isinstance(data, dict):
            raise WireError(f"{self._name} sent an event without its number, name or data.")
        if name == "lost":
            raise WireError(f"{self._name} sent an event that only this side can know of.")
        with self._lock:
            on_event = self._runs.pop(run, None) if name == "ended" else self._runs.get(run)
        if on_event is not None:
            on_event(name, data)

    # -- the end ----------------------------------------------------------------------------------

    def _lost(self) -> LinkLost:
        assert self._channel is not None
        if self._closed:
            return LinkLost(f"The connection to {self._name} was closed.", hint="")
        return LinkLost(
            f"The connection to {self._name} ended.",
            hint="Check the device and its network, then connect again.",
            detail=plain(self._channel.stderr_tail(), _MAX_TEXT),
        )

    def _end(self, error: ArenaScopeError) -> None:
        assert self._channel is not None
        with self._lock:
            self._error = error
            waiting, self._waiting = list(self._waiting.values()), {}
            runs, self._runs = list(self._runs.values()), {}
        if not self._hello.done():
            self._hello.set_exception(error)
        for request in waiting:
            request.future.set_exception(_again(error))
        for on_event in runs:
            try:
                on_event("lost", {"message": error.message, "detail": error.detail})
            except Exception:  # noqa: BLE001 - the others must hear of it all the same
                _log.exception("A listener failed at the end of the link to %s", self._name)
        self._channel.close()


def _again(error: ArenaScopeError) -> ArenaScopeError:
    """A fresh exception that says the same: one instance may not be raised on several threads."""
    if isinstance(error, BoardError):
        return BoardError(error.message, board_code=error.board_code, hint=error.hint, detail=error.detail)
    return type(error)(error.message, hint=error.hint, detail=error.detail)
