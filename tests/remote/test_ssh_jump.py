"""A board behind other hosts: real servers, one reached through the other."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from arenascope.errors import (
    AuthenticationError,
    HostKeyChanged,
    HostKeyUnknown,
    LinkError,
    LinkLost,
)
from arenascope.remote.address import parse_address
from arenascope.remote.link import AgentLink
from arenascope.remote.prompts import HostKeyQuestion
from arenascope.remote.ssh import SshTransport
from arenascope.remote.ssh_limits import Limits
from tests.remote.test_ssh import Person
from tests.support.sshd import Sshd, StartSshd, introduce, make_key

Reach = Callable[..., SshTransport]


@pytest.fixture
def reach() -> Iterator[Reach]:
    """A transport to the alias "board"; everything is closed at the end."""
    opened: list[SshTransport] = []

    def go(person: Person | None = None, target: str = "board", **limits: Any) -> SshTransport:
        transport = SshTransport(
            parse_address(target), person, limits=Limits(**{"pauses": (0.01,), **limits})
        )
        opened.append(transport)
        return transport

    yield go
    for transport in opened:
        transport.close()


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ports that this process itself connects to."""
    ports: list[int] = []
    connect = socket.socket.connect

    def noting(self: socket.socket, address: Any) -> None:
        if self.family == socket.AF_INET:
            ports.append(address[1])
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noting)
    return ports


def _block(name: str, server: Sshd, *lines: str) -> str:
    port = f" Port {server.port}\n"
    return f"Host {name}\n HostName 127.0.0.1\n{port} User {server.user}\n" + "".join(
        f" {x}\n" for x in lines
    )


def _logins(*servers: Sshd) -> list[int]:
    """How many got into each; the servers are stopped, for their logs to be whole."""
    for server in servers:
        server.stop()
    return [sum("Accepted publickey" in line for line in server.log) for server in servers]


@pytest.fixture
def two(start_sshd: StartSshd, ssh_dir: Path) -> tuple[Sshd, Sshd]:
    """A gate and the board behind it, both known; "board" leads over "gate"."""
    gate, board = start_sshd(), start_sshd()
    for server in (gate, board):
        introduce(server, ssh_dir)
    (ssh_dir / "config").write_text(_block("gate", gate) + _block("board", board, "ProxyJump gate"))
    return gate, board


def test_through_another_host(
    two: tuple[Sshd, Sshd], reach: Reach, dialled: list[int], tmp_path: Path
) -> None:
    gate, board = two
    transport = reach()
    link = AgentLink(transport)
    link.open()
    assert link.request("ping") == {}
    (tmp_path / "model").write_bytes(bytes(range(256)) * 10_000)
    transport.put_file(tmp_path / "model", str(board.home / "model"))
    assert (board.home / "model").read_bytes() == (tmp_path / "model").read_bytes()
    assert set(dialled) == {gate.port}
    assert gate.files() == [] and gate.processes() == []
    link.close()
    transport.close()
    for server in two:
        server.wait_for_quiet(sessions=True)
    assert _logins(gate, board) == [1, 1]


def test_through_several(
    start_sshd: StartSshd, ssh_dir: Path, reach: Reach, dialled: list[int], tmp_path: Path
) -> None:
    """The first reached directly though it is the second's own way that says otherwise; each with the user,
    the key and the name in known_hosts that its own block gives."""
    servers = [start_sshd() for _ in range(3)]
    first, second, board = servers
    make_key(tmp_path / "inner")
    for server in (first, board):
        introduce(server, ssh_dir)
    second.allow(tmp_path / "inner.pub")
    (ssh_dir / "known_second").write_text(
        second.known_hosts_line().replace(f"[127.0.0.1]:{second.port}", "two")
    )
    (ssh_dir / "config").write_text(
        _block(
            "second",
            second,
            f"IdentityFile {tmp_path}/inner",
            "IdentitiesOnly yes",
            "HostKeyAlias two",
            f"UserKnownHostsFile {ssh_dir}/known_second",
            "ProxyJump nowhere.invalid",
        )
        + _block("board", board, f"ProxyJump {first.address},second")
    )
    reach().open_agent("0" * 32, None).close()
    assert set(dialled) == {first.port}
    assert _logins(*servers) == [1, 1, 1]


def test_a_hop_has_a_way_of_its_own(
    two: tuple[Sshd, Sshd], start_sshd: StartSshd, ssh_dir: Path, reach: Reach, dialled: list[int]
) -> None:
    """The form that is older than ProxyJump, and a jump host behind a jump host."""
    gate, board = two
    outer = start_sshd()
    introduce(outer, ssh_dir)
    (ssh_dir / "config").write_text(
        _block("gate", gate, f"ProxyCommand ssh -q -W %h:%p {outer.user}@127.0.0.1 -p {outer.port}")
        + _block("board", board, "ProxyJump gate")
    )
    reach().connect()
    assert set(dialled) == {outer.port}
    assert _logins(outer, gate, board) == [1, 1, 1]


def test_each_unknown_key_is_asked_about(
    start_sshd: StartSshd, ssh_dir: Path, two: tuple[Sshd, Sshd], reach: Reach
) -> None:
    gate, board = two
    (ssh_dir / "known_hosts").unlink()
    with pytest.raises(HostKeyUnknown, match=r"^gate \(on the way to board\) is not known here") as caught:
        reach().connect()
    assert "arenascope devices add board" in caught.value.hint
    person = Person(yes=True)
    reach(person).connect()
    assert person.questions == [
        HostKeyQuestion("127.0.0.1", s.port, "ssh-ed25519", s.fingerprint()) for s in (gate, board)
    ]
    reach().connect()


