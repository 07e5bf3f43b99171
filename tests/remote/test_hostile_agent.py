"""An agent that lies about counts, numbers and its own end, or sends without end: the link says so and ends."""

from __future__ import annotations

import itertools
import queue
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from arenascope.domain.link_state import LinkKind, LinkState
from arenascope.errors import ArenaScopeError, DeployError, LinkLost, SessionOver, WireError
from arenascope.remote import exchange
from arenascope.remote.link import AgentLink, Patience
from arenascope.remote.ssh_channel import SshChannel
from arenascope.workflow.connect import refresh
from arenascope.workflow.jobs import CancelToken
from arenascope.workflow.staging import stage_file
from arenascope_agent import protocol
from tests.remote.test_link import PATIENCE, Listener
from tests.support.hostile import BOOT, QUIET, Channel, Reaction, Transport, answer, device, event, hello


@contextmanager
def linked(*openings: Any, react: Reaction, session: bool = False) -> Iterator[tuple[AgentLink, Transport]]:
    transport = Transport(*(openings or ([hello()],)), react=react, keeps_sessions=session)
    link = AgentLink(transport, patience=QUIET)
    try:
        link.open(PATIENCE)
        yield link, transport
    finally:
        link.close()


def obliging(message: dict[str, Any]) -> list[bytes | None]:
    return [answer(message, run=message["id"])]


# -- what it says of runs -------------------------------------------------------------------------


def test_two_runs_of_one_number_would_leave_one_waiting_for_ever() -> None:
    first, second = Listener(), Listener()
    with linked(react=lambda message: [answer(message, run=7)]) as (link, transport):
        link.start_run("inspect", {}, first)
        with pytest.raises(WireError, match="two runs the number 7"):
            link.start_watch(second)
        assert first.wait()[-1][0] == "lost"
        assert transport.channels[0].closed.wait(PATIENCE)
    assert second.events == []


def test_what_nobody_asked_for_is_passed_over() -> None:
    listener = Listener()

    def react(message: dict[str, Any]) -> list[bytes | None]:
        if message["method"] == "ping":
            return [answer(message)]
        end = event(1, "ended", {"n": 1})
        return [event(1, "samples", {}), event(9, "ended", {}), answer(message, run=1), answer(message, run=1),
                event(0, "samples", {}), event(-5, "ended", {}), event(10**39, "x", {}), end, end, event(1, "samples", {})]  # fmt: skip

    with linked(react=react) as (link, _):
        link.start_run("inspect", {}, listener)
        assert listener.wait() == [("ended", {"n": 1})]
        assert link.request("ping", timeout=PATIENCE) == {}
        assert listener.events == [("ended", {"n": 1})]


def test_a_run_may_not_send_without_end() -> None:
    """The listener keeps nothing, so all that is held is the frame that is just being read."""
    filling = event(1, "samples", {"x": "y" * 4_000_000})
    listener = Listener()
    with linked(
        react=lambda message: itertools.chain([answer(message, run=1)], itertools.repeat(filling))
    ) as (link, _):
        sizes = []
        link.start_run(
            "inspect", {}, lambda name, data: sizes.append(len(data.get("x", ""))) or listener(name, {})
        )
        assert listener.wait()[-1][0] == "lost"
        with pytest.raises(WireError, match="64 MiB about one run"):
            link.request("ping")
    assert sum(sizes) <= exchange.MOST_OF_A_RUN


def test_a_watch_may_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MOST_OF_A_RUN", 1000)
    samples = [event(1, "board", {"n": n}) for n in range(100)]
    listener = Listener()
    with linked(react=lambda message: [answer(message, run=1), *samples, event(1, "ended", {})]) as (link, _):
        link.start_watch(listener)
        assert len(listener.wait()) == 101


@pytest.mark.parametrize(
    "what", [event(5, "samples", {"t": [1]}), answer({"id": 1}, x=1), b"\x00\x00\x00\x08" + b'{"a":1} ']
)
def test_a_flood_that_concerns_nobody_costs_no_memory(what: bytes) -> None:
    """Events of no run, answers that came already; the third is no message and ends it at once."""
    flood = itertools.chain(itertools.repeat(what * 500, 40), [None])
    tracemalloc.start()
    try:
        with linked(react=lambda message: flood) as (link, _), pytest.raises((LinkLost, WireError)):
            for _ in range(2):  # the answer may be among it
                link.request("ping", timeout=PATIENCE)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


