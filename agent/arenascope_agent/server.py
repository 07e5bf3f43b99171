"""Answers one client: requests in, responses and events out.

The server stays small and never blocks; what takes time is done in a worker (``runner.py``) or in a
fork (``aside.py``). Over a plain channel it leaves at once when its client has gone; in a session it
waits a while for it to come back (``linger.py``). It takes every process along.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from . import aside, cache, compiled, params, probes, protocol, session
from .ahead import Ahead, fits
from .aside import Failure
from .channel import Channel
from .children import Children
from .linger import IDLE, Linger
from .loop import Loop
from .runner import Run
from .sampler import Watch
from .session import SessionChannel
from .turn import Turn
from .worker import own_argv

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Callable
    from typing import Any

EXIT_MALFORMED = 3
_MIN_HZ, _MAX_HZ = 0.1, 200.0
_MAX_TIMEOUT = 7 * 24 * 3600.0
_MAX_ID = 2**53
#: Forks at work at the same time (aside.py), and uploads that were begun and have not come to an end. A
#: client has one of each.
_MOST_ASIDE = 4
_MOST_UPLOADS = 32
_LAST_WORDS = 1.0  # seconds for the client to take the last frames


class Server:
    """One client on one channel; at most one run and one watch at a time.

    ``worker_argv`` is the command that starts a worker. ``ahead``: begin the first run at once.
    ``turn``: what a run has to hold, where other clients may want to run something as well.
    """

    def __init__(
        self,
        loop: Loop,
        channel: Channel | SessionChannel,
        agent: str,
        worker_argv: list[str],
        *,
        ahead: bool = False,
        turn: Turn | None = None,
    ) -> None:
        self._loop = loop
        self._children = Children(loop)
        self._channel = channel
        self._agent = agent
        self._worker_argv = worker_argv
        self._turn = turn
        self._models = cache.ModelCache()
        self._last_run = 0
        self._run: tuple[int, Run] | None = None
        self._watch: tuple[int, Watch] | None = None
        self._uploads: set[str] = set()
        self._aside_now = 0
        self._exit_code = 0
        self._methods: dict[str, Callable[[int, dict[str, Any]], dict[str, Any] | None]] = {
            "ping": self._ping,
            "probe": self._probe,
            "file_status": self._file_status,
            "file_adopt": self._file_adopt,
            "file_drop": self._file_drop,
            "run": self._start_run,
            "watch": self._start_watch,
            "cancel": self._cancel,
            "shutdown": self._shutdown,
        }
        self._methods.update({name: self._set_up(name) for name in protocol.SET_UP})
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            loop.on_signal(number, loop.stop)
        self._ahead = Ahead(loop, self._children, worker_argv) if ahead else None

    def run(self) -> int:
        """Serve until the client leaves. The exit status of the process."""
        python = "%d.%d.%d" % sys.version_info[:3]
        hello = protocol.hello(self._agent, os.getpid(), python)
        self._channel.start(hello, self._payload, self._client_left)
        try:
            self._loop.run()
        finally:
            self._children.kill_all()
            for path in self._uploads:
                cache.remove_if_empty(path)  # one that broke off is gone on with the next time
        self._channel.finish(_LAST_WORDS)
        return self._exit_code

    @property
    def running(self) -> bool:
        """Whether a task is being done. A watch is none: it waits for nobody."""
        return self._run is not None

    def leave(self) -> None:
        """End everything, and ``run`` with it."""
        self._loop.stop()

    # What the client sends.

    def _client_left(self, error: protocol.ProtocolError | None) -> None:
        if error is not None:
            self._malformed(error)
        self._loop.stop()

    def _malformed(self, error: protocol.ProtocolError) -> None:
        self._exit_code = EXIT_MALFORMED
        self._channel.send(
            protocol.error(None, protocol.MALFORMED, "What arrived is not the protocol.", detail=str(error))
        )
        self._loop.stop()

    def _payload(self, payload: bytes) -> None:
        message = protocol.decode_payload(payload)
        number, method, given = message.get("id"), message.get("method"), message.get("params", {})
        if (
            message.get("type") != "request"
            or type(number) is not int
            or not 0 <= number <= _MAX_ID
            or type(method) is not str
            or type(given) is not dict
        ):
            raise protocol.ProtocolError("not a request")
        handler = self._methods.get(method)
        try:
            if handler is None:
                raise Failure(protocol.UNKNOWN_METHOD, "This agent has no method %.100r." % method)
            result = handler(number, given)
        except Failure as failure:
            self._fail(number, failure)
        except OSError as error:
            self._fail(number, Failure(protocol.IO_FAILED, aside.in_words(error)))
        else:
            if result is not None:
                self._channel.send(protocol.response(number, result))

    def _fail(self, number: int, failure: Failure) -> None:
        self._channel.send(protocol.error(number, **failure.parts()))

    # What the workers send.

    def _send_payload(self, payload: bytes) -> None:
        self._channel.send_payload(payload)
        if self._channel.crowded and self._run is not None:
            self._run[1].pause()
            self._channel.when_room(self._room_again)

    def _room_again(self) -> None:
        if self._run is not None:
            self._run[1].resume()

    # The methods. Each returns its result, or None when the response comes later.

    def _refuse_if_busy(self) -> None:
        if self._run is not None:
            raise Failure(
                protocol.BUSY,
                "A task is running on this device.",
                "Wait for its end or cancel it.",
            )

    def _new_run(self) -> int:
        self._refuse_if_busy()
        self._last_run += 1
        return self._last_run

    def _ping(self, _number: int, given: dict[str, Any]) -> dict[str, Any]:
        """A sign of life. {"seen": frames that the client has got} is answered with those got from it."""
        if "seen" not in given:
            return {}
        self._channel.confirm(params.integer(given, "seen", 0, _MAX_ID))
        return {"seen": self._channel.taken}

    def _start_run(self, number: int, given: dict[str, Any]) -> None:
        task = params.text(given, "task", 64)
        check = params.TASKS.get(task)
        if check is None:
            raise Failure(protocol.INVALID, "This agent has no task %r." % task)
        checked = check(params.mapping(given, "params"))
        timeout = None
        if given.get("timeout") is not None:
            timeout = params.number(given, "timeout", 0.001, _MAX_TIMEOUT)
        hz = params.number(given, "sample_hz", _MIN_HZ, _MAX_HZ) if "sample_hz" in given else 20.0
        ahead, self._ahead = self._ahead, None
        run_number = self._new_run()

        def ended(end: dict[str, Any]) -> None:
            self._run = None
            if self._turn is not None:
                self._turn.give_back()
            self._channel.send(protocol.event("ended", end, run_number))

        if self._turn is not None:
            self._turn.take()
        # The response goes first, so that the client knows the number before the run's first event.
        self._channel.send(protocol.response(number, {"run": run_number}))
        if ahead is not None:
            if fits(run_number, task, checked, hz):
                claimed = ahead.claim(checked, timeout, self._send_payload, ended)
                self._run = None if claimed is None else (run_number, claimed)
                return
            ahead.drop()
        try:
            run = Run(
                self._loop, self._children, self._worker_argv, run_number, task, checked, timeout, hz,
                self._send_payload, ended,
            )  # fmt: skip
        except OSError as error:
            ended(_not_started(error))
        else:
            self._run = (run_number, run)

    def _probe(self, number: int, given: dict[str, Any]) -> dict[str, Any] | None:
        facts = self._ahead.facts if self._ahead is not None else probes.board_facts()
        if not params.flag(given, "runtime", False):
            return facts
        if self._ahead is not None:
            self._ahead.drop()
            self._ahead = None

        def ended(end: dict[str, Any]) -> None:
            self._run = None
            facts.update(numpy=None, runtime=None, runtime_version=None, runtime_errors={})
            if run.result is None:
                facts["runtime_errors"] = {"worker": end["message"]}
            else:
                facts.update(run.result)
            self._channel.send(protocol.response(number, facts))

        run_number = self._new_run()
        run = Run(
            self._loop, self._children, self._worker_argv, run_number, "probe", {}, protocol.PROBE_LIMIT,
            None, lambda _payload: None, ended,
        )  # fmt: skip
        self._run = (run_number, run)
        return None

    def _start_watch(self, number: int, given: dict[str, Any]) -> None:
        hz = params.number(given, "hz", _MIN_HZ, _MAX_HZ) if "hz" in given else 2.0
        if self._watch is not None:
            raise Failure(protocol.BUSY, "This device is being watched already.", "Cancel that watch first.")
        self._last_run += 1
        run_number = self._last_run
        self._channel.send(protocol.response(number, {"run": run_number}))

        def emit(name: str, data: dict[str, Any]) -> None:
            self._channel.send(protocol.event(name, data, run_number))

        self._watch = (run_number, Watch(self._loop, time.monotonic(), hz, emit))

    def _cancel(self, number: int, given: dict[str, Any]) -> dict[str, Any] | None:
        wanted = params.integer(given, "run", 1, _MAX_ID)
        if wanted > self._last_run:
            raise Failure(protocol.NOT_FOUND, "There was no run %d." % wanted)
        if self._run is not None and self._run[0] == wanted:
            self._run[1].cancel()
        elif self._watch is not None and self._watch[0] == wanted:
            self._end_watch(number)
            return None
        return {}  # also for a run that came to its end in the meantime

    def _end_watch(self, number: int) -> None:
        assert self._watch is not None
        run_number, watch = self._watch
        self._watch = None
        watch.stop()
        self._channel.send(protocol.response(number, {}))
        end: dict[str, Any] = {
            "status": "cancelled", "phase": None, "signal": None, "exit_code": None, "message": "", "log": [],
        }  # fmt: skip
        end.update(watch.cost.read())
        self._channel.send(protocol.event("ended", end, run_number))

    def _file_status(self, number: int, given: dict[str, Any]) -> None:
        sha256 = params.sha256(given)
        size = params.integer(given, "bytes", 0, 2**40)
        if len(self._uploads) >= _MOST_UPLOADS:
            self._uploads = {path for path in self._uploads if os.path.lexists(path)}
        if len(self._uploads) >= _MOST_UPLOADS:
            raise Failure(
                protocol.BUSY, "%d files are being sent already." % len(self._uploads), "Send those first."
            )
        broken = params.text(given, "broken") if "broken" in given else ""
        self._aside(number, lambda: self._models.status(sha256, size, broken))

    def _file_adopt(self, number: int, given: dict[str, Any]) -> None:
        sha256, upload = params.sha256(given), params.text(given, "upload")
        self._aside(number, lambda: self._models.adopt(sha256, upload))

    def _file_drop(self, number: int, given: dict[str, Any]) -> None:
        sha256, upload = params.sha256(given), params.text(given, "upload")
        self._aside(number, lambda: self._models.drop(sha256, upload))

    def _set_up(self, method: str) -> Callable[[int, dict[str, Any]], None]:
        def handle(number: int, given: dict[str, Any]) -> None:
            from . import provisioning  # here, because hardly any session needs it

            work = provisioning.METHODS[method](given)
            turn = self._turn if method in provisioning.ALONE else None
            if method in provisioning.ALONE:
                self._refuse_if_busy()
            self._aside(number, work, turn)

        return handle

    def _aside(self, number: int, work: Callable[[], dict[str, Any]], turn: Turn | None = None) -> None:
        if self._aside_now >= _MOST_ASIDE:
            raise Failure(
                protocol.BUSY, "%d requests of that kind are being worked on." % self._aside_now,
                "Wait for their answers.",
            )  # fmt: skip

        def done(answer: dict[str, Any] | Failure) -> None:
            self._aside_now -= 1
            if turn is not None:
                turn.give_back()
            if isinstance(answer, Failure):
                self._fail(number, answer)
                return
            if answer.get("upload"):
                self._uploads.add(answer["upload"])
            self._channel.send(protocol.response(number, answer))

        if turn is not None:
            turn.take()
        try:
            aside.run(self._loop, self._children, work, done, protocol.FILE_LIMIT)
            self._aside_now += 1
        except OSError:
            if turn is not None:
                turn.give_back()
            raise

    def _shutdown(self, number: int, _given: dict[str, Any]) -> None:
        self._channel.send(protocol.response(number, {}))
        self._loop.stop()


def _not_started(error: OSError) -> dict[str, Any]:
    return {
        "status": "failed", "phase": None, "signal": None, "exit_code": None,
        "message": "no process could be started: %s" % aside.in_words(error), "log": [],
        "agent_rss": None, "agent_cpu": None,
    }  # fmt: skip


def serve(streams: tuple[int, int], started_from: str, *, ahead: bool = False) -> int:
    """Serve the client behind ``streams``. ``started_from``: this agent's file or archive."""
    loop = Loop()
    channel = Channel(loop, *streams)
    return Server(loop, channel, _version(started_from), own_argv(started_from), ahead=ahead).run()


