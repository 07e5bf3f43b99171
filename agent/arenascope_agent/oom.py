"""What the kernel says about the end of a process: the evidence of a kill for want of memory.

Texts of the kernel in, numbers out, and the reading of them. It takes its time (a line may come a
moment after the process is gone), so it runs in a process of its own, never in the server.

The lines, as Linux 6.1 writes them; older kernels leave parts out, so fields go by their names
(pi-facts.md §3.3):

    oom-kill:constraint=CONSTRAINT_NONE,…,global_oom,task_memcg=/,task=python3,pid=85,uid=0
    Out of memory: Killed process 85 (python3) total-vm:950860kB, anon-rss:914176kB, …
    Memory cgroup out of memory: Killed process 85 (python3) …
"""

from __future__ import annotations

import errno
import os
import re
import select
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

#: Seconds for a line that has not come yet.
PATIENCE = 0.5
#: The same where the journal has to fetch it from the kernel first, and for each journalctl.
JOURNAL_PATIENCE = 2.0
JOURNAL_LIMIT = 5.0
JOURNAL = ("journalctl", "-k", "-b", "-o", "short-monotonic", "--no-pager", "-q", "-n", "200")
#: A clock of the log may run apart from CLOCK_MONOTONIC; process numbers do not come back that soon.
_CLOCKS_APART = 60.0
_RECORD = 8192  # bytes; the kernel cuts longer ones
_MOST_RECORDS = 20_000
#: The process numbers of the log are those of this namespace (PROC_PID_INIT_INO).
_INIT_NAMESPACE = "pid:[4026531836]"

_KILLED = re.compile(
    r"(?P<kind>Memory cgroup out of memory|Out of memory[^:]*): Kill(?:ed)? process (?P<pid>\d+) "
)
_SUMMARY = re.compile(r"oom-kill:(?P<fields>.*),pid=(?P<pid>\d+)(?:,uid=\d+)?$")
_SIZE = re.compile(r"([a-z-]+):(\d+)kB")
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")
_JOURNAL_LINE = re.compile(r"\[\s*(\d+\.\d+)\] \S+ kernel: (.*)")


class Line(NamedTuple):
    """One line of the kernel log: seconds since the start of the device, and its text."""

    t: float
    text: str


class Kill(NamedTuple):
    """What the log says about one kill. Bytes; None: it does not say."""

    line: Line
    group: str | None  #: the control group whose limit it was, '' if unnamed; None: the device was short
    total_vm: int | None
    anon: int | None


def parse_record(record: bytes) -> Line | None:
    """The line of a record of /dev/kmsg; None for one that is not the kernel's own.

    "priority,number,microseconds,flags;text", then lines of other fields. Bytes that cannot be shown
    stand as \\xNN. Who may write to the log can put anything there, but not with the kernel's facility.
    """
    head, _, rest = record.partition(b";")
    fields = head.split(b",")
    if len(fields) < 3 or not fields[0].isdigit() or not fields[2].isdigit() or int(fields[0]) >> 3:
        return None
    text = rest.split(b"\n", 1)[0].decode("utf-8", "replace")
    return Line(int(fields[2]) / 1e6, _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text))


def parse_journal(text: str, since: float) -> list[Line]:
    """The kernel's lines in the output of ``journalctl -k -o short-monotonic``, from ``since`` on."""
    found = [_JOURNAL_LINE.fullmatch(line) for line in text.splitlines()]
    return [Line(float(match[1]), match[2]) for match in found if match and float(match[1]) >= since]


def kill_of(pid: int, lines: Iterable[Line]) -> Kill | None:
    """What the lines say about the kill of this process.

    The line "Killed process" comes last, and some kernels have no other; the summary before it knows
    the control group. Where only the summary is there, the rest is still to come or was lost.
    """
    killed: Line | None = None
    summary: Line | None = None
    group: str | None = None
    sizes: dict[str, str] = {}
    for line in lines:
        match = _SUMMARY.search(line.text)
        if match and int(match["pid"]) == pid:
            summary, group = line, _group(match["fields"])
        match = _KILLED.search(line.text)
        if match and int(match["pid"]) == pid:
            killed, sizes = line, dict(_SIZE.findall(line.text))
            if match["kind"].startswith("Memory cgroup"):
                group = group or ""
    found = killed or summary
    if found is None:
        return None
    return Kill(found, group, _bytes(sizes.get("total-vm")), _bytes(sizes.get("anon-rss")))


