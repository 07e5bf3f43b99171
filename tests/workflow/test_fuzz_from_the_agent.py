"""Ten thousand damaged conversations with an agent, through connecting, inspecting, watching and staging.

A conversation is one that a real agent had; one frame of it is changed, left out, doubled, moved or replaced by
what is no frame. Whatever comes of it is a capture or an error of ours, the link is closed after what is not
the protocol, nothing is written and nothing of the frame is run. A case is found again by its chunk and
number: they seed the generator. Every fifth goes through a link of its own with all its threads; the others,
events of a run, go through the same code here.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
import threading
import tracemalloc
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from arenascope.domain.capture import Capture
from arenascope.domain.graph import Graph
from arenascope.errors import ArenaScopeError, LinkLost, WireError
from arenascope.remote import exchange as exchanges
from arenascope.remote import translate
from arenascope.remote.exchange import Exchange
from arenascope.store.capture import from_json, to_json
from arenascope.tflite.reader import read_model
from arenascope.workflow import connect as connecting
from arenascope.workflow.connect import connect
from arenascope.workflow.events import PhaseEnded, PhaseStarted, RunEnded
from arenascope.workflow.inspect import InspectRequest, _capture, _Run, inspect
from arenascope.workflow.jobs import CancelToken
from arenascope.workflow.watch import watch
from arenascope_agent import protocol
from tests.data.make_models import HERE
from tests.support.frames import any_value, malformed
from tests.support.hostile import Transport, answer, event, hello

CHUNKS, IN_A_CHUNK = 10, 1000
MODEL = HERE / "cnn_float.tflite"
#: Bytes that this process may grow by in a chunk: what it keeps of a thousand conversations is nothing.
GROWTH = 64 * 1024 * 1024
#: What a run has sent is kept as values that take so many times its bytes, at most.
MOST_TIMES = 12

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="this computer can be measured on Linux only"),
]


#: What "ended" holds beside, where the kernel has taken the worker.
KILLED = {
    "status": "killed",
    "phase": "invoke_first",
    "signal": "SIGKILL",
    "message": "killed in invoke_first by SIGKILL",
    "log": ["INFO: one line", "another"],
    "evidence": {"source": "kernel_log", "text": "Out of memory: Killed process 4321 (python3)", "t": 1.5},
    "findings": [{"cause": "no memory", "proof": "the kernel's line", "remedy": "add swap", "saves": 1000}],
}


@dataclass(frozen=True)
class Talk:
    """What a real agent said: the facts of its board, and the events of an inspection and of a watch."""

    facts: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    watched: list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def talk() -> Talk:
    with connect("local") as real:
        facts = real.link.request("probe", {"runtime": True}, timeout=60)
        params = {"model": str(MODEL), "inputs": {}, "threads": None, "delegate": "default"}
        events = _followed(lambda on_event: real.link.start_run("inspect", params, on_event))
        watched: list[tuple[str, dict[str, Any]]] = []
        three = threading.Event()

        def seen(name: str, data: dict[str, Any]) -> None:
            watched.append((name, data))
            if len(watched) == 3:
                three.set()

        real.link.start_watch(seen, hz=50)
        assert three.wait(30)
    assert events[-1][0] == "ended" and events[-1][1]["status"] == "ok"
    return Talk(facts, events, watched[:3])


def _followed(start: Any) -> list[tuple[str, dict[str, Any]]]:
    events: list[tuple[str, dict[str, Any]]] = []
    over = threading.Event()

    def on_event(name: str, data: dict[str, Any]) -> None:
        events.append((name, data))
        if name in ("ended", "lost"):
            over.set()

    start(on_event)
    assert over.wait(60)
    return events


@pytest.fixture
def place(tmp_path: Path, private_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything that could be written would be: home, working directory and temporary folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_damaged_conversation_ends_in_a_capture_or_in_words(
    chunk: int, talk: Talk, place: Path, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, resident = _files(place, private_home), 0
    ends, graph = Counter[str](), read_model(MODEL)
    for number in range(IN_A_CHUNK):
        rng = random.Random(f"from the agent {chunk} {number}")
        through_a_link = number % 5 == 0
        case = _Case(rng, talk, str(place / "canary"), None if through_a_link else "run")
        try:
            ends[case.run(monkeypatch) if through_a_link else case.run_here(graph)] += 1
        except BaseException as error:
            error.add_note(f"case {number} of chunk {chunk}: {case.what}")
            raise
        if number == 100:
            resident = _resident()
    assert _files(place, private_home) == before
    assert _resident() - resident < GROWTH
    assert sum(ends.values()) == IN_A_CHUNK
    assert ends["WireError"] > IN_A_CHUNK // 10 and ends["capture"] > IN_A_CHUNK // 50, ends


class _Case:
    """One conversation. ``what`` says what was done to it."""

    def __init__(self, rng: random.Random, talk: Talk, canary: str, where: str | None) -> None:
        self._rng, self._talk, self._canary = rng, talk, canary
        self.what = ""
        self._frames: dict[str, list[bytes | None]] = {}
        # A session is joined again when its stream ends, so it must end with what is no frame.
        self._session = where is None and rng.random() < 0.3
        self._last = [protocol.HEADER.pack(2**32 - 1)] if self._session else [None]
        self._spoil(where or rng.choice(("greeting", "probe", "file_status", "run", "run", "run", "watch")))

    def run(self, monkeypatch: pytest.MonkeyPatch) -> str:
        transport = Transport(self._opening(), react=self._react, keeps_sessions=self._session)
        monkeypatch.setattr(connecting, "_transport", lambda *_: ("hostile", transport))
        told: list[Any] = []
        try:
            with connect("hostile") as connected:
                try:
                    if self._verb == "watch":
                        watch(connected, told.append, seconds=20.0)
                        end = "watched"
                    else:
                        capture = inspect(connected, MODEL, on_event=told.append)
                        self._check_capture(capture)
                        end = "capture"
                except WireError as error:
                    assert self._is_over(transport), error
                    raise
        except ArenaScopeError as error:
            self._check_error(error)
            end = type(error).__name__
        for one in told:
            self._check_event(one)
        assert len(transport.channels) == 1, "what is not the protocol was tried again"
        assert transport.channels[0].closed.is_set()
        assert all(path.startswith("/") and "\n" not in path for _, path in transport.files)
        return end

    def run_here(self, graph: Graph) -> str:
        """The events of a run as the reader of a link takes them, and the end of it as ``inspect`` does."""
        told: list[Any] = []
        board = translate.board(self._talk.facts, "hostile")
        run = _Run(told.append, CancelToken(), board)
        exchange, frames = Exchange("hostile", lambda number: None), protocol.FrameReader()
        number, future = exchange.expect("run", run.on_event)
        error: ArenaScopeError = LinkLost("The stream ended.")
        try:
            for frame in self._frames["run"]:
                for payload in frames.feed(_numbered(frame, number) or b""):
                    exchange.message(protocol.decode_payload(payload), len(payload))
        except (WireError, protocol.ProtocolError) as caught:
            error = caught if isinstance(caught, WireError) else WireError("not the protocol")
        exchange.end(error)
        try:
            assert future.done(), "whoever asked waits for ever"
            future.result()
            outcome = run.wait()
            self._check_capture(_capture(graph, InspectRequest(), {}, run, outcome, "/m"))
            end = "capture"
        except ArenaScopeError as caught:
            self._check_error(caught)
            end = type(caught).__name__
        for one in told:
            self._check_event(one)
        return end

    # -- what arrives --

    def _opening(self) -> list[bytes | None]:
        return self._frames.get("greeting") or [hello()]

    def _react(self, message: dict[str, Any]) -> list[bytes | None]:
        method = message["method"]
        spoilt = self._frames.get(method)
        if spoilt is not None:
            return [_numbered(frame, message["id"]) for frame in spoilt]
        if method == "probe":
            return [answer(message, **self._talk.facts)]
        if method == "file_status":
            return [answer(message, present=True, path="/cache/model", upload="")]
        if method in ("run", "watch"):
            events = self._talk.events if method == "run" else self._talk.watched
            return [answer(message, run=1), *(event(1, name, data) for name, data in events), *self._last]
        return [answer(message)]

    # -- what is done to it --

    def _spoil(self, where: str) -> None:
        rng = self._rng
        self._verb = "watch" if where == "watch" else "run"
        if where == "greeting":  # what is no frame may be waited for before it
            self._session, self._last = False, [None]
            first = {**protocol.hello("source", 4321, "3.11.2"), "boot": "b", "seen": 0}
            frames = [protocol.GREETING + frame for frame in self._changed([first])]
            self._frames[where] = [*frames, *self._last]
            return
        result = {"type": "response", "id": None}
        if where == "probe":
            messages = [{**result, "result": self._talk.facts}]
        elif where == "file_status":
            have = {"have": rng.choice((0, 0, 5, 2**60)), "have_sha256": "0" * 64}
            there = {"present": rng.random() < 0.5, "path": "/cache/model"}
            status = {**there, **have, "upload": "/cache/upload.part"}
            messages = [{**result, "result": status}]
        else:
            events = self._talk.events if where == "run" else self._talk.watched
            if where == "run" and rng.random() < 0.3:
                events = [*events[:-1], ("ended", {**events[-1][1], **KILLED})]
            messages = [{**result, "result": {"run": 1}}]
            messages += [protocol.event(name, data, 1) for name, data in events]
        self._frames[where] = [*self._changed(messages), *self._last]

    def _changed(self, messages: list[dict[str, Any]]) -> list[bytes]:
        rng = self._rng
        at = rng.randrange(len(messages))
        way = rng.randrange(11 if self._session else 12)
        self.what = f"{self._verb}: way {way} at message {at} of {len(messages)}"
        if way < 7:  # most of all: one value of one message is another one
            messages = [*messages[:at], self._mutated(messages[at]), *messages[at + 1 :]]
        elif way == 7:
            messages = [*messages[:at], *messages[at + 1 :]]
        elif way == 8:
            messages = [*messages[: at + 1], *messages[at:]]
        elif way == 9:
            messages = rng.sample(messages, len(messages))
        frames = [_frame(message) for message in messages]
        if way == 10:
            frames[at] = malformed(rng, protocol.MAX_FRAME)
        elif way == 11:
            frames[at] = frames[at][: rng.randrange(len(frames[at]))]
        return frames

    def _mutated(self, message: dict[str, Any]) -> dict[str, Any]:
        """A copy with one value, somewhere in it, replaced, removed or added."""
        rng = self._rng
        copy = json.loads(json.dumps(message))
        inside: Any = copy
        while True:
            keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
            if not keys:
                return dict(copy)
            key = rng.choice(keys)
            if isinstance(inside[key], (dict, list)) and rng.random() < 0.8:
                inside = inside[key]
                continue
            self.what += f", {key!r}"
            way = rng.randrange(6)
            if way == 0:
                del inside[key]
            elif way == 1 and isinstance(inside, dict):
                inside[str(any_value(rng, self._canary))[:80]] = any_value(rng, self._canary)
            elif way == 2 and isinstance(inside, list):
                inside.extend(inside * rng.choice((1, 2, 50)))
            else:
                inside[key] = any_value(rng, self._canary)
            return dict(copy)

    # -- what has come of it --

    def _is_over(self, transport: Transport) -> bool:
        """The reader closes the channel just after it told whoever waits."""
        return transport.channels[0].closed.wait(20.0)

    def _check_error(self, error: ArenaScopeError) -> None:
        assert error.message, error
        for text in (error.message, error.hint, error.detail):
            assert all(line.isprintable() for line in text.split("\n")), text
            assert len(text) < 20_000

    def _check_event(self, one: Any) -> None:
        texts = []
        if isinstance(one, PhaseStarted):
            texts = [one.name]
        elif isinstance(one, PhaseEnded):
            texts = [one.phase.name]
        elif isinstance(one, RunEnded):
            end = one.outcome
            texts = [end.message, *end.log, end.phase or "", end.signal or ""]
            texts += [text for found in end.findings for text in (found.cause, found.proof, found.remedy)]
            texts += [end.evidence.text] if end.evidence is not None else []
        assert all(text.isprintable() for text in texts), texts

    def _check_capture(self, capture: Capture) -> None:
        """Whatever came of it, it can be told and kept."""
        kept = to_json(capture)
        assert to_json(from_json(kept)) == kept


#: Events of which a run may send as many as fit: the smallest that hold most once they are values.
FLOODS = {
    "samples": lambda n: {"t": [n] * 2000, **{key: [999] * 2000 for key in ("rss", "available", "swap_free")}},
    "one sample": lambda n: {"t": [n], "rss": [n], "available": [None], "swap_free": [None]},
    "phase": lambda n: {"name": "load", "seconds": n},
    "processes": lambda n: {"t": n, "top": [[999, "", n]] * 2000},
    "subgraph": lambda n: {
        "index": n, "when": "", "source": "", "inputs": [999] * 2000, "outputs": [], "variables": [],
        "nodes": [{"index": 0, "inputs": [], "outputs": []}] * 100,
    },
    "tensors": lambda n: {"subgraph": 0, "tensors": [[999, "ab", "cd", [999], 999, "arena_rw", 999]] * 1000},
    "memory": lambda n: {
        "when": "", "rss": 0, "mappings": [["ab", 999, 999]] * 1000, "arenas": [], "model_resident": 0, "dynamic_resident": 0,
        "runtime_paths": [], "anon_steps": {},
    },
    "runtime": lambda n: {"runtime": "x" * 100_000, "filling": [{}] * 10_000},
    "unknown": lambda n: {"filling": [{}] * 10_000},
}  # fmt: skip


@pytest.mark.parametrize("kind", FLOODS)
def test_a_run_that_never_ends_takes_no_more_than_so_many_times_what_it_may_send(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 1024 * 1024
    monkeypatch.setattr(exchanges, "MOST_OF_A_RUN", most)
    run = _Run(lambda event: None, CancelToken(), translate.board({}, "hostile"))
    exchange = Exchange("hostile", lambda number: None)
    number, _ = exchange.expect("run", run.on_event)
    exchange.message(protocol.response(number, {"run": 1}), 0)
    head = protocol.event("subgraph", FLOODS["subgraph"](0), 1)
    exchange.message(head, 0)
    tracemalloc.start()
    try:
        with pytest.raises(WireError, match="MiB about one run"):
            for n in itertools.count():
                data = FLOODS[kind](n)
                payload = protocol.encode_payload(
                    protocol.event(kind.replace("one sample", "samples"), data, 1)
                )
                exchange.message(protocol.decode_payload(payload), len(payload))
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert kept < MOST_TIMES * most, f"{kept / most:.1f} times"


def _frame(message: dict[str, Any]) -> bytes:
    """As an agent that takes no care would write it: numbers that JSON does not know included."""
    return protocol.frame(json.dumps(message).encode())


def _numbered(frame: bytes | None, number: int) -> bytes | None:
    """The frame of an answer with the number of its request, where it still has its place for one."""
    if frame is None or b'"id": null' not in frame:
        return frame
    return protocol.frame(frame[protocol.HEADER.size :].replace(b'"id": null', b'"id": %d' % number))


def _files(*folders: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for folder in folders:
        for path in folder.rglob("*"):
            facts = path.lstat()
            found[str(path)] = (facts.st_size, facts.st_mtime_ns if not path.is_dir() else 0)
    return found


def _resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
