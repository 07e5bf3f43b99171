"""Texts of /proc in, numbers out. No files are opened here. Sizes in bytes; unknown is None.

The rules of address spaces are those of pi-facts.md §2.2 and §2.3.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MIB = 1024 * 1024
GIB = 1024 * MIB
#: Default stack_guard_gap of Linux: 256 pages of 4 KiB.
STACK_GUARD = 1 * MIB
#: The kernel's own pages above TASK_SIZE of a 32-bit process; they say nothing about the ceiling.
_KERNEL_MAPPINGS = ("[vectors]", "[sigpage]", "[vsyscall]")


class Mapping:
    """One line of /proc/PID/maps."""

    __slots__ = ("end", "name", "start")

    def __init__(self, start: int, end: int, name: str) -> None:
        self.start = start
        self.end = end
        self.name = name


def meminfo(text: str) -> dict[str, int]:
    """Every line of /proc/meminfo that is a size, in bytes."""
    sizes: dict[str, int] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        parts = value.split()
        if len(parts) == 2 and parts[1] == "kB" and parts[0].isdigit():
            sizes[key] = int(parts[0]) * 1024
    return sizes


def kept_back(text: str, page_size: int) -> int | None:
    """Bytes that MemAvailable leaves aside and a process can have all the same, by /proc/zoneinfo.

    MemAvailable counts as out of reach what the kernel keeps free at most (the high mark of each zone and
    what it guards from others); before it ends a process it goes down to the low end, the "min" mark.
    """
    aside = least = 0
    high = low = managed = 0
    seen = False
    for line in text.splitlines():
        words = line.replace("(", " ").replace(")", " ").replace(",", " ").split()
        if words[:1] == ["protection:"]:
            guarded = max([int(word) for word in words[1:]] or [0])
            aside += min(guarded + high, managed)
            least += min(low, managed)
            high = low = managed = 0
            seen = True
        elif len(words) == 2 and words[1].isdigit():
            if words[0] == "min":
                low = int(words[1])
            elif words[0] == "high":
                high = int(words[1])
            elif words[0] == "managed":
                managed = int(words[1])
    return max(0, aside - least) * page_size if seen else None


def status(text: str) -> dict[str, int]:
    """The sizes of /proc/PID/status (VmHWM, VmRSS, RssAnon, RssFile, …), in bytes."""
    return meminfo(text)


def statm_rss(text: bytes, page_size: int) -> int | None:
    """Resident bytes of /proc/PID/statm; None for a process that has given its memory back (a zombie)."""
    fields = text.split(None, 2)
    if len(fields) < 2 or fields[0] == b"0":
        return None
    return int(fields[1]) * page_size


def maps(text: str) -> list[Mapping]:
    """The mappings of /proc/PID/maps, lowest first. Lines that are none are left out."""
    found = []
    for line in text.splitlines():
        fields = line.split(None, 5)
        if len(fields) < 5:
            continue
        start, _dash, end = fields[0].partition("-")
        try:
            found.append(Mapping(int(start, 16), int(end, 16), fields[5] if len(fields) == 6 else ""))
        except ValueError:
            continue
    found.sort(key=lambda mapping: mapping.start)
    return found


def ceiling(mappings: Iterable[Mapping], bits: int, machine: str, page_size: int) -> int | None:
    """The first address that the process can never use.

    32 bits on a 64-bit kernel: 4 GiB - 1 page (4 GiB with 64 KiB pages). 32 bits on its own kernel:
    16 MiB below the split of the address space, which is the end of the stack rounded up to 2, 3 or
    4 GiB (x86 has no such 16 MiB). 64 bits: 2^47 on x86-64; on aarch64 the smallest of 2^39, 2^47
    and 2^48 that holds the highest mapping. None for a machine of which the rule is not known.
    """
    usable = [mapping for mapping in mappings if mapping.name not in _KERNEL_MAPPINGS]
    top = max([mapping.end for mapping in usable if mapping.name != "[vdso]"], default=0)
    if bits == 32:
        if machine in ("aarch64", "x86_64"):
            return 4 * GIB if page_size >= 64 * 1024 else 4 * GIB - page_size
        stack = next((mapping.end for mapping in usable if mapping.name == "[stack]"), top)
        if not stack:
            return None
        split = next(size for size in (2 * GIB, 3 * GIB, 4 * GIB) if stack <= size)
        return split - 16 * MIB if machine.startswith("arm") else split
    if machine == "x86_64":
        return (1 << 47) - page_size
    if machine == "aarch64":
        return next((1 << width for width in (39, 47, 48) if top <= 1 << width), None)
    return None


def largest_gap(
    mappings: Iterable[Mapping],
    ceiling: int,
    floor: int,
    page_size: int,
    stack_limit: int | None,
) -> int:
    """Bytes of the largest single mapping that still fits between the others.

    ``floor`` is vm.mmap_min_addr, ``stack_limit`` RLIMIT_STACK (None: unlimited). Below the stack its
    guard and the part into which it may still grow are not to be had.
    """
    best = 0
    position = floor
    for mapping in mappings:
        if mapping.start >= ceiling:
            break
        end = mapping.start
        if mapping.name == "[stack]":
            unused = 0 if stack_limit is None else max(0, stack_limit - (mapping.end - mapping.start))
            end -= STACK_GUARD + unused
        best = max(best, end - position)
        position = max(position, mapping.end)
    best = max(best, ceiling - position)
    return best // page_size * page_size
