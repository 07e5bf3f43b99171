"""What another process can do to a session: in its folder, at its socket, with its descriptors."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arenascope_agent import protocol
from tests.agent.harness import AGENT_MAIN, PATIENCE, Agent, memory_peak, starve
from tests.agent.sessions import Session, made, run_folder

if sys.platform != "linux":
    pytest.skip("the agent runs on Linux", allow_module_level=True)

NOBODY = 65534
NAME = "0123456789abcdef" * 2


@pytest.fixture
def session() -> Iterator[Session]:
    with made(30, 60) as one:
        yield one


@pytest.fixture
def folder(private_home: Path) -> Path:
    """Where the sockets lie, before any agent was there."""
    folder = run_folder()
    folder.mkdir(parents=True, mode=0o700)
    return folder


def attach(name: str, seen: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-I", "-S", str(AGENT_MAIN), "attach", name, seen],
        stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=PATIENCE,
    )  # fmt: skip


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Sockets are named from their folder: a whole path may be too long for an address."""
    before = os.open(".", os.O_RDONLY)
    os.chdir(folder)
    try:
        yield
    finally:
        os.fchdir(before)
        os.close(before)


@contextlib.contextmanager
def knock(session: Session) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as link:
        with inside(session.socket.parent):
            link.connect(session.socket.name)
        link.settimeout(PATIENCE)
        yield link


def is_sent_away(link: socket.socket) -> bool:
    try:
        return link.recv(1) == b""
    except ConnectionResetError:  # with something of ours unread
        return True


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


# -- the folder -----------------------------------------------------------------------------------


def test_a_folder_that_is_a_link_is_not_used(folder: Path, tmp_path: Path) -> None:
    folder.rmdir()
    folder.symlink_to(tmp_path)
    for seen in ("new", "5"):
        done = attach(NAME, seen)
        assert done.returncode == 1
        assert b"not a folder of this user" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_folder_of_somebody_else_is_not_used(folder: Path) -> None:
    os.chown(folder, NOBODY, NOBODY)
    assert b"not a folder of this user" in attach(NAME, "new").stderr
    assert list(folder.iterdir()) == []


def test_a_folder_that_others_may_write_to_is_closed_to_them(folder: Path, session: Session) -> None:
    folder.chmod(0o777)
    with session.begin() as agent:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        agent.answer("shutdown")


