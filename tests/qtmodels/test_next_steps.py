"""Every failure has its next step as a button: one table, and it is total."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenascope import errors
from arenascope.domain.measurement import Finding, Outcome, Status
from arenascope.errors import (
    ArenaScopeError,
    AuthenticationError,
    BoardError,
    DeployError,
    FileError,
    LinkError,
    LinkLost,
    SessionOver,
    SetupError,
)
from arenascope.qtmodels.commands import commands_in
from arenascope.qtmodels.next_steps import AGAIN, CODES, TABLE, NextStep, steps_after, steps_of
from arenascope.qtmodels.notices import Notice
from arenascope.remote import deploy, ssh_faults
from arenascope.views.actions import BY_KEY
from arenascope.workflow.connect import LOCAL
from arenascope_agent import protocol
from tests.support.captures import ended_capture, example_capture
from tests.support.sources import DESKTOP, python_files, relative, tree


def kinds(kind: type[ArenaScopeError] = ArenaScopeError) -> Iterator[type[ArenaScopeError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from kinds(below)


def texts(steps: tuple[NextStep, ...]) -> list[str]:
    return [step.text or BY_KEY[step.action].text for step in steps]


def does_something(step: NextStep) -> bool:
    known = [key in BY_KEY for key in step.action.split()]
    return all(known) and bool(known or step.copies) and bool(step.text or len(known) == 1)


@pytest.mark.parametrize("again", ["", *AGAIN])
@pytest.mark.parametrize("kind", sorted(kinds(), key=lambda k: k.__name__), ids=lambda k: k.__name__)
def test_every_error_has_a_button_that_does_something(kind: type[ArenaScopeError], again: str) -> None:
    made = kind("It broke.", status="failed") if kind is errors.RunFailed else kind("It broke.")
    for local in (True, False):
        steps = steps_of(made, again, local=local)
        assert steps
        assert all(map(does_something, steps)), steps


@pytest.mark.parametrize("again", ["", *AGAIN])
def test_so_has_every_refusal_of_a_board(again: str) -> None:
    codes = {value for name, value in vars(protocol).items() if name.isupper() and isinstance(value, str)}
    for code in {*codes, *CODES, "of a later agent"}:
        steps = steps_of(BoardError("It refused.", board_code=code), again)
        assert steps
        assert all(map(does_something, steps)), code


@pytest.mark.parametrize("status", list(Status))
def test_so_has_every_bad_ending(status: Status) -> None:
    steps = steps_after(ended_capture(status) if status is not Status.OK else example_capture())
    assert bool(steps) is (status is not Status.OK)
    assert all(map(does_something, steps))


def test_a_fault_of_ours_can_be_copied() -> None:
    (step,) = steps_of(ValueError("odd"))
    assert step.copies == "ValueError: odd"


def test_no_trouble_is_told_without_a_next_step() -> None:
    """Where the code itself makes a message of trouble, it gives it a button."""
    without = [
        f"{relative(path)}:{node.lineno}"
        for path in python_files(DESKTOP)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Notice"
        and isinstance(node.args[0], ast.Attribute)
        and node.args[0].attr in ("WARNING", "ERROR")
        and len(node.args) < 5
        and not any(keyword.arg == "steps" for keyword in node.keywords)
    ]
    assert not without


def test_what_does_something_again_is_an_action() -> None:
    assert set(AGAIN) <= set(BY_KEY)
    assert set(TABLE) <= set(kinds())


def test_a_changed_key_gives_the_command_that_removes_it_first() -> None:
    remedy = "ssh-keygen -R '[10.0.0.7]:2222' -f '/home/a b/.ssh/known, hosts'"
    error = ssh_faults.changed_key("pi", "a", "b", remedy, "line 3")
    first, *others = steps_of(error, "inspect")
    assert first.copies == remedy
    assert first.text == "Copy the ssh-keygen Command"
    assert texts(tuple(others)) == ["Connect Again"]


def test_an_unknown_key_is_shown_again_and_not_accepted() -> None:
    error = ssh_faults.unknown_key("pi", "ssh-ed25519 SHA256:x", "ssh-ed25519", "pi@door")
    show, compare = steps_of(error, "add_board")
    assert (show.text, show.action) == ("Show the Key Again…", "add_board")
    assert compare.copies == "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"


@pytest.mark.parametrize(
    ("error", "again", "expected"),
    [
        (AuthenticationError("no"), "check_board", ["Try Again…"]),
        (LinkLost("cut"), "inspect", ["Connect Again", "Run Again"]),
        (LinkError("off"), "watch", ["Connect Again", "Watch Again"]),
        (LinkError("off"), "add_board", ["Try Again…"]),
        (SessionOver("gone"), "inspect", ["Run Again"]),
        (SetupError("no network"), "setup_board", ["Set Up Again…"]),
        (BoardError("none", board_code="no_runtime", hint="arenascope devices setup x"), "inspect",
         ["Set Up This Board…"]),
        (BoardError("busy", board_code="busy", hint="Wait, or end it there: kill 4711."), "inspect",
         ["Copy “kill 4711”", "Try Again"]),
        (FileError("full"), "save", ["Save Elsewhere…"]),
        (FileError("gone"), "open", ["Open Another…"]),
    ],
)  # fmt: skip
def test_the_buttons_of_some(error: ArenaScopeError, again: str, expected: list[str]) -> None:
    assert texts(steps_of(error, again)) == expected


class Prints:
    """A channel on which a board prints one mark."""

    def __init__(self, mark: str) -> None:
        self._data = [f"@arenascope:{mark}\n".encode()]

    def send(self, data: bytes) -> None: ...

    def recv(self, limit: int) -> bytes:
        return self._data.pop()

    def stderr_tail(self) -> str:
        return ""


@pytest.mark.parametrize(
    ("mark", "command"),
    [
        ("nopython", "sudo apt install python3"),
        ("failed write mkdir: No space left on device", "df -h ~/.cache"),
    ],
)
def test_what_keeps_an_agent_away_names_its_command(mark: str, command: str) -> None:
    with pytest.raises(DeployError) as caught:
        deploy.start_agent(Prints(mark), b"", "pi")
    steps = steps_of(caught.value, "check_board")
    assert [step.copies for step in steps] == [command, ""]
    assert steps[1].action == "check_board"


def test_a_board_without_a_runtime_is_set_up_and_this_computer_is_not() -> None:
    error = BoardError("No runtime works.", board_code="no_runtime")
    assert Notice.of_error(error, "", "inspect", "pi").steps[0].action == "setup_board"
    assert all(s.action != "setup_board" for s in Notice.of_error(error, "", "inspect", LOCAL).steps)


def test_of_a_device_only_what_is_shown_whole_can_be_copied() -> None:
    long = "Try: sudo sh /tmp/a-script-with-a-long-name-that-nobody-reads-to-its-end"
    assert all(s.text == "Copy Details" or s.action for s in steps_of(BoardError("no", hint=long), "inspect"))
    finding = Finding("killed", "none", long)
    outcome = Outcome(Status.KILLED, "invoke_first", findings=(finding,))
    steps = steps_after(replace(ended_capture(Status.KILLED), outcome=outcome))
    assert not [s for s in steps if "script" in s.copies]


def test_a_kill_that_cannot_be_proved_says_how_it_could_be() -> None:
    killed = ended_capture(Status.KILLED)
    device = replace(killed.device, kernel_log=False, user="pi")
    steps = steps_after(replace(killed, device=device))
    assert "sudo usermod -aG adm pi" in [s.copies for s in steps]
    assert not [s for s in steps_after(killed) if s.copies], "the log was read, or nobody knows"


def test_without_delegate_a_crash_is_not_blamed_on_it() -> None:
    crashed = ended_capture(Status.CRASHED)
    for delegate, words in (("default", "Run with CPU Kernels"), ("none", "Run Again")):
        options = replace(crashed.options, delegate=delegate)
        assert texts(steps_after(replace(crashed, options=options)))[0] == words


@pytest.mark.parametrize(
    ("sentence", "commands"),
    [
        ("Free some space there (df -h ~/.cache shows it) and try again.", ["df -h ~/.cache"]),
        ("Remove the folder there by hand: rm -r ~/.cache/arenascope", ["rm -r ~/.cache/arenascope"]),
        ("Check its log (journalctl -b -1), then run again.", ["journalctl -b -1"]),
        ("look for the reason in the device's log: sudo dmesg", ["sudo dmesg"]),
        ("sudo usermod -aG adm pi, then log in again.", ["sudo usermod -aG adm pi"]),
        (
            "Give it one: /usr/bin/python3 -m ensurepip (on Debian: sudo apt install python3-pip).",
            ["sudo apt install python3-pip"],
        ),
        ("Free some: du -xh ~ / 2>/dev/null | sort -h | tail -20 shows what takes it.",
         ["du -xh ~ / 2>/dev/null | sort -h | tail -20"]),
        ("There is no Python 3.9 here, and python 2 is too old. Nobody may kill it.", []),
        ("Somebody wrote sudo", []),
        ("", []),
    ],
)  # fmt: skip
def test_commands_are_found_in_sentences(sentence: str, commands: list[str]) -> None:
    assert list(commands_in(sentence)) == commands


@given(st.text(alphabet=st.sampled_from("sudo rm-kil'\"(),.;~/ \n1pythn")))
def test_no_sentence_breaks_the_search_for_commands(sentence: str) -> None:
    for command in commands_in(sentence):
        assert command.split()
        assert " " in command
