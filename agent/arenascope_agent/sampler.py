"""Reads the memory of a worker and of the board at a steady rate, and its own cost.

Samples draw a curve and never claim a peak. Kept-open descriptors and ``pread``: one sample is one
system call and one line to parse.
"""

from __future__ import annotations

import os
import time

from . import procfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .loop import Loop, Timer

    Emit = Callable[[str, "dict[str, Any]"], None]

PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")
#: Seconds between two reads of /proc/meminfo, two batches of samples, two looks at all processes.
BOARD_PERIOD = 0.25
BATCH_PERIOD = 0.25
PROCESSES_PERIOD = 5.0
#: Shares of the RAM: less than LOW available is looked at closely, and below NOTHING_LEFT samples are taken
#: twice as often; the largest processes are looked at again for every CHANGED that goes, but not twice in
#: LOOK_PERIOD seconds. A look at all of them takes long enough to miss a sample, so it is at these LARGEST.
LOW, NOTHING_LEFT, CHANGED, LOOK_PERIOD = 0.15, 0.03, 0.01, 0.5
LARGEST = 12
TOP = 5
#: Bytes of /proc/meminfo that hold everything up to SwapFree, on kernels with high memory as well.
_MEMINFO_HEAD = 640


class BoardReader:
    """RAM and swap of the board, from a kept-open /proc/meminfo."""

    def __init__(self) -> None:
        self._fd = os.open("/proc/meminfo", os.O_RDONLY)

    def read(self) -> dict[str, int | None]:
        """{"available", "swap_free", "ram_total"} in bytes."""
        sizes = procfs.meminfo(os.pread(self._fd, _MEMINFO_HEAD, 0).decode("ascii", "replace"))
        return {
            "available": sizes.get("MemAvailable"),
            "swap_free": sizes.get("SwapFree"),
            "ram_total": sizes.get("MemTotal"),
        }

    def close(self) -> None:
        os.close(self._fd)


class OwnCost:
    """What this very process costs: resident bytes, and its share of one core since ``start``."""

    def __init__(self, start: float) -> None:
        self._start = start
        self._cpu = time.process_time()

    def read(self) -> dict[str, Any]:
        """{"agent_rss": bytes, "agent_cpu": share of one core}."""
        elapsed = time.monotonic() - self._start
        cpu = (time.process_time() - self._cpu) / elapsed if elapsed > 0 else None
        return {"agent_rss": _rss_of(os.getpid()), "agent_cpu": cpu}


def _rss_of(pid: int) -> int | None:
    try:
        fd = os.open("/proc/%d/statm" % pid, os.O_RDONLY)
    except OSError:
        return None
    try:
        return procfs.statm_rss(os.read(fd, 128), PAGE_SIZE)
    except OSError:  # it ended in between
        return None
    finally:
        os.close(fd)


def _command_line(pid: int) -> bytes:
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            return file.read(4096)
    except OSError:
        return b""


def _largest(pids: Iterable[int]) -> list[tuple[int, int]]:
    """(resident bytes, pid), largest first, without those that have none."""
    sizes = []
    for pid in pids:
        rss = _rss_of(pid)
        if rss:
            sizes.append((rss, pid))
    sizes.sort(reverse=True)
    return sizes


