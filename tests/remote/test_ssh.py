"""Connections to a real sshd: which host is believed, who is asked what, and what the failures say."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from arenascope.errors import (
    AuthenticationError,
    Cancelled,
    HostKeyChanged,
    HostKeyUnknown,
    LinkError,
)
from arenascope.remote.address import parse_address
from arenascope.remote.prompts import HostKeyQuestion, Question
from arenascope.remote.ssh import SshTransport
from arenascope.remote.ssh_limits import Limits
from arenascope.settings import places
from tests.support.sshd import Sshd, StartSshd, introduce, make_key, mode


class Person:
    """Answers as told and keeps what it was asked."""

    def __init__(
        self,
        *,
        yes: bool = False,
        passwords: tuple[str, ...] = (),
        phrases: tuple[str, ...] = (),
        answers: tuple[list[str], ...] = (),
        remembers: bool = False,
    ) -> None:
        self.questions: list[HostKeyQuestion] = []
        self.password_asked: list[tuple[str, str]] = []
        self.phrase_asked: list[Path] = []
        self._yes = yes
        self._passwords = iter(passwords)
        self._phrases = iter(phrases)
        self.rounds: list[tuple[str, str, tuple[Question, ...]]] = []
        self.remember_asked: list[str] = []
        self._answers = iter(answers)
        self._remembers = remembers

    def confirm_host_key(self, question: HostKeyQuestion) -> bool:
        self.questions.append(question)
        return self._yes

    def password(self, user: str, host: str) -> str | None:
        self.password_asked.append((user, host))
        return next(self._passwords, None)

    def passphrase(self, path: Path) -> str | None:
        self.phrase_asked.append(path)
        return next(self._phrases, None)

    def answers(self, title: str, instructions: str, questions: Sequence[Question]) -> list[str] | None:
        self.rounds.append((title, instructions, tuple(questions)))
        return next(self._answers, None) if questions else []

    def remember(self, what: str) -> bool:
        self.remember_asked.append(what)
        return self._remembers


Connect = Callable[..., SshTransport]
#: As usual, but for the pauses before another try.
QUICK = Limits(pauses=(0.01, 0.01))


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Log in to an address; everything is closed at the end."""
    opened: list[SshTransport] = []

    def go(address: str, person: Person | None = None, limits: Limits = QUICK) -> SshTransport:
        transport = SshTransport(parse_address(address), person, limits=limits)
        opened.append(transport)
        transport.connect()
        return transport

    yield go
    for transport in opened:
        transport.close()


# -- the host key -----------------------------------------------------------------------------------


def test_an_unknown_key_needs_a_yes(start_sshd: StartSshd, ssh_dir: Path, connect: Connect) -> None:
    server = start_sshd()
    server.allow(ssh_dir / "id_ed25519.pub")
    for person in (None, Person(yes=False)):
        with pytest.raises(HostKeyUnknown) as caught:
            connect(server.address, person)
        assert server.fingerprint() in caught.value.message
        assert "arenascope devices add" in caught.value.hint
    assert not places().known_hosts.exists()
    assert not any("Accepted" in line for line in server.log)


def test_an_accepted_key_is_remembered(start_sshd: StartSshd, ssh_dir: Path, connect: Connect) -> None:
    server = start_sshd()
    server.allow(ssh_dir / "id_ed25519.pub")
    person = Person(yes=True)
    connect(server.address, person)
    assert person.questions == [
        HostKeyQuestion("127.0.0.1", server.port, "ssh-ed25519", server.fingerprint())
    ]
    assert mode(places().known_hosts) == 0o600
    assert not (ssh_dir / "known_hosts").exists()
    connect(server.address)  # nobody is there to be asked, and nobody needs be


def test_a_changed_key_is_a_hard_stop(server: Sshd, ssh_dir: Path, connect: Connect) -> None:
    server.stop()
    server.make_host_keys()
    server.start()
    person = Person(yes=True, passwords=("secret",))
    with pytest.raises(HostKeyChanged) as caught:
        connect(server.address, person)
    assert not person.questions and not person.password_asked
    assert server.fingerprint() in caught.value.message
    assert f"ssh-keygen -R '[127.0.0.1]:{server.port}' -f '{ssh_dir / 'known_hosts'}'" in caught.value.hint
    assert not any("publickey" in line for line in server.log)


