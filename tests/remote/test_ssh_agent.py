"""The agent behind a real sshd: placed, verified, talked to, lost, and gone afterwards."""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from arenascope.domain.link_state import LinkKind, LinkState
from arenascope.errors import BoardError, DeployError, FileError, LinkError, LinkLost
from arenascope.remote import bundle
from arenascope.remote.address import parse_address
from arenascope.remote.link import AgentLink, Patience
from arenascope.remote.ssh import MAX_CHANNELS, SshTransport
from arenascope.remote.ssh_limits import LIMITS, Limits
from tests.support.sshd import Sshd, StartSshd, bare_path, introduce, mode, tiny_disk

Reach = Callable[..., SshTransport]


def new_session() -> str:
    return secrets.token_hex(16)


@pytest.fixture
def reach() -> Iterator[Reach]:
    """A transport to a server; everything is closed at the end, and nothing may run there then."""
    opened: list[tuple[SshTransport, Sshd]] = []

    def go(server: Sshd, limits: Limits = LIMITS) -> SshTransport:
        transport = SshTransport(parse_address(server.address), limits=limits)
        opened.append((transport, server))
        return transport

    yield go
    for transport, server in opened:
        transport.close()
        server.wait_for_quiet()
        assert server.processes() == []


@pytest.fixture
def noisy(start_sshd: StartSshd, ssh_dir: Path) -> Callable[..., Sshd]:
    """Start a server with options; its person is known there."""

    def start(**options: Any) -> Sshd:
        server = start_sshd(**options)
        introduce(server, ssh_dir)
        return server

    return start


def _greets(transport: SshTransport) -> None:
    link = AgentLink(transport)
    try:
        assert link.open().agent == bundle.build()[1]
        assert link.request("ping") == {}
    finally:
        link.close()


def _placed(server: Sshd) -> tuple[Path, Path]:
    """The archive as it was sent, and what the board's Python made of it. Nothing else lies there."""
    compiled, sent = sorted(server.files(), key=len, reverse=True)
    return server.home / sent, server.home / compiled


def test_the_archive_is_all_that_stays(server: Sshd, reach: Reach) -> None:
    transport = reach(server)
    _greets(transport)
    assert server.processes() == []
    sent, compiled = _placed(server)
    archive, sha256 = bundle.build()
    folder = server.home / ".cache" / "arenascope" / "agent"
    assert sent == folder / f"{sha256}.pyz"
    assert sent.read_bytes() == archive
    own = hashlib.sha256(compiled.read_bytes()).hexdigest()
    assert compiled == folder / f"{sha256}.{platform.python_version()}.{own}.pyz"
    assert [mode(path) for path in (sent, compiled, folder)] == [0o600, 0o600, 0o700]


def test_it_is_sent_once_and_verified_each_time(server: Sshd, reach: Reach) -> None:
    transport = reach(server)
    _greets(transport)
    sent, compiled = _placed(server)
    first = [path.stat().st_ino for path in (sent, compiled)]
    _greets(transport)
    _greets(reach(server))
    assert [path.stat().st_ino for path in (sent, compiled)] == first
    for path in (sent, compiled):
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    _greets(reach(server))
    assert sent.read_bytes() == bundle.build()[0]
    _, compiled = _placed(server)
    assert hashlib.sha256(compiled.read_bytes()).hexdigest() in compiled.name


def test_what_is_compiled_is_compiled_again_where_it_does_not_fit(server: Sshd, reach: Reach) -> None:
    """One that is damaged, one whose name tells no hash, one of another Python: none of them is started."""
    _greets(reach(server))
    sent, compiled = _placed(server)
    first, *_, last = compiled.name.removesuffix(".pyz").split(".")
    (compiled.parent / f"{first}.{platform.python_version()}..pyz").write_bytes(b"not started")
    other = compiled.rename(compiled.parent / f"{first}.3.9.0.{last}.pyz")
    _greets(reach(server))
    left = {path.name for path in sent.parent.glob("*.pyz")} - {sent.name, other.name}
    (made,) = left
    assert hashlib.sha256((sent.parent / made).read_bytes()).hexdigest() in made