def test_a_changed_key_on_the_way_is_a_hard_stop(two: tuple[Sshd, Sshd], reach: Reach) -> None:
    gate, board = two
    gate.stop()
    gate.make_host_keys()
    gate.start()
    person = Person(yes=True, passwords=("secret",))
    with pytest.raises(HostKeyChanged, match=r"The host key of gate \(on the way to board\) has changed"):
        reach(person).connect()
    assert not person.questions and not person.password_asked
    assert not any("Connection from" in line for line in board.log)


def test_a_changed_key_behind_the_gate_is_one_too(two: tuple[Sshd, Sshd], reach: Reach) -> None:
    board = two[1]
    board.stop()
    board.make_host_keys()
    board.start()
    with pytest.raises(HostKeyChanged, match="The host key of board has changed"):
        reach(Person(yes=True)).connect()


def test_a_hop_that_lets_nobody_in(two: tuple[Sshd, Sshd], reach: Reach) -> None:
    gate, board = two
    (gate.root / "authorized_keys").write_text("")
    with pytest.raises(AuthenticationError, match=r"127\.0\.0\.1 \(on the way to board\) does not let .* in"):
        reach().connect()
    assert not any("Connection from" in line for line in board.log)


def test_a_password_for_the_hop(
    start_sshd: StartSshd, ssh_dir: Path, password_user: tuple[str, str], two: tuple[Sshd, Sshd], reach: Reach
) -> None:
    name, password = password_user
    gate = start_sshd(user=name, options=("PasswordAuthentication yes",))
    with (ssh_dir / "known_hosts").open("a") as file:
        file.write(gate.known_hosts_line())
    (ssh_dir / "config").write_text(_block("gate", gate) + _block("board", two[1], "ProxyJump gate"))
    person = Person(passwords=("wrong", password))
    reach(person).connect()
    assert person.password_asked == [(name, "127.0.0.1")] * 2


def test_a_hop_that_forbids_forwarding(start_sshd: StartSshd, ssh_dir: Path, reach: Reach) -> None:
    gate, board = start_sshd(options=("AllowTcpForwarding no",)), start_sshd()
    introduce(gate, ssh_dir)
    (ssh_dir / "config").write_text(_block("gate", gate) + _block("board", board, "ProxyJump gate"))
    with pytest.raises(
        LinkError, match=r"^gate \(on the way to board\) does not forward connections"
    ) as caught:
        reach().connect()
    assert f"127.0.0.1, port {board.port}" in caught.value.message
    assert "AllowTcpForwarding" in caught.value.hint


def test_nothing_listens_behind_the_hop(two: tuple[Sshd, Sshd], reach: Reach) -> None:
    two[1].stop()
    with pytest.raises(
        LinkError, match=r"^gate \(on the way to board\) cannot connect to 127\.0\.0\.1"
    ) as caught:
        reach().connect()
    assert "looked up there" in caught.value.hint


def test_nothing_answers_behind_the_hop(
    two: tuple[Sshd, Sshd], ssh_dir: Path, full_port: int, reach: Reach
) -> None:
    config = (ssh_dir / "config").read_text().replace(f"Port {two[1].port}", f"Port {full_port}")
    (ssh_dir / "config").write_text(config)
    with pytest.raises(LinkError, match=r"^gate .* got no connection to .* within 0\.3 s"):
        reach(channel=0.3).connect()


def test_the_hop_is_down(two: tuple[Sshd, Sshd], reach: Reach) -> None:
    two[0].stop()
    with pytest.raises(LinkError, match=r"^gate \(on the way to board\) refuses connections on port"):
        reach().connect()


@pytest.mark.parametrize("which", [0, 1])
def test_one_of_them_is_cut(two: tuple[Sshd, Sshd], reach: Reach, which: int) -> None:
    transport = reach()
    link = AgentLink(transport)
    link.open()
    two[which].cut()
    transport._session.join(10)  # it has noticed
    with pytest.raises(LinkLost):
        link.request("ping")
    link.close()
    again = AgentLink(transport)  # the same transport finds the whole way once more
    again.open()
    again.close()


def test_a_hop_that_is_lost_during_the_login(two: tuple[Sshd, Sshd], reach: Reach, ssh_dir: Path) -> None:
    gate, _ = two
    (ssh_dir / "known_hosts").write_text(gate.known_hosts_line())

    class Cutting(Person):
        def confirm_host_key(self, question: HostKeyQuestion) -> bool:
            gate.cut()
            return True

    with pytest.raises(LinkLost, match="gate"):
        reach(Cutting()).connect()


def test_a_way_in_a_circle(ssh_dir: Path, reach: Reach) -> None:
    (ssh_dir / "config").write_text("Host *\n ProxyJump gate\n")
    with pytest.raises(LinkError, match="perhaps in a circle") as caught:
        reach().connect()
    assert "ProxyJump none" in caught.value.hint


def test_a_jump_that_is_no_address(ssh_dir: Path, reach: Reach) -> None:
    (ssh_dir / "config").write_text("Host board\n ProxyJump gate:seven\n")
    with pytest.raises(LinkError, match="names “gate:seven”, which is no address"):
        reach().connect()


def test_a_command_is_not_run(ssh_dir: Path, reach: Reach, tmp_path: Path) -> None:
    (ssh_dir / "config").write_text(f"Host board\n ProxyCommand touch {tmp_path}/ran\n")
    with pytest.raises(LinkError, match="runs no command"):
        reach().connect()
    assert not (tmp_path / "ran").exists()
