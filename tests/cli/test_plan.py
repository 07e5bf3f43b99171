"""``plan`` with this computer's runtime: the document, the tables, and everything that cannot be meant."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from arenascope import api
from arenascope.errors import UsageError
from arenascope.workflow.planning import this_machine
from tests.cli.running import ESCAPES, Ran, command, here, in_process
from tests.data.refusing import hangs_in_its_run
from tests.support.models import own

MODEL = own("cnn_float.tflite")


def document(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    ran = here(capsys, "plan", MODEL, "--json", "--quiet", *arguments)
    assert (ran.code, ran.err) == (0, "")
    return ran.json


def test_json_is_one_plan_and_nothing_else() -> None:
    ran = in_process("plan", MODEL, "--json")
    assert ran.code == 0
    assert ran.out.count("\n") == 1
    plan = ran.json
    assert plan["schema"] == "arenascope.plan/1"
    assert plan["profile"]["machine"] == this_machine()
    assert plan["refusal"] is None
    assert all(tensor["address"] is None for tensor in plan["tensors"])
    assert all(arena["base"] is None for arena in plan["arenas"])
    assert plan["totals"]["process_peak"] is None
    assert plan["totals"]["arena_rw"] == sum(a["bytes"] for a in plan["arenas"] if a["kind"] == "arena_rw")
    assert "runtime" in ran.err


def test_tensors_operators_and_totals_are_those_of_a_capture(capsys: pytest.CaptureFixture[str]) -> None:
    plan = document(capsys)
    capture = here(capsys, "inspect", MODEL, "--json", "--quiet").json
    for part in ("tensors", "operators", "arenas"):
        assert plan[part]
        assert set(plan[part][0]) == set(capture[part][0])
    for part in ("totals", "options", "model"):
        assert set(plan[part]) == set(capture[part])


def test_the_options_reach_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--batch", "3", "--threads", "2", "--delegate", "none", "--preserve-all"]
    plan = document(capsys, *options, "--runtime", "tflite-2.14", "--machine", "armv7l")
    assert plan["options"] == {
        "threads": 2, "delegate": "none", "preserve_all": True, "inputs": {"image": [3, 16, 16, 3]},
    }  # fmt: skip
    assert plan["profile"] == {
        "name": "tflite-2.14", "runtime": "tflite_runtime", "version": "2.14", "machine": "armv7l",
    }  # fmt: skip
    kept = [t for t in plan["tensors"] if t["kind"] == "arena_rw"]
    assert all(tensor["last_op"] is None for tensor in kept)


def test_one_input_gets_its_own_shape(capsys: pytest.CaptureFixture[str]) -> None:
    assert document(capsys, "--input", "image=2,16,16,3")["options"]["inputs"] == {"image": [2, 16, 16, 3]}


def test_without_json_the_figures_are_tables(capsys: pytest.CaptureFixture[str]) -> None:
    ran = here(capsys, "plan", MODEL, "--all", "--quiet", "--delegate", "none")
    assert ran.code == 0
    for words in ("Figures", "planned", "Tensors (", "Alive at the high-water mark", "on this computer"):
        assert words in ran.out
    assert "measured" not in ran.out
    assert not ESCAPES & set(ran.out)


def test_what_is_unknown_is_listed_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    ran = here(capsys, "plan", own("dynamic_where.tflite"), "--quiet")
    assert ran.code == 0
    assert "Unknown before a run" in ran.out
    assert "WHERE" in ran.out
    assert "Note:" in ran.out


def test_names_that_a_terminal_would_obey_are_shown_harmlessly(capsys: pytest.CaptureFixture[str]) -> None:
    for more in ((), ("--batch", "3"), ("--batch", str(2**31 - 1), "--machine", "armv7l")):
        ran = here(capsys, "plan", own("script_name.tflite"), "--all", *more)
        assert not ESCAPES & set(ran.out + ran.err)


def test_a_plan_can_be_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "plan.json"
    plan = document(capsys, "-o", kept)
    assert json.loads(kept.read_text()) == plan
    ran = here(capsys, "plan", MODEL, "-o", kept)
    assert "Kept in" in ran.err


def test_a_model_that_does_not_take_the_shapes_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "plan.json"
    model = own("lstm_fused.tflite")
    ran = here(capsys, "plan", model, "--batch", "3", "--json", "-o", kept)
    assert ran.code == 3
    assert ran.json["schema"] == "arenascope.error/1"
    assert ran.json["code"] == "shape"
    for words in ("UNIDIRECTIONAL_SEQUENCE_LSTM (operator 0)", "lstm/output_state", "[1, 5]"):
        assert words in ran.json["message"]
    assert ran.json["hint"]
    assert "failed to prepare" in ran.json["detail"]
    assert not kept.exists()
    ran = here(capsys, "plan", model, "--batch", "3")
    assert (ran.code, ran.out) == (3, "")
    assert "lstm/output_state" in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--batch", "0"), 2, "batch is 0"),
        (("--batch", "-4"), 2, "batch is -4"),
        (("--batch", "1000000000000"), 2, "2,147,483,647"),
        (("--input", "nobody=1,2"), 2, "no input named 'nobody'"),
        (("--input", "image=1,2"), 2, "4 dimensions"),
        (("--input", "image=1,16,0,3"), 2, "outside 1 to"),
        (("--input", "image=a"), 2, "not whole numbers"),
        (("--threads", "0"), 2, "threads is 0"),
        (("--delegate", "gpu"), 2, "no delegate 'gpu'"),
        (("--runtime", "litert-9"), 2, "no runtime 'litert-9'"),
        (("--machine", "z80"), 2, "no machine 'z80'"),
        (("--timeout", "-1"), 2, "time limit"),
        (("--timeout", "nan"), 2, "time limit"),
        (("-o", "plan.ascope"), 2, "known kind of file"),
        (("-o", "/nowhere/plan.json"), 3, "no directory"),
        (("-o", "/"), 2, "known kind of file"),
    ],
)
def test_what_cannot_be_meant_is_said_with_its_name(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    ran = here(capsys, "plan", MODEL, "--json", *arguments)
    assert ran.code == code
    assert words in ran.json["message"]
    assert ran.json["hint"]


def test_a_file_that_is_no_model_is_said_to_be_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.tflite"
    wrong.write_bytes(b"\0" * 100)
    for model in (wrong, tmp_path / "nobody.tflite", tmp_path):
        ran = here(capsys, "plan", model, "--json")
        assert ran.code == 3
        assert ran.json["schema"] == "arenascope.error/1"


def test_ctrl_c_ends_it_and_the_runtime(tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(hangs_in_its_run())
    process = subprocess.Popen(
        command("plan", model, "--json", "--timeout", "600"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert "shapes" in process.stderr.readline()
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert json.loads(out)["code"] == "cancelled"
    assert "Traceback" not in err


def test_a_crash_of_the_runtime_is_an_error_about_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    ran = here(capsys, "plan", own("crash_load.tflite"), "--json")
    assert ran.code == 3
    assert "SIGSEGV" in ran.json["message"]


def same(ran: Ran, plan: api.Plan) -> bool:
    totals = ran.json["totals"]
    return bool(totals["arena_rw"] == plan.totals.arena_rw and totals["weights"] == plan.totals.weights)


def test_python_gives_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    ran = here(
        capsys, "plan", MODEL, "--batch", "5", "--runtime", "tflite-2.14", "--machine", "armv7l", "--json"
    )
    assert same(ran, api.plan(MODEL, batch=5, runtime="tflite-2.14", machine="armv7l"))
    assert api.plan(own("lstm_fused.tflite"), batch=3).refusal is not None
    assert api.plan(MODEL, inputs={"image": [2, 16, 16, 3]}).inputs == {"image": (2, 16, 16, 3)}
    with pytest.raises(UsageError):
        api.plan(MODEL, machine="z80")
