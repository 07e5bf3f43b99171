"""The client against a scripted peer with every fault, and against the real agent."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenascope.domain.link_state import LinkKind, LinkState
from arenascope.errors import ArenaScopeError, BoardError, DeployError, LinkError, LinkLost, WireError
from arenascope.remote.bundle import agent_folder
from arenascope.remote.link import AgentLink, Patience
from arenascope_agent import protocol
from tests.remote.fakes import (
    HELLO,
    CommandTransport,
    Reaction,
    ScriptedTransport,
    StuckTransport,
    answer,
    event,
)

MAIN = str(agent_folder() / "__main__.py")
PATIENCE = 20.0


class Listener:
    """Collects the events of a run."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.over = threading.Event()

    def __call__(self, name: str, data: dict[str, Any]) -> None:
        self.events.append((name, data))
        if name in ("ended", "lost"):
            self.over.set()

    def wait(self) -> list[tuple[str, dict[str, Any]]]:
        assert self.over.wait(PATIENCE)
        return self.events


@contextmanager
def linked(react: Reaction | None = None) -> Iterator[tuple[AgentLink, ScriptedTransport]]:
    transport = ScriptedTransport(react=react)
    link = AgentLink(transport)
    link.open(PATIENCE)
    try:
        yield link, transport
    finally:
        link.close()


# -- the start ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "noise",
    [
        [b""],
        [b"Welcome to pi4!\r\n"],
        [b"\x00ARENASCOPE/2\n", b"\x00ARENA"],
        [b"x" * 60_000, b"y" * 5000],
    ],
)
def test_the_banner_of_a_login_is_skipped(noise: list[bytes]) -> None:
    pieces = [piece for piece in noise if piece] + [HELLO[i : i + 1] for i in range(len(HELLO))]
    link = AgentLink(ScriptedTransport(list(pieces)))
    assert link.open(PATIENCE).python == "3.11.0"
    link.close()


def test_a_banner_without_end_is_given_up() -> None:
    transport = ScriptedTransport([b"z" * 60_000] * 3)
    with pytest.raises(WireError, match="no greeting"):
        AgentLink(transport).open(PATIENCE)
    assert transport.channel.closed.is_set()


def test_the_real_agent_behind_a_noisy_login() -> None:
    transport = CommandTransport(
        "/bin/sh", "-c", f'echo "You have mail."; exec {sys.executable} -I -S {MAIN} serve'
    )
    link = AgentLink(transport)
    hello = link.open(PATIENCE)
    assert transport.process is not None
    assert hello.pid == transport.process.pid
    assert link.request("ping") == {}
    link.close()
    transport.end()


@pytest.mark.parametrize(
    ("command", "message", "hint"),
    [
        ("exec python3-is-not-here", "exit status 127", "apt install python3"),
        (
            "echo 'This needs Python 3.9 or newer' >&2; exit 96",
            "needs Python 3.9",
            "Install Python 3.9",
        ),
        ("echo 'This account is locked.'; exit 1", "This account is locked.", "by hand"),
        ("exit 0", "did not start", "by hand"),
    ],
)
def test_a_far_side_that_ends_before_it_greets(command: str, message: str, hint: str) -> None:
    transport = CommandTransport("/bin/sh", "-c", command)
    with pytest.raises(DeployError) as caught:
        AgentLink(transport).open(PATIENCE)
    transport.end()
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_far_side_that_says_nothing_is_given_up() -> None:
    transport = ScriptedTransport([])
    with pytest.raises(DeployError, match=r"within 0\.05 s") as caught:
        AgentLink(transport).open(0.05)
    assert caught.value.detail == "last words"
    assert transport.channel.closed.is_set()