def serve_session(
    started_from: str,
    address: session.Address,
    listener: _socket.socket,
    incoming: int,
    outgoing: int,
    control: _socket.socket,
    *,
    worker_argv: list[str] | None = None,
    silence: float = session.SILENCE,
    idle: float = IDLE,
) -> int:
    """Serve the clients that attach to a session; the first is behind ``incoming`` and ``outgoing``."""
    loop = Loop()
    channel = SessionChannel(loop, address, listener, silence)
    argv = worker_argv or own_argv(started_from)
    server = Server(loop, channel, _version(started_from), argv, turn=Turn(address.folder))
    linger = Linger(loop, lambda: server.running, lambda: channel.undelivered, server.leave, idle)

    def lost() -> None:
        if channel.taken:
            linger.begin()
        else:
            server.leave()  # who never asked for anything has nothing to come back for

    channel.follow(lost, linger.stop)
    loop.after(0, lambda: _first(channel, incoming, outgoing, control))
    return server.run()


def _first(channel: SessionChannel, incoming: int, outgoing: int, control: _socket.socket) -> None:
    channel.adopt(incoming, outgoing, control, None)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 2)  # the SSH channel ends only when nobody holds its stderr
    os.close(nothing)


def _version(started_from: str) -> str:
    """The SHA-256 of this agent's archive, or 'source'."""
    if started_from.endswith(".py"):
        return "source"
    compiled_from = compiled.source_hash(started_from)
    if compiled_from:
        return compiled_from
    with open(started_from, "rb") as file:
        return cache.own_hash(file.read())
