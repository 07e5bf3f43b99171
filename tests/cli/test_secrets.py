"""A password that is typed at the terminal: used, kept where that is wanted, and found nowhere else."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from tests.cli.running import here
from tests.support.keyrings import MemoryKeyring
from tests.support.sshd import Sshd, StartSshd


class Terminal(io.StringIO):
    """A stdin that a person sits at."""

    def isatty(self) -> bool:
        return True


class Typist:
    """Types passwords when they are asked for without being shown."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.passwords: list[str] = []
        self.asked: list[str] = []
        monkeypatch.setattr("getpass.getpass", self._getpass)
        self._monkeypatch = monkeypatch

    def types(self, lines: str, *passwords: str) -> None:
        self._monkeypatch.setattr(sys, "stdin", Terminal(lines))
        self.passwords = list(passwords)
        self.asked.clear()

    def _getpass(self, question: str, stream: object) -> str:
        self.asked.append(question)
        return self.passwords.pop(0)


@pytest.fixture
def typist(monkeypatch: pytest.MonkeyPatch) -> Typist:
    return Typist(monkeypatch)


@pytest.fixture
def board(start_sshd: StartSshd, password_user: tuple[str, str]) -> Sshd:
    return start_sshd(user=password_user[0], options=("PasswordAuthentication yes",))


def _found(secret: str, home: Path) -> list[str]:
    """Files of the person that hold the secret."""
    return [str(p) for p in home.rglob("*") if p.is_file() and secret.encode() in p.read_bytes()]


def test_it_is_kept_used_and_forgotten(
    board: Sshd,
    password_user: tuple[str, str],
    private_home: Path,
    typist: Typist,
    memory_keyring: MemoryKeyring,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name, password = password_user
    typist.types("yes\n", "wrong " + password, password)
    added = here(capsys, "devices", "add", board.address, "--name", "bench", "--remember")
    assert added.code == 0, added.err
    assert len(typist.asked) == 2
    assert list(memory_keyring.kept.values()) == [password]

    typist.types("")
    checked = here(capsys, "devices", "check", "bench")
    assert checked.code == 0, checked.err
    assert typist.asked == []

    forgotten = here(capsys, "devices", "forget", "bench")
    assert forgotten.code == 0
    assert memory_keyring.kept == {}

    for ran in (added, checked, forgotten):
        assert password not in ran.out + ran.err
    assert _found(password, private_home) == []
    assert _found(password, board.home) == []
    assert password not in "".join(board.log)
    assert password not in repr(dict(os.environ))
    assert any(path.name == "arenascope.log" for path in private_home.rglob("*"))
    assert _found(name, private_home / "arenascope" / "log") == []


def test_whether_to_keep_it_is_asked_once_when_a_device_is_added(
    board: Sshd,
    password_user: tuple[str, str],
    typist: Typist,
    memory_keyring: MemoryKeyring,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name, password = password_user
    typist.types("yes\n\n", password)
    added = here(capsys, "devices", "add", board.address, "--name", "bench")
    assert added.code == 0, added.err
    assert f"Keep the password of {name} on 127.0.0.1 in the keyring of this system? [y/N]" in added.err
    assert memory_keyring.kept == {}
    typist.types("y\n", password)
    checked = here(capsys, "devices", "check", "bench")
    assert checked.code == 0
    assert "keyring" not in checked.err  # nobody is asked that at each connection
    assert memory_keyring.kept == {}


def test_a_keyring_that_does_not_help_is_told_and_the_device_is_added(
    board: Sshd,
    password_user: tuple[str, str],
    typist: Typist,
    memory_keyring: MemoryKeyring,
    capsys: pytest.CaptureFixture[str],
) -> None:
    memory_keyring.broken = True
    typist.types("yes\n", password_user[1])
    added = here(capsys, "devices", "add", board.address, "--name", "bench", "--remember")
    assert added.code == 0
    assert "The system keyring does not keep the password of" in added.err
    assert here(capsys, "devices", "list", "--json").json["devices"]
