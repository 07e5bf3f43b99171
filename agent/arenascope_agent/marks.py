"""Where the kernel's log and counters stand before a run, and what a worker does at a moment.

Only taken down here, in the server; ``oom.py`` and ``causes.py`` make sense of it in a process of
their own (``aside.py``), and only after a run that ended badly.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KERNEL_LOG = "/dev/kmsg"
VMSTAT = "/proc/vmstat"
CGROUPS = "/sys/fs/cgroup"
#: More than any of the files read here has.
_MOST = 1 << 16


class Marks:
    """The kernel's log and counters at a moment. Holds one descriptor, until ``close``.

    ``log``: the kernel log, to be read from here on; -1 where it is closed to this user.
    ``counters``: out-of-memory kills so far, in the own control group and of the whole device; None
    where the kernel does not count them.
    """

    def __init__(self, start: float) -> None:
        """``start``: the moment on CLOCK_MONOTONIC that the run counts from."""
        self.start = start
        self.log = -1
        try:
            self.log = os.open(KERNEL_LOG, os.O_RDONLY | os.O_NONBLOCK)
            os.lseek(self.log, 0, os.SEEK_END)
        except OSError:
            self.close()
        self.counters = counters()

    def close(self) -> None:
        if self.log >= 0:
            os.close(self.log)
            self.log = -1


def counters() -> dict[str, int | None]:
    """{"cgroup", "vmstat"}: out-of-memory kills that the kernel has counted, for everybody to read."""
    events = group_file("memory.events", "memory.oom_control")
    return {
        "cgroup": counted(_read(events), b"oom_kill") if events else None,
        "vmstat": counted(_read(VMSTAT), b"oom_kill"),
    }


def counted(text: bytes, name: bytes) -> int | None:
    """The number behind a name that begins a line."""
    at = (b"\n" + text).find(b"\n" + name + b" ")
    if at < 0:
        return None
    number = text[at + len(name) + 1 :].split(b"\n", 1)[0].strip()
    return int(number) if number.isdigit() else None


def group_file(name: str, name_in_v1: str) -> str | None:
    """The path of a file of the memory controller for the own control group; None where there is none.
    Before the unified hierarchy each controller has a tree of its own, and other names."""
    for line in _read("/proc/self/cgroup").decode("utf-8", "replace").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if "memory" in controllers.split(","):
            found = "%s/memory%s/%s" % (CGROUPS, path, name_in_v1)
        elif number == "0":
            found = "%s%s/%s" % (CGROUPS, path, name)
        else:
            continue
        if os.path.exists(found):
            return found
    return None


def group_limit() -> tuple[int | None, int | None]:
    """(limit, used) of the own control group or of the one above it that leaves the least room, in bytes;
    (None, None) where none is limited."""
    tightest: tuple[int | None, int | None] = (None, None)
    limit_file = group_file("memory.max", "memory.limit_in_bytes")
    least = 1 << 62  # larger ones are how the first version writes "none"
    while limit_file is not None and limit_file.startswith(CGROUPS + "/"):
        folder, _, name = limit_file.rpartition("/")
        used_name = "memory.current" if name == "memory.max" else "memory.usage_in_bytes"
        limit, used = _read(limit_file).strip(), _read(folder + "/" + used_name).strip()
        if limit.isdigit() and used.isdigit() and int(limit) < 1 << 62 and int(limit) - int(used) < least:
            tightest, least = (int(limit), int(used)), int(limit) - int(used)
        above = folder.rpartition("/")[0]
        limit_file = above + "/" + name
    return tightest


def moment(pid: int) -> dict[str, Any]:
    """What a process is doing: {"t", "stat", "wchan"}, as the kernel writes it; "" where it does not say."""
    return {
        "t": time.monotonic(),
        "stat": _read("/proc/%d/stat" % pid).decode("utf-8", "replace"),
        "wchan": _read("/proc/%d/wchan" % pid).decode("utf-8", "replace"),
    }


def _read(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(fd, _MOST)
    except OSError:
        return b""
    finally:
        os.close(fd)
