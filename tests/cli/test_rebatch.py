"""``arenascope rebatch`` as a person runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from arenascope import api
from tests.cli.running import ESCAPES, here, in_process
from tests.support.models import own

MODEL = own("lstm_fused.tflite")


def test_json_is_one_document_and_nothing_else(tmp_path: Path) -> None:
    output = tmp_path / "new.tflite"
    ran = in_process("rebatch", MODEL, "--batch", 8, "-o", output, "--json")
    assert ran.code == 0 and ran.out.count("\n") == 1
    told = ran.json
    assert told["schema"] == "arenascope.rebatch/1"
    assert (told["model"]["batch"], told["batch"]) == (1, 8)
    assert told["output"]["path"] == str(output) and told["output"]["bytes"] == output.stat().st_size
    assert {change["kind"] for change in told["changes"]} == {
        "input",
        "output",
        "state",
        "constant",
        "option",
    }
    assert [proof["delegate"] for proof in told["proof"]] == ["none", "default"]
    for proof in told["proof"]:
        assert proof["largest_difference"] <= proof["tolerance"] and proof["steps"] == 3
    assert "Comparing 8 samples" in ran.err


def test_without_json_it_says_what_was_changed_and_what_it_proves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = here(capsys, "rebatch", MODEL, "--batch", 3, "-o", tmp_path / "new.tflite", "--quiet")
    assert ran.code == 0 and ran.err == ""
    for words in (
        "batch 1 → 3",
        "state “lstm/output_state”",
        "[1, 30] → [-1, 30]",
        "Proved with CPU kernels",
        "Written",
    ):
        assert words in ran.out


def test_names_of_the_model_are_harmless(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = here(capsys, "rebatch", own("script_name.tflite"), "--batch", 2, "-o", tmp_path / "new.tflite")
    assert ran.code == 0
    assert not ESCAPES & set(ran.out + ran.err) and "\u202e" not in ran.out


def test_a_refusal_is_one_error_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "new.tflite"
    ran = here(capsys, "rebatch", own("dynamic_where.tflite"), "--batch", 2, "-o", output, "--json", "-q")
    assert ran.code == 3 and ran.err == ""
    assert ran.json["schema"] == "arenascope.error/1" and ran.json["code"] == "model"
    assert "operator 1 (WHERE)" in ran.json["message"]
    assert not output.exists()


def test_a_crash_has_its_own_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = here(
        capsys,
        "rebatch",
        own("crash_invoke.tflite"),
        "--batch",
        2,
        "-o",
        tmp_path / "n.tflite",
        "--json",
        "-q",
    )
    assert ran.code == 6 and ran.json["code"] == "run" and "SIGABRT" in ran.json["message"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((MODEL, "--batch", "0", "-o", "{}/n.tflite"), 2, "The batch is 0"),
        ((MODEL, "--batch", "-3", "-o", "{}/n.tflite"), 2, "The batch is -3"),
        ((MODEL, "--batch", str(10**12), "-o", "{}/n.tflite"), 2, "1,000,000,000,000"),
        ((MODEL, "--batch", "many", "-o", "{}/n.tflite"), 2, "many"),
        ((MODEL, "-o", "{}/n.tflite"), 2, "--batch"),
        ((MODEL, "--batch", "2"), 2, "--output"),
        ((MODEL, "--batch", "2", "-o", "{}/n.bin"), 2, ".tflite"),
        ((MODEL, "--batch", "2", "-o", MODEL), 2, "the model itself"),
        ((MODEL, "--batch", "2", "-o", "{}/nowhere/n.tflite"), 3, "no directory"),
        ((MODEL, "--batch", "2", "-o", "{}/n.tflite", "--timeout", "0"), 2, "time limit"),
        (("{}/nobody.tflite", "--batch", "2", "-o", "{}/n.tflite"), 3, "There is no file"),
        ((own("README.md"), "--batch", "2", "-o", "{}/n.tflite"), 3, "not a TensorFlow Lite model"),
    ],
)
def test_bad_input_is_told_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...], code: int, words: str
) -> None:
    ran = here(capsys, "rebatch", *(str(a).replace("{}", str(tmp_path)) for a in arguments))
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err
    assert list(tmp_path.iterdir()) == []


def test_from_python_it_is_the_same(tmp_path: Path) -> None:
    made = api.rebatch(MODEL, 2, tmp_path / "new.tflite")
    assert made.wanted == 2 and (tmp_path / "new.tflite").stat().st_size == made.bytes
