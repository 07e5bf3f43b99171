"""A run that is begun before it is asked for is the same run, only earlier; and nothing of it is left."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path
from typing import Any

from tests.agent.harness import AGENT_MAIN, Agent
from tests.support.models import own

MODEL = own("cnn_float.tflite")
PARAMS: dict[str, Any] = {
    "model": str(MODEL), "inputs": {}, "threads": None, "delegate": "none",
    "preserve_all": False, "invoke": True, "seed": 0,
}  # fmt: skip


def ahead() -> Agent:
    return Agent(sys.executable, "-I", "-S", str(AGENT_MAIN), "serve", "--ahead")


def workers(agent: Agent) -> list[int]:
    return [
        int(pid)
        for pid in Path(f"/proc/{agent.process.pid}/task/{agent.process.pid}/children").read_text().split()
    ]


def start(agent: Agent, **given: Any) -> int:
    given = {"task": "inspect", "params": PARAMS, "timeout": 60, "sample_hz": 20, **given}
    return int(agent.answer("run", **given)["result"]["run"])


def gone(pid: int) -> bool:
    """Waits until a process of another parent has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ready, _, _ = select.select([descriptor], [], [], 30)
    os.close(descriptor)
    return bool(ready)


def test_the_worker_is_there_before_it_is_asked_for_and_does_what_it_is_asked() -> None:
    with ahead() as agent:
        assert len(workers(agent)) == 1
        events = agent.events(start(agent))
        assert workers(agent) == []
    names = [data["name"] for name, data in events if name == "phase"]
    assert names == ["runtime_import", "load", "allocate", "invoke_first", "invoke"]
    end = dict(events)["ended"]
    assert (end["status"], end["message"]) == ("ok", "")
    times = [t for name, data in events if name == "samples" for t in data["t"]]
    assert times == sorted(times)


def test_the_next_run_has_a_worker_of_its_own() -> None:
    with ahead() as agent:
        assert dict(agent.events(start(agent)))["ended"]["status"] == "ok"
        assert workers(agent) == []
        assert dict(agent.events(start(agent)))["ended"]["status"] == "ok"


def test_another_request_first_ends_it_unheard() -> None:
    with ahead() as agent:
        (worker,) = workers(agent)
        assert agent.answer("probe", runtime=True)["result"]["runtime"]
        assert gone(worker)
        assert dict(agent.events(start(agent)))["ended"]["status"] == "ok"


def test_another_rate_of_samples_is_another_run() -> None:
    with ahead() as agent:
        (worker,) = workers(agent)
        events = agent.events(start(agent, sample_hz=50))
        assert gone(worker)
        assert dict(events)["ended"]["status"] == "ok"


def test_the_facts_of_the_board_are_those_before_it_took_memory() -> None:
    with ahead() as agent:
        first = agent.answer("probe", runtime=False)["result"]
        assert agent.answer("probe", runtime=False)["result"] == first


def test_one_that_died_early_is_told_when_it_is_asked_for() -> None:
    with ahead() as agent:
        (worker,) = workers(agent)
        os.kill(worker, 9)
        assert gone(worker)
        agent.answer("ping")
        end = dict(agent.events(start(agent)))["ended"]
        assert end["status"] == "killed"
        assert dict(agent.events(start(agent)))["ended"]["status"] == "ok"


def test_it_ends_with_a_client_that_wanted_nothing() -> None:
    with ahead() as agent:
        (worker,) = workers(agent)
    assert gone(worker)