def is_whole(kill: Kill) -> bool:
    """Whether its last line has come."""
    return _KILLED.search(kill.line.text) is not None


def _group(fields: str) -> str | None:
    """The control group of a summary whose limit was reached; None when the whole device was short."""
    named = dict(part.partition("=")[::2] for part in fields.split(","))
    if named.get("constraint") != "CONSTRAINT_MEMCG":
        return None
    return named.get("oom_memcg", "")


def _bytes(kilobytes: str | None) -> int | None:
    return None if kilobytes is None else int(kilobytes) * 1024


#: Why there is no line, where there is none: none came, the log is closed to this user, parts of it were
#: overwritten before they could be read, its process numbers are not those that this container sees.
NONE, CLOSED, LOST, ELSEWHERE = "none", "closed", "lost", "elsewhere"


class Found(NamedTuple):
    """``kill``, or None and the reason why."""

    kill: Kill | None
    why: str = NONE


def search(
    pid: int,
    log: int,
    start: float,
    expected: bool,
    journal: Callable[[], str | None] | None = None,
    own_numbers: Callable[[], bool] | None = None,
) -> Found:
    """What the kernel says about ``pid``, from the descriptor ``log`` on, or from the journal (-1).

    ``start``: CLOCK_MONOTONIC of the run's start. ``expected``: whether a line must come, so that it is
    worth waiting for; the kernel counts a kill before it ends the process. In a container the numbers of
    the log are not ours (``own_numbers``), and nothing is claimed.
    """
    if not (own_numbers or numbers_are_the_kernels)():
        return Found(None, ELSEWHERE)
    if log >= 0:
        return _in_log(pid, log, PATIENCE if expected else 0.0)
    return _in_journal(pid, start - _CLOCKS_APART, expected, journal or read_journal)


def numbers_are_the_kernels() -> bool:
    """Whether this process is in the first process namespace. True where there are no namespaces."""
    try:
        return os.readlink("/proc/self/ns/pid") == _INIT_NAMESPACE
    except OSError:
        return True


def _in_log(pid: int, log: int, patience: float) -> Found:
    lines: list[Line] = []
    lost = False
    waiting = select.poll()
    waiting.register(log, select.POLLIN)
    until = time.monotonic() + patience
    while True:
        new, overrun = _read_log(log)
        lost = lost or overrun
        lines += new
        kill = kill_of(pid, lines)
        left = until - time.monotonic()
        if (kill is not None and is_whole(kill)) or left <= 0:
            return Found(kill, LOST if lost else NONE)
        waiting.poll(left * 1000)


def _read_log(log: int) -> tuple[list[Line], bool]:
    """The lines about kills that have come since the last read, and whether others were overwritten."""
    lines: list[Line] = []
    lost = False
    for _ in range(_MOST_RECORDS):
        try:
            record = os.read(log, _RECORD)
        except BlockingIOError:
            break
        except OSError as error:
            if error.errno == errno.EPIPE:  # the next read begins at the oldest record that is left
                lost = True
                continue
            if error.errno == errno.EINVAL:  # a record longer than any that tells of a kill
                continue
            break
        if not record:
            break
        if b"oom-kill:" in record or b"ut of memory" in record:
            line = parse_record(record)
            if line is not None:
                lines.append(line)
    return lines, lost


def _in_journal(pid: int, since: float, expected: bool, journal: Callable[[], str | None]) -> Found:
    until = time.monotonic() + (JOURNAL_PATIENCE if expected else 0.0)
    while True:
        text = journal()
        if text is None:
            return Found(None, CLOSED)
        kill = kill_of(pid, parse_journal(text, since))
        if (kill is not None and is_whole(kill)) or time.monotonic() >= until:
            return Found(kill)
        time.sleep(0.1)  # nothing tells when the journal has read the kernel's log


def read_journal() -> str | None:
    """What journalctl says of this start of the device; None where it may not be read, or is not there."""
    import subprocess  # this process ends soon

    try:
        done = subprocess.run(
            JOURNAL,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=JOURNAL_LIMIT, check=False,
            env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    text = done.stdout.decode("utf-8", "replace")
    return text if done.returncode == 0 and _JOURNAL_LINE.search(text) else None


def more(before: dict[str, Any], after: dict[str, Any], name: str) -> int | None:
    """How many kills a counter has more than before; None where it is not counted."""
    was, now = before.get(name), after.get(name)
    return None if was is None or now is None else now - was