def _everybody() -> Iterable[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def _named(sizes: list[tuple[int, int]]) -> list[list[Any]]:
    return [[pid, _name_of(pid), rss] for rss, pid in sizes[:TOP]]


def top_processes() -> list[list[Any]]:
    """[[pid, name, resident bytes], …] of the processes that hold most, largest first."""
    return _named(_largest(_everybody()))


def _name_of(pid: int) -> str:
    try:
        with open("/proc/%d/comm" % pid, "rb") as file:
            return file.read(64).rstrip(b"\n").decode("utf-8", "replace")
    except OSError:
        return ""


class RunSampler:
    """Samples one worker from its start to its end, as events "samples" and "processes".

    ``available`` and ``swap_free`` are read four times a second and are null between; nothing is
    filled in. When little is left they are read with every sample, and who holds memory is looked at
    whenever it has become less, so that a kill finds a list of the moment before it; when hardly anything
    is left, there are samples halfway between the others.

    ``last``: the last sample of the worker, seconds and resident bytes; ``gone``: when it was first seen
    without memory; ``board``: what the board had when it was last looked at.
    """

    def __init__(self, loop: Loop, pid: int, start: float, hz: float, emit: Emit) -> None:
        self._loop = loop
        self._start = start
        self._emit = emit
        self._statm = os.open("/proc/%d/statm" % pid, os.O_RDONLY)
        try:
            self._board = BoardReader()
        except OSError:
            os.close(self._statm)
            raise
        self._pid = pid
        self._own_memory = False
        self._next_board = start
        self.board: dict[str, int | None] = {"available": None, "swap_free": None, "ram_total": None}
        self.last: tuple[float, int] | None = None
        self.gone: float | None = None
        self._batch: list[tuple[float, int | None, int | None, int | None]] = []
        #: Samples that were taken, whether or not they have been sent.
        self.taken = 0
        self._next_batch = start + BATCH_PERIOD
        #: When all processes were looked at, what was available then, and what the worker had.
        self._looked: tuple[float, int | None, int] = (start, None, 0)
        self._largest: list[int] = []
        self._halfway: Timer | None = None
        self._period = 1 / hz
        self._sample()
        self._look_around()
        self._timers = [
            loop.every(self._period, self._sample, start),
            loop.every(PROCESSES_PERIOD, self._look_around, start),
        ]

    def flush(self) -> None:
        """Send what has been sampled so far."""
        if self._batch:
            t, rss, available, swap_free = zip(*self._batch)
            self._batch = []
            self._emit("samples", {"t": t, "rss": rss, "available": available, "swap_free": swap_free})

    def stop(self) -> None:
        """After the worker's end: the last batch, and who holds memory now."""
        for timer in self._timers:
            self._loop.cancel(timer)
        self._sample_halfway(False)
        self.gone = self.gone or round(time.monotonic() - self._start, 6)
        self.flush()
        self._look_around()
        os.close(self._statm)
        self._board.close()

    def _begun(self) -> bool:
        """Whether the worker's memory is its own. Until its exec is done it is this process's, and so is
        its command line: spawning returns a moment before the kernel has put the new one in place."""
        if not self._own_memory:
            self._own_memory = _command_line(self._pid) != _command_line(os.getpid())
        return self._own_memory

    def _sample(self) -> None:
        now = time.monotonic()
        if not self._begun():
            return
        try:
            rss = procfs.statm_rss(os.pread(self._statm, 128, 0), PAGE_SIZE)
        except ProcessLookupError:
            rss = None
        if rss is None:  # the worker has ended; its memory is gone and its end is about to be told
            self.gone = self.gone or round(now - self._start, 6)
            return
        available = swap_free = None
        if now >= self._next_board:
            self.board = self._board.read()
            available, swap_free = self.board["available"], self.board["swap_free"]
            self._next_board += BOARD_PERIOD * int((now - self._next_board) / BOARD_PERIOD + 1)
        self.taken += 1
        self.last = (round(now - self._start, 6), rss)
        self._batch.append((*self.last, available, swap_free))
        if now >= self._next_batch:
            self._next_batch = now + BATCH_PERIOD
            self.flush()
        if available is not None:
            self._mind(available, rss, now)

    def _mind(self, available: int, rss: int, now: float) -> None:
        """Look closely where little is left."""
        total = self.board["ram_total"] or 0
        self._sample_halfway(available < NOTHING_LEFT * total)
        if available < LOW * total:
            self._next_board = now  # with the next sample again
            if self._has_changed(available, rss, now):
                self._tell_processes(_largest(self._largest))

    def _sample_halfway(self, wanted: bool) -> None:
        if wanted and self._halfway is None:
            self._halfway = self._loop.every(self._period, self._sample, self._start + self._period / 2)
        elif not wanted and self._halfway is not None:
            self._loop.cancel(self._halfway)
            self._halfway = None

    def _has_changed(self, available: int, rss: int, now: float) -> bool:
        """Whether enough has gone since the last look at processes for another one. At the very end
        nothing is available, and the worker still grows: it takes what others have."""
        when, then, had = self._looked
        step = CHANGED * (self.board["ram_total"] or 0)
        return now - when >= LOOK_PERIOD and (then is None or max(then - available, rss - had) >= step)

    def _look_around(self) -> None:
        sizes = _largest(_everybody())
        self._largest = [pid for _, pid in sizes[:LARGEST]]
        self._tell_processes(sizes)

    def _tell_processes(self, sizes: list[tuple[int, int]]) -> None:
        now = time.monotonic()
        self._looked = (now, self.board["available"], self.last[1] if self.last else 0)
        self._emit("processes", {"t": round(now - self._start, 6), "top": _named(sizes)})


class Watch:
    """The board by itself, as events "board", until it is stopped."""

    def __init__(self, loop: Loop, start: float, hz: float, emit: Emit) -> None:
        self._loop = loop
        self._start = start
        self._emit = emit
        self._board = BoardReader()
        self._next_top = start
        self.cost = OwnCost(start)
        self._read()
        self._timer = loop.every(1 / hz, self._read, start)

    def stop(self) -> None:
        self._loop.cancel(self._timer)
        self._board.close()

    def _read(self) -> None:
        now = time.monotonic()
        data: dict[str, Any] = {"t": round(now - self._start, 6)}
        data.update(self._board.read())
        data.update(self.cost.read())
        if now >= self._next_top:
            self._next_top = now + PROCESSES_PERIOD
            data["top"] = top_processes()
        self._emit("board", data)
