"""``arenascope verify-planner``: a line for each model, the exit code, and what it says of bad input."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from arenascope.cli.verify import parse_threads
from arenascope.errors import UsageError
from tests.cli.running import in_process
from tests.support.models import own


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("mean.tflite", "lstm_fused.tflite"):
        shutil.copy(own(name), tmp_path)
    return tmp_path


def test_a_line_for_each_model(folder: Path) -> None:
    ran = in_process("verify-planner", folder, "--batches", "3", "--threads", "1", "--quiet")
    assert ran.code == 0, ran.out + ran.err
    lstm, mean = ran.out.splitlines()
    assert lstm.startswith("lstm_fused.tflite, ai_edge_litert ") and "3 cases refused by the model" in lstm
    assert mean.startswith("mean.tflite, ") and ": exact: " in mean and mean.endswith(" in 6 cases")


def test_json_holds_every_case(folder: Path) -> None:
    ran = in_process(
        "verify-planner", folder, "--batches", "3", "--threads", "1,default", "--json", "--quiet"
    )
    assert ran.code == 0
    assert ran.json["schema"] == "arenascope.verification/1"
    lstm, mean = ran.json["results"]
    assert (lstm["exact"], lstm["model"], mean["device"]) == (True, "lstm_fused.tflite", "this computer")
    assert [case["outcome"] for case in mean["cases"]] == ["exact"] * 10
    assert {case["threads"] for case in mean["cases"]} == {1, None}
    assert {case["outcome"] for case in lstm["cases"] if case["batch"] == 3} == {"refused"}
    assert mean["tensors"] == sum(case["tensors"] for case in mean["cases"]) > 0


def test_what_differs_is_named_and_has_an_exit_code(tmp_path: Path) -> None:
    """A batch that only XNNPACK takes: see tests/workflow/test_verification.py."""
    shutil.copy(own("transpose_conv.tflite"), tmp_path)
    asked = ("verify-planner", tmp_path, "--batches", "3", "--threads", "1", "--quiet")
    ran = in_process(*asked)
    assert ran.code == 7
    assert "NOT exact: 1 of " in ran.out
    assert "    first: tensor 3 'y': planned 2,048 B at " in ran.out
    (found,) = in_process(*asked, "--json").json["results"]
    (case,) = (case for case in found["cases"] if case["outcome"] == "differs")
    (difference,) = case["differences"]
    assert (difference["planned"]["bytes"], difference["real"]["bytes"]) == (2048, 6144)


def test_a_file_that_is_no_model_is_named_and_the_others_are_compared(folder: Path) -> None:
    (folder / "a.tflite").write_text("nothing of the kind")
    ran = in_process("verify-planner", folder, "--batches", "1", "--threads", "1", "--quiet")
    assert ran.code == 0
    first, *others = ran.out.splitlines()
    assert "a.tflite" in first and "not compared" in first and "not a TensorFlow Lite model" in first
    assert all(": exact: " in line for line in others)


def test_a_folder_of_which_nothing_could_be_compared_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "a.tflite").write_text("nothing of the kind")
    ran = in_process("verify-planner", tmp_path, "--batches", "1", "--threads", "1", "--quiet")
    assert ran.code == 3 and "not compared" in ran.out


def test_another_python_of_this_computer(folder: Path) -> None:
    asked = ("verify-planner", folder, "--batches", "1", "--threads", "1", "--python", sys.executable)
    ran = in_process(*asked, "--quiet")
    assert ran.code == 0
    assert f" on {sys.executable}: " in ran.out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("/nowhere",), 3, "does not exist"),
        ((own("mean.tflite"),), 3, "is a file"),
        ((own("mean.tflite").parent.parent / "cli",), 3, "There is no model"),
        ((own("mean.tflite").parent, "--python", "/nowhere/python"), 4, "cannot be started"),
        ((own("mean.tflite").parent, "--python", "/bin/true"), 4, ""),
        ((own("mean.tflite").parent, "--batches", "x"), 2, "is not a batch"),
        ((own("mean.tflite").parent, "--threads", "many"), 2, "no number of threads"),
        ((own("mean.tflite").parent, "--threads", "0"), 2, "from 1 to 1024"),
    ],
)
def test_bad_input(arguments: tuple[object, ...], code: int, says: str) -> None:
    ran = in_process("verify-planner", *arguments, "--quiet")
    assert ran.code == code, ran.out + ran.err
    assert says in ran.err


def test_threads_are_read_once_each() -> None:
    assert parse_threads("4, 1,default,4") == (4, 1, None)
    with pytest.raises(UsageError):
        parse_threads("1,,2")