@pytest.mark.parametrize(
    "first",
    [
        {"type": "hello", "protocol": 2, "agent": "a", "pid": 1, "python": "3"},
        {"type": "hello", "protocol": 1, "agent": "a", "pid": "1", "python": "3"},
        {"type": "hello", "protocol": 1, "agent": None, "pid": 1, "python": "3"},
        {"type": "event", "run": 1, "name": "samples", "data": {}},
    ],
)
def test_an_agent_that_introduces_itself_wrongly(first: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        AgentLink(ScriptedTransport([protocol.GREETING + protocol.encode(first)])).open(PATIENCE)


# -- requests -------------------------------------------------------------------------------------


def test_a_refusal_is_an_error_with_its_code() -> None:
    refusal = protocol.error(1, "busy", "A task is \x1b[31mrunning.", "Wait.", "run 3")
    with linked(lambda message: [protocol.encode(refusal)]) as (link, _), pytest.raises(BoardError) as caught:
        link.request("run")
    assert (caught.value.board_code, caught.value.hint, caught.value.detail) == ("busy", "Wait.", "run 3")
    assert "\x1b" not in caught.value.message


def test_an_answer_that_comes_too_late_is_dropped() -> None:
    late: list[dict[str, Any]] = []

    def react(message: dict[str, Any]) -> list[bytes | None]:
        if message["method"] == "slow":
            late.append(message)
            return []
        return [answer(late.pop(), old=True), answer(message, new=True)]

    with linked(react) as (link, _):
        with pytest.raises(LinkError, match="did not answer"):
            link.request("slow", timeout=0.05)
        assert link.request("ping", timeout=PATIENCE) == {"new": True}


@pytest.mark.parametrize("result", [{"run": 7}, {"run": "x"}, {}])
def test_a_run_that_starts_after_it_was_given_up_is_cancelled(result: dict[str, Any]) -> None:
    late: list[dict[str, Any]] = []

    def react(message: dict[str, Any]) -> list[bytes | None]:
        if message["method"] == "run":
            late.append(message)
            return []
        return [*([answer(late.pop(), **result)] if late else []), answer(message)]

    with linked(react) as (link, transport):
        with pytest.raises(LinkError, match="did not answer"):
            link._ask("run", {}, 0.05, Listener())
        for _ in range(2):
            link.request("ping", timeout=PATIENCE)
    asked = [m["params"] for m in transport.channel.requests if m["method"] == "cancel"]
    assert asked == ([result] if result == {"run": 7} else [])


def test_answers_may_come_in_any_order() -> None:
    kept: list[dict[str, Any]] = []

    def react(message: dict[str, Any]) -> list[bytes | None]:
        kept.append(message)
        return [answer(m, was=m["params"]["n"]) for m in reversed(kept)] if len(kept) == 3 else []

    with linked(react) as (link, _), ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(link.request, "ping", {"n": n}, PATIENCE) for n in range(3)]
        assert [future.result(PATIENCE) for future in asked] == [{"was": n} for n in range(3)]


def test_a_request_that_no_frame_can_hold() -> None:
    with linked() as (link, _):
        with pytest.raises(WireError, match="cannot be sent"):
            link.request("ping", {"x": "y" * protocol.MAX_REQUEST})
        assert link.request("ping", timeout=PATIENCE) == {}


def test_before_and_after_the_connection() -> None:
    link = AgentLink(ScriptedTransport())
    with pytest.raises(LinkError):
        link.request("ping")
    link.cancel_run(1)
    link.open(PATIENCE)
    link.close()
    link.close()
    with pytest.raises(LinkLost, match="closed"):
        link.request("ping")
    link.cancel_run(1)


# -- runs -----------------------------------------------------------------------------------------


def test_events_that_follow_the_answer_at_once_are_not_missed() -> None:
    def react(message: dict[str, Any]) -> list[bytes | None]:
        stream = [answer(message, run=7), event(7, "samples", {"n": 1}), event(7, "ended", {"n": 2})]
        return [b"".join(stream) + event(7, "samples", {"n": 3}) + event(8, "samples", {})]

    listener = Listener()
    with linked(react) as (link, transport):
        assert link.start_run("inspect", {"model": "m"}, listener, timeout=5, sample_hz=10) == 7
        assert listener.wait() == [("samples", {"n": 1}), ("ended", {"n": 2})]
    assert transport.channel.requests[0]["params"] == {
        "task": "inspect", "params": {"model": "m"}, "timeout": 5, "sample_hz": 10,
    }  # fmt: skip


def test_a_run_may_be_cancelled_and_the_link_closed_from_its_own_events() -> None:
    def react(message: dict[str, Any]) -> list[bytes | None]:
        return [answer(message, run=1), event(1, "samples", {})] if message["method"] == "run" else []

    with linked(react) as (link, transport):
        done = threading.Event()

        def listener(name: str, data: dict[str, Any]) -> None:
            if name == "samples":
                link.cancel_run(1)
                link.close()
            else:
                done.set()

        link.start_run("inspect", {}, listener)
        assert done.wait(PATIENCE)
    assert transport.channel.requests[1]["method"] == "cancel"
    assert transport.channel.requests[1]["params"] == {"run": 1}


@pytest.mark.parametrize(
    ("last", "error"),
    [
        (None, LinkLost),
        (b"HTTP/1.1 400 Bad Request\r\n", WireError),
        (protocol.HEADER.pack(protocol.MAX_FRAME + 1), WireError),
        (protocol.encode(protocol.error(None, "malformed", "no")), WireError),
    ],
)
def test_when_the_link_is_lost_everything_that_waits_hears_of_it(
    last: bytes | None, error: type[ArenaScopeError]
) -> None:
    def react(message: dict[str, Any]) -> list[bytes | None]:
        return [answer(message, run=1)] if message["method"] == "run" else [last]

    listener = Listener()
    with linked(react) as (link, transport):
        link.start_run("inspect", {}, listener)
        with pytest.raises(error) as caught:
            link.request("ping", timeout=PATIENCE)
        ((name, data),) = listener.wait()
        assert (name, data["error"].message) == ("lost", caught.value.message)
        if error is LinkLost:
            assert "last words" in caught.value.detail
        assert transport.channel.closed.wait(PATIENCE)
        with pytest.raises(error):
            link.request("ping")


