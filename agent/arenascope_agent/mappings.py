"""A process mapping by mapping and page by page: whose its resident memory is. Bytes everywhere.

Apart from memory.py because only copies of the measured process use it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import NamedTuple

from .memory import PAGE, Resident, maps_text, read_all

_TOP_BYTE = 7 if sys.byteorder == "little" else 0  # of a pagemap entry; its top bit: present
_PRESENT = bytes(byte >> 7 for byte in range(256))


class Mapping(NamedTuple):
    """One mapping of the process. ``path`` is '' for plain anonymous memory, '[heap]' and the like."""

    start: int
    end: int
    path: str
    rss: int
    anon: int


def smaps(pid: int) -> list[Mapping]:
    """The mappings of a process with what is resident in each; empty where smaps is closed to us."""
    return parse_smaps(read_all("/proc/%d/smaps" % pid))


def total(mappings: Iterable[Mapping]) -> Resident:
    """What is resident in all of them."""
    found = list(mappings)
    rss, anon = sum(m.rss for m in found), sum(m.anon for m in found)
    return Resident(rss, anon, rss - anon)


def parse_smaps(text: bytes) -> list[Mapping]:
    """The mappings of a smaps (or maps) text, by address. Fields that a kernel lacks count 0."""
    mappings = []
    head: tuple[int, int, str] | None = None
    rss = anon = 0
    for line in text.split(b"\n"):
        if line[:1] in b"0123456789abcdef" and line:
            if head:
                mappings.append(Mapping(*head, rss, anon))
            fields = line.split(None, 5)
            low, _, high = fields[0].partition(b"-")
            path = fields[5].decode("utf-8", "replace") if len(fields) > 5 else ""
            head = (int(low, 16), int(high, 16), path)
            rss = anon = 0
        elif line.startswith(b"Rss:"):
            rss = int(line[4:-2]) * 1024
        elif line.startswith(b"Anonymous:"):
            anon = int(line[10:-2]) * 1024
    if head:
        mappings.append(Mapping(*head, rss, anon))
    return mappings


def mapped_files(text: bytes) -> set[str]:
    """Paths of the files in a maps text."""
    return {m.path for m in parse_smaps(text) if m.path.startswith("/")}


def file_ranges(path: str) -> list[tuple[int, int]]:
    """Where a file is mapped now: (start, end) pairs. ``path`` as ``mapped_name`` gives it."""
    return [(m.start, m.end) for m in parse_smaps(maps_text()) if m.path == path]


def mapped_name(path: str) -> str:
    """A file's path as the kernel writes it in maps: resolved, with line ends escaped."""
    resolved = os.fsencode(os.path.realpath(path)).replace(b"\n", b"\\012")
    return resolved.decode("utf-8", "replace")


def merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """(start, end) pairs without overlaps, ascending."""
    result: list[tuple[int, int]] = []
    for start, end in sorted(r for r in ranges if r[0] < r[1]):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


class Residency:
    """Which bytes of an address range have a page, from ``/proc/PID/pagemap`` (bit 63: present).

    Where a page is shared with a neighbour only the range's own bytes of it count. A page that was
    read and never written is the kernel's common page of zeros: present here, absent from RSS. So a
    range never counts more than the mappings it lies in have resident.
    """

    def __init__(self, pid: int, mappings: Iterable[Mapping] = ()) -> None:
        self._mappings = list(mappings)
        try:
            self._fd = os.open("/proc/%d/pagemap" % pid, os.O_RDONLY)
        except OSError:
            self._fd = -1

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    def resident(self, start: int, end: int) -> int | None:
        """Bytes of [start, end) in memory; None where pagemap is closed to us."""
        if self._fd < 0:
            return None
        total = 0
        page, last = start // PAGE, (end - 1) // PAGE
        while page <= last:
            try:
                data = os.pread(self._fd, min(last - page + 1, 1 << 16) * 8, page * 8)
            except (OSError, OverflowError):
                return None
            flags = data[_TOP_BYTE : len(data) // 8 * 8 : 8].translate(_PRESENT)
            if not flags:
                break
            total += flags.count(1) * PAGE
            if page * PAGE < start and flags[0]:
                total -= start - page * PAGE
            page += len(flags)
            if page * PAGE > end and flags[-1]:
                total -= page * PAGE - end
        within = [m.rss for m in self._mappings if m.start < end and start < m.end]
        return min(total, sum(within)) if within else total
