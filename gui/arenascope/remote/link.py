"""The protocol's client: requests with answers, runs with events, over any transport.

One reader thread a link (over a transport that keeps sessions, two more: one gives signs of life, one looks
for those of the other side). It cuts frames, completes the requests that wait, and calls the callbacks of
runs. Where the transport keeps sessions, a connection that is lost is made again, with back-off, and both
sides send again what the other has not got; runs on the device go on meanwhile. When the stream ends for
good, everything that waits is told so.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from itertools import chain, repeat
from typing import Any

from arenascope_agent import protocol

from ..domain.link_state import LinkKind, LinkState
from ..domain.plain_text import plain
from ..errors import (
    ArenaScopeError,
    AuthenticationError,
    Cancelled,
    DeployError,
    HostKeyChanged,
    HostKeyUnknown,
    LinkError,
    LinkLost,
    SessionOver,
    WireError,
)
from . import greeting
from .exchange import AWAY, BACK, Exchange, OnEvent
from .greeting import Hello
from .outbox import Outbox
from .patience import PATIENCE, POLL, Patience, Stop, raise_if
from .transport import ByteChannel, Transport

#: Called on the link's own threads; it must not block.
OnState = Callable[[LinkState], None]

#: Seconds to wait for a probe with the runtime, and for file_status and file_adopt: as long as the agent
#: allows itself, so that its own words arrive, and the way there and back.
PROBE_TIMEOUT = protocol.PROBE_LIMIT + 10
FILE_TIMEOUT = protocol.FILE_LIMIT + 10

_CHUNK = 64 * 1024
#: Bytes after which the agent is told what has arrived, so that it need not keep it.
_CONFIRM = 128 * 1024
_LEAVE = 3.0
_JOIN = 10.0
#: Requests without an answer above which nothing more is confirmed.
_MOST_UNANSWERED = 64
_MAX_TEXT = 4000
_MAX_LINES = 40
_log = logging.getLogger(__name__)

#: No connection that is tried again will change these.
_FINAL = (AuthenticationError, HostKeyChanged, HostKeyUnknown, WireError)


class AgentLink:
    """A connection to one agent.

    Methods may be called from any thread, but only ``cancel_run`` and ``close`` from ``on_event``. An
    ``on_event`` that raises ends the link, because whoever waits for that run would wait for ever.
    ``on_state`` hears how the connection is doing, where the transport keeps sessions.
    """

    def __init__(
        self, transport: Transport, on_state: OnState | None = None, patience: Patience | None = None
    ) -> None:
        self._transport = transport
        self._name = transport.name
        self._on_state = on_state or (lambda state: None)
        self._patience = patience or PATIENCE
        self._session = secrets.token_hex(16)
        self._channel: ByteChannel | None = None
        self._thread: threading.Thread | None = None
        self._pulse: threading.Thread | None = None
        self._watch: threading.Thread | None = None
        self._exchange = Exchange(self._name, self.cancel_run)
        self._hello: Future[Hello] = Future()
        self._outbox = Outbox(keeps=transport.keeps_sessions)
        self._closing = threading.Event()
        self._up = threading.Event()  # also set at the end: nobody waits for a link that is over
        self._seen = 0  # frames after the greeting's, over all connections of the session
        self._unconfirmed = 0  # bytes of them that the agent may still keep
        self._heard = time.monotonic()
        self._reading = False
        self._lost_at: float | None = None
        self._round_trip: float | None = None

    def open(self, timeout: float = 30.0) -> Hello:
        """Start the agent and wait for its greeting.

        LinkError and DeployError of the transport; DeployError when the agent ends before it greets,
        with what it wrote last; WireError when something else answers.
        """
        self._channel = self._transport.open_agent(self._session, None)
        self._thread = threading.Thread(target=self._read, name=f"link-{self._name}", daemon=True)
        self._thread.start()
        try:
            hello = self._hello.result(timeout)
        except FutureTimeout:
            detail = _last_words(self._channel)
            self.close()
            raise DeployError(
                f"The agent on {self._name} did not answer within {timeout:g} s.",
                hint="The device may be overloaded, or its login files wait for input.",
                detail=detail,
            ) from None
        except ArenaScopeError:
            self.close()
            raise
        if self._transport.keeps_sessions:
            self._pulse = threading.Thread(target=self._beat, name=f"pulse-{self._name}", daemon=True)
            self._watch = threading.Thread(target=self._listen, name=f"watch-{self._name}", daemon=True)
            self._pulse.start()
            self._watch.start()
        return hello

    def request(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        timeout: float = 30.0,
        stop: Stop | None = None,
    ) -> dict[str, Any]:
        """The answer to one request.

        BoardError when the agent refuses it, LinkLost when the connection ends for good, LinkError when no
        answer comes in time (a late one is dropped, and the run that it may name is cancelled). Time
        without a connection does not count. Cancelled soon after ``stop`` says so.
        """
        return self._ask(method, params or {}, timeout, None, stop)

    @property
    def is_up(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._channel is not None and self._exchange.error is None and self._up.is_set()

    def answers(self, timeout: float = 5.0) -> bool:
        """Whether the agent answers now. False at once while the connection is lost."""
        if not self.is_up:
            return False
        _, future = self._send("ping", {}, None)
        try:
            future.result(timeout)
        except (FutureTimeout, ArenaScopeError):
            return False
        return True

    def wait_until_up(self, stop: Stop | None = None) -> bool:
        """Wait while the connection is lost; whether it is back. Cancelled soon after ``stop`` says so."""
        while not self._up.wait(None if stop is None else POLL):
            raise_if(stop)
        return self._exchange.error is None and not self._closing.is_set()

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
        {"error": why} last, when the link ends before. "link_lost" {"message"} and "link_back"
        {"seconds"} stand around a time without connection; the events of that time come after it.
        """
        wanted = {"task": task, "params": params, "timeout": timeout, "sample_hz": sample_hz}
        return self._run_number(self._ask("run", wanted, 30.0, on_event))

    def start_watch(self, on_event: OnEvent, hz: float = 2.0) -> int:
        """Start a watch of the board; events as in ``start_run``."""
        return self._run_number(self._ask("watch", {"hz": hz}, 30.0, on_event))

    def cancel_run(self, run: int) -> None:
        """Ask for the end of a run or watch and return at once; its "ended" tells when it came.

        Nothing when the link has ended: whoever follows the run has been told.
        """
        with contextlib.suppress(LinkError, WireError):
            self._send("cancel", {"run": run}, None)

    def close(self) -> None:
        """End the connection and the agent. What still waits gets LinkLost. May be called twice."""
        if self._thread is None or self._closing.is_set():
            self._closing.set()
            return
        self._closing.set()
        on_own_thread = self._thread is threading.current_thread()
        up = self._up.is_set()  # it may come up while what is below waits
        if self._transport.keeps_sessions and self._hello.done() and up:
            # The end of its stdin is no reason for the agent of a session to leave; this is.
            late = threading.Timer(_LEAVE, self._transport.drop)  # a network that takes nothing more
            late.daemon = True
            late.start()
            with contextlib.suppress(LinkError, WireError):
                try:
                    self._send("shutdown", {}, None)
                finally:
                    late.cancel()
                if not on_own_thread:
                    self._thread.join(_LEAVE)
        if self._channel is not None:
            self._channel.close()
        if not up:
            self._transport.close()  # whoever is just connecting again hears of it
        for thread in (self._thread, self._pulse, self._watch):
            if thread is not None and thread is not threading.current_thread():
                thread.join(_JOIN)

    # -- requests ---------------------------------------------------------------------------------

    def _ask(
        self,
        method: str,
        params: dict[str, Any],
        timeout: float,
        on_event: OnEvent | None,
        stop: Stop | None = None,
    ) -> dict[str, Any]:
        number, future = self._send(method, params, on_event)
        try:
            return self._result(future, timeout, stop)
        except Cancelled:
            self._exchange.give_up(number)
            raise
        except FutureTimeout:
            if not self._exchange.give_up(number):
                return future.result()  # it came at the last moment, and a run may be registered by it
            raise LinkError(
                f"{self._name} did not answer “{method}” within {timeout:g} s.",
                hint="The device may be overloaded or the network slow; try again.",
            ) from None

    def _result(self, future: Future[dict[str, Any]], timeout: float, stop: Stop | None) -> dict[str, Any]:
        left = timeout
        while True:
            step = left if stop is None else min(left, POLL)
            try:
                return future.result(step)
            except FutureTimeout:
                raise_if(stop)
                left -= step
                if not self._up.is_set():
                    self.wait_until_up(stop)
                    left = timeout
                elif left <= 0:
                    raise

    def _send(
        self, method: str, params: dict[str, Any], on_event: OnEvent | None
    ) -> tuple[int, Future[dict[str, Any]]]:
        if self._channel is None:
            raise LinkError(f"There is no connection to {self._name}.")
        number, future = self._exchange.expect(method, on_event)
        try:
            request = protocol.request(number, method, params)
            self._outbox.send(protocol.encode(request, protocol.MAX_REQUEST))
        except BaseException as error:
            self._exchange.withdraw(number)
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
        delays = self._delays()
        while True:
            seen = self._seen
            error = self._converse()
            if self._seen > seen:  # one that greets and ends at once is not asked again and again
                delays = self._delays()
            if not self._may_come_back(error):
                break
            gave_up = self._come_back(error, delays)
            if gave_up is not None:
                error = gave_up
                break
        self._end(error)

    def _delays(self) -> Iterator[float]:
        return chain(self._patience.delays, repeat(self._patience.delays[-1]))

    def _converse(self) -> ArenaScopeError:
        """Read this connection to its end. Why it ended."""
        assert self._channel is not None
        self._heard = time.monotonic()
        self._reading = True
        try:
            self._receive(self._channel)
            return self._lost()
        except ArenaScopeError as caught:
            return self._lost() if self._closing.is_set() else caught
        except protocol.ProtocolError as caught:
            return WireError(
                f"What arrived from {self._name} is not the protocol.", detail=plain(str(caught), _MAX_TEXT)
            )
        except Exception as caught:  # noqa: BLE001 - the top of this thread: whoever waits must hear of it
            _log.exception("The reader of %s failed", self._name)
            return WireError(f"The connection to {self._name} failed: {caught!r}.")
        finally:
            self._reading = False

    def _receive(self, channel: ByteChannel) -> None:
        """Until the stream ends. Raises for what is not the protocol."""
        frames = protocol.FrameReader()
        data = greeting.skip_banner(channel, self._name)
        greeted = False
        while True:
            self._heard = time.monotonic()
            for payload in frames.feed(data):
                message = protocol.decode_payload(payload)
                if not greeted:
                    greeted = True
                    self._greeted(message, channel)
                    continue
                self._seen += 1
                self._unconfirmed += len(payload)
                self._exchange.message(message, len(payload))
            if self._unconfirmed > _CONFIRM and self._transport.keeps_sessions:
                self._confirm()
            data = channel.recv(_CHUNK)
            if not data:
                return

    def _greeted(self, message: dict[str, Any], channel: ByteChannel) -> None:
        if message.get("type") == "gone" and self._hello.done():
            raise self._gone(message)
        hello = greeting.hello(message, self._name)
        channel.served_by(hello.pid)
        lost_at, self._lost_at = self._lost_at, None
        self._outbox.attach(channel, hello.taken)
        self._up.set()
        if not self._hello.done():
            self._hello.set_result(hello)
            self._tell(LinkState(LinkKind.UP))
        elif lost_at is not None:
            seconds = time.monotonic() - lost_at
            self._tell(LinkState(LinkKind.UP, self._round_trip, lost_seconds=seconds))
            self._exchange.tell_runs(BACK, {"seconds": seconds})

    def _gone(self, message: dict[str, Any]) -> LinkError:
        """The session is over on the device."""
        if message.get("boot") != self._hello.result().boot:
            return SessionOver(
                f"{self._name} was started again while it was being used; what ran on it is lost.",
                hint="Check its power supply and its log (journalctl -b -1), then run again.",
            )
        if not self._exchange.follows_runs:
            return SessionOver(
                f"The connection to {self._name} was away too long: its agent has left. Nothing was running.",
                hint="Connect again.",
            )
        return SessionOver(
            f"The agent on {self._name} was ended; what ran there is lost.",
            hint="Run again. If nobody ended it, look for the reason in the device's log: sudo dmesg",
        )

    # -- a connection that is lost ------------------------------------------------------------------

    def _may_come_back(self, error: ArenaScopeError) -> bool:
        return (
            self._transport.keeps_sessions
            and self._hello.done()
            and not self._closing.is_set()
            and isinstance(error, LinkError | DeployError)
            and not isinstance(error, (*_FINAL, SessionOver))
        )

    def _come_back(self, error: ArenaScopeError, delays: Iterator[float]) -> ArenaScopeError | None:
        """Make a new connection. None when there is one; otherwise why it is given up."""
        if self._lost_at is None:
            self._lost_at = time.monotonic()
            self._up.clear()
            self._outbox.detach()
            self._tell(LinkState(LinkKind.LOST, self._round_trip, error.message))
            self._exchange.tell_runs(AWAY, {"message": error.message})
        for delay in delays:
            if time.monotonic() - self._lost_at + delay > self._patience.give_up:
                return LinkLost(
                    f"The connection to {self._name} was lost and did not come back "
                    f"within {self._patience.give_up:g} s.",
                    hint="Check that the device is on and reachable. What ran on it may have come to its "
                    "end there; its result is lost.",
                    detail=error.message,
                )
            if self._closing.wait(delay):
                return self._lost()
            try:
                self._transport.drop()
                self._channel = self._transport.open_agent(self._session, self._seen)
            except _FINAL as caught:
                return caught
            except (LinkError, DeployError) as caught:
                error = caught
            except ArenaScopeError as caught:
                return self._lost() if self._closing.is_set() else caught
            else:
                return None
        raise AssertionError("the delays have no end")

    # -- signs of life ------------------------------------------------------------------------------

    def _beat(self) -> None:
        """Pings. One may have to wait as long as a network takes nothing more."""
        while not self._closing.wait(self._patience.heartbeat) and self._exchange.error is None:
            if self._up.is_set():
                self._confirm()

    def _listen(self) -> None:
        """Breaks a connection over which nothing comes; nothing else tells that a network has vanished."""
        while not self._closing.wait(self._patience.heartbeat) and self._exchange.error is None:
            last = max(self._heard, self._transport.last_progress)
            if self._reading and time.monotonic() - last > self._patience.silence:
                self._transport.drop()

    def _confirm(self) -> None:
        """Say what has arrived; the answer says what of ours has, and how long it took.

        Nothing where the agent sends and does not answer: each would have to be kept.
        """
        self._unconfirmed = 0
        if self._exchange.unanswered >= _MOST_UNANSWERED:
            return
        sent = time.monotonic()

        def answered(future: Future[dict[str, Any]]) -> None:
            if future.exception() is not None:
                return
            taken = future.result().get("seen")
            if type(taken) is int and taken >= 0:
                with contextlib.suppress(WireError):  # the next connection begins with a count, and fails
                    self._outbox.confirm(taken)
            if self._lost_at is None:
                self._round_trip = time.monotonic() - sent
                self._tell(LinkState(LinkKind.UP, self._round_trip))

        with contextlib.suppress(LinkError, WireError):
            _, future = self._send("ping", {"seen": self._seen}, None)
            future.add_done_callback(answered)

    def _tell(self, state: LinkState) -> None:
        if self._transport.keeps_sessions:
            self._on_state(state)

    # -- the end ----------------------------------------------------------------------------------

    def _lost(self) -> LinkLost:
        assert self._channel is not None
        if self._closing.is_set():
            return LinkLost(f"The connection to {self._name} was closed.", hint="")
        return LinkLost(
            f"The connection to {self._name} ended.",
            hint="Check the device and its network, then connect again.",
            detail=_last_words(self._channel),
        )

    def _end(self, error: ArenaScopeError) -> None:
        assert self._channel is not None
        self._exchange.end(error)
        self._up.set()
        if not self._hello.done():
            self._hello.set_exception(error)
        self._tell(LinkState(LinkKind.ENDED, self._round_trip, error.message))
        self._channel.close()


def _last_words(channel: ByteChannel) -> str:
    """The last lines of the far side's stderr, fit to be shown."""
    return "\n".join(plain(line, _MAX_TEXT) for line in channel.stderr_tail().splitlines()[-_MAX_LINES:])
