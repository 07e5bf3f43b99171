"""A server that hangs at one step, or breaks the connection: which step it was, how long it was given, and
what helps. And what is tried again by itself."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arenascope.errors import (
    AuthenticationError,
    Cancelled,
    HostKeyChanged,
    HostKeyUnknown,
    LinkError,
    LinkLost,
)
from arenascope.remote.address import parse_address
from arenascope.remote.ssh import SshTransport
from arenascope.remote.ssh_limits import Limits
from tests.support.odd_ssh import (
    BANNER,
    CHANNEL,
    COMMAND,
    LOGIN,
    MUTE,
    READING,
    Policy,
    Relay,
    StartOdd,
)
from tests.support.sshd import Sshd, StartSshd

Reach = Callable[..., SshTransport]
NO_PAUSE = (0.01, 0.01, 0.01)


@pytest.fixture
def reach() -> Iterator[Reach]:
    """A transport that is closed at the end."""
    opened: list[SshTransport] = []

    def go(address: str, **options: object) -> SshTransport:
        transport = SshTransport(parse_address(address), **options)  # type: ignore[arg-type]
        opened.append(transport)
        return transport

    yield go
    for transport in opened:
        transport.close()


def test_a_host_that_takes_no_connection(full_port: int, reach: Reach) -> None:
    with pytest.raises(LinkError, match=f"does not answer on port {full_port} within 0.2 s") as caught:
        reach(f"pi@127.0.0.1:{full_port}", limits=Limits(connect=0.2)).connect()
    assert "no firewall is between" in caught.value.hint


@pytest.mark.parametrize(
    ("hang", "limits", "words"),
    [
        (MUTE, Limits(banner=0.2), r"did not introduce itself as an SSH server within 0\.2 s"),
        (BANNER, Limits(keys=0.2), r"introduced itself, but did not exchange keys within 0\.2 s"),
        (LOGIN, Limits(auth=0.2), r"did not answer the login of pi within 0\.2 s"),
        (CHANNEL, Limits(channel=0.2), r"did not open a channel within 0\.2 s"),
        (COMMAND, Limits(channel=0.2), r"did not begin a command within 0\.2 s"),
        (READING, Limits(start=0.2), r"did not start a command within 0\.2 s"),
    ],
)
def test_a_server_that_hangs(
    start_odd: StartOdd, reach: Reach, hang: str, limits: Limits, words: str
) -> None:
    server = start_odd(Policy(hang=hang))
    with pytest.raises((LinkError, Exception), match=words) as caught:
        reach(server.address, limits=limits).open_agent("0" * 32, None)
    assert caught.value.hint  # type: ignore[attr-defined]
    assert server.address in caught.value.message  # type: ignore[attr-defined]
    assert server.connections == 1  # a hang is not tried again


def test_a_server_that_takes_nothing_of_a_file(start_odd: StartOdd, reach: Reach, tmp_path: Path) -> None:
    server = start_odd(Policy(hang=READING))
    (tmp_path / "model").write_bytes(os.urandom(3_000_000))  # more than the window of a channel
    with pytest.raises(LinkError, match=r"took nothing more of a file for 0\.2 s"):
        reach(server.address, limits=Limits(channel=0.2)).put_file(tmp_path / "model", "/x")


@pytest.mark.parametrize("hang", [MUTE, BANNER, LOGIN, CHANNEL, COMMAND])
def test_closing_ends_whatever_hangs(start_odd: StartOdd, reach: Reach, hang: str) -> None:
    server = start_odd(Policy(hang=hang))
    transport = reach(server.address)
    said: list[type[Exception]] = []

    def connect() -> None:
        try:
            transport.open_agent("0" * 32, None)
        except (LinkError, Cancelled) as error:
            said.append(type(error))

    thread = threading.Thread(target=connect)
    thread.start()
    assert server.met.wait(10)
    transport.close()
    thread.join(10)
    assert said == [Cancelled]


# -- resets -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("resets", [1, 3])
def test_a_connection_that_is_reset_is_tried_again(
    server: Sshd, ssh_dir: Path, relay: Callable[..., Relay], reach: Reach, resets: int, late: bool
) -> None:
    between = relay(server.port, resets, late=late)
    _known(ssh_dir, server, between)
    told: list[str] = []
    transport = reach(
        f"{server.user}@127.0.0.1:{between.port}", limits=Limits(pauses=NO_PAUSE), tell=told.append
    )
    transport.connect()
    assert between.connections == resets + 1
    assert told == [f"{transport.name} broke the connection; trying again in 0.01 s"] * resets


@pytest.mark.parametrize("late", [False, True])
def test_it_is_not_tried_for_ever(
    server: Sshd, ssh_dir: Path, relay: Callable[..., Relay], reach: Reach, late: bool
) -> None:
    between = relay(server.port, 99, late=late)
    _known(ssh_dir, server, between)
    with pytest.raises(LinkLost, match="several times in a row") as caught:
        reach(f"{server.user}@127.0.0.1:{between.port}", limits=Limits(pauses=NO_PAUSE)).connect()
    assert between.connections == 4
    assert "short of memory" in caught.value.hint


def test_a_pause_can_be_cancelled(server: Sshd, relay: Callable[..., Relay], reach: Reach) -> None:
    between = relay(server.port, 99)
    pausing = threading.Event()
    transport = reach(
        f"pi@127.0.0.1:{between.port}", limits=Limits(pauses=(600,)), tell=lambda text: pausing.set()
    )
    said: list[BaseException] = []

    def connect() -> None:
        try:
            transport.connect()
        except Cancelled as error:
            said.append(error)

    thread = threading.Thread(target=connect)
    thread.start()
    assert pausing.wait(10)
    transport.close()
    thread.join(10)
    assert [type(error) for error in said] == [Cancelled]


def test_what_is_no_reset_is_not_tried_again(
    start_sshd: StartSshd, ssh_dir: Path, relay: Callable[..., Relay], reach: Reach, closed_port: int
) -> None:
    told: list[str] = []
    limits = Limits(pauses=NO_PAUSE)
    server = start_sshd()
    between = relay(server.port, 0)
    address = f"{server.user}@127.0.0.1:{between.port}"
    with pytest.raises(HostKeyUnknown):
        reach(address, limits=limits, tell=told.append).connect()
    _known(ssh_dir, server, between)
    with pytest.raises(AuthenticationError):
        reach(address, limits=limits, tell=told.append).connect()
    server.stop()
    server.make_host_keys()
    server.start()
    with pytest.raises(HostKeyChanged):
        reach(address, limits=limits, tell=told.append).connect()
    with pytest.raises(LinkError, match="refuses connections"):
        reach(f"pi@127.0.0.1:{closed_port}", limits=limits, tell=told.append).connect()
    assert between.connections == 3
    assert told == []


def test_a_connection_that_ended_is_made_anew(server: Sshd, reach: Reach) -> None:
    transport = reach(server.address)
    transport.connect()
    server.cut()
    transport._session.join(10)  # it has noticed
    transport.open_agent("0" * 32, None).close()


def _known(ssh_dir: Path, server: Sshd, between: Relay) -> None:
    with (ssh_dir / "known_hosts").open("a") as file:
        file.write(server.known_hosts_line().replace(f":{server.port} ", f":{between.port} "))
