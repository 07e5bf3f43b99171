"""``arenascope sweep`` and ``fit`` as a person runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import ESCAPES, here, in_process
from tests.support.models import own

CNN = own("cnn_float.tflite")
LSTM = own("lstm_fused.tflite")


def test_a_sweep_as_a_table() -> None:
    ran = in_process("sweep", CNN, "--batches", "1,4", "--delegate", "none", "--measure")
    assert ran.code == 0
    assert "Largest batch that fits on this computer: 4 (planned, and confirmed by 2 runs)." in ran.out
    assert "peak, measured" in ran.out
    assert "this computer, run 2 of 2: batch 4: ok" in ran.err
    assert not ESCAPES & set(ran.out)


def test_a_sweep_as_a_document_and_kept_in_a_file(tmp_path: Path) -> None:
    kept = tmp_path / "sweep.json"
    ran = in_process(
        "sweep", CNN, "--input", "image=1,16,16,3", "--input", "image=2,16,16,3", "--json", "-o", kept
    )
    assert ran.code == 0
    assert [p["inputs"]["image"][0] for p in ran.json["points"]] == [1, 2]
    assert ran.json["largest_fit"] == {}
    assert json.loads(kept.read_text()) == ran.json


def test_a_model_that_takes_none_of_the_batches() -> None:
    ran = in_process("sweep", LSTM, "--batches", "2,3", "--json", "--quiet")
    assert ran.code == 3
    assert ran.json["refused"]["operator_name"] == "UNIDIRECTIONAL_SEQUENCE_LSTM"
    assert "fixed shape" in ran.json["refused"]["reason"]
    assert ran.err == ""


def test_a_fit_says_what_pins_the_batch_and_what_may_help() -> None:
    ran = in_process("fit", LSTM, "--plan-only")
    assert ran.code == 0
    assert "Largest batch that fits on this computer: 1 (planned; not run)." in ran.out
    assert "arenascope rebatch lstm_fused.tflite --batch N -o OUT.tflite" in ran.out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["sweep", CNN], 2, "something to vary"),
        (["sweep", CNN, "--batches", "0"], 2, "must count upwards"),
        (["sweep", CNN, "--batches", "-1"], 2, "is not a batch"),
        (["sweep", CNN, "--batches", "1000000000000"], 2, "from 1 to"),
        (["sweep", CNN, "--batches", "1", "--input", "image=1,16,16,3"], 2, "no input whose batch"),
        (["sweep", CNN, "--batches", "1", "--threads", "0"], 2, "threads"),
        (["sweep", CNN, "--batches", "1", "--input", "nobody=1,2"], 2, "no input named"),
        (["sweep", CNN, "--batches", "1", "--input", "image=1,2"], 2, "4 dimensions"),
        (["sweep", CNN, "--batches", "1", "--delegate", "gpu"], 2, "delegate"),
        (["sweep", CNN, "--batches", "1", "-o", "/nowhere/x.json"], 3, "no directory"),
        (["sweep", CNN, "--batches", "1", "-o", "x.txt"], 2, "known kind of file"),
        (["sweep", CNN, "--batches", "1", "-d", "local", "-d", "local"], 2, "named twice"),
        (["sweep", "no.tflite", "--batches", "1"], 3, "no.tflite"),
        (["sweep", CNN, "--batches", "1", "--measure", "--timeout", "-1"], 2, "time limit"),
        (["fit", CNN, "--limit", "0"], 2, "from 1 to"),
        (["fit", "no.tflite"], 3, "no.tflite"),
        (["fit", CNN, "-d", "nobody@127.0.0.1:1"], 4, "127.0.0.1"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_next_step(
    capsys: pytest.CaptureFixture[str], arguments: list[object], code: int, words: str
) -> None:
    ran = here(capsys, *arguments, "--json")
    assert ran.code == code
    assert words in ran.json["message"]
    assert ran.json["hint"]


def test_runs_that_crash_are_told_by_the_exit_code_and_are_no_answer() -> None:
    crash = own("crash_invoke.tflite")
    swept = in_process("sweep", crash, "--batches", "1", "--measure", "--delegate", "none", "--json", "-q")
    assert swept.code == 6
    assert swept.json["points"][0]["measured"]["outcome"] == "crashed"
    assert swept.json["largest_fit"]["this computer"]["batch"] is None
    fitted = in_process("fit", crash, "--limit", "10", "--delegate", "none", "-q")
    assert fitted.code == 6
    assert "No batch that was run came to its end on this computer" in fitted.out


def test_sizes_that_depend_on_values_are_said_to_be_no_more_than_a_bound() -> None:
    ran = in_process("sweep", own("dynamic_where.tflite"), "--batches", "4", "--json", "--quiet")
    assert ran.json["points"][0]["planned"]["exact"] is False
    assert "≥ " in in_process("sweep", own("dynamic_where.tflite"), "--batches", "4", "--quiet").out
