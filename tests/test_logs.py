"""The log: made only when there is something to say, private, bounded, and about nobody."""

from __future__ import annotations

import getpass
import logging
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from arenascope import log_file, logs
from arenascope.__main__ import main
from arenascope.errors import BoardError
from arenascope.settings import places
from arenascope.store.devices import SavedDevice, save
from tests.support.models import own
from tests.support.sshd import closed_port

__all__ = ["closed_port"]

_log = logging.getLogger("arenascope.test")


def _file() -> Path:
    return places().log / log_file.NAME


def test_commands_that_reach_no_board_write_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert main(["devices", "list"]) == 0
    assert main(["inspect", "no-such-command.tflite", "--no-such-option"]) == 2
    assert not places().log.exists()


def test_an_inspection_here_writes_none() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "arenascope", "inspect", own("cnn_int8.tflite"), "--json", "--no-invoke"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert not places().log.exists()


def test_help_loads_nothing_for_it() -> None:
    code = (
        "import sys; from arenascope.__main__ import main\n"
        "main(['--help']); print('logging' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "False"


def test_a_connection_that_fails_is_logged_without_names(
    private_home: Path, closed_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (private_home / ".ssh").mkdir()
    (private_home / ".ssh" / "config").write_text(
        f"Host backdoor cellar*\n HostName 127.0.0.1\n Port {closed_port}\n User ada\n"
    )
    save((SavedDevice("greenhouse", "backdoor"),), places().devices)
    monkeypatch.setattr(sys, "argv", ["arenascope", "devices", "check", "greenhouse"])
    assert main(sys.argv[1:]) == 4
    text = _file().read_text()
    assert "refuses connections on port" in text
    for name in ("greenhouse", "backdoor", "ada", "127.0.0.1"):
        assert name not in text, text
    assert stat.S_IMODE(_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(_file().parent.stat().st_mode) == 0o700


@pytest.mark.logs(r"It broke")
def test_what_names_a_person_or_a_machine_is_taken_out(
    monkeypatch: pytest.MonkeyPatch, private_home: Path
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "workbench.example")
    monkeypatch.setattr(getpass, "getuser", lambda: "adalove")
    monkeypatch.setattr(sys, "argv", ["arenascope", "inspect", "m.tflite", "--device", "attic"])
    with logs.kept():
        _log.info("pi@10.0.0.7:22 and [fe80::1] of adalove on workbench, attic, in /home/adalove/models")
        try:
            raise ValueError("no way to attic")
        except ValueError:
            _log.exception("It broke")
        _log.debug("too small to be kept")
    text = _file().read_text()
    for name in ("pi@", "10.0.0.7", "fe80", "adalove", "workbench", "attic"):
        assert name not in text, text
    assert "It broke" in text and "ValueError" in text
    assert "too small" not in text


def test_an_address_in_the_list_does_not_make_numbers_disappear() -> None:
    save((SavedDevice("one", "10.0.0.7"),), places().devices)
    with logs.kept():
        _log.info("10 s until 7 of 10.0.0.7")
    text = _file().read_text()
    assert "10 s until 7 of «redacted»" in text


def test_errors_of_commands_are_logged() -> None:
    with pytest.raises(BoardError), logs.kept():
        raise BoardError("The disk is full.", board_code="no_space", detail="df")
    assert "board: The disk is full. df" in _file().read_text()


def test_it_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "MAX_BYTES", 2000)
    with logs.kept():
        for number in range(200):
            _log.info("line %d", number)
    files = sorted(path.name for path in places().log.iterdir())
    assert files == [log_file.NAME, f"{log_file.NAME}.1", f"{log_file.NAME}.2"]
    for path in places().log.iterdir():
        assert path.stat().st_size <= 2000
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "line 199" in _file().read_text()


def test_a_log_that_cannot_be_written_is_no_reason_to_stop(capsys: pytest.CaptureFixture[str]) -> None:
    places().log.parent.mkdir(parents=True, exist_ok=True)
    places().log.write_text("a file is here")
    with logs.kept():
        _log.info("nobody will read this")
    if os.path.exists("/dev/full"):
        places().log.unlink()
        places().log.mkdir()
        _file().symlink_to("/dev/full")
        with logs.kept():
            _log.info("nor this")
    out, err = capsys.readouterr()
    assert out + err == ""


def test_handlers_and_levels_are_as_before() -> None:
    before = (list(logging.getLogger().handlers), logging.getLogger("arenascope").level)
    with logs.kept():
        pass
    assert (list(logging.getLogger().handlers), logging.getLogger("arenascope").level) == before
