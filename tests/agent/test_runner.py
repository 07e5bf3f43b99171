"""How runs end, each in a real process; and the pure rule behind it."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from arenascope_agent import ending, protocol
from arenascope_agent.worker import LOG_LINE_BYTES, LOG_LINES, LogRing
from tests.agent.harness import Agent, watched_end


def end_of(model: str, **options: Any) -> dict[str, Any]:
    with Agent() as agent:
        return agent.events(agent.run(model, **options))[-1][1]


def test_a_run_that_goes_well() -> None:
    with Agent() as agent:
        events = agent.events(agent.run("ok"))
    names = [name for name, _ in events]
    assert names[-1] == "ended"
    assert names.index("phase_started") < names.index("phase")
    assert "result" not in names
    assert events[-1][1] == {
        "status": "ok",
        "phase": "load",
        "signal": None,
        "exit_code": 0,
        "message": "",
        "evidence": None,
        "findings": [],
        "log": [],
        "agent_rss": events[-1][1]["agent_rss"],
        "agent_cpu": events[-1][1]["agent_cpu"],
        "samples": sum(len(data["t"]) for name, data in events if name == "samples"),
    }
    assert events[-1][1]["agent_rss"] > 1_000_000
    assert events[-1][1]["agent_cpu"] >= 0


@pytest.mark.parametrize(
    ("model", "status", "phase", "message"),
    [
        ("refused", "refused", "allocate", "no memory"),
        ("failed", "failed", "load", "not a model"),
        ("exit:3", "crashed", "load", "exit status 3"),
        ("exit:3", "crashed", "load", "the library gave up"),
        ("silent", "failed", None, "without a result"),
        ("garbage", "failed", "load", "not the protocol"),
        ("json:[1]", "failed", None, "not the protocol"),
        ('json:{"type":"hello"}', "failed", None, "not the protocol"),
        ('json:{"type":"event","name":5,"data":{}}', "failed", None, "not the protocol"),
    ],
)
def test_ends_that_the_worker_reported_or_not(
    model: str, status: str, phase: str | None, message: str
) -> None:
    end = end_of(model)
    assert (end["status"], end["phase"], end["signal"] in (None, "SIGKILL")) == (status, phase, True)
    assert message in end["message"]


@pytest.mark.parametrize(
    ("name", "status"),
    [("SIGKILL", "killed"), ("SIGABRT", "crashed"), ("SIGSEGV", "crashed"), ("SIGBUS", "crashed"),
     ("SIGTERM", "crashed"), ("SIGFPE", "crashed"), ("SIGILL", "crashed")],
)  # fmt: skip
def test_a_signal_is_named_with_the_phase_it_came_in(name: str, status: str) -> None:
    end = end_of(f"signal:{name}")
    assert (end["status"], end["signal"], end["exit_code"]) == (status, name, None)
    assert end["phase"] == "invoke_first"
    assert name in end["message"]


def test_the_next_run_works_after_a_crash() -> None:
    with Agent() as agent:
        assert agent.events(agent.run("signal:SIGABRT"))[-1][1]["status"] == "crashed"
        assert agent.events(agent.run("ok"))[-1][1]["status"] == "ok"


def test_a_time_limit_ends_the_whole_group() -> None:
    end = end_of("hang", timeout=0.5)
    assert (end["status"], end["phase"], end["signal"]) == ("timed_out", "allocate", "SIGKILL")
    assert "0.5 s" in end["message"]


def test_what_the_worker_started_ends_with_it() -> None:
    with Agent() as agent:
        run = agent.run("family")
        assert agent.event(run, "ended")["status"] == "ok"
        # The fork held the pipes open; the agent answers, so it did not wait for them.
        assert agent.answer("ping")["result"] == {}


def test_a_worker_is_a_fresh_process_with_a_fixed_environment() -> None:
    names = ("NUMPY_MADVISE_HUGEPAGE", "MALLOC_ARENA_MAX", protocol.ENV_SERVER_PID)
    with Agent() as agent:
        start = time.monotonic()
        model = "facts:" + ",".join((*names, protocol.ENV_RUN_START))
        first, second = (dict(agent.events(agent.run(model)))["facts"] for _ in range(2))
        assert first["pid"] != second["pid"]
        assert first["group"] == first["pid"]
        assert [first["environment"][name] for name in names] == ["0", "1", None]
        assert start < float(first["environment"][protocol.ENV_RUN_START]) < time.monotonic()
        assert first["task"] == {
            "task": "inspect",
            "params": {
                "model": model,
                "inputs": {},
                "threads": None,
                "delegate": "default",
                "preserve_all": False,
                "invoke": True,
                "seed": 0,
            },
        }


def test_a_worker_is_the_first_to_die_when_memory_runs_out() -> None:
    with Agent() as agent:
        agent.event(agent.run("hang"), "phase_started")
        pid = agent.process.pid
        (worker,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        assert Path(f"/proc/{worker}/oom_score_adj").read_text().strip() == "1000"
        assert Path(f"/proc/{pid}/oom_score_adj").read_text().strip() != "1000"


def test_a_worker_without_its_server_leaves_before_it_does_anything() -> None:
    code = f"""if True:
        import os, sys
        sys.path.append({str(Path(ending.__file__).parents[1])!r})
        from arenascope_agent import lifeline
        os.environ["ARENASCOPE_SERVER_PID"] = "1"
        lifeline.tie_to_server()"""
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", code], os.environ)
    with watched_end(pid) as ended:
        assert ended()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1


def test_native_noise_becomes_the_log_and_never_a_frame() -> None:
    end = end_of("noise")
    assert end["status"] == "ok"
    assert end["log"][-1] == "no line feed"
    assert end["log"][-2] == "line 99"
    assert len(end["log"]) == LOG_LINES


def test_the_ring_keeps_last_lines_readable() -> None:
    ring = LogRing()
    ring.feed(b"first\nhalf a ")
    ring.feed(b"line \x1b[31m\xff\x00\n\n" + b"y" * 100_000)
    ring.feed(b"z" * 100_000 + b"\nend")
    first, half, long, end = ring.lines()
    assert (first, half, end) == ("first", "half a line [31m�", "end")
    assert long == "y" * LOG_LINE_BYTES
    for number in range(1000):
        ring.feed(b"%d\n" % number)
    assert ring.lines()[0] == str(1000 - LOG_LINES)


def test_frames_too_long_to_be_opened_pass_with_their_run() -> None:
    with Agent() as agent:
        events = agent.events(agent.run("flood:3x50000"))
    tensors = [data for name, data in events if name == "tensors"]
    assert [data["index"] for data in tensors] == [0, 1, 2]
    assert {len(data["filling"]) for data in tensors} == {50_000}


def test_phases_are_on_the_clock_of_the_samples() -> None:
    with Agent() as agent:
        events = agent.events(agent.run("lines:load,allocate,invoke_first", sample_hz=100))
    times = [data["t"] for name, data in events if name == "phase_started"]
    last = [data["t"] for name, data in events if name == "processes"][-1]
    assert times == sorted(times)
    assert times[0] > 0
    assert times[-1] < last


EXIT = {
    "phase": "load",
    "step": None,
    "report": None,
    "finished": True,
    "ours": None,
    "log": [],
    "timeout": 5.0,
}


def wait_status(code: int = 0, number: int = 0) -> int:
    return number or code << 8


@pytest.mark.parametrize(
    ("status", "changed", "verdict"),
    [
        (wait_status(), {}, "ok"),
        (wait_status(), {"finished": False}, "crashed"),
        (wait_status(), {"finished": False, "phase": None}, "failed"),
        (wait_status(1), {}, "crashed"),
        (wait_status(10), {"report": {"kind": "refused", "message": "no"}}, "refused"),
        (wait_status(10), {"report": {"kind": "failed", "message": "no"}}, "failed"),
        (wait_status(10), {"report": {}}, "failed"),
        (wait_status(10), {"report": {"kind": "killed", "pid": 7}}, "killed"),
        (wait_status(number=signal.SIGKILL), {}, "killed"),
        (wait_status(number=signal.SIGKILL), {"ours": "timed_out"}, "timed_out"),
        (wait_status(number=signal.SIGKILL), {"ours": "cancelled"}, "cancelled"),
        (wait_status(number=signal.SIGKILL), {"report": {"kind": "refused"}}, "killed"),
        (wait_status(number=signal.SIGABRT), {"report": {"kind": "refused"}}, "crashed"),
        (wait_status(number=40), {}, "crashed"),
    ],
)
def test_the_rule_of_ends(status: int, changed: dict[str, Any], verdict: str) -> None:
    end = ending.describe(status, **{**EXIT, **changed})
    assert end["status"] == verdict
    assert bool(end["message"]) == (verdict != "ok")


@pytest.mark.parametrize(
    ("phase", "step", "named", "words"),
    [
        (None, None, None, ""),
        ("allocate", None, "allocate", " in allocate"),
        ("allocate", "reading", "allocate", " in allocate, while its layout was read"),
        ("allocate", "inputs", "invoke_first", " in invoke_first, while its inputs were written"),
        ("invoke_first", "reading", "invoke_first", " in invoke_first, while its layout was read"),
        ("load", "unheard of", "load", " in load"),
    ],
)
def test_what_is_done_between_two_phases_has_the_name_of_one(
    phase: str | None, step: str | None, named: str | None, words: str
) -> None:
    assert ending.place(phase, step) == (named, words)
    killed = ending.describe(wait_status(number=signal.SIGKILL), **{**EXIT, "phase": phase, "step": step})
    assert killed["phase"] == named
    assert words in killed["message"]


@pytest.mark.parametrize("step", ["reading", "inputs"])
def test_a_failure_between_two_phases_is_told_with_the_name_of_one(step: str) -> None:
    report = {"kind": "failed", "phase": step, "message": "no"}
    end = ending.describe(wait_status(10), **{**EXIT, "phase": "allocate", "step": step, "report": report})
    assert end["phase"] == ending.place("allocate", step)[0]
