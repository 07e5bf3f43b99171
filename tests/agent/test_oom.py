"""The kernel's words about a kill: as a 32-bit board wrote them, as older kernels do, and as they arrive.

``kernel_log.txt`` beside this file holds records of /dev/kmsg as the emulated 32-bit board gave them (Linux
6.1, 1 GiB of RAM, no swap) when an inspection had written more than there was.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from arenascope_agent import marks, oom
from arenascope_agent.oom import CLOSED, ELSEWHERE, LOST, NONE, Line, kill_of, parse_journal, parse_record

RECORDED = Path(__file__).with_name("kernel_log.txt")
#: Of the recorded board: who was killed, and when, in seconds since its start.
PID, KILLED_AT = 417, 832.959868

SUMMARY = "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=python3,pid=85,uid=0"
KILLED = "Out of memory: Killed process 85 (python3) total-vm:950860kB, anon-rss:914176kB, file-rss:8kB, shmem-rss:4036kB, UID:0 pgtables:1852kB oom_score_adj:0"


def recorded() -> list[bytes]:
    """The records, each with the fields on the lines that follow it."""
    records: list[bytes] = []
    for line in RECORDED.read_bytes().splitlines(keepends=True):
        if line.startswith(b" "):
            records[-1] += line
        else:
            records.append(line)
    return records


def lines(*texts: str) -> list[Line]:
    return [Line(float(number), text) for number, text in enumerate(texts)]


def test_the_records_of_a_board() -> None:
    read = [line for line in map(parse_record, recorded()) if line is not None]
    kill = kill_of(PID, read)
    assert kill is not None
    assert oom.is_whole(kill)
    assert kill.line.t == KILLED_AT
    assert kill.line.text.startswith(f"Out of memory: Killed process {PID} (python3) total-vm:977372kB")
    assert (kill.total_vm, kill.anon, kill.group) == (977372 * 1024, 920096 * 1024, None)
    assert kill_of(PID + 1, read) is None
    assert kill_of(41, read) is None  # whose number is the beginning of another


@pytest.mark.parametrize(
    ("texts", "anon", "group"),
    [
        ((SUMMARY, KILLED), 914176, None),
        ((KILLED,), 914176, None),  # before Linux 4.20
        ((SUMMARY,), None, None),
        (("Killed process 85",), None, "nothing"),
        (("Out of memory: Kill process 85 (python3) score 903 or sacrifice child",
          "Killed process 85 (python3) total-vm:1kB, anon-rss:2kB, file-rss:0kB"), None, None),
        (("Out of memory (oom_kill_allocating_task): Killed process 85 (a) b (c) total-vm:1kB, anon-rss:7kB",), 7, None),
        (("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/box,task_memcg=/box/a,task=a,b=c,pid=85,uid=1000",
          "Memory cgroup out of memory: Killed process 85 (a,b=c) total-vm:9kB, anon-rss:8kB"), 8, "/box"),
        (("Memory cgroup out of memory: Killed process 85 (python3) total-vm:9kB, anon-rss:8kB",), 8, ""),
    ],
)  # fmt: skip
def test_lines_of_other_kernels(texts: tuple[str, ...], anon: int | None, group: str | None) -> None:
    kill = kill_of(85, lines(*texts))
    if group == "nothing":
        assert kill is None
        return
    assert kill is not None
    assert kill.anon == (None if anon is None else anon * 1024)
    assert kill.group == group
    assert kill_of(8, lines(*texts)) is None


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (b"3,1000,832959868,-;plain words\n SUBSYSTEM=x\n", "plain words"),
        (b"3,1000,832959868,-,caller=T12,more;plain words\n", "plain words"),
        (b"4,1,2,-;a\\x5cb\\x09c\n", "a\\b\tc"),
        (
            b"12,1000,832959868,-;Out of memory: Killed process 85 (x) total-vm:1kB\n",
            None,
        ),  # somebody wrote it
        (b"words without a head\n", None),
        (b";\n", None),
        (b"3,1000;x\n", None),
        (b"a,b,c,d;x\n", None),
        (b"", None),
    ],
)
def test_a_record_is_the_kernel_s_or_none(record: bytes, text: str | None) -> None:
    line = parse_record(record)
    assert (line.text if line else None) == text


def test_the_journal_tells_the_same() -> None:
    text = (
        "[  100.000001] box kernel: Out of memory: Killed process 85 (python3) total-vm:1kB, anon-rss:1kB\n"
        "[  832.958753] box kernel: " + SUMMARY + "\n"
        "[  832.959000] box systemd[1]: Out of memory: Killed process 86 (python3) total-vm:1kB, anon-rss:1kB\n"
        "-- no line of any kind --\n"
        "[  832.959868] box kernel: " + KILLED + "\n"
    )
    found = parse_journal(text, 500.0)
    assert [line.t for line in found] == [832.958753, 832.959868]
    kill = kill_of(85, found)
    assert kill is not None
    assert kill.anon == 914176 * 1024
    assert kill_of(86, found) is None


# ---------------------------------------------------------------------------- how they arrive


@pytest.fixture
def log() -> Iterator[tuple[socket.socket, int]]:
    """What reads like /dev/kmsg: one record a read, and EAGAIN where there is none."""
    write, read = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    read.setblocking(False)
    with write, read:
        yield write, read.fileno()


def record(text: str, seconds: float = 50.0) -> bytes:
    return b"3,7,%d,-;%s\n" % (seconds * 1e6, text.encode())


def search(log: int, *, expected: bool = True, own: bool = True, journal: str | None = None) -> oom.Found:
    return oom.search(85, log, 40.0, expected, lambda: journal, lambda: own)


def test_what_stands_in_the_log_is_found(log: tuple[socket.socket, int]) -> None:
    write, read = log
    for text in ("other words", SUMMARY, KILLED, "words after it"):
        write.send(record(text))
    found = search(read)
    assert found.kill is not None
    assert found.kill.line == Line(50.0, KILLED)


def test_a_line_that_comes_a_moment_later_is_waited_for(log: tuple[socket.socket, int]) -> None:
    write, read = log
    write.send(record(SUMMARY))
    polled = threading.Event()

    def later() -> None:
        polled.wait()
        write.send(record(KILLED))

    thread = threading.Thread(target=later)
    thread.start()
    real = select.poll

    class Poll:
        def __init__(self) -> None:
            self._poll = real()

        def register(self, fd: int, events: int) -> None:
            self._poll.register(fd, events)

        def poll(self, timeout: float) -> object:
            polled.set()
            return self._poll.poll(timeout)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(oom.select, "poll", Poll)
        patch.setattr(oom, "PATIENCE", 30.0)
        found = search(read)
    thread.join()
    assert found.kill is not None
    assert oom.is_whole(found.kill)


def test_a_line_that_never_comes_is_not_waited_for_forever(
    log: tuple[socket.socket, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oom, "PATIENCE", 0.05)
    log[0].send(record(SUMMARY))
    found = search(log[1])
    assert found.kill is not None
    assert found.kill.line.text == SUMMARY  # better than nothing
    assert search(log[1], expected=False) == (None, NONE)


def test_an_overrun_is_told_and_survived(
    log: tuple[socket.socket, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = os.read, [errno.EPIPE, errno.EINVAL]

    def overrun(fd: int, size: int) -> bytes:
        if fd == log[1] and failures:
            raise OSError(failures.pop(0), "as the kernel does")
        return real(fd, size)

    monkeypatch.setattr(oom.os, "read", overrun)
    assert search(log[1], expected=False) == (None, LOST)
    log[0].send(record(KILLED))
    assert search(log[1]).kill is not None


def test_a_flood_of_other_lines_comes_to_an_end(log: tuple[socket.socket, int]) -> None:
    write, read = log
    write.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            write.send(record("Out of memory is what this line is not about"))
    assert search(read, expected=False) == (None, NONE)


def test_without_the_log_the_journal_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oom, "JOURNAL_PATIENCE", 0.0)
    assert search(-1) == (None, CLOSED)
    assert search(-1, journal="[   50.000000] box kernel: nothing of it\n") == (None, NONE)
    found = search(-1, journal=f"[   50.000000] box kernel: {KILLED}\n")
    assert found.kill is not None
    assert found.kill.line.t == 50.0


def test_numbers_of_another_namespace_prove_nothing(log: tuple[socket.socket, int]) -> None:
    log[0].send(record(KILLED))
    assert search(log[1], own=False) == (None, ELSEWHERE)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo '[    1.000000] box kernel: words'", True),
        ("echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1", False),
        ("echo '[    1.000000] box sshd[3]: a line of another program'", False),
        ("sleep 60", False),
        (None, False),
    ],
)
def test_journalctl_is_asked_with_a_limit(
    script: str | None, told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if script is not None:
        (tmp_path / "journalctl").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "journalctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin" if script else str(tmp_path))
    monkeypatch.setattr(oom, "JOURNAL_LIMIT", 0.3)
    assert (oom.read_journal() is not None) is told


# -------------------------------------------------------------------------------- the counters


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (b"low 0\nhigh 3\nmax 9\noom 2\noom_kill 4\noom_group_kill 7\n", 4),
        (b"oom_kill_disable 0\nunder_oom 0\noom_kill 12\n", 12),
        (b"nr_free_pages 3\noom_kill 0\n", 0),
        (b"oom_kill_disable 0\nunder_oom 0\n", None),
        (b"oom_kill many\n", None),
        (b"", None),
    ],
)
def test_a_counter_by_its_name(text: bytes, number: int | None) -> None:
    assert marks.counted(text, b"oom_kill") == number


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("0::/system.slice/ssh.service\n", ["system.slice/ssh.service/memory.events"], True),
        ("9:name=systemd:/\n4:cpu,memory:/box\n0::/\n", ["memory/box/memory.oom_control"], True),
        (
            "0::/system.slice/ssh.service\n",
            ["cgroup.procs"],
            False,
        ),  # the controller is off, as on a stock Pi
        ("", [], False),
    ],
)
def test_the_file_of_the_own_control_group(
    membership: str, files: list[str], expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("oom_kill 3\n")
    monkeypatch.setattr(marks, "CGROUPS", str(tmp_path))
    monkeypatch.setattr(marks, "_read", lambda path: membership.encode())
    found = marks.group_file("memory.events", "memory.oom_control")
    assert (found is not None) is expected
    if expected:
        assert Path(found or "").read_text() == "oom_kill 3\n"


def test_marks_hold_one_descriptor_and_give_it_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "log"
    old.write_bytes(record("an old line"))
    monkeypatch.setattr(marks, "KERNEL_LOG", str(old))
    before = len(os.listdir("/proc/self/fd"))
    taken = marks.Marks(5.0)
    assert os.read(taken.log, 100) == b""  # only what comes from now on
    taken.close()
    taken.close()
    assert len(os.listdir("/proc/self/fd")) == before
    monkeypatch.setattr(marks, "KERNEL_LOG", str(tmp_path / "absent"))
    assert marks.Marks(5.0).log == -1
