"""A client that goes and comes back, against the real server behind its real socket."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from arenascope_agent import protocol
from tests.agent.harness import AGENT_MAIN, PATIENCE, watched_end
from tests.agent.sessions import Session, made

if sys.platform != "linux":
    pytest.skip("the agent runs on Linux", allow_module_level=True)


@pytest.fixture
def session() -> Iterator[Session]:
    with made(30, 60) as one:
        yield one


@pytest.fixture
def hasty() -> Iterator[Session]:
    """Its server leaves soon after its client."""
    with made(30, 0.05) as one:
        yield one


def test_a_new_session_greets_from_a_process_of_its_own(session: Session) -> None:
    with session.begin() as agent:
        assert agent.hello["resumed"] is False
        assert agent.hello["pid"] != agent.process.pid
        assert os.getsid(session.pid) == session.pid
        assert Path(f"/proc/{agent.process.pid}/comm").read_text() == "sh\n"
        assert stat.S_IMODE(session.socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(session.socket.parent.stat().st_mode) == 0o700
        assert agent.answer("ping", seen=1)["result"] == {"seen": 1}
        with watched_end(session.pid) as ended:
            assert agent.answer("shutdown")["result"] == {}
            assert ended()
        assert agent.rest() == []
    assert not session.socket.exists()


def test_what_a_lost_client_missed_comes_when_it_is_back(session: Session) -> None:
    with session.begin() as agent:
        run = agent.run("hang", sample_hz=50)
        agent.event(run, "phase_started")
    with session.join(seen=0) as back:
        assert (back.hello["resumed"], back.hello["seen"], back.hello["pid"]) == (True, 1, session.pid)
        assert back.next()["result"] == {"run": run}  # from the first frame on
        back.event(run, "phase_started")
        back.event(run, "samples")
        back.answer("cancel", run=run)
        assert back.event(run, "ended")["status"] == "cancelled"
        back.answer("shutdown")


def test_a_run_comes_to_its_end_alone_and_nothing_of_it_is_lost_or_told_twice(session: Session) -> None:
    with session.begin() as agent:
        run = agent.run("flood:40x20000")
        seen = 1
    with session.join(seen) as back:
        found = []
        while True:
            message = back.next()
            seen += 1
            if message.get("name") == "tensors":
                found.append(message["data"]["index"])
                if len(found) == 20:
                    break
    with session.join(seen) as again:
        while (message := again.next()).get("name") != "ended":
            if message.get("name") == "tensors":
                found.append(message["data"]["index"])
        assert message["run"] == run
        assert message["data"]["status"] == "ok"
        again.answer("shutdown")
    assert found == list(range(40))


def test_what_was_confirmed_is_not_kept(session: Session) -> None:
    with session.begin() as agent:
        for _ in range(3):
            agent.answer("ping")
        agent.answer("ping", seen=3)
    with session.join(seen=0) as back:  # a client that forgot its count gets what is there
        assert back.next()["id"] == 4
        back.answer("shutdown")


def test_a_client_that_never_takes_anything_makes_the_worker_wait(session: Session) -> None:
    with session.begin() as agent:
        agent.run("flood:400x200000")
    with session.join(seen=1) as back:
        status = Path(f"/proc/{session.pid}/status")
        found, seen = 0, 1
        while found < 400:
            seen += 1
            if back.next().get("name") == "tensors":
                found += 1
                back.ask("ping", seen=seen)
        assert int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024 < 40_000_000
        back.answer("shutdown")


def test_who_comes_takes_the_place_of_who_was_there(session: Session) -> None:
    with session.begin() as first, session.join(seen=0) as second:
        assert first.rest() == []
        assert first.process.wait(PATIENCE) == 0
        assert second.answer("ping")["result"] == {}
        second.answer("shutdown")


def test_a_session_that_is_not_there_is_told(session: Session) -> None:
    with session.join(seen=7) as agent:
        assert agent.hello["type"] == "gone"
        assert agent.hello["boot"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        assert agent.rest() == []


def test_the_server_leaves_when_nobody_comes_back(hasty: Session) -> None:
    with hasty.begin() as agent:
        agent.answer("ping", seen=0)
        with watched_end(hasty.pid) as ended:
            agent.process.kill()
            assert ended()
    assert not hasty.socket.exists()


def test_a_client_that_falls_silent_counts_as_gone() -> None:
    with made(0.05, 0.05) as session, session.begin() as agent, watched_end(session.pid) as ended:
        assert ended()
        assert agent.rest() == []


def test_a_run_goes_on_when_its_client_has_gone(hasty: Session) -> None:
    with hasty.begin() as agent:
        run = agent.run("hang", timeout=0.5)
        agent.event(run, "phase_started")
        with watched_end(hasty.pid) as ended:
            agent.process.kill()
            assert ended()  # at the run's own time limit, and a moment later


def test_its_worker_dies_with_it_and_its_socket_is_taken_away_by_who_comes_next(session: Session) -> None:
    with session.begin() as agent:
        agent.event(agent.run("hang"), "phase_started")
        (worker,) = Path(f"/proc/{session.pid}/task/{session.pid}/children").read_text().split()
        with watched_end(int(worker)) as ended:
            os.kill(session.pid, signal.SIGKILL)
            assert ended()
        assert agent.rest() == []
    assert session.socket.exists()
    with session.join(seen=1) as back:
        assert back.hello["type"] == "gone"
    assert not session.socket.exists()


def test_two_clients_take_turns(session: Session) -> None:
    with made(30, 60) as other, session.begin() as first, other.begin() as second:
        run = first.run("hang")
        refused = second.answer("run", task="inspect", params={"model": "ok"})
        assert refused["code"] == protocol.BUSY
        assert f"agent process {session.pid}" in refused["message"]
        assert f"kill {session.pid}" in refused["hint"]
        assert second.answer("probe")["result"]["bits"]
        first.answer("cancel", run=run)
        first.event(run, "ended")
        assert second.event(second.run("ok"), "ended")["status"] == "ok"
        for agent in (first, second):
            with watched_end(agent.hello["pid"]) as ended:
                agent.answer("shutdown")
                assert ended()


@pytest.mark.parametrize("said", [b"", b"-1", b"x" * 100, b"5"])
def test_who_knocks_and_hands_nothing_over_is_sent_away(
    session: Session, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with session.begin() as agent:
        monkeypatch.chdir(session.socket.parent)  # its whole path may be too long for an address
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(session.socket.name)
            link.sendall(said or b"\n")
            with contextlib.suppress(ConnectionResetError):  # the rest of a long text was not read
                assert link.recv(1) == b""
        assert agent.answer("ping")["result"] == {}
        agent.answer("shutdown")


def test_a_malformed_frame_ends_the_session(session: Session) -> None:
    with session.begin() as agent, watched_end(session.pid) as ended:
        agent.send(b"GET / HTTP/1.1\r\n\r\n")
        assert agent.rest()[-1]["code"] == protocol.MALFORMED
        assert ended()
    assert not session.socket.exists()


@pytest.mark.parametrize("name", ["", "x" * 32, "../../../../tmp/evil", "A" * 32])
def test_a_session_has_a_plain_name(name: str) -> None:
    done = subprocess.run(
        [sys.executable, AGENT_MAIN, "attach", name, "new"], capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"session" in done.stderr


def test_a_home_with_a_long_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ("long" * 30)))
    with made(30, 60) as session, session.begin() as agent:
        agent.answer("shutdown")
