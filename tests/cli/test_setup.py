"""``arenascope devices setup`` and what ``devices check`` says a board lacks."""

from __future__ import annotations

import io
import sys
import venv
from pathlib import Path

import pytest

from arenascope.cli import setup as command
from arenascope.domain.board import Board
from arenascope.domain.provision import NoRecipe, NumpyFrom, Pin, Recipe
from arenascope.errors import SetupError
from arenascope.workflow import connect as connecting
from arenascope.workflow import setup as verb
from arenascope.workflow.setup import Item, SetupPlan, Undone
from tests.cli.running import here, in_process
from tests.support.sshd import Sshd, StartSshd, bare_path, introduce

RECIPE = Recipe(
    "armv7l", "cp311", Pin("tflite-runtime", "2.14.0"), NumpyFrom.SYSTEM, None, "1.23.2", "2", "why"
)
PLAN = SetupPlan(
    "pi4", "pi4", recipe=RECIPE, items=(Item("tflite-runtime", "2.14.0", "a wheel", 1_800_000),),
    bytes=1_800_000, unpacked=5_000_000, steps=("Fetch.", "Send.", "Try."),
)  # fmt: skip
WORKING = Board("pi4", runtime="tflite_runtime", runtime_version="2.14.0", numpy="1.24.2")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Device:
    """A connected board that does as it is told."""

    name, board = "pi4", WORKING

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *error: object) -> None: ...


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The verbs, standing in; what was done."""
    done: list[str] = []

    def found(what: str) -> Undone:
        done.append(what)
        return Undone("pi4", "/home/pi/.cache/arenascope", 18 * 1024 * 1024)

    def undo(target: str, prompts: object, report: object, agree: object) -> Undone:
        agree(Undone("pi4", "/home/pi/.cache/arenascope", 18 * 1024 * 1024))  # type: ignore[operator]
        return found("undo")

    def setup(*arguments: object) -> Device:
        done.append("setup")
        return Device()

    monkeypatch.setattr(connecting, "connect", lambda *arguments, **options: Device())
    monkeypatch.setattr(verb, "plan_setup", lambda *arguments: PLAN)
    monkeypatch.setattr(verb, "setup", setup)
    monkeypatch.setattr(verb, "undo", undo)
    return done


def test_the_plan_is_shown_and_done_after_a_yes(
    plan: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("yes\n"))
    ran = here(capsys, "devices", "setup", "pi4")
    assert ran.code == 0
    assert plan == ["setup"]
    for words in ("tflite-runtime 2.14.0", "1.7 MiB", "1. Fetch.", "setup pi4 --undo", "Type yes to go on"):
        assert words in ran.err
    assert ran.out.startswith("pi4 has tflite_runtime 2.14.0 with NumPy 1.24.2 now.")


@pytest.mark.parametrize("undo", [[], ["--undo"]])
@pytest.mark.parametrize("answer", ["", "no\n", "yess\n"])
def test_anything_but_a_yes_changes_nothing(
    plan: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    undo: list[str],
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    ran = here(capsys, "devices", "setup", "pi4", *undo)
    assert ran.code == 130
    assert "Nothing was changed." in ran.err
    assert plan == []


def test_without_a_terminal_a_yes_must_be_given(plan: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for undo in ([], ["--undo"]):
        ran = here(capsys, "devices", "setup", "pi4", *undo)
        assert ran.code == 2
        assert "no terminal to ask" in ran.err
        assert "--yes" in ran.err
    assert plan == []


def test_a_json_document_and_nothing_else(plan: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    ran = here(capsys, "devices", "setup", "pi4", "--yes", "--json", "--quiet")
    assert ran.json == {
        "schema": "arenascope.setup/1", "device": "pi4", "done": True, "folder": "~/.cache/arenascope/env",
        "bytes": 1_800_000, "unpacked": 5_000_000, "runtime": "tflite_runtime 2.14.0", "numpy": "1.24.2",
        "items": [{"name": "tflite-runtime", "version": "2.14.0", "source": "a wheel", "bytes": 1_800_000}],
        "undo": "arenascope devices setup pi4 --undo",
    }  # fmt: skip
    assert ran.err == ""
    ran = here(capsys, "devices", "setup", "pi4", "--undo", "--yes", "--json")
    assert ran.json["removed"] == {"folder": "/home/pi/.cache/arenascope", "bytes": 18 * 1024 * 1024}
    assert plan == ["setup", "undo"]


def test_where_nothing_can_be_had_the_reason_and_what_is_left_are_told(
    plan: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    none = SetupPlan(
        "pi4", "pi4", none=NoRecipe("No runtime is built for it.", "Watch it: arenascope watch pi4")
    )
    monkeypatch.setattr(verb, "plan_setup", lambda *arguments: none)
    ran = here(capsys, "devices", "setup", "pi4", "--yes")
    assert ran.code == SetupError.exit_code == 4
    assert "No runtime is built for it." in ran.err
    assert "arenascope watch pi4" in ran.err
    ran = here(capsys, "devices", "setup", "pi4", "--yes", "--json")
    assert (ran.json["code"], ran.json["hint"]) == ("setup", "Watch it: arenascope watch pi4")
    assert plan == []


def test_a_board_that_works_is_left_alone(
    plan: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verb, "plan_setup", lambda *arguments: SetupPlan("pi4", "pi4", works="litert 2"))
    ran = here(capsys, "devices", "setup", "pi4", "--yes")
    assert (ran.code, ran.out) == (0, "litert 2 works on pi4: there is nothing to set up.\n")
    assert here(capsys, "devices", "setup", "pi4", "--yes", "--json").json["done"] is False
    assert plan == []


def test_sizes_that_are_not_known_are_not_shown_as_none() -> None:
    assert command._size(Undone("pi4", "/x", None)) == "files"


def test_this_computer_is_neither_set_up_nor_taken_apart(capsys: pytest.CaptureFixture[str]) -> None:
    ran = here(capsys, "devices", "setup", "local", "--undo", "--yes")
    assert ran.code == 2
    assert "is not set up" in ran.err


def test_a_bare_board_is_checked_and_a_clean_one_has_nothing_to_give(
    start_sshd: StartSshd, ssh_dir: Path, tmp_path: Path
) -> None:
    venv.create(tmp_path / "empty", with_pip=False)
    server: Sshd = start_sshd(path=f"{tmp_path / 'empty' / 'bin'}:{bare_path(tmp_path / 'tools')}")
    introduce(server, ssh_dir)
    undone = in_process("devices", "setup", server.address, "--undo", "--yes")
    assert (undone.code, undone.out) == (
        0, f"ArenaScope keeps nothing on {server.address}: there is nothing to take away.\n",
    )  # fmt: skip
    checked = in_process("devices", "check", server.address, "--json", "--quiet").json
    lacks = {lack["what"]: lack for lack in checked["lacks"]}
    assert (
        lacks["a TensorFlow Lite runtime and NumPy"]["next"] == f"arenascope devices setup {server.address}"
    )
    assert all(set(lack) == {"what", "why", "next"} for lack in checked["lacks"])
    board = checked["board"]
    assert board["multiarch"].endswith("-linux-gnu")
    assert board["libc"].startswith("glibc ")
    assert board["disk_free"] > 0
    assert board["environment"] is None
    shown = in_process("devices", "check", server.address)
    assert f"→ arenascope devices setup {server.address}" in shown.out
    assert "disk free" in shown.out