def test_where_nothing_can_be_compiled_it_is_run_as_it_is(server: Sshd, reach: Reach, tmp_path: Path) -> None:
    sent = server.home / ".cache" / "arenascope" / "agent" / f"{bundle.build()[1]}.pyz"
    with tiny_disk(server.home / ".cache", 400):  # room for the archive alone
        _greets(reach(server))
        assert [path.name for path in sent.parent.glob("*.p*")] == [sent.name]


@pytest.mark.parametrize(
    "noise",
    [
        "echo 'Welcome to the board'; printf 'no line end'",
        "printf '\\000\\377\\376'; head -c 60000 /dev/zero | tr '\\0' '~'",
        "set -e",
        "set -u",
        "cd /; umask 000",
        "echo trouble >&2; head -c 5000000 /dev/zero >&2",
        "export PYTHONSTARTUP=/nonexistent PYTHONPATH=/nonexistent PYTHONHOME=/nonexistent",
        "unset PATH; PATH=/usr/bin:/bin",
    ],
)
def test_login_files_that_are_in_the_way(noisy: Callable[..., Sshd], reach: Reach, noise: str) -> None:
    server = noisy(noise=noise)
    _greets(reach(server))
    for name in server.files():
        assert mode(server.home / name) == 0o600


def test_a_login_that_does_not_come_to_an_end(noisy: Callable[..., Sshd], reach: Reach) -> None:
    server = noisy(noise="echo Your name, please?; read name")
    with pytest.raises(DeployError, match="did not start a command within 0.5 s") as caught:
        reach(server, Limits(start=0.5)).open_agent(new_session(), None)
    assert "Your name, please?" in caught.value.detail


def test_no_python(noisy: Callable[..., Sshd], reach: Reach, tmp_path: Path) -> None:
    tmp_path.parent.chmod(0o755)
    server = noisy(path=bare_path(tmp_path / "bin"))
    with pytest.raises(DeployError, match=r"no Python 3\.9 or newer on .*@127\.0\.0\.1") as caught:
        reach(server).open_agent(new_session(), None)
    assert caught.value.hint == "Install it on the device: sudo apt install python3"
    assert server.files() == []


def test_a_python_that_does_not_start(noisy: Callable[..., Sshd], reach: Reach, tmp_path: Path) -> None:
    path = bare_path(tmp_path / "bin")
    python = tmp_path / "bin" / "python3"
    python.write_text(
        "#!/bin/sh\ncase $1 in -V) echo Python 3.11.2;; *) echo libz is missing >&2; exit 3;; esac\n"
    )
    python.chmod(0o755)
    link = AgentLink(reach(noisy(path=path)))
    with pytest.raises(DeployError, match=r"\(exit status 3\): libz is missing"):
        link.open()


def test_an_account_without_a_shell(noisy: Callable[..., Sshd], reach: Reach) -> None:
    server = noisy(noise="echo This account is currently not available.; exit 1")
    with pytest.raises(DeployError, match="ended without starting the agent") as caught:
        reach(server).open_agent(new_session(), None)
    assert "not available" in caught.value.detail


def test_a_full_disk(server: Sshd, reach: Reach) -> None:
    with tiny_disk(server.home / ".cache", 32):
        with pytest.raises(DeployError, match=r"The disk of .* is full"):
            reach(server).open_agent(new_session(), None)
        assert server.files() == []


# -- the end ----------------------------------------------------------------------------------------


