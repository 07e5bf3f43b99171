"""Texts of /proc → numbers. The three 32-bit address spaces, 64 bits, 16 KiB pages, missing lines.

The 32-bit texts were composed for these tests from the facts of pi-facts.md §2.1 to §2.3 (where the
stack ends under each split, the pages of the kernel above it, the gaps of a fresh Python); none of them
is a recording of a board.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenascope_agent import procfs
from arenascope_agent.procfs import GIB, MIB

PAGE = 4096
FLOOR = 32 * 1024
STACK_LIMIT = 8 * MIB

#: A 32-bit kernel with a 2G/2G split: Pi 2, 3 and Zero 2 W with kernel7.img.
SPLIT_2G = """\
00010000-003e1000 r-xp 00000000 b3:02 1234       /usr/bin/python3.11
003f0000-003f1000 r--p 003d0000 b3:02 1234       /usr/bin/python3.11
003f1000-00430000 rw-p 003d1000 b3:02 1234       /usr/bin/python3.11
00d5b000-00e2f000 rw-p 00000000 00:00 0          [heap]
76a00000-76b80000 r--p 00000000 b3:02 5678       /usr/lib/locale/C.utf8/LC_CTYPE
76b80000-76ce0000 r-xp 00000000 b3:02 5679       /usr/lib/arm-linux-gnueabihf/libc.so.6
76f2a000-76f4a000 r-xp 00000000 b3:02 5680       /usr/lib/arm-linux-gnueabihf/ld-linux-armhf.so.3
7e8b4000-7e8d5000 rw-p 00000000 00:00 0          [stack]
7eb11000-7eb12000 r-xp 00000000 00:00 0          [sigpage]
7eb12000-7eb13000 r--p 00000000 00:00 0          [vvar]
7eb13000-7eb14000 r-xp 00000000 00:00 0          [vdso]
ffff0000-ffff1000 r-xp 00000000 00:00 0          [vectors]
"""

#: A 32-bit kernel with a 3G/1G split: Pi 4 with kernel7l.img, Debian's armmp-lpae.
SPLIT_3G = """\
00010000-003e1000 r-xp 00000000 b3:02 1234       /usr/bin/python3.11
003f1000-00430000 rw-p 003d1000 b3:02 1234       /usr/bin/python3.11
00ef6000-00fca000 rw-p 00000000 00:00 0          [heap]
b6b80000-b6ce0000 r-xp 00000000 b3:02 5679       /usr/lib/arm-linux-gnueabihf/libc.so.6
b6f2a000-b6f4a000 r-xp 00000000 b3:02 5680       /usr/lib/arm-linux-gnueabihf/ld-linux-armhf.so.3
beb9c000-bebbd000 rw-p 00000000 00:00 0          [stack]
bed47000-bed48000 r-xp 00000000 00:00 0          [sigpage]
bed49000-bed4a000 r-xp 00000000 00:00 0          [vdso]
ffff0000-ffff1000 r-xp 00000000 00:00 0          [vectors]
"""

#: A 32-bit userland on a 64-bit kernel: the Pi 4's default since March 2023.
COMPAT = """\
00400000-007d1000 r-xp 00000000 b3:02 1234       /usr/bin/python3.11
02a11000-02ae5000 rw-p 00000000 00:00 0          [heap]
f7b00000-f7c60000 r-xp 00000000 b3:02 5679       /usr/lib/arm-linux-gnueabihf/libc.so.6
f7f2a000-f7f4a000 r-xp 00000000 b3:02 5680       /usr/lib/arm-linux-gnueabihf/ld-linux-armhf.so.3
ffb2c000-ffb4d000 rw-p 00000000 00:00 0          [stack]
ffff0000-ffff1000 r-xp 00000000 00:00 0          [vectors]
"""


@pytest.mark.parametrize(
    ("text", "machine", "ceiling", "gap"),
    [
        (SPLIT_2G, "armv7l", 2032 * MIB, 0x76A00000 - 0x00E2F000),
        (SPLIT_3G, "armv7l", 3056 * MIB, 0xB6B80000 - 0x00FCA000),
        (COMPAT, "aarch64", 4 * GIB - PAGE, 0xF7B00000 - 0x02AE5000),
    ],
)
def test_the_three_ceilings_of_32_bits(text: str, machine: str, ceiling: int, gap: int) -> None:
    mappings = procfs.maps(text)
    assert procfs.ceiling(mappings, 32, machine, PAGE) == ceiling
    assert procfs.largest_gap(mappings, ceiling, FLOOR, PAGE, STACK_LIMIT) == gap


def test_a_64_bit_kernel_with_64_kib_pages_gives_all_of_4_gib() -> None:
    assert procfs.ceiling(procfs.maps(COMPAT), 32, "aarch64", 64 * 1024) == 4 * GIB


def test_a_32_bit_x86_kernel_keeps_no_16_mib_for_itself() -> None:
    text = "bf8f0000-bf911000 rw-p 00000000 00:00 0   [stack]\n"
    assert procfs.ceiling(procfs.maps(text), 32, "i686", PAGE) == 3 * GIB


@pytest.mark.parametrize(
    ("machine", "top", "ceiling"),
    [
        ("x86_64", 0x7FFC_1234_5000, (1 << 47) - PAGE),
        ("aarch64", 0x7F_FFFF_F000, 1 << 39),
        ("aarch64", 0x7FFF_FFFF_F000, 1 << 47),
        ("aarch64", 0xFFFF_FFFF_F000, 1 << 48),
        ("riscv64", 0x3F_FFFF_F000, None),
    ],
)
def test_ceilings_of_64_bits(machine: str, top: int, ceiling: int | None) -> None:
    text = (
        f"{top - PAGE:x}-{top:x} rw-p 00000000 00:00 0   [stack]\n"
        "ffffffffff600000-ffffffffff601000 --xp 0 00:00 0 [vsyscall]\n"
    )
    assert procfs.ceiling(procfs.maps(text), 64, machine, PAGE) == ceiling


def test_nothing_is_derived_from_an_empty_text() -> None:
    assert procfs.ceiling([], 32, "armv7l", PAGE) is None


def test_the_stack_keeps_its_guard_and_its_room_to_grow() -> None:
    text = "00010000-00011000 r-xp 0 0:0 0 /a\n7e8b4000-7e8d5000 rw-p 0 0:0 0 [stack]\n"
    mappings, below = procfs.maps(text), 0x7E8B4000 - 0x00011000
    unused = STACK_LIMIT - (0x7E8D5000 - 0x7E8B4000)
    ceiling = 2032 * MIB
    assert procfs.largest_gap(mappings, ceiling, FLOOR, PAGE, STACK_LIMIT) == below - MIB - unused
    assert procfs.largest_gap(mappings, ceiling, FLOOR, PAGE, None) == below - MIB
    assert procfs.largest_gap(mappings, ceiling, FLOOR, PAGE, PAGE) == below - MIB


def test_gaps_are_whole_pages_and_lie_above_the_floor() -> None:
    text = "40000000-40001000 r-xp 0 0:0 0 /a\n"
    assert procfs.largest_gap(procfs.maps(text), 0x40001000, 32 * 1024, 16384, None) == 0x40000000 - 32 * 1024
    assert procfs.largest_gap([], 10 * MIB + 5, 0, 16384, None) == 10 * MIB


def test_what_lies_above_the_ceiling_is_left_out() -> None:
    mappings = procfs.maps(SPLIT_2G)
    assert procfs.largest_gap(mappings[-1:], 2032 * MIB, 0, PAGE, None) == 2032 * MIB


@given(st.text(max_size=400))
def test_maps_of_anything(text: str) -> None:
    for mapping in procfs.maps(text):
        assert isinstance(mapping.start, int)


def test_a_mapping_keeps_a_name_with_spaces() -> None:
    (mapping,) = procfs.maps("1000-2000 r--s 00000000 08:01 77   /home/me/my model.tflite (deleted)\n")
    assert (mapping.start, mapping.end) == (0x1000, 0x2000)
    assert mapping.name == "/home/me/my model.tflite (deleted)"


MEMINFO = """\
MemTotal:         948304 kB
MemFree:          401236 kB
MemAvailable:     712345 kB
HighTotal:        196608 kB
LowTotal:         751696 kB
SwapTotal:        102396 kB
SwapFree:         100348 kB
HugePages_Total:       0
DirectMap4k:
nonsense
"""


def test_meminfo_in_bytes_without_what_is_no_size() -> None:
    sizes = procfs.meminfo(MEMINFO)
    assert sizes["MemTotal"] == 948304 * 1024
    assert sizes["LowTotal"] == 751696 * 1024
    assert "HugePages_Total" not in sizes
    assert "DirectMap4k" not in sizes
    assert "PSI" not in sizes


def test_a_meminfo_that_was_cut_loses_only_its_last_line() -> None:
    cut = MEMINFO[: MEMINFO.index("SwapFree") + 20]
    assert set(procfs.meminfo(cut)) == {
        "MemTotal", "MemFree", "MemAvailable", "HighTotal", "LowTotal", "SwapTotal",
    }  # fmt: skip


def test_status_in_bytes() -> None:
    text = "Name:\tpython3\nVmHWM:\t   12432 kB\nVmRSS:\t   11856 kB\nThreads:\t1\nRssAnon:\t 4 kB\n"
    assert procfs.status(text) == {"VmHWM": 12432 * 1024, "VmRSS": 11856 * 1024, "RssAnon": 4096}


@pytest.mark.parametrize(
    ("text", "page", "rss"),
    [
        (b"5000 1234 567 890 0 4321 0\n", 4096, 1234 * 4096),
        (b"5000 1234 567 890 0 4321 0\n", 16384, 1234 * 16384),
        (b"0 0 0 0 0 0 0\n", 4096, None),  # a zombie
        (b"", 4096, None),
    ],
)
def test_statm(text: bytes, page: int, rss: int | None) -> None:
    assert procfs.statm_rss(text, page) == rss


def test_this_very_process() -> None:
    mappings = procfs.maps(Path("/proc/self/maps").read_text())
    page = os.sysconf("SC_PAGE_SIZE")
    ceiling = procfs.ceiling(mappings, 64, os.uname().machine, page)
    assert ceiling is not None
    assert all(m.end <= ceiling for m in mappings if m.name != "[vsyscall]")
    limit = resource.getrlimit(resource.RLIMIT_STACK)[0]
    gap = procfs.largest_gap(mappings, ceiling, page, page, None if limit < 0 else limit)
    assert GIB < gap < ceiling


ZONEINFO = """\
Node 0, zone      DMA
  pages free     31257
        min      5632
        low      7040
        high     8448
        managed  189178
        protection: (0, 0, 256, 256)
  pagesets
              high:  3520
Node 0, zone   Normal
        min      0
        high     0
        managed  0
        protection: (0, 0, 0, 0)
Node 0, zone  HighMem
        min      64
        high     1044
        managed  65536
        protection: (0, 0, 0, 0)
Node 0, zone  Movable
        min      32
        high     32
        managed  0
        protection: (0, 0, 0, 0)
"""


def test_what_the_kernel_keeps_back() -> None:
    """As the emulated board has it: what is guarded or above the high mark, less the min marks."""
    assert procfs.kept_back(ZONEINFO, 4096) == (256 + 8448 + 1044 - 5632 - 64) * 4096
    assert procfs.kept_back("", 4096) is None
