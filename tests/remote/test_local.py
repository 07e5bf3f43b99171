"""This computer as a device: the real agent, started here and gone afterwards."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from arenascope.errors import BoardError, FileError, LinkLost
from arenascope.remote import local
from arenascope.remote.link import AgentLink
from arenascope.remote.local import LocalTransport
from tests.support.models import shared

PATIENCE = 30.0


def ended(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], PATIENCE)[0])


def test_the_agent_answers_and_leaves_with_the_link() -> None:
    link = AgentLink(LocalTransport())
    hello = link.open(PATIENCE)
    assert hello.agent == "source"
    descriptor = os.pidfd_open(hello.pid)
    assert link.request("probe")["ram_total"] > 0
    link.close()
    assert ended(descriptor)
    os.close(descriptor)


def test_an_agent_that_was_started_ahead_is_the_one_that_answers() -> None:
    local.prestart()
    (channel,) = local._prestarted
    transport = LocalTransport()
    link = AgentLink(transport)
    assert link.open(PATIENCE).pid == channel.pid
    second = AgentLink(transport)
    assert second.open(PATIENCE).pid != channel.pid
    link.close()
    transport.close()
    second.close()


def test_starting_ahead_loads_next_to_nothing() -> None:
    script = (
        "import sys; before = set(sys.modules)\n"
        "from arenascope.remote import local; local.prestart()\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    heavy = {"numpy", "typing", "subprocess", "dataclasses", "json", "logging", "pathlib", "asyncio", "typer"}
    assert "arenascope.remote.local" in loaded
    assert not loaded & heavy


def test_the_agent_has_a_session_of_its_own() -> None:
    transport = LocalTransport()
    link = AgentLink(transport)
    pid = link.open(PATIENCE).pid
    assert os.getsid(pid) == pid != os.getsid(0)
    link.close()


def test_an_agent_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_LEAVE", 0.2)
    transport = LocalTransport()
    link = AgentLink(transport)
    pid = link.open(PATIENCE).pid
    os.kill(pid, signal.SIGSTOP)
    link.close()
    assert transport._channels[0].exit_status() == -signal.SIGKILL


def test_an_agent_that_hangs_does_not_hold_its_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_LEAVE", 0.2)
    channel = LocalTransport().open_agent()
    os.kill(channel.pid, signal.SIGSTOP)
    failures: list[LinkLost] = []

    def send() -> None:
        try:
            channel.send(b"x" * 10_000_000)
        except LinkLost as error:
            failures.append(error)

    sender = threading.Thread(target=send)
    sender.start()
    channel.close()
    sender.join(PATIENCE)
    assert len(failures) == 1


def test_an_agent_that_ends_says_how_and_what_it_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/sh")  # which cannot run a Python file
    transport = LocalTransport()
    channel = transport.open_agent()
    assert channel.recv(100) == b""
    assert channel.exit_status() not in (0, None)
    assert channel.stderr_tail() != ""
    with pytest.raises(LinkLost):
        channel.send(b"x" * 1_000_000)
    transport.close()
    with pytest.raises(LinkLost):
        channel.send(b"x")


def test_closing_wakes_a_reader() -> None:
    channel = LocalTransport().open_agent()
    assert channel.recv(10)
    got: list[bytes] = []

    def read() -> None:
        while data := channel.recv(65536):
            got.append(data)

    reader = threading.Thread(target=read)
    reader.start()
    channel.close()
    reader.join(PATIENCE)
    assert not reader.is_alive()
    assert channel.exit_status() == 0


def test_the_agent_ends_when_this_program_is_killed() -> None:
    script = (
        "from arenascope.remote.local import LocalTransport\n"
        "from arenascope.remote.link import AgentLink\n"
        "link = AgentLink(LocalTransport()); print(link.open().pid, flush=True)\n"
        "import signal; signal.pause()"
    )
    desktop = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert desktop.stdout is not None
    descriptor = os.pidfd_open(int(desktop.stdout.readline()))
    desktop.kill()
    desktop.wait()
    desktop.stdout.close()
    assert ended(descriptor)
    os.close(descriptor)


def test_where_there_is_no_proc_only_plans_can_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "platform_has_proc", lambda: False)
    local.prestart()
    assert local._prestarted == []
    with pytest.raises(BoardError) as caught:
        LocalTransport().open_agent()
    assert "only plans can be made here" in caught.value.message
    assert "arenascope devices add user@host" in caught.value.hint


@pytest.mark.parametrize(("platform", "expected"), [("linux", True), ("darwin", False), ("win32", False)])
def test_which_platforms_can_be_measured(
    monkeypatch: pytest.MonkeyPatch, platform: str, expected: bool
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert local.platform_has_proc() is expected


def test_a_file_is_copied_privately_with_progress(tmp_path: Path) -> None:
    source, target = tmp_path / "model", tmp_path / "copy"
    source.write_bytes(b"x" * 2_500_000)
    seen: list[tuple[int, int]] = []
    LocalTransport().put_file(source, str(target), lambda done, total: seen.append((done, total)))
    assert target.read_bytes() == source.read_bytes()
    assert target.stat().st_mode & 0o777 == 0o600
    assert seen[-1] == (2_500_000, 2_500_000)
    with pytest.raises(FileError, match="No such file"):
        LocalTransport().put_file(tmp_path / "absent", str(target))


def test_a_model_runs_end_to_end() -> None:
    model = shared("mnist_lstm_float.tflite")
    events: list[tuple[str, dict[str, Any]]] = []
    over = threading.Event()

    def listen(name: str, data: dict[str, Any]) -> None:
        events.append((name, data))
        if name in ("ended", "lost"):
            over.set()

    link = AgentLink(LocalTransport())
    link.open(PATIENCE)
    link.start_run("inspect", {"model": str(model)}, listen, timeout=PATIENCE)
    assert over.wait(PATIENCE)
    link.close()
    names = [name for name, _ in events]
    assert events[-1][1]["status"] == "ok"
    assert [data["name"] for name, data in events if name == "phase"] == [
        "runtime_import", "load", "allocate", "invoke_first", "invoke",
    ]  # fmt: skip
    assert {"subgraph", "tensors", "memory", "samples", "processes", "runtime"} <= set(names)
