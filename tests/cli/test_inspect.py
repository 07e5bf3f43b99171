"""``inspect`` with a real agent and a real runtime."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from arenascope.store.capture import from_json, load
from tests.cli.running import ESCAPES, command, here, in_process
from tests.support.models import own

MODEL = own("cnn_float.tflite")


def test_json_is_one_capture_and_nothing_else() -> None:
    ran = in_process("inspect", MODEL, "--json")
    assert ran.code == 0
    assert ran.out.count("\n") == 1
    capture = from_json(ran.json)
    assert capture.outcome.ok
    assert [phase.name for phase in capture.phases][-1] == "invoke"
    assert all(p.address for p in capture.layout.placements if p.kind.value == "arena_rw")
    assert "Allocating tensors" in ran.err


def test_quiet_is_quiet() -> None:
    assert in_process("inspect", MODEL, "--json", "--quiet").err == ""


def test_without_json_the_figures_are_tables(capsys: pytest.CaptureFixture[str]) -> None:
    ran = here(capsys, "inspect", MODEL, "--all", "--quiet")
    assert ran.code == 0
    for heading in ("Figures", "Tensors (", "Phases", "Resident after the first invoke", "Outcome: ok"):
        assert heading in ran.out
    assert not ESCAPES & set(ran.out)


def test_the_options_reach_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--batch", "3", "--threads", "2", "--delegate", "none", "--preserve-all", "--no-invoke"]
    ran = here(capsys, "inspect", MODEL, "--json", "--quiet", *options)
    assert ran.code == 0
    capture = from_json(ran.json)
    assert (capture.options.threads, capture.options.delegate, capture.options.preserve_all) == (
        2,
        "none",
        True,
    )
    assert all(shape[0] == 3 for shape in capture.options.inputs.values())
    assert [phase.name for phase in capture.phases][-1] == "allocate"


def test_one_input_gets_its_own_shape(capsys: pytest.CaptureFixture[str]) -> None:
    name, shape = next(iter(from_json(here(capsys, "inspect", MODEL, "--json").json).options.inputs.items()))
    wanted = (2, *shape[1:])
    spelled = f"{name}={','.join(map(str, wanted))}"
    ran = here(capsys, "inspect", MODEL, "--json", "--quiet", "--input", spelled)
    assert from_json(ran.json).options.inputs == {name: wanted}


def test_a_run_can_be_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "run.ascope"
    ran = here(capsys, "inspect", MODEL, "--json", "--quiet", "-o", kept)
    assert ran.code == 0
    assert load(kept) == from_json(ran.json)


def test_names_that_a_terminal_would_obey_are_shown_harmlessly(capsys: pytest.CaptureFixture[str]) -> None:
    ran = here(capsys, "inspect", own("script_name.tflite"), "--all")
    assert ran.code == 0
    assert not ESCAPES & set(ran.out)


@pytest.mark.parametrize(
    ("model", "code", "status", "phase"),
    [
        ("crash_load", 6, "crashed", "load"),
        ("crash_allocate", 6, "crashed", "allocate"),
        ("crash_invoke", 6, "crashed", "invoke_first"),
        ("refused_allocate", 5, "refused", "allocate"),
        ("unknown_operator", 3, "failed", "allocate"),
    ],
)
def test_what_ends_badly_is_a_result_and_the_next_command_works(
    model: str, code: int, status: str, phase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = here(capsys, "inspect", own(f"{model}.tflite"), "--json", "--quiet", "--delegate", "none")
    assert ran.code == code
    assert (ran.json["outcome"]["status"], ran.json["outcome"]["phase"]) == (status, phase)
    assert here(capsys, "inspect", MODEL, "--json", "--quiet").code == 0


def test_a_run_that_hangs_is_ended(capsys: pytest.CaptureFixture[str]) -> None:
    ran = here(capsys, "inspect", own("hang_while.tflite"), "--json", "--quiet", "--timeout", "1")
    assert ran.code == 6
    assert ran.json["outcome"]["status"] == "timed_out"


def test_ctrl_c_ends_the_run_and_the_agent() -> None:
    process = subprocess.Popen(
        command("inspect", own("hang_while.tflite"), "--json"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    while "First invoke" not in process.stderr.readline():
        assert process.poll() is None
    agents = _children(process.pid)
    assert agents
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert '"cancelled"' in out
    assert "Traceback" not in err
    assert not [pid for pid in agents if Path(f"/proc/{pid}").exists()]


def _children(pid: int) -> list[int]:
    found = [
        int(c) for task in Path(f"/proc/{pid}/task").glob("*/children") for c in task.read_text().split()
    ]
    return found + [grandchild for child in found for grandchild in _children(child)]
