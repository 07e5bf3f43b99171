"""Secrets: kept in memory for the connection, in the system's keyring if that is wanted, and nowhere else."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring

from arenascope.errors import AuthenticationError
from arenascope.remote import system_keyring
from arenascope.remote.address import parse_address
from arenascope.remote.prompts import passphrase_of, password_of
from arenascope.remote.ssh import SshTransport
from arenascope.remote.ssh_config import HostConfig
from arenascope.remote.system_keyring import SERVICE, KeyringFailed
from arenascope.remote.vault import KEPT, TYPED, Vault, account
from tests.remote.test_ssh import Person
from tests.support.keyrings import MemoryKeyring
from tests.support.odd_ssh import Policy, Round, StartOdd
from tests.support.sshd import make_key, mode

SECRET = "correct-horse-battery"
Login = Callable[[str, Person], list[str]]


@pytest.fixture
def login() -> Iterator[Login]:
    """Log in with a transport of its own; what was told."""
    opened: list[SshTransport] = []

    def go(address: str, person: Person) -> list[str]:
        told: list[str] = []
        transport = SshTransport(parse_address(address), person, tell=told.append)
        opened.append(transport)
        transport.connect()
        return told

    yield go
    for transport in opened:
        transport.close()


def _name(address: str) -> str:
    return address  # user@host:port, as it is written


def test_nothing_is_kept_unless_it_is_asked_for(
    start_odd: StartOdd, login: Login, memory_keyring: MemoryKeyring
) -> None:
    server = start_odd(Policy(password=SECRET))
    person = Person(passwords=(SECRET,))
    assert login(server.address, person) == []
    assert person.remember_asked == [password_of("pi", "127.0.0.1")]
    assert memory_keyring.uses == 0


def test_a_password_is_remembered_and_not_asked_for_again(
    start_odd: StartOdd, login: Login, memory_keyring: MemoryKeyring
) -> None:
    server = start_odd(Policy(password=SECRET))
    login(server.address, Person(passwords=("wrong", SECRET), remembers=True))
    assert memory_keyring.kept == {(SERVICE, _name(server.address)): SECRET}
    later = Person()
    assert login(server.address, later) == []
    assert later.password_asked == [] and later.remember_asked == []


def test_it_answers_a_server_that_asks_for_it_as_a_question(
    start_odd: StartOdd, login: Login, memory_keyring: MemoryKeyring
) -> None:
    server = start_odd(Policy(rounds=[Round([("Password:", False)], [SECRET])]))
    login(server.address, Person(passwords=(SECRET,), remembers=True))
    later = Person()
    login(server.address, later)
    assert later.password_asked == [] and later.rounds == []


def test_answers_to_other_questions_are_never_kept(
    start_odd: StartOdd, login: Login, memory_keyring: MemoryKeyring
) -> None:
    server = start_odd(Policy(rounds=[Round([("Code:", False)], ["123456"])]))
    login(server.address, Person(answers=(["123456"],), remembers=True))
    assert memory_keyring.uses == 0


def test_a_kept_password_that_is_refused_is_told_and_tried_once(
    start_odd: StartOdd, login: Login, memory_keyring: MemoryKeyring
) -> None:
    server = start_odd(Policy(password="old"))
    login(server.address, Person(passwords=("old",), remembers=True))
    server.policy.password, server.policy.heard[:] = SECRET, []
    person = Person(passwords=(SECRET,))
    told = login(server.address, person)
    assert told == ["In the system keyring, the password of pi on 127.0.0.1 is one that is refused now"]
    assert server.policy.heard == [("password", "old"), ("password", SECRET)]
    assert memory_keyring.kept == {}  # it is of no more use, and the new one was not to be kept
    login(server.address, Person(passwords=(SECRET,), remembers=True))
    assert list(memory_keyring.kept.values()) == [SECRET]


def test_each_account_has_its_own(start_odd: StartOdd, login: Login, memory_keyring: MemoryKeyring) -> None:
    for password in ("one", "two"):
        login(start_odd(Policy(password=password)).address, Person(passwords=(password,), remembers=True))
    assert sorted(memory_keyring.kept.values()) == ["one", "two"]
    assert account(HostConfig("b", "::1", "pi", 22)) == "pi@[::1]:22"


def test_a_passphrase_is_remembered(
    start_odd: StartOdd, login: Login, memory_keyring: MemoryKeyring, ssh_dir: Path
) -> None:
    (ssh_dir / "id_ed25519").unlink()
    make_key(ssh_dir / "id_ecdsa", "ecdsa", passphrase=SECRET)
    import paramiko

    key = paramiko.PKey.from_path(ssh_dir / "id_ecdsa", SECRET.encode())
    server = start_odd(Policy(key=key.asbytes()))
    person = Person(phrases=(SECRET,), remembers=True)
    login(server.address, person)
    assert person.remember_asked == [passphrase_of(ssh_dir / "id_ecdsa")]
    assert memory_keyring.kept == {(SERVICE, f"key {ssh_dir / 'id_ecdsa'}"): SECRET}
    later = Person()
    login(server.address, later)
    assert later.phrase_asked == []


def test_a_lost_connection_comes_back_without_a_question(start_odd: StartOdd) -> None:
    server = start_odd(Policy(password=SECRET))
    person = Person(passwords=(SECRET,))
    transport = SshTransport(parse_address(server.address), person)
    for _ in range(2):
        transport.connect()
        transport.drop()
    transport.close()
    assert len(person.password_asked) == 1


# -- keyrings that do not help ----------------------------------------------------------------------


@pytest.fixture
def no_keyring(memory_keyring: MemoryKeyring) -> None:
    keyring.set_keyring(NoKeyring())


@pytest.mark.usefixtures("no_keyring")
def test_without_a_keyring_the_login_goes_on(start_odd: StartOdd, login: Login) -> None:
    server = start_odd(Policy(password=SECRET))
    told = login(server.address, Person(passwords=(SECRET,), remembers=True))
    assert told == [
        "The system keyring does not keep the password of pi on 127.0.0.1: "
        "this computer has none that is set up"
    ]
    assert not system_keyring.holds(_name(server.address))


def test_a_keyring_that_is_gone_later(
    start_odd: StartOdd, login: Login, memory_keyring: MemoryKeyring
) -> None:
    server = start_odd(Policy(password=SECRET))
    login(server.address, Person(passwords=(SECRET,), remembers=True))
    keyring.set_keyring(NoKeyring())
    person = Person(passwords=(SECRET,), remembers=True)
    told = login(server.address, person)
    assert len(person.password_asked) == 1
    assert "cannot be asked for the password of pi on 127.0.0.1" in told[0]


def test_a_keyring_that_fails_repeats_nothing(
    start_odd: StartOdd, login: Login, memory_keyring: MemoryKeyring
) -> None:
    memory_keyring.broken = True
    server = start_odd(Policy(password=SECRET))
    told = login(server.address, Person(passwords=(SECRET,), remembers=True))
    assert told == [
        "The system keyring does not keep the password of pi on 127.0.0.1: it failed with PasswordSetError"
    ]


def test_a_keyring_that_does_not_answer(
    memory_keyring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    over = threading.Event()
    monkeypatch.setattr(MemoryKeyring, "set_password", lambda *given: over.wait(20))
    monkeypatch.setattr(system_keyring, "TIMEOUT", 0.1)
    with pytest.raises(KeyringFailed, match="did not answer within"):
        system_keyring.put("x", SECRET)
    over.set()
    assert not system_keyring.holds("x")


def test_forgetting(memory_keyring: MemoryKeyring) -> None:
    assert not system_keyring.forget("pi@a:22")
    assert memory_keyring.uses == 0
    system_keyring.put("pi@a:22", SECRET)
    system_keyring.put("pi@b:22", SECRET)
    assert system_keyring.forget("pi@a:22")
    assert list(memory_keyring.kept) == [(SERVICE, "pi@b:22")]
    memory_keyring.kept.clear()  # by other means
    assert system_keyring.forget("pi@b:22")
    system_keyring.put("pi@c:22", SECRET)
    memory_keyring.broken = True
    with pytest.raises(KeyringFailed):
        system_keyring.forget("pi@c:22")
    assert system_keyring.holds("pi@c:22")


# -- where a secret is not --------------------------------------------------------------------------


@pytest.mark.logs(r".*")
def test_no_secret_is_in_a_file_a_log_an_error_or_a_repr(
    start_odd: StartOdd,
    login: Login,
    memory_keyring: MemoryKeyring,
    private_home: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    server = start_odd(Policy(password=SECRET))
    person = Person(passwords=(SECRET,), remembers=True)
    login(server.address, person)
    server.policy.password = "another"
    with pytest.raises(AuthenticationError) as caught:
        login(server.address, Person(passwords=(SECRET, SECRET, SECRET)))
    assert SECRET not in repr(caught.value.__dict__) + str(caught.value)
    out, err = capfd.readouterr()
    assert SECRET not in out + err + caplog.text
    for path in private_home.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
    assert SECRET not in repr(dict(os.environ))
    assert SECRET.encode() not in Path("/proc/self/cmdline").read_bytes()
    told: list[str] = []
    vault = Vault(person, told.append)
    secrets = vault.passwords(HostConfig("b", "127.0.0.1", "pi", server.port))
    kept = secrets.next()
    assert kept is not None and kept.source == KEPT and kept.text == SECRET
    vault.proven(kept)
    for thing in (kept, vault, secrets, vars(vault), kept.source == TYPED):
        assert SECRET not in repr(thing)


def test_the_list_of_what_is_kept_is_private_and_names_no_secret(
    memory_keyring: MemoryKeyring, private_home: Path
) -> None:
    system_keyring.put("pi@a:22", SECRET)
    listed = private_home / "arenascope" / "config" / "remembered"
    assert listed.read_text() == "pi@a:22\n"
    assert mode(listed) == 0o600


def test_a_keyring_is_not_loaded_before_it_is_needed() -> None:
    code = "import sys, arenascope.remote.ssh, arenascope.cli.app; print('keyring' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
