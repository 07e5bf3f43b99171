"""Every error: in two lines for people, as one JSON document for scripts, with its exit code."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from arenascope import __main__ as entry
from arenascope import errors
from tests.cli.running import ESCAPES, command, here, in_process
from tests.support.models import own

EXIT_CODES = {
    errors.UsageError: 2,
    errors.ModelError: 3,
    errors.FileError: 3,
    errors.StoreError: 3,
    errors.HostKeyChanged: 4,
    errors.AuthenticationError: 4,
    errors.LinkLost: 4,
    errors.DeployError: 4,
    errors.WireError: 4,
    errors.BoardError: 4,
    errors.Cancelled: 130,
}


@pytest.mark.parametrize("kind", EXIT_CODES, ids=lambda kind: kind.__name__)
def test_errors_have_the_exit_codes_of_the_contract(
    kind: type[errors.ArenaScopeError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: list[str]) -> int:
        raise kind("What happened.", hint="What to do.", detail="Why.")

    monkeypatch.setattr(entry, "_command", fail)
    ran = here(capsys, "inspect", "--json")
    assert ran.code == EXIT_CODES[kind]
    assert ran.err == ""
    assert ran.json == {
        "schema": "arenascope.error/1",
        "code": kind.code,
        "message": "What happened.",
        "hint": "What to do.",
        "detail": "Why.",
    }
    if kind is not errors.Cancelled:
        ran = here(capsys, "inspect")
        assert (ran.out, ran.err) == ("", "arenascope: What happened.\n→ What to do.\n")


def test_ctrl_c_ends_quietly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(entry, "_command", interrupted)
    assert here(capsys, "inspect").code == 130
    assert capsys.readouterr() == ("", "")


def test_an_error_never_reaches_the_terminal_with_its_escapes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: list[str]) -> int:
        raise errors.ModelError("name \x1b]0;owned\x07\x9b31m", hint="\x1b[2J\r\x08")

    monkeypatch.setattr(entry, "_command", fail)
    assert not ESCAPES & set(here(capsys, "inspect").err)


def test_a_fault_of_ours_is_one_line_and_a_log(private_home: Path) -> None:
    older = private_home / "arenascope" / "log" / "fault.log"
    older.parent.mkdir(parents=True, mode=0o700)
    older.write_text("open to all")
    older.chmod(0o644)
    code = (
        "import sys, arenascope.__main__ as entry\n"
        "def fault(arguments): raise ZeroDivisionError('by zero')\n"
        "entry._command = fault\n"
        "sys.argv = ['arenascope', *sys.argv[1:]]\n"
        "sys.exit(entry.main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "inspect"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "ZeroDivisionError: by zero" in done.stderr
    assert "Traceback" not in done.stderr
    log = private_home / "arenascope" / "log" / "fault.log"
    assert str(log) in done.stderr
    assert "ZeroDivisionError: by zero" in log.read_text()
    if os.name == "posix":
        assert stat.S_IMODE(log.stat().st_mode) == 0o600
        assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


def test_a_reader_that_left_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command("--help"), stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert done.returncode == 141
    assert done.stderr == ""


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect", own("cnn_float.tflite"), "--json", "--quiet"),
        ("inspect", own("cnn_float.tflite"), "--quiet"),
        ("devices", "list"),
        ("devices", "list", "--json"),
        ("watch", "--json-lines"),
    ],
    ids=lambda arguments: " ".join(str(a) for a in arguments if not isinstance(a, Path)),
)
def test_output_that_cannot_be_written_is_said_on_stderr(arguments: tuple[object, ...]) -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            command(*arguments), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 3
    *_, first, hint = done.stderr.splitlines()
    assert first == "arenascope: The output cannot be written: No space left on device"
    assert hint.startswith("→ ")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_an_error_that_stdout_cannot_take_is_said_on_stderr() -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            command("inspect", "nobody.tflite", "--json"),
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 3
        assert "There is no file nobody.tflite" in done.stderr
        assert "Traceback" not in done.stderr
        # Nobody can be told at all: the exit code remains, and a run goes on without its progress.
        for arguments, code in ((("inspect", "nobody.tflite"), 3), (("inspect", own("cnn_float.tflite")), 0)):
            ended = subprocess.run(command(*arguments), stdout=subprocess.DEVNULL, stderr=full, check=False)
            assert ended.returncode == code


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_a_closed_stream_is_no_fault(closed: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$@" {closed}', "sh", *command("inspect", own("cnn_float.tflite"), "--json")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert "fault" not in done.stderr


def test_a_terminal_without_unicode_gets_the_same_figures() -> None:
    narrow = os.environ | {"PYTHONIOENCODING": "ascii"}
    for arguments in (("--json",), ()):
        done = subprocess.run(
            command("inspect", own("cnn_float.tflite"), "--quiet", *arguments),
            env=narrow, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.isascii()
        if arguments:
            assert json.loads(done.stdout)["outcome"]["status"] == "ok"


@pytest.mark.parametrize("verb", [("inspect", own("cnn_float.tflite")), ("watch",)], ids=["inspect", "watch"])
def test_ctrl_c_ends_connecting_at_once(verb: tuple[object, ...]) -> None:
    """A device that takes the connection and says nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        process = subprocess.Popen(
            command(*verb, "--device", f"somebody@127.0.0.1:{port}"), stderr=subprocess.PIPE, text=True
        )
        met, _ = silent.accept()
        with met:
            met.recv(1)  # its greeting: it waits for ours
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "fault" not in err


@pytest.mark.parametrize("suffix", ["", ".tflite"])
def test_a_missing_model_is_named(suffix: str, tmp_path: Path) -> None:
    ran = in_process("inspect", tmp_path / f"nobody{suffix}", "--json")
    assert ran.code == 3
    assert ran.json["code"] == "file"
    assert f"nobody{suffix}" in ran.json["message"]


def test_files_that_are_no_model_are_told_apart(tmp_path: Path) -> None:
    whole = own("cnn_float.tflite").read_bytes()
    (tmp_path / "empty.tflite").write_bytes(b"")
    (tmp_path / "text.tflite").write_text("hello, this is text\n" * 10)
    (tmp_path / "half.tflite").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "folder.tflite").mkdir()
    messages = set()
    for name in ("empty", "text", "half", "folder"):
        ran = in_process("inspect", tmp_path / f"{name}.tflite", "--json")
        assert ran.code == 3, name
        assert ran.json["hint"]
        messages.add(ran.json["message"].replace(name, "…"))
    assert len(messages) == 4


def test_the_window_says_that_it_needs_a_display(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    ran = here(capsys)
    assert ran.code == 1
    assert "DISPLAY" in ran.err
    assert "arenascope inspect" in ran.err


def test_a_window_is_not_opened_for_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    ran = here(capsys, "nowhere.tflite")
    assert ran.code == 3
    assert "nowhere.tflite" in ran.err


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_a_computer_without_proc_asks_for_a_board(
    platform: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    ran = here(capsys, "inspect", own("cnn_float.tflite"), "--json")
    assert ran.code == 4
    assert "only plans" in ran.json["message"]
    assert "devices add" in ran.json["hint"]
