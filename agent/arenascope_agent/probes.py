"""Facts of this device that need no runtime: CPU, kernel, memory, the address space of a process."""

from __future__ import annotations

import os
import struct
import sys
import time

from . import environment, marks, procfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def board_facts() -> dict[str, Any]:
    """The answer to ``probe`` without a runtime. Sizes in bytes; what cannot be read is None.

    ``bits`` is the pointer size of this Python and ``machine`` the kernel's word: a 32-bit userland on
    a 64-bit kernel has 32 and aarch64 (pi-facts.md §1.4).
    """
    system = os.uname()
    memory = procfs.meminfo(_text("/proc/meminfo"))
    return {
        "machine": system.machine,
        "bits": struct.calcsize("P") * 8,
        "kernel": "%s %s" % (system.sysname, system.release),
        "page_size": os.sysconf("SC_PAGE_SIZE"),
        "ram_total": memory.get("MemTotal"),
        "ram_available": memory.get("MemAvailable"),
        "swap_total": memory.get("SwapTotal"),
        "python": "%d.%d.%d" % sys.version_info[:3],
        "address_space": address_space(),
        "multiarch": getattr(sys.implementation, "_multiarch", None),
        "libc": _libc(),
        "abi": _abi(),
        "environment": environment.summary(),
        "disk_free": environment.free(),
        "swap_free": memory.get("SwapFree"),
        "user": user(),
        "uptime": _uptime(),
        "clock": time.time(),
        "psi": os.path.exists("/proc/pressure/memory"),
        "memory_cgroup": _memory_cgroup(),
        "kernel_log": _reads_kernel_log(),
        "limits": limits(memory),
    }


def limits(memory: dict[str, int]) -> dict[str, int | None]:
    """What can refuse a process memory or end it, beside RAM and addresses; None: unknown, or no limit.

    ``memory``: the sizes of /proc/meminfo. ``zram_free`` is the part of the free swap that lies in RAM,
    compressed; ``zram_kept`` and ``zram_used`` are what it holds and what that takes. ``kept_back`` is what
    MemAvailable leaves aside and a process can have all the same.
    """
    mode = _text("/proc/sys/vm/overcommit_memory").strip()
    group = marks.group_limit()
    zram = _zram()
    return {
        "overcommit": int(mode) if mode.isdigit() else None,
        "commit_limit": memory.get("CommitLimit"),
        "committed": memory.get("Committed_AS"),
        "kept_back": procfs.kept_back(_text("/proc/zoneinfo"), os.sysconf("SC_PAGE_SIZE")),
        "rlimit_as": limit("RLIMIT_AS"),
        "rlimit_data": limit("RLIMIT_DATA"),
        "group_limit": group[0],
        "group_used": group[1],
        "zram_free": zram[0],
        "zram_kept": zram[1],
        "zram_used": zram[2],
    }


def _zram() -> tuple[int, int, int]:
    """(free, held, what that takes in RAM) of all swap that is compressed memory."""
    free = kept = used = 0
    for line in _text("/proc/swaps").splitlines()[1:]:
        words = line.split()
        name = words[0].rpartition("/")[2] if words else ""
        if not name.startswith("zram") or len(words) < 4:
            continue
        free += (int(words[2]) - int(words[3])) * 1024
        numbers = _text("/sys/block/%s/mm_stat" % name).split()
        if len(numbers) >= 3:
            kept += int(numbers[0])
            used += int(numbers[2])
    return free, kept, used


def _libc() -> str | None:
    """'glibc 2.36'; None for another C library, whose name ``multiarch`` has."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or None
    except (ValueError, OSError):
        return None


def _abi() -> str:
    """'cp311', as the names of wheels have it; 'cp313t' without the lock, 'pypy39' for another Python."""
    name = sys.implementation.name
    short = "cp" if name == "cpython" else name
    flags = getattr(sys, "abiflags", "")
    return "%s%d%d%s" % (short, sys.version_info[0], sys.version_info[1], flags)


def user() -> str | None:
    """The name of this user; None for a number without one."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return None


def _uptime() -> float | None:
    first = _text("/proc/uptime").split(" ")[0]
    try:
        return float(first)
    except ValueError:
        return None


def _memory_cgroup() -> bool:
    """Whether the kernel counts the memory of groups: stock Raspberry Pi kernels have it switched off."""
    if "memory" in _text("/sys/fs/cgroup/cgroup.controllers").split():
        return True
    return os.path.isdir("/sys/fs/cgroup/memory")


def _reads_kernel_log() -> bool:
    """Whether this user can see why the kernel ended a process."""
    try:
        os.close(os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK))
    except OSError:
        pass  # the journal has it, too
    else:
        return True
    for folder in ("/var/log/journal", "/run/log/journal"):
        try:
            machines = os.listdir(folder)
        except OSError:
            continue
        if any(os.access(os.path.join(folder, one, "system.journal"), os.R_OK) for one in machines):
            return True
    return False


def address_space() -> dict[str, int | None]:
    """{"ceiling", "largest_gap"} of the calling process, in bytes (pi-facts.md §2.2, §2.3), and how much
    of it is mapped: all ("mapped"), and what counts as data ("data")."""
    own = procfs.status(_text("/proc/self/status"))
    mappings = procfs.maps(_text("/proc/self/maps"))
    bits, page_size = struct.calcsize("P") * 8, os.sysconf("SC_PAGE_SIZE")
    ceiling = procfs.ceiling(mappings, bits, os.uname().machine, page_size)
    gap = None
    if ceiling is not None and mappings:
        floor = _text("/proc/sys/vm/mmap_min_addr").strip()
        lowest = int(floor) if floor.isdigit() else page_size
        gap = procfs.largest_gap(mappings, ceiling, lowest, page_size, limit("RLIMIT_STACK"))
    return {
        "ceiling": ceiling,
        "largest_gap": gap,
        "mapped": own.get("VmSize"),
        "data": own.get("VmData"),
    }


def memory_limit() -> int | None:
    """What a process can have at most, in bytes: RAM and swap, or its own limit where that is lower."""
    memory = procfs.meminfo(_text("/proc/meminfo"))
    own = limit("RLIMIT_AS")
    if "MemTotal" not in memory:
        return own
    there = memory["MemTotal"] + memory.get("SwapTotal", 0)
    return there if own is None else min(there, own)


def memory_available() -> int | None:
    """Bytes that programs can have now without swapping; None where the kernel does not say."""
    return procfs.meminfo(_text("/proc/meminfo")).get("MemAvailable")


def limit(name: str) -> int | None:
    """What "RLIMIT_AS", or another of this process's limits, is; None where there is none."""
    import resource  # a shared library that only a probe needs

    soft, _ = resource.getrlimit(getattr(resource, name))
    return None if soft == resource.RLIM_INFINITY else soft


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
