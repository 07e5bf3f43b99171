"""What can be said on the command line, and what is said of it when it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from arenascope.cli.options import check_output, parse_inputs
from arenascope.errors import FileError, UsageError
from tests.cli.running import here
from tests.support.models import own

MODEL = own("cnn_float.tflite")


def test_shapes_of_inputs_are_read() -> None:
    assert parse_inputs(["x=1,96,96,3", "a=b=7"]) == {"x": (1, 96, 96, 3), "a=b": (7,)}


@pytest.mark.parametrize("text", ["x", "=1,2", "x=", "x=1;2", "x=1,,2", "x=1.5", "x=a"])
def test_what_is_no_shape_is_said_to_be_none(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_inputs([text])
    assert text in caught.value.message
    assert caught.value.hint


def test_an_input_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="given twice"):
        parse_inputs(["x=1", "x=2"])


def test_the_place_of_the_result_is_checked_before_the_run(tmp_path: Path) -> None:
    check_output(tmp_path / "run.ascope", (".ascope",), "")
    with pytest.raises(UsageError, match=r"known kind of file: \.ascope"):
        check_output(tmp_path / "run.txt", (".ascope",), "")
    with pytest.raises(FileError, match="no directory"):
        check_output(tmp_path / "nowhere" / "run.ascope", (".ascope",), "")
    folder = tmp_path / "folder.ascope"
    folder.mkdir()
    with pytest.raises(FileError, match="is a directory"):
        check_output(folder, (".ascope",), "")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--batch", "0"], "batch"),
        (["--batch", "-1"], "batch"),
        (["--batch", 10**12], "batch"),
        (["--batch", "two"], "batch"),
        (["--threads", "0"], "threads"),
        (["--threads", 10**12], "threads"),
        (["--delegate", "gpu"], "gpu"),
        (["--timeout", "0"], "time limit"),
        (["--timeout", "0.0005"], "time limit"),
        (["--timeout", "nan"], "time limit"),
        (["--timeout", "-5"], "time limit"),
        (["--seed", "-1"], "seed"),
        (["--input", "nobody=1,2"], "nobody"),
        (["--input", "=1"], "--input"),
        (["--input", "x=99999999999,1,1,1"], "x"),
        (["-o", "run.txt"], "run.txt"),
        (["--device", "not a host"], "not a host"),
        (["--device", "host:port"], "port"),
        (["--frobnicate"], "frobnicate"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_a_request_without_sense_is_a_usage_error(
    arguments: list[object], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = here(capsys, "inspect", MODEL, *arguments)
    assert ran.code == 2
    assert word in ran.err
    assert "\n→ " in ran.err
    as_json = here(capsys, "inspect", MODEL, "--json", *arguments)
    assert as_json.code == 2
    assert as_json.json["code"] in ("usage", "query")
    assert as_json.json["schema"] == "arenascope.error/1"


def test_a_shape_of_the_wrong_rank_names_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    from arenascope.tflite.reader import read_model

    graph = read_model(MODEL)
    tensor = graph.main.tensors[graph.main.inputs[0]]
    ran = here(capsys, "inspect", MODEL, "--input", f"{tensor.name}=1,2,3,4,5,6,7")
    assert ran.code == 2
    assert str(list(tensor.shape)) in ran.err


def test_a_mistyped_command_is_recognized(capsys: pytest.CaptureFixture[str]) -> None:
    ran = here(capsys, "inspct", MODEL)
    assert ran.code == 2
    assert "Did you mean 'inspect'" in ran.err


@pytest.mark.parametrize("arguments", [["--help"], ["inspect", "-h"], ["devices", "add", "--help"]])
def test_help_is_there(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    ran = here(capsys, *arguments)
    assert ran.code == 0
    assert ran.out.startswith("Usage: arenascope")


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    from arenascope import __version__

    assert here(capsys, "--version").out == f"arenascope {__version__}\n"