def test_a_frame_that_is_announced_and_never_comes_holds_no_more_than_arrived() -> None:
    def drip() -> Iterator[bytes | None]:
        yield protocol.HEADER.pack(protocol.MAX_FRAME)
        for _ in range(100):
            yield b" " * 1000
        yield None

    tracemalloc.start()
    try:
        with linked(react=lambda message: drip()) as (link, _), pytest.raises(LinkLost):
            link.request("ping", timeout=PATIENCE)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_an_agent_that_sends_and_never_answers_is_not_asked_again_and_again() -> None:
    """Each 128 KiB are confirmed, and each confirmation waits for its answer."""
    noise = event(5, "samples", {"x": "y" * 60_000})

    def react(message: dict[str, Any]) -> Iterator[bytes | None]:
        if message["method"] == "first":
            yield from itertools.repeat(noise, 1500)
            yield answer(message)
        elif message["method"] == "last":
            yield answer(message)

    with linked(react=react, session=True) as (link, transport):
        link.request("first", timeout=PATIENCE)
        link.request("last", timeout=PATIENCE)
        asked = [message["method"] for message in transport.channels[0].requests]
        assert 10 < asked.count("ping") <= 64


# -- the connection that is made again ------------------------------------------------------------


def cut_at(method: str) -> Reaction:
    def react(message: dict[str, Any]) -> list[bytes | None]:
        return [None] if message["method"] == method else [answer(message, seen=0)]

    return react


@pytest.mark.parametrize(
    "second",
    [
        {"seen": 3}, {"seen": 2**53}, {"seen": -1}, {"seen": "2"}, {"seen": True}, {"seen": 1.0}, {"seen": None}, {"seen": []},
        {"boot": 5}, {"boot": None}, {"boot": ["b"]}, {"pid": 0}, {"pid": -1}, {"pid": "1"}, {"agent": {}}, {"protocol": 99},
        {"protocol": [[]] * 100_000}, {"type": "event"}, {"type": "response"}, {"type": None},
    ],
)  # fmt: skip
def test_a_greeting_that_makes_no_sense_is_not_tried_again(second: dict[str, Any]) -> None:
    with linked([hello()], [hello(resumed=True, **second)], react=cut_at("cut"), session=True) as (
        link,
        transport,
    ):
        link.request("ping", timeout=PATIENCE)
        with pytest.raises(WireError) as caught:
            link.request("cut", timeout=PATIENCE)
        assert len(caught.value.message) < 300 and len(caught.value.detail) < 300
        assert transport.channels[-1].closed.wait(PATIENCE)
        assert len(transport.channels) == 2


def test_an_agent_that_forgot_what_it_had_confirmed_is_another_one() -> None:
    openings = [hello()], [hello(resumed=True, seen=2), None], [hello(resumed=True, seen=1)]
    with linked(*openings, react=cut_at("cut"), session=True) as (link, transport):
        link.request("ping", timeout=PATIENCE)
        with pytest.raises(WireError, match="taken 1 requests, and 2 before"):
            link.request("cut", timeout=PATIENCE)
        assert len(transport.channels) == 3


def test_one_that_greets_and_ends_again_and_again_is_given_up() -> None:
    """Each greeting used to begin the delays anew, so it was asked several times a second for ever."""
    transport = Transport([hello()], [hello(resumed=True), None], react=cut_at("cut"), keeps_sessions=True)
    link = AgentLink(transport, patience=Patience(10_000.0, 10_000.0, (0.0, 0.0, 0.0, 10_000.0), 180.0))
    link.open(PATIENCE)
    with pytest.raises(LinkLost, match="did not come back"):
        link.request("cut", timeout=PATIENCE)
    assert len(transport.channels) == 4
    link.close()


class _ComesBackJustThen(Transport):
    """The new connection is greeted while ``AgentLink.close`` closes the old one."""

    def open_agent(self, session: str, seen: int | None) -> Channel:
        if self.channels:
            assert self.closing.wait(PATIENCE)
        return super().open_agent(session, seen)

    def drop(self) -> None:
        pass  # its stream has ended already

    def prepare(self, link: AgentLink) -> None:
        self.closing, old = threading.Event(), self.channels[0]
        end = old.close

        def close() -> None:
            self.closing.set()
            link._up.wait(PATIENCE)
            end()

        old.close = close  # type: ignore[method-assign]


def test_a_connection_that_comes_back_while_the_link_is_closed_is_closed_too() -> None:
    ends: list[list[bytes | None]] = [[None]]
    transport = _ComesBackJustThen(
        [hello()],
        [hello(resumed=True)],
        react=lambda message: ends.pop() if ends else [],
        keeps_sessions=True,
    )
    states = queue.Queue[LinkState]()
    link = AgentLink(transport, states.put, QUIET)
    link.open(PATIENCE)
    transport.prepare(link)
    _, future = link._send("cut", {}, None)
    while states.get(timeout=PATIENCE).kind is not LinkKind.LOST:
        pass
    link.close()
    assert link._thread is not None and not link._thread.is_alive()
    assert [channel.closed.is_set() for channel in transport.channels] == [True, True]
    with pytest.raises(LinkLost, match="closed"):
        future.result(PATIENCE)