def test_only_this_side_says_that_a_link_is_lost() -> None:
    def react(message: dict[str, Any]) -> list[bytes | None]:
        if message["method"] == "ping":
            return [event(1, "lost", {"message": "x"})]
        return [answer(message, run=message["id"])]

    first, second = Listener(), Listener()
    with linked(react) as (link, _):
        link.start_run("inspect", {}, first)
        link.start_watch(second)
        with pytest.raises(WireError) as caught:
            link.request("ping", timeout=PATIENCE)
        for listener in (first, second):
            ((name, data),) = listener.wait()
            assert (name, data["error"].message) == ("lost", caught.value.message)


@pytest.mark.logs("The reader of scripted failed", "A listener failed at the end")
def test_a_listener_that_fails_ends_the_link_instead_of_leaving_its_waiter_alone() -> None:
    def react(message: dict[str, Any]) -> list[bytes | None]:
        return [answer(message, run=message["id"])] + (
            [event(1, "samples", {})] if message["id"] == 2 else []
        )

    def failing(name: str, data: dict[str, Any]) -> None:
        raise ZeroDivisionError(name)

    other = Listener()
    with linked(react) as (link, _):
        link.start_run("inspect", {}, failing)
        link.start_watch(other)
        assert other.wait()[-1][0] == "lost"


@pytest.mark.parametrize(
    "message",
    [
        {"type": "response", "id": 99, "result": {}},
        {"type": "response", "id": "1", "result": {}},
        {"type": "response", "id": 1, "result": []},
        {"type": "response", "id": 1},
        {"type": "error", "id": 0, "code": "x", "message": "m"},
        {"type": "event", "run": "1", "name": "samples", "data": {}},
        {"type": "event", "run": 1, "name": 5, "data": {}},
        {"type": "event", "run": 1, "name": "samples", "data": [1]},
        {"type": "hello", "protocol": 1},
        {"type": None},
        {},
    ],
)
def test_messages_that_make_no_sense_end_the_link(message: dict[str, Any]) -> None:
    with linked(lambda request: [protocol.encode(message)]) as (link, _), pytest.raises(WireError):
        link.request("ping", timeout=PATIENCE)


@pytest.mark.parametrize("result", [{}, {"run": "1"}, {"run": 0}, {"run": True}])
def test_a_run_without_a_number(result: dict[str, Any]) -> None:
    with linked(lambda message: [answer(message, **result)]) as (link, _), pytest.raises(WireError):
        link.start_run("inspect", {}, Listener())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
fields = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["hello", "event", "response", "error", "request", ""]) | json_values,
        "id": json_values,
        "run": json_values,
        "name": st.sampled_from(["ended", "lost", "samples"]) | json_values,
        "data": json_values,
        "result": json_values,
        "message": json_values,
    },
)


@given(st.lists(fields.map(protocol.encode) | st.binary(max_size=40), max_size=6))
def test_whatever_arrives_only_our_errors_come_out(pieces: list[bytes]) -> None:
    with linked(lambda message: [*[p for p in pieces if p], None]) as (link, _):
        try:
            assert isinstance(link.request("ping", timeout=PATIENCE), dict)
        except ArenaScopeError:
            pass


# -- with the real agent --------------------------------------------------------------------------


def test_many_threads_share_one_link() -> None:
    transport = CommandTransport(sys.executable, "-I", "-S", MAIN, "serve")
    link = AgentLink(transport)
    link.open(PATIENCE)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: link.request("ping", timeout=PATIENCE), range(200)))
    assert answers == [{}] * 200
    link.close()
    transport.end()


def test_an_agent_that_is_killed() -> None:
    transport = CommandTransport(sys.executable, "-I", "-S", MAIN, "serve")
    link = AgentLink(transport)
    link.open(PATIENCE)
    listener = Listener()
    link.start_watch(listener, hz=20)
    assert transport.process is not None
    transport.process.kill()
    assert listener.wait()[-1][0] == "lost"
    with pytest.raises(LinkLost):
        link.request("ping")
    link.close()
    transport.end()


def test_a_network_that_takes_nothing_more_is_noticed() -> None:
    lost = threading.Event()

    def hear(state: LinkState) -> None:
        if state.kind is LinkKind.LOST:
            lost.set()

    link = AgentLink(StuckTransport(), hear, Patience(heartbeat=0.02, silence=0.1))
    link.open()
    assert lost.wait(30)
    link.close()


def test_closing_does_not_wait_for_a_network_that_takes_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arenascope.remote.link._LEAVE", 0.1)
    transport = StuckTransport()
    link = AgentLink(transport, patience=Patience(heartbeat=0.02))
    link.open()
    assert transport.waits.wait(30)  # the ping
    link.close()
    with pytest.raises(LinkLost):
        link.request("ping")