def test_a_key_that_we_accepted_and_that_changes_is_one_too(
    start_sshd: StartSshd, ssh_dir: Path, connect: Connect
) -> None:
    server = start_sshd()
    server.allow(ssh_dir / "id_ed25519.pub")
    connect(server.address, Person(yes=True))
    server.stop()
    server.make_host_keys()
    server.start()
    with pytest.raises(HostKeyChanged, match="has changed"):
        connect(server.address, Person(yes=True))


def test_the_known_type_of_key_is_asked_for(start_sshd: StartSshd, ssh_dir: Path, connect: Connect) -> None:
    server = start_sshd(key_types=("ed25519", "ecdsa", "rsa"))
    server.allow(ssh_dir / "id_ed25519.pub")
    for kind in ("rsa", "ecdsa", "ed25519"):
        (ssh_dir / "known_hosts").write_text(server.known_hosts_line(kind))
        connect(server.address)


def test_a_known_type_of_key_that_is_gone_counts_as_changed(
    start_sshd: StartSshd, ssh_dir: Path, connect: Connect
) -> None:
    server = start_sshd(key_types=("ecdsa",))
    make_key(server.root / "host_ed25519")
    (ssh_dir / "known_hosts").write_text(server.known_hosts_line("ed25519"))
    with pytest.raises(HostKeyChanged):
        connect(server.address, Person(yes=True))


def test_hashed_known_hosts(server: Sshd, ssh_dir: Path, connect: Connect) -> None:
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", ssh_dir / "known_hosts"], check=True, capture_output=True)
    connect(server.address)


def test_a_revoked_key_is_a_hard_stop(server: Sshd, ssh_dir: Path, connect: Connect) -> None:
    path = ssh_dir / "known_hosts"
    path.write_text(path.read_text() + "@revoked " + path.read_text())
    with pytest.raises(HostKeyChanged, match="revoked"):
        connect(server.address, Person(yes=True))


