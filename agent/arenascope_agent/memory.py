"""What this process holds, asked of the kernel. Bytes everywhere.

The peak of a step is taken by the VmHWM method (pi-facts.md §4): give free heap back, reset the
kernel's high-water mark, run the step, read the mark. Sampling can miss a peak; this cannot.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

PAGE = os.sysconf("SC_PAGE_SIZE")


class Resident(NamedTuple):
    """Resident memory: all of it, the anonymous part, the file-backed part. None: not told."""

    rss: int | None
    anon: int | None
    file: int | None


class Measured(NamedTuple):
    """One step: clock (CLOCK_MONOTONIC seconds), the figures around it, and what it returned.
    ``peak`` is None where the kernel does not let the mark be reset."""

    start: float
    seconds: float
    before: Resident
    peak: int | None
    after: Resident
    result: Any


def _c_library_trim() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none


_trim = _c_library_trim()


def trim() -> None:
    """Hand the allocator's free pages back, so that a step does not use them unseen."""
    if _trim is not None:
        _trim(0)


def read_all(path: str) -> bytes:
    """The whole file; empty where it is absent or closed to us."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    parts: list[bytes] = []
    try:
        while True:
            part = os.read(fd, 1 << 16)
            if not part:
                return b"".join(parts)
            parts.append(part)
    except OSError:
        return b""
    finally:
        os.close(fd)


def _kilobytes(text: bytes, name: bytes) -> int | None:
    at = text.find(b"\n" + name + b":")
    if at < 0:
        return None
    return int(text[at + len(name) + 2 : text.index(b"kB", at)]) * 1024


def resident() -> Resident:
    """Exact from ``smaps_rollup``; from ``status`` before Linux 4.14, ``statm`` before 4.5 (counters
    that the kernel updates in batches)."""
    text = read_all("/proc/self/smaps_rollup")
    rss, anon = _kilobytes(text, b"Rss"), _kilobytes(text, b"Anonymous")
    if rss is not None and anon is not None:
        return Resident(rss, anon, rss - anon)
    text = read_all("/proc/self/status")
    rss, anon = _kilobytes(text, b"VmRSS"), _kilobytes(text, b"RssAnon")
    if rss is not None and anon is not None:
        return Resident(rss, anon, rss - anon)
    fields = read_all("/proc/self/statm").split()
    if len(fields) < 3:
        return Resident(None, None, None)
    rss, shared = int(fields[1]) * PAGE, int(fields[2]) * PAGE
    return Resident(rss, rss - shared, shared)


def reset_peak() -> bool:
    """Set the high-water mark to what is resident now. False before Linux 4.0 or where it is closed."""
    try:
        fd = os.open("/proc/self/clear_refs", os.O_WRONLY)
    except OSError:
        return False
    try:
        os.write(fd, b"5")
    except OSError:
        return False
    finally:
        os.close(fd)
    return True


def peak() -> int | None:
    """The high-water mark of resident memory since the last reset."""
    return _kilobytes(read_all("/proc/self/status"), b"VmHWM")


def measure(step: Callable[[], Any], after: Callable[[], Resident] = resident) -> Measured:
    """Run ``step`` and take its peak. ``after`` reads what is resident at its end.

    The mark and ``resident`` are two countings of one thing, some hundred kilobytes apart at times;
    the peak is the largest figure seen, so it is never below what was there before or after.
    """
    trim()
    before = resident()
    can_reset = reset_peak()
    start = time.monotonic()
    result = step()
    seconds = time.monotonic() - start
    mark = peak() if can_reset else None
    now = after()
    if mark is not None:
        mark = max(mark, before.rss or 0, now.rss or 0)
    return Measured(start, seconds, before, mark, now, result)


def maps_text() -> bytes:
    """The mappings as they are now, not yet understood."""
    return read_all("/proc/self/maps")