class Events:
    """Takes the events of a run and wakes who waits for one."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._changed = threading.Condition()

    def __call__(self, name: str, data: dict[str, Any]) -> None:
        with self._changed:
            self.names.append(name)
            self._changed.notify_all()

    def wait(self, name: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: name in self.names, 20), self.names


def test_an_agent_that_is_killed(server: Sshd, reach: Reach) -> None:
    transport = reach(server)
    link = AgentLink(transport)
    events = Events()
    hello = link.open()
    link.start_watch(events)
    events.wait("board")
    os.kill(hello.pid, signal.SIGKILL)
    events.wait("lost")
    with pytest.raises(LinkLost, match=r"The agent on .* was ended; what ran there is lost"):
        link.request("ping")
    link.close()
    assert not [file for file in server.files() if file.endswith(".sock")]
    _greets(transport)  # the connection itself is as good as before


def test_a_link_that_is_cut_comes_back(server: Sshd, reach: Reach) -> None:
    transport = reach(server)
    states: list[LinkState] = []
    link = AgentLink(transport, states.append)
    events = Events()
    link.open()
    link.start_watch(events)
    events.wait("board")
    server.cut()
    events.wait("link_back")
    assert events.names.index("link_lost") < events.names.index("link_back")
    assert link.request("probe")["machine"]
    link.close()
    kinds = [state.kind for state in states]
    assert kinds[0] is LinkKind.UP and kinds[-1] is LinkKind.ENDED
    assert kinds.count(LinkKind.LOST) == 1
    assert "ended" in states[kinds.index(LinkKind.LOST)].message
    assert [s.lost_seconds for s in states if s.lost_seconds is not None]
    assert server.processes() == []


def test_a_link_that_does_not_come_back_is_given_up(server: Sshd, reach: Reach) -> None:
    link = AgentLink(reach(server), patience=Patience(delays=(0.01,), give_up=0.2))
    events = Events()
    link.open()
    link.start_watch(events)
    events.wait("board")
    server.stop()
    events.wait("lost")
    with pytest.raises(LinkLost, match=r"did not come back within 0\.2 s"):
        link.request("ping")
    link.close()


def test_an_agent_that_has_left_because_nobody_asked_for_anything(server: Sshd, reach: Reach) -> None:
    states: list[LinkState] = []
    ended = threading.Event()

    def on_state(state: LinkState) -> None:
        states.append(state)
        if state.kind is LinkKind.ENDED:
            ended.set()

    link = AgentLink(reach(server), on_state)
    hello = link.open()
    assert link.request("ping") == {}
    os.kill(hello.pid, signal.SIGKILL)
    assert ended.wait(20)
    assert "Nothing was running" in states[-1].message
    link.close()


def test_a_device_that_was_started_again_says_so(server: Sshd, reach: Reach) -> None:
    link = AgentLink(reach(server))
    events = Events()
    hello = link.open()
    link.start_watch(events)
    events.wait("board")
    object.__setattr__(hello, "boot", "the start before this one")
    os.kill(hello.pid, signal.SIGKILL)
    events.wait("lost")
    with pytest.raises(LinkLost, match="was started again while it was being used"):
        link.request("ping")
    link.close()


def test_closing_while_the_link_is_lost(server: Sshd, reach: Reach) -> None:
    link = AgentLink(reach(server), patience=Patience(delays=(60.0,)))
    events = Events()
    link.open()
    link.start_watch(events)
    events.wait("board")
    server.stop()
    events.wait("link_lost")
    assert not link.answers()
    link.close()
    events.wait("lost")


def test_closing_wakes_whoever_reads(server: Sshd, reach: Reach) -> None:
    channel = reach(server).open_agent(new_session(), None)
    said: list[bytes] = []

    def read() -> None:
        while data := channel.recv(1000):
            said.append(data)
        said.append(b"end")

    reader = threading.Thread(target=read)
    reader.start()
    channel.close()
    reader.join(10)
    assert said[-1] == b"end"
    assert channel.recv(10) == b""
    with pytest.raises(LinkLost):
        channel.send(b"x")
    channel.close()


def test_an_agent_that_does_not_want_to_leave(server: Sshd, reach: Reach) -> None:
    channel = reach(server).open_agent(new_session(), None)
    os.kill(channel.pid, signal.SIGSTOP)
    channel.close()
    assert server.processes() == []


def test_what_the_far_side_says_last_is_kept(noisy: Callable[..., Sshd], reach: Reach) -> None:
    noise = "i=0; while test $i -lt 3000; do echo line $i >&2; i=$((i+1)); done; printf '\\033[31mred\\n' >&2"
    channel = reach(noisy(noise=noise)).open_agent(new_session(), None)
    channel.close()
    lines = channel.stderr_tail().splitlines()
    assert len(lines) == 40 and lines[-2] == "line 2999"
    assert "\x1b" not in lines[-1] and lines[-1].endswith("red")
    assert channel.exit_status() == 0


def test_there_are_few_channels(server: Sshd, reach: Reach) -> None:
    transport = reach(server, Limits(channel=2))
    channels = [transport.open_agent(new_session(), None) for _ in range(MAX_CHANNELS)]
    with pytest.raises(LinkError, match="Too much is being done"):
        transport.open_agent(new_session(), None)
    channels.pop().close()
    transport.open_agent(new_session(), None).close()


def test_a_server_that_gives_fewer_channels(noisy: Callable[..., Sshd], reach: Reach) -> None:
    transport = reach(noisy(options=("MaxSessions 1",)))
    first = transport.open_agent(new_session(), None)
    with pytest.raises(LinkError, match="does not open another channel") as caught:
        transport.open_agent(new_session(), None)
    assert "MaxSessions" in caught.value.hint
    first.close()


# -- files ------------------------------------------------------------------------------------------


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(os.urandom(3_000_001))
    return path


def test_a_file_is_sent(server: Sshd, reach: Reach, model: Path) -> None:
    seen: list[tuple[int, int]] = []
    target = server.home / "two 'words' $x"
    reach(server).put_file(model, str(target), lambda done, size: seen.append((done, size)))
    assert target.read_bytes() == model.read_bytes()
    assert mode(target) == 0o600
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert seen[-1] == (3_000_001, 3_000_001)


def test_an_empty_file_is_sent(server: Sshd, reach: Reach, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    reach(server).put_file(tmp_path / "empty", str(server.home / "empty"))
    assert server.files() == ["empty"]


def test_a_banner_does_not_get_into_a_file(noisy: Callable[..., Sshd], reach: Reach, model: Path) -> None:
    server = noisy(noise="echo Welcome; head -c 3000000 /dev/zero >&2")
    reach(server).put_file(model, str(server.home / "model"))
    assert (server.home / "model").read_bytes() == model.read_bytes()


class Enough(Exception):
    """The person pressed Cancel."""


def test_sending_can_be_cancelled(server: Sshd, reach: Reach, model: Path) -> None:
    def progress(done: int, size: int) -> None:
        if done > size // 2:
            raise Enough

    transport = reach(server)
    with pytest.raises(Enough):
        transport.put_file(model, str(server.home / "model"), progress)
    assert server.files() == []
    _greets(transport)


def test_the_link_is_cut_while_sending(server: Sshd, reach: Reach, model: Path) -> None:
    def progress(done: int, size: int) -> None:
        if done < 300_000:
            server.cut()

    with pytest.raises(LinkLost):
        reach(server).put_file(model, str(server.home / "model"), progress)
    server.wait_for_quiet()
    assert server.files() == []


def test_the_disk_of_the_board_fills_while_sending(server: Sshd, reach: Reach, model: Path) -> None:
    transport = reach(server)
    with tiny_disk(server.home / "small", 256):
        with pytest.raises(BoardError, match=r"The disk of .* is full") as caught:
            transport.put_file(model, str(server.home / "small" / "model"))
        assert caught.value.board_code == "no_space"
        assert server.files() == []
    _greets(transport)


def test_a_folder_that_is_not_there(server: Sshd, reach: Reach, model: Path) -> None:
    with pytest.raises(BoardError, match="could not write the file"):
        reach(server).put_file(model, str(server.home / "absent" / "model"))


def test_a_file_that_is_not_there(server: Sshd, reach: Reach, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="absent"):
        reach(server).put_file(tmp_path / "absent", str(server.home / "model"))
    assert server.files() == []


def test_a_file_that_becomes_shorter(server: Sshd, reach: Reach, model: Path) -> None:
    def progress(done: int, size: int) -> None:
        os.truncate(model, done)

    with pytest.raises(FileError, match="became shorter"):
        reach(server).put_file(model, str(server.home / "model"), progress)
    assert server.files() == []
