"""Facts of this device that need no runtime: CPU, kernel, memory, the address space of a process."""

from __future__ import annotations

import os
import struct
import sys

from . import procfs

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
    }


def address_space() -> dict[str, int | None]:
    """{"ceiling", "largest_gap"} of the calling process, in bytes (pi-facts.md §2.2, §2.3)."""
    mappings = procfs.maps(_text("/proc/self/maps"))
    bits, page_size = struct.calcsize("P") * 8, os.sysconf("SC_PAGE_SIZE")
    ceiling = procfs.ceiling(mappings, bits, os.uname().machine, page_size)
    gap = None
    if ceiling is not None and mappings:
        floor = _text("/proc/sys/vm/mmap_min_addr").strip()
        lowest = int(floor) if floor.isdigit() else page_size
        gap = procfs.largest_gap(mappings, ceiling, lowest, page_size, _limit("RLIMIT_STACK"))
    return {"ceiling": ceiling, "largest_gap": gap}


def memory_limit() -> int | None:
    """What a process can have at most, in bytes: RAM and swap, or its own limit where that is lower."""
    memory = procfs.meminfo(_text("/proc/meminfo"))
    limit = _limit("RLIMIT_AS")
    if "MemTotal" not in memory:
        return limit
    there = memory["MemTotal"] + memory.get("SwapTotal", 0)
    return there if limit is None else min(there, limit)


def _limit(name: str) -> int | None:
    import resource  # a shared library that only a probe needs

    soft, _ = resource.getrlimit(getattr(resource, name))
    return None if soft == resource.RLIM_INFINITY else soft


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