def test_what_is_no_socket_is_in_nobodys_way(folder: Path, session: Session, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("kept")
    names = [f"{n:032x}.sock" for n in range(5)]
    (folder / names[0]).mkdir()
    (folder / names[1]).write_text("no socket")
    (folder / names[2]).symlink_to(kept)
    (folder / names[3]).symlink_to("/dev/null")
    os.mkfifo(folder / names[4])
    with session.begin() as agent:
        agent.answer("shutdown")
    assert kept.read_text() == "kept"
    assert [path.name for path in folder.iterdir()] == [names[0]]


# -- the socket -----------------------------------------------------------------------------------


@contextlib.contextmanager
def squatter(folder: Path, name: str, queue: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        with inside(folder):
            listener.bind(name + ".sock")
        listener.listen(queue)
        yield listener


def test_a_session_that_has_a_server_is_not_begun_again(folder: Path) -> None:
    with squatter(folder, NAME, 4) as listener:
        done = attach(NAME, "new")
        assert done.returncode == 1
        assert b"the session has a server" in done.stderr
        assert [path.name for path in folder.iterdir()] == [NAME + ".sock"]
        listener.accept()[0].close()  # who looked whether somebody is there


def test_a_server_that_hangs_holds_nobody_up(folder: Path, session: Session) -> None:
    with squatter(folder, NAME, 0), contextlib.ExitStack() as stack:
        with contextlib.suppress(BlockingIOError), inside(folder):
            while True:  # until its queue is full
                waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
                waiting.setblocking(False)
                waiting.connect(NAME + ".sock")
        with session.begin() as agent:
            agent.answer("shutdown")
        done = attach(NAME, "5")
        assert (done.returncode, done.stdout) == (1, b"")  # not "gone": it may come to itself
        assert b"does not answer" in done.stderr


_TAKES_AWAY = """
import sys
sys.path.append(sys.argv[1])
from arenascope_agent import session
print("ready", flush=True)
while True:
    session.remove_stale()
"""


def test_a_socket_that_is_just_being_made_is_not_taken_for_a_stale_one(folder: Path) -> None:
    from arenascope_agent import session

    agent = str(AGENT_MAIN.parents[1])
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _TAKES_AWAY, agent], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"ready\n"
        try:
            for number in range(300):
                address = session.Address(f"{number:032x}")
                with contextlib.closing(address.listen()):
                    assert (folder / address.name).exists()
                    address.remove()
        finally:
            other.kill()
    assert list(folder.iterdir()) == []


# -- what is handed over --------------------------------------------------------------------------


def _pipe(path: Path) -> tuple[int, ...]:
    return os.pipe()


def _file(path: Path) -> tuple[int, ...]:
    return os.open(path, os.O_RDWR | os.O_CREAT), os.open(path, os.O_RDWR)


def _only_a_name(path: Path) -> tuple[int, ...]:
    os.mkfifo(path)
    return os.open(path, os.O_PATH), os.open(path, os.O_PATH)


def _folder(path: Path) -> tuple[int, ...]:
    return os.open(path.parent, os.O_RDONLY), os.open(path.parent, os.O_RDONLY)


def _device(path: Path) -> tuple[int, ...]:
    return os.open("/dev/zero", os.O_RDWR), os.open("/dev/null", os.O_RDWR)


def _one(path: Path) -> tuple[int, ...]:
    return (os.dup(_pipe_end()),)


def _three(path: Path) -> tuple[int, ...]:
    return tuple(os.dup(_pipe_end()) for _ in range(3))


def _many(path: Path) -> tuple[int, ...]:
    return tuple(os.dup(_pipe_end()) for _ in range(253))


def _memory(path: Path) -> tuple[int, ...]:
    return os.memfd_create("one"), os.memfd_create("two")


def _pipe_end() -> int:
    return 0


@pytest.mark.parametrize(
    "what",
    [_file, _only_a_name, _folder, _device, _one, _three, _many, _memory],
    ids=lambda what: what.__name__,
)
def test_what_no_connection_consists_of_is_given_back(
    what: Callable[[Path], tuple[int, ...]], session: Session, tmp_path: Path
) -> None:
    handed = what(tmp_path / "handed")
    try:
        with session.begin() as agent:
            run = agent.run("hang")
            agent.event(run, "samples")
            before = descriptors(session.pid)
            for _ in range(20):
                with knock(session) as link:
                    socket.send_fds(link, [b"0"], list(handed))
                    assert is_sent_away(link)
            assert agent.answer("ping")["result"] == {}  # who is attached stays so
            # Twenty would be kept. The server itself has a file of /proc open now and then.
            assert descriptors(session.pid) < before + 10
            agent.answer("cancel", run=run)
            assert agent.event(run, "ended")["status"] == "cancelled"
            agent.answer("shutdown")
    finally:
        for descriptor in handed:
            os.close(descriptor)
    assert not (tmp_path / "handed").exists() or (tmp_path / "handed").stat().st_size == 0


def test_descriptors_without_a_word_or_with_the_wrong_one_are_closed(session: Session) -> None:
    with session.begin() as agent:
        before = descriptors(session.pid)
        for said in (b"-1", b"x", b" 1", b"1\n", b"\xb2", b"0x10", b"1" * 65, b"\0") * 10:
            pair = os.pipe()
            with knock(session) as link:
                socket.send_fds(link, [said], pair)
                for descriptor in pair:
                    os.close(descriptor)
                assert is_sent_away(link)
        assert descriptors(session.pid) == before
        agent.answer("shutdown")


def test_ends_that_cannot_be_used_leave_the_session_to_who_comes_back(session: Session) -> None:
    with session.begin() as agent:
        run = agent.run("hang")
        agent.event(run, "phase_started")
        read_end, write_end = os.pipe()
        with knock(session) as link:
            socket.send_fds(link, [b"1"], (write_end, read_end))  # the wrong way round
            os.close(read_end)
            os.close(write_end)
            assert is_sent_away(link)
        agent.rest()
    with session.join(seen=1) as back:
        assert back.hello["resumed"] is True
        back.answer("cancel", run=run)
        assert back.event(run, "ended")["status"] == "cancelled"
        back.answer("shutdown")


def test_who_only_waits_at_the_door_is_let_go_for_who_comes(session: Session) -> None:
    with session.begin() as agent, contextlib.ExitStack() as stack:
        before = descriptors(session.pid)
        idle = [stack.enter_context(knock(session)) for _ in range(50)]
        for link in idle[:-4]:
            assert is_sent_away(link)
        assert agent.answer("ping")["result"] == {}
        assert descriptors(session.pid) <= before + 4
        with session.join(seen=0) as back:
            assert back.answer("ping")["result"] == {}
            back.answer("shutdown")


# -- counts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seen", [3, 10**6, 2**53, 10**62])
def test_a_client_that_has_seen_more_than_there_was_gets_what_is_there(session: Session, seen: int) -> None:
    with session.begin() as agent:
        agent.answer("ping")
        agent.answer("ping")
    with session.join(seen=seen) as back:
        assert back.hello["resumed"] is True
        assert [back.next()["id"] for _ in range(2)] == [1, 2]
        back.answer("shutdown")


def test_confirming_more_than_was_sent_or_less_than_before_harms_nobody(session: Session) -> None:
    with session.begin() as agent:
        for seen in (2**53, 0, 5, 2**53):
            assert agent.answer("ping", seen=seen)["type"] == "response"
        for wrong in (-1, 2**53 + 1, 10**39, 1.5, True, None, "1", [1], {}):
            assert agent.answer("ping", seen=wrong)["code"] == protocol.INVALID
        agent.answer("shutdown")


def test_of_many_that_attach_at_once_one_stays(session: Session) -> None:
    with session.begin() as agent:
        run = agent.run("hang")
    children = [
        subprocess.Popen(session.command(seen=1), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(8)
    ]
    try:
        ends = {os.pidfd_open(child.pid): child for child in children}
        while len(ends) > 1:
            (ended, *_), _, _ = select.select(list(ends), [], [], PATIENCE)
            os.close(ended)
            assert ends.pop(ended).wait(PATIENCE) == 0
        os.close(*ends)
        with session.join(seen=1) as back:
            back.answer("cancel", run=run)
            back.event(run, "ended")
            back.answer("shutdown")
    finally:
        for child in children:
            for stream in (child.stdin, child.stdout):
                assert stream is not None
                stream.close()
            child.wait(PATIENCE)


@pytest.mark.parametrize("method", ["ping", "eval"])
def test_a_client_that_asks_and_takes_no_answers_is_let_go(session: Session, method: str) -> None:
    with session.begin() as agent:
        assert starve(agent, session.pid, method) < 48_000_000


def test_a_client_that_takes_answers_and_confirms_none_is_let_go(session: Session) -> None:
    """What it has got is kept for it all the same, in case that it comes back."""
    wanted = b"".join(protocol.encode(protocol.request(n, "eval", {})) for n in range(500))
    peak = 0
    with session.begin() as agent:
        try:
            while True:
                agent.send(wanted)
                for _ in range(500):
                    agent.next()
                peak = max(peak, memory_peak(session.pid))
        except (BrokenPipeError, AssertionError):
            pass  # it ended
    assert 16_000_000 < peak < 40_000_000
    with session.join(seen=1) as back:
        assert back.hello["type"] == "gone"


def test_attaching_again_and_again_leaks_nothing(session: Session) -> None:
    with session.begin() as agent:
        agent.answer("ping")
    before = 0
    for turn in range(30):
        with session.join(seen=1) as back:
            back.answer("ping", seen=1)
            count = descriptors(session.pid)
            before = before or count
            assert count == before, turn
    with session.join(seen=1) as back:
        back.answer("shutdown")


def test_a_session_that_nobody_asked_anything_ends_with_its_first_connection(session: Session) -> None:
    with Agent(*session.command()) as agent:
        pid = agent.hello["pid"]
        handle = os.pidfd_open(pid)
    assert select.select([handle], [], [], PATIENCE)[0]
    os.close(handle)