def test_frames_that_were_sent_before_are_no_second_answer() -> None:
    old = protocol.encode(protocol.response(1, {"old": True}))

    def react(message: dict[str, Any]) -> list[bytes | None]:
        if message["method"] == "cut" and not again:
            again.append(message)
            return [None]
        return [answer(message, new=True)]

    again: list[dict[str, Any]] = []
    with linked([hello()], [hello(resumed=True, seen=1), old, old], react=react, session=True) as (link, _):
        assert link.request("ping", timeout=PATIENCE) == {"new": True}
        assert link.request("cut", timeout=PATIENCE) == {"new": True}


@pytest.mark.parametrize("gone", [{}, {"boot": BOOT}, {"boot": [BOOT]}, {"boot": 5}, {"boot": "other"}])
def test_gone_is_the_end_where_it_may_be_said(gone: dict[str, Any]) -> None:
    frame = protocol.encode({"type": "gone", **gone})
    with linked([hello()], [protocol.GREETING + frame], react=cut_at("cut"), session=True) as (
        link,
        transport,
    ):
        with pytest.raises(SessionOver):
            link.request("cut", timeout=PATIENCE)
        assert len(transport.channels) == 2
    with pytest.raises(WireError), linked([protocol.GREETING + frame], react=obliging, session=True):
        pass
    with linked([hello()], react=lambda message: [frame], session=True) as (link, transport):
        with pytest.raises(WireError, match="unknown type 'gone'"):
            link.request("ping", timeout=PATIENCE)
        assert len(transport.channels) == 1


# -- words ----------------------------------------------------------------------------------------


def is_plain(error: ArenaScopeError) -> bool:
    return all(
        line.isprintable() for text in (error.message, error.hint, error.detail) for line in text.splitlines()
    )


@pytest.mark.parametrize(
    "kind", ["\x1b[2J\u202e", "x" * 5_000_000, [[]] * 1_000_000, {"\x1b": {}}, 10**30, [], None, True]
)
def test_a_type_that_it_does_not_know_is_shown_briefly(kind: Any) -> None:
    frame = protocol.encode({"type": kind})
    with linked(react=lambda message: [frame]) as (link, _), pytest.raises(WireError) as caught:
        link.request("ping", timeout=PATIENCE)
    assert is_plain(caught.value) and len(caught.value.message) < 200


def test_brackets_that_go_as_deep_as_they_can() -> None:
    for depth in (*range(900, 1000), 5000):
        nested = b"[" * depth + b"]" * depth
        for text in (b'{"type":%s}', b'{"type":"hello","protocol":%s}', b'{"type":"event","run":%s}'):
            frame = protocol.frame(text % nested)
            opening = protocol.GREETING + frame if b"hello" in text else hello() + frame
            with pytest.raises(WireError) as caught, linked([opening], react=obliging) as (link, _):
                link.request("ping", timeout=PATIENCE)
            assert is_plain(caught.value)


def test_the_last_words_of_a_far_side_are_plain() -> None:
    with pytest.raises(DeployError) as timed_out:
        AgentLink(Transport([], react=obliging)).open(0.01)
    with linked(react=lambda message: [None]) as (link, _), pytest.raises(LinkLost) as lost:
        link.request("ping", timeout=PATIENCE)
    for caught in (timed_out, lost):
        assert "words" in caught.value.detail
        assert is_plain(caught.value)


# -- answers that make no sense -------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [None, 5, "", "relative", "/a\0b", "/a\nb", "/\ud800", "/" + "x" * 5000, []]
)
def test_a_path_that_cannot_be_used_closes_the_link(value: Any, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"1")
    for status in ({"present": True, "path": value}, {"present": False, "upload": value}):
        connected = device(Transport([hello()], react=lambda message, s=status: [answer(message, **s)]))
        with connected, pytest.raises(WireError, match="can be used"):
            stage_file(connected, file, "0" * 64, 1, "file", lambda event: None, CancelToken())
        assert connected.transport.files == []  # type: ignore[attr-defined]
        with pytest.raises(LinkLost, match="closed"):
            connected.link.request("ping")


def test_facts_that_make_no_sense_close_the_link() -> None:
    connected = device(Transport([hello()], react=lambda message: [answer(message, bits=5)]))
    with connected:
        with pytest.raises(WireError, match="5 bits"):
            refresh(connected)
        with pytest.raises(LinkLost, match="closed"):
            connected.link.request("ping")


class Raw:
    """The library's channel of a far side that never ends."""

    def __init__(self) -> None:
        self.status_event = SimpleNamespace(wait=lambda seconds: False)

    def recv_stderr(self, limit: int) -> bytes:
        return b""

    def shutdown_write(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("pid", "ended"), [(4321, [4321]), (1, []), (0, [])])
def test_no_more_than_one_process_is_ended(pid: int, ended: list[int]) -> None:
    found: list[int] = []
    channel = SshChannel(Raw(), "hostile", (), lambda channel: None, found.append)
    channel.served_by(pid)
    channel.close()
    assert found == ended
