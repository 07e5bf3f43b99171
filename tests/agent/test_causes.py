"""Why a run ended badly, in words: each with its proof, and nothing claimed that is not known."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from arenascope.domain.measurement import RAN_OUT
from arenascope_agent import causes, oom
from arenascope_agent.causes import Case, Doing, crashed, doing, hung, killed
from arenascope_agent.oom import Found, Kill, Line
from tests.agent.harness import Agent

MIB = 1024 * 1024
CASE = Case(
    status="killed", where=" in invoke_first", signal="SIGKILL", pid=417, message="as it was", said="",
    start=690.0, counters={"cgroup": 0, "vmstat": 0}, log=-1, last=(142.1, 914 * MIB), gone=142.13, available=14 * MIB,
    ram_total=995 * MIB, moments=(),
)  # fmt: skip
KILL = Kill(
    Line(832.959868, "Out of memory: Killed process 417 (python3) total-vm:977372kB"),
    None,
    954 * MIB,
    898 * MIB,
)


def told(
    found: Found, *, cgroup: int | None = None, vmstat: int | None = None, **changed: Any
) -> dict[str, Any]:
    case = CASE._replace(**{key: value for key, value in changed.items() if key in Case._fields})
    answer = killed(
        case, found, {"cgroup": cgroup, "vmstat": vmstat}, "pi",
        lambda group: changed.get("limit"), changed.get("guards", []),
    )  # fmt: skip
    (finding,) = answer["findings"]
    assert all(finding.values())
    assert set(answer) == {"message", "evidence", "findings"}
    return {**answer, **finding}


def test_the_kernel_s_line_is_the_proof() -> None:
    answer = told(Found(KILL), vmstat=1)
    assert answer["message"] == (
        "killed in invoke_first by the kernel, because the device ran out of memory while it held 898.0 MiB"
    )
    assert answer["evidence"] == {"source": "kernel_log", "text": KILL.line.text, "t": 142.96}
    assert KILL.line.text in answer["proof"]
    assert (
        "at 142.10 s, 0.03 s before its end: the worker held 914.0 MiB, 14.0 MiB of 995.0 MiB available"
        in answer["proof"]
    )
    assert "swap" in answer["remedy"]


def test_memory_that_was_left_is_explained() -> None:
    assert "LowFree" in told(Found(KILL), vmstat=1, available=300 * MIB)["proof"]
    assert "LowFree" not in told(Found(KILL), vmstat=1, available=None)["proof"]


@pytest.mark.parametrize(("limit", "words"), [(512 * MIB, " of 512.0 MiB"), (None, "")])
def test_the_limit_of_a_control_group_is_another_cause(limit: int | None, words: str) -> None:
    answer = told(Found(KILL._replace(group="/box")), limit=limit)
    assert answer["message"].startswith(
        f"killed in invoke_first by the kernel at the memory limit{words} of its"
    )
    assert "/box" in answer["cause"]
    assert "MemoryMax" in answer["remedy"]


def test_without_permission_nothing_is_claimed_and_everything_known_is_told() -> None:
    answer = told(Found(None, oom.CLOSED), vmstat=1)
    assert answer["message"] == (
        "killed in invoke_first, cause not provable without permission to read the kernel log; "
        "the kernel counted 1 out-of-memory kill during this run (/proc/vmstat)"
    )
    assert answer["evidence"]["source"] == "vmstat"
    assert "14.0 MiB of 995.0 MiB available" in answer["proof"]
    assert "sudo usermod -aG adm pi" in answer["remedy"]
    assert "sudo sysctl kernel.dmesg_restrict=0" in answer["remedy"]


@pytest.mark.parametrize(
    ("cgroup", "vmstat", "source", "words"),
    [
        (
            2,
            3,
            "cgroup",
            "counted 2 out-of-memory kills in this control group during this run (memory.events)",
        ),
        (0, 1, "vmstat", "counted 1 out-of-memory kill during this run (/proc/vmstat)"),
        (None, None, "exit_status", "cause not provable without permission to read the kernel log"),
    ],
)
def test_the_nearest_counter_is_the_evidence(
    cgroup: int | None, vmstat: int | None, source: str, words: str
) -> None:
    answer = told(Found(None, oom.CLOSED), cgroup=cgroup, vmstat=vmstat)
    assert answer["evidence"]["source"] == source
    assert answer["message"].endswith(words)


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (oom.ELSEWHERE, "cause not provable from inside a container; the kernel counted 1"),
        (
            oom.LOST,
            "cause not provable: the kernel log was overwritten before it could be read; the kernel counted 1",
        ),
        (oom.NONE, "cause not provable: the kernel log does not name this process; the kernel counted 1"),
    ],
)
def test_other_reasons_for_no_proof(why: str, words: str) -> None:
    assert words in told(Found(None, why), vmstat=1)["message"]


@pytest.mark.parametrize(
    ("found", "vmstat"), [(Found(None, oom.CLOSED), 0), (Found(None), 0), (Found(None), None)]
)
def test_where_the_kernel_killed_nothing_somebody_else_did(found: Found, vmstat: int | None) -> None:
    answer = told(found, vmstat=vmstat)
    assert answer["message"] == (
        "killed in invoke_first by SIGKILL, which nobody here sent; it was not the kernel for want of memory"
    )
    assert answer["evidence"]["source"] == "exit_status"
    assert "a person" in answer["remedy"]
    assert "earlyoom runs there" in told(found, vmstat=vmstat, guards=["earlyoom"])["remedy"]


def test_without_samples_nothing_is_made_up() -> None:
    assert "No sample tells" in told(Found(KILL), last=None, available=None)["proof"]


@pytest.mark.parametrize(
    ("sign", "said", "cause", "remedy"),
    [
        ("SIGABRT", "", "The runtime gave up", "delegate"),
        ("SIGABRT", "terminate called … what():  std::bad_alloc", "could not get memory", "smaller batch"),
        ("SIGSEGV", "", "touched memory that is not its own", "delegate"),
        ("SIGBUS", "", "could not be read", "was not cut"),
        ("SIGILL", "", "this CPU does not have", "for this CPU"),
        ("SIGTERM", "", "The signal came from outside", "delegate"),
        (None, "OpenBLAS error: Memory allocation still failed", "could not get memory", "smaller batch"),
        (None, "", "ended the process", "delegate"),
    ],
)
def test_a_crash_has_its_signal_and_its_last_line_as_proof(
    sign: str | None, said: str, cause: str, remedy: str
) -> None:
    answer = crashed(CASE._replace(status="crashed", signal=sign, said=said))
    (finding,) = answer["findings"]
    assert answer["message"] == "as it was"
    assert answer["evidence"]["source"] == "exit_status"
    assert cause in finding["cause"]
    assert remedy in finding["remedy"]
    assert (sign or "without a result") in finding["proof"]
    assert said in finding["proof"]


# ------------------------------------------------------------------------------ busy or stuck


def moment(t: float, state: str, ticks: int, faults: int = 0, wchan: str = "0") -> dict[str, Any]:
    """As /proc writes it, with a name that could be taken for its end."""
    stat = f"417 (py) R (thon) {state} 1 417 417 0 -1 4194560 900 0 {faults} 0 {ticks - 3} 3 0 0 20 0 1 0 5 6 7 8\n"
    return {"t": t, "stat": stat, "wchan": wchan}


@pytest.mark.parametrize(
    ("moments", "short"),
    [
        ((moment(5, "R", 100), moment(6, "R", 199)), "it was busy computing (99 % of a core)"),
        ((moment(5, "S", 100), moment(6, "S", 490, wchan="futex_wait_queue")), "it was busy computing (390 % of a core)"),
        ((moment(5, "S", 100), moment(6, "S", 100, wchan="futex_wait_queue")), "it was stuck, waiting for another of its threads"),
        ((moment(5, "S", 100), moment(6, "S", 100)), "it was stuck"),
        ((moment(5, "S", 100), moment(6, "S", 120)), "it was waiting most of the time (20 % of a core)"),
        ((moment(5, "R", 100), moment(6, "R", 112)), "it was computing, but got only 12 % of a core"),
        ((moment(5, "D", 100), moment(6, "D", 110, 900, "folio_wait_bit")), "it was waiting for the disk"),
        ((moment(5, "T", 100), moment(6, "T", 100)), "it was stopped"),
        ((moment(6, "S", 100, wchan="pipe_read"),), "it was stuck, waiting for a pipe"),
    ],
)  # fmt: skip
def test_what_hung_is_told_from_what_computed(moments: tuple[dict[str, Any], ...], short: str) -> None:
    case = CASE._replace(
        status="timed_out", available=500 * MIB, moments=moments, message="not done after 6 s"
    )
    answer = hung(case)
    assert answer["message"] == f"not done after 6 s; {short}"
    assert answer["evidence"] is None
    (finding,) = answer["findings"]
    assert "state" in finding["proof"].lower()


def test_a_board_without_memory_is_not_busy_but_thrashing() -> None:
    moments = (moment(5, "R", 100, 100), moment(6, "R", 170, 900))
    answer = hung(CASE._replace(status="timed_out", available=MIB, moments=moments))
    assert RAN_OUT in answer["message"]
    (finding,) = answer["findings"]
    assert "800 pages read back from disk" in finding["proof"]
    assert "smaller batch" in finding["remedy"]


@pytest.mark.parametrize("stat", ["", "417 (x) R", "nothing"])
def test_a_process_that_says_nothing_of_itself(stat: str) -> None:
    assert doing(({"t": 1.0, "stat": stat, "wchan": ""},), 100) is None
    answer = hung(CASE._replace(status="timed_out", moments=({"t": 1.0, "stat": stat, "wchan": ""},)))
    assert answer == {"message": "as it was", "evidence": None, "findings": []}


def test_one_moment_has_no_share_of_a_core() -> None:
    assert doing((moment(6, "S", 100, wchan="pipe_read"),), 100) == Doing("S", "pipe_read", None, None, 0.0)


# ------------------------------------------------------------------------- in a real process


def end_of(model: str, **options: Any) -> dict[str, Any]:
    with Agent() as agent:
        return agent.events(agent.run(model, **options))[-1][1]


def test_a_worker_that_somebody_killed() -> None:
    with Agent() as agent:
        run = agent.run("hang")
        agent.event(run, "phase_started")
        (worker,) = Path(f"/proc/{agent.process.pid}/task/{agent.process.pid}/children").read_text().split()
        os.kill(int(worker), signal.SIGKILL)
        end = agent.event(run, "ended")
        assert agent.events(agent.run("ok"))[-1][1]["status"] == "ok"
    assert (end["status"], end["phase"], end["signal"]) == ("killed", "allocate", "SIGKILL")
    assert end["evidence"]["source"] == "exit_status"
    assert worker in end["evidence"]["text"]
    assert end["findings"]


def test_a_worker_that_waits_for_ever_is_told_from_one_that_computes() -> None:
    stuck, busy = end_of("hang", timeout=1.0), end_of("busy", timeout=1.0)
    assert "stuck" in stuck["message"]
    assert "computing" in busy["message"]
    assert [end["evidence"] for end in (stuck, busy)] == [None, None]


def test_a_kill_while_inputs_are_written_says_so() -> None:
    end = end_of("step:inputs")
    assert (end["status"], end["phase"]) == ("killed", "invoke_first")
    assert "in invoke_first, while its inputs were written" in end["message"]


def test_nothing_of_a_search_is_left() -> None:
    with Agent() as agent:
        before = sorted(os.listdir(f"/proc/{agent.process.pid}/fd"))
        for model in ("signal:SIGKILL", "signal:SIGSEGV", "exit:3"):
            assert agent.events(agent.run(model))[-1][1]["findings"]
        assert sorted(os.listdir(f"/proc/{agent.process.pid}/fd")) == before
        assert Path(f"/proc/{agent.process.pid}/task/{agent.process.pid}/children").read_text() == ""


def test_a_search_that_cannot_be_made_leaves_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert causes.explain(CASE._replace(status="timed_out"))["findings"] == []