def _wait_until_it_listens(host: str, port: int) -> None:
    """A server with several addresses takes them one after another."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection((host, port), 10).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline


def test_an_ipv6_address(start_sshd: StartSshd, ssh_dir: Path, connect: Connect) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"this computer has no ::1: {error}")
    server = start_sshd(options=("ListenAddress ::1",))
    _wait_until_it_listens("::1", server.port)
    server.allow(ssh_dir / "id_ed25519.pub")
    person = Person(yes=True)
    connect(f"{server.user}@[::1]:{server.port}", person)
    assert person.questions == [HostKeyQuestion("::1", server.port, "ssh-ed25519", server.fingerprint())]
    assert places().known_hosts.read_text().startswith(f"[::1]:{server.port} ")
    connect(f"{server.user}@[::1]:{server.port}")


# -- who is let in ----------------------------------------------------------------------------------


def test_a_key_with_a_passphrase(server: Sshd, ssh_dir: Path, connect: Connect) -> None:
    make_key(ssh_dir / "id_ecdsa", "ecdsa", passphrase="open sesame")
    (server.root / "authorized_keys").write_text((ssh_dir / "id_ecdsa.pub").read_text())
    person = Person(phrases=("wrong", "open sesame"))
    connect(server.address, person)
    assert person.phrase_asked == [ssh_dir / "id_ecdsa"] * 2


@pytest.mark.parametrize("phrases", [(), ("a", "b", "c", "d")])
def test_a_passphrase_that_nobody_knows(
    server: Sshd, ssh_dir: Path, connect: Connect, phrases: tuple[str, ...]
) -> None:
    (ssh_dir / "id_ed25519").unlink()
    make_key(ssh_dir / "id_rsa", "rsa", passphrase="open sesame")
    person = Person(phrases=phrases)
    with pytest.raises(AuthenticationError) as caught:
        connect(server.address, person)
    assert len(person.phrase_asked) == (3 if phrases else 1)
    assert f"{ssh_dir / 'id_rsa'} (locked by a passphrase)" in caught.value.detail
    assert not person.password_asked  # the server takes none


def test_the_old_formats_of_key_files(server: Sshd, ssh_dir: Path, connect: Connect) -> None:
    key = ssh_dir / "id_rsa"
    make_key(key, "rsa")
    subprocess.run(["ssh-keygen", "-q", "-p", "-m", "PEM", "-P", "", "-N", "pem pem", "-f", key], check=True)
    assert b"BEGIN RSA PRIVATE KEY" in key.read_bytes()
    (server.root / "authorized_keys").write_text((ssh_dir / "id_rsa.pub").read_text())
    connect(server.address, Person(phrases=("pem pem",)))


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """A running SSH agent; called with a key file, it takes the key."""
    socket_path = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket_path], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline()  # it prints its variables when it listens
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket_path))
        yield lambda key: subprocess.run(["ssh-add", "-q", key], check=True, capture_output=True) and None
    finally:
        process.kill()
        process.communicate()


Agent = Callable[[Path], None]


def test_the_keys_of_an_agent(
    server: Sshd, ssh_dir: Path, tmp_path: Path, connect: Connect, agent: Agent
) -> None:
    make_key(tmp_path / "held")
    (server.root / "authorized_keys").write_text((tmp_path / "held.pub").read_text())
    agent(tmp_path / "held")
    connect(server.address)
    (ssh_dir / "config").write_text("IdentitiesOnly yes\n")
    with pytest.raises(AuthenticationError):
        connect(server.address)


def test_an_agent_with_more_keys_than_the_server_has_patience_for(
    start_sshd: StartSshd, ssh_dir: Path, tmp_path: Path, connect: Connect, agent: Agent
) -> None:
    """Eight keys, three tries. With IdentitiesOnly the agent's one key that is named is the only one shown,
    and its file need not even be here; without it, the named one goes first."""
    server = start_sshd(options=("MaxAuthTries 3",))
    (ssh_dir / "known_hosts").write_text(server.known_hosts_line())
    (ssh_dir / "id_ed25519").unlink()
    for number in range(8):
        make_key(tmp_path / f"key{number}")
        agent(tmp_path / f"key{number}")
    server.allow(tmp_path / "key6.pub")
    (tmp_path / "key6").unlink()  # the agent alone has it
    for only in ("yes", "no"):
        (ssh_dir / "config").write_text(f"IdentityFile {tmp_path}/key6\nIdentitiesOnly {only}\n")
        connect(server.address)
    (ssh_dir / "config").unlink()
    connect(server.address)  # it hangs up twice on the way
    server.stop()
    verdicts = [line.split()[0] for line in server.log if "publickey for" in line]
    assert verdicts[:2] == ["Accepted"] * 2
    assert verdicts.count("Accepted") == 3
    assert verdicts.count("Failed") >= 6


def test_the_agent_is_not_forwarded(
    start_sshd: StartSshd, ssh_dir: Path, tmp_path: Path, connect: Connect, agent: Agent
) -> None:
    """Not even where the configuration asks for it: nothing on a board may use the person's keys."""
    server = start_sshd(options=("LogLevel DEBUG3", "AllowAgentForwarding yes"), noise="env >$HOME/seen")
    introduce(server, ssh_dir)
    (ssh_dir / "config").write_text("ForwardAgent yes\n")
    agent(ssh_dir / "id_ed25519")
    connect(server.address).open_agent("0" * 32, None).close()
    assert "HOME=" in (server.home / "seen").read_text()
    assert "SSH_AUTH_SOCK" not in (server.home / "seen").read_text()
    server.stop()
    log = "".join(server.log)
    assert "Accepted publickey" in log and "session_input_channel_req" in log
    assert "auth-agent" not in log


def test_an_agent_that_is_gone_does_no_harm(
    server: Sshd, tmp_path: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "nobody"))
    connect(server.address)


