"""The server's memory stays where it is during a run, and only then."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from arenascope_agent import hold
from tests.agent.harness import Agent


def locked(pid: int) -> int:
    """Bytes that are locked in memory."""
    return int(Path(f"/proc/{pid}/status").read_text().split("VmLck:")[1].split()[0]) * 1024


def test_it_is_locked_during_a_run_and_only_then() -> None:
    with Agent() as agent:
        assert locked(agent.process.pid) == 0
        run = agent.run("hang")
        agent.event(run, "phase_started")
        held = locked(agent.process.pid)
        agent.ask("cancel", run=run)
        agent.event(run, "ended")
        assert locked(agent.process.pid) == 0
    if held == 0:
        pytest.skip("this user may not lock that much memory (ulimit -l)")


def test_a_python_that_cannot_do_it_goes_on_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "_ctypes", None)
    hold.hold()
    hold.let_go()
    monkeypatch.setitem(sys.modules, "_ctypes", object())
    hold.hold()