def test_an_alias_of_the_ssh_configuration(
    server: Sshd, ssh_dir: Path, tmp_path: Path, connect: Connect
) -> None:
    make_key(tmp_path / "lab key")
    (server.root / "authorized_keys").write_text((tmp_path / "lab key.pub").read_text())
    (ssh_dir / "config").write_text(
        f"Host lab\n HostName 127.0.0.1\n Port {server.port}\n User {server.user}\n"
        f' IdentityFile "{tmp_path}/lab key"\n IdentitiesOnly yes\n'
        f" UserKnownHostsFile {ssh_dir}/known_lab\n"
    )
    (ssh_dir / "known_hosts").rename(ssh_dir / "known_lab")
    assert connect("lab").name == "lab"


def test_files_that_are_no_keys_are_named(server: Sshd, ssh_dir: Path, connect: Connect) -> None:
    (ssh_dir / "id_ed25519").write_text("hello\n")
    (ssh_dir / "config").write_text(f"IdentityFile {ssh_dir}/id_ed25519\nIdentityFile {ssh_dir}/absent\n")
    with pytest.raises(AuthenticationError) as caught:
        connect(server.address)
    assert f"{ssh_dir}/id_ed25519 (cannot be used" in caught.value.detail
    assert f"{ssh_dir}/absent (is not there)" in caught.value.detail
    assert "The device asks for: publickey" in caught.value.detail


def _with_passwords(start_sshd: StartSshd, ssh_dir: Path, name: str, *options: str) -> Sshd:
    server = start_sshd(user=name, options=("PasswordAuthentication yes", *options))
    (ssh_dir / "known_hosts").write_text(server.known_hosts_line())
    return server


def test_a_password(
    start_sshd: StartSshd, ssh_dir: Path, password_user: tuple[str, str], connect: Connect
) -> None:
    name, password = password_user
    server = _with_passwords(start_sshd, ssh_dir, name)
    person = Person(passwords=("wrong", password))
    connect(server.address, person)
    assert person.password_asked == [(name, "127.0.0.1")] * 2


def test_a_wrong_password(
    start_sshd: StartSshd, ssh_dir: Path, password_user: tuple[str, str], connect: Connect
) -> None:
    server = _with_passwords(start_sshd, ssh_dir, password_user[0])
    person = Person(passwords=("one", "two", "three", "four"))
    with pytest.raises(AuthenticationError) as caught:
        connect(server.address, person)
    assert len(person.password_asked) == 3
    assert password_user[0] in caught.value.message
    assert not any(word in str(caught.value.__dict__) for word in ("two", "three"))


def test_a_server_that_asks_for_the_password_as_a_question(
    start_sshd: StartSshd, ssh_dir: Path, password_user: tuple[str, str], connect: Connect
) -> None:
    name, password = password_user
    server = _with_passwords(
        start_sshd,
        ssh_dir,
        name,
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication yes",
        "UsePAM yes",
    )
    connect(server.address, Person(passwords=("wrong", password)))


def test_more_keys_than_the_server_has_patience_for(
    start_sshd: StartSshd, ssh_dir: Path, password_user: tuple[str, str], connect: Connect
) -> None:
    name, password = password_user
    server = _with_passwords(start_sshd, ssh_dir, name, "MaxAuthTries 2")
    for kind in ("rsa", "ecdsa"):
        make_key(ssh_dir / f"id_{kind}", kind)
    connect(server.address, Person(passwords=("wrong", password)))
    assert any("Too many authentication failures" in line for line in server.log)


def test_a_person_who_thinks_longer_than_the_server_waits(
    start_sshd: StartSshd, ssh_dir: Path, password_user: tuple[str, str], connect: Connect
) -> None:
    name, password = password_user
    server = _with_passwords(start_sshd, ssh_dir, name)

    class Slow(Person):
        def password(self, user: str, host: str) -> str | None:
            server.cut()
            return super().password(user, host)

    connect(server.address, Slow(passwords=(password,)))


def test_a_key_and_a_password(
    start_sshd: StartSshd, ssh_dir: Path, password_user: tuple[str, str], connect: Connect
) -> None:
    name, password = password_user
    server = _with_passwords(start_sshd, ssh_dir, name, "AuthenticationMethods publickey,password")
    server.allow(ssh_dir / "id_ed25519.pub")
    person = Person(passwords=(password,))
    connect(server.address, person)
    assert len(person.password_asked) == 1


# -- what stands in the way -------------------------------------------------------------------------


def test_a_port_where_nothing_listens(connect: Connect, ssh_dir: Path, closed_port: int) -> None:
    with pytest.raises(LinkError, match=f"refuses connections on port {closed_port}") as caught:
        connect(f"pi@127.0.0.1:{closed_port}")
    assert "systemctl enable --now ssh" in caught.value.hint


def test_a_name_that_does_not_exist(connect: Connect, ssh_dir: Path) -> None:
    with pytest.raises(LinkError, match=r"No address is known for the name of pi@board\.invalid") as caught:
        connect("pi@board.invalid")
    assert "IP address" in caught.value.hint


class Stranger:
    """A listener that is no SSH server. It says something, or with None waits for the other to go."""

    def __init__(self, says: bytes | None) -> None:
        self._says = says
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.met = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="stranger")
        self._thread.start()

    def _serve(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        self.met.set()
        with connection:
            if self._says is not None:
                connection.sendall(self._says)
            else:
                while connection.recv(4096):
                    pass

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def stranger() -> Iterator[Callable[[bytes | None], Stranger]]:
    with contextlib.ExitStack() as stack:

        def start(says: bytes | None) -> Stranger:
            started = Stranger(says)
            stack.callback(started.close)
            return started

        yield start


@pytest.mark.parametrize(
    "says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 70000, b"SSH-1.5-old\r\n"]
)
def test_what_is_no_ssh_server(
    stranger: Callable[[bytes | None], Stranger], connect: Connect, ssh_dir: Path, says: bytes
) -> None:
    with pytest.raises(LinkError) as caught:
        connect(f"pi@127.0.0.1:{stranger(says).port}")
    assert caught.value.hint


def test_a_host_that_says_nothing(
    stranger: Callable[[bytes | None], Stranger],
    connect: Connect,
    ssh_dir: Path,
) -> None:
    with pytest.raises(LinkError, match=r"did not introduce itself as an SSH server within 0\.2 s"):
        connect(f"pi@127.0.0.1:{stranger(None).port}", limits=Limits(banner=0.2))


def test_closing_ends_a_connection_that_is_being_made(
    stranger: Callable[[bytes | None], Stranger], ssh_dir: Path
) -> None:
    silent = stranger(None)
    transport = SshTransport(parse_address(f"pi@127.0.0.1:{silent.port}"))
    said: list[BaseException] = []

    def connect() -> None:
        try:
            transport.connect()
        except Cancelled as error:
            said.append(error)

    thread = threading.Thread(target=connect)
    thread.start()
    assert silent.met.wait(10)
    transport.close()
    thread.join(10)
    assert not thread.is_alive()
    assert [type(error) for error in said] == [Cancelled]
    with pytest.raises(Cancelled):
        transport.connect()


def test_no_common_algorithm(start_sshd: StartSshd, ssh_dir: Path, connect: Connect) -> None:
    server = start_sshd(options=("KexAlgorithms diffie-hellman-group1-sha1",))
    introduce(server, ssh_dir)
    with pytest.raises(LinkError, match="no common way to encrypt"):
        connect(server.address)


def test_a_user_that_does_not_exist(server: Sshd, connect: Connect) -> None:
    with pytest.raises(AuthenticationError, match="does not let nobody-of-this-name in"):
        connect(f"nobody-of-this-name@127.0.0.1:{server.port}")


def test_no_secret_reaches_the_environment_or_a_command_line(server: Sshd, connect: Connect) -> None:
    """What is asked of a person stays in this process; nothing of it is exported."""
    before = dict(os.environ)
    connect(server.address)
    assert dict(os.environ) == before
