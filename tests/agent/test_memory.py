"""What the kernel says of a process, taken as the worker takes it."""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path
from typing import Any

import pytest

from arenascope_agent import mappings, memory
from arenascope_agent.mappings import Mapping, Residency
from arenascope_agent.memory import PAGE

MIB = 1024 * 1024


def touch(megabytes: int) -> mmap.mmap:
    area = mmap.mmap(-1, megabytes * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, megabytes * MIB, PAGE):
        area[at] = 1
    return area


def test_the_peak_of_a_step_is_what_it_had_at_most() -> None:
    def step() -> str:
        touch(64).close()
        return "done"

    measured = memory.measure(step)
    assert measured.result == "done"
    assert measured.peak is not None and measured.before.rss is not None and measured.after.rss is not None
    assert measured.peak - measured.before.rss >= 63 * MIB
    assert measured.after.rss - measured.before.rss < 16 * MIB
    assert measured.seconds > 0


def test_an_earlier_peak_does_not_count() -> None:
    touch(96).close()
    measured = memory.measure(lambda: None)
    assert measured.peak is not None and measured.before.rss is not None
    assert measured.peak - measured.before.rss < 32 * MIB


def test_what_a_step_keeps_is_anonymous() -> None:
    kept: list[mmap.mmap] = []
    measured = memory.measure(lambda: kept.append(touch(32)))
    before, after = measured.before, measured.after
    assert before.anon is not None and after.anon is not None
    kept.pop().close()
    assert 31 * MIB <= after.anon - before.anon < 40 * MIB
    assert after.rss == (after.anon or 0) + (after.file or 0)


def test_without_a_reset_there_is_no_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "reset_peak", lambda: False)
    measured = memory.measure(lambda: None)
    assert measured.peak is None
    assert measured.after.rss


def test_an_error_of_the_step_passes_through() -> None:
    def step() -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        memory.measure(step)


def test_older_kernels_are_asked_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without smaps_rollup (before 4.14) from status; without RssAnon there (before 4.5) from statm."""
    texts = {
        "/proc/self/smaps_rollup": b"",
        "/proc/self/status": b"Name:\tx\nVmHWM:\t  300 kB\nVmRSS:\t  200 kB\nRssAnon:\t  150 kB\n",
        "/proc/self/statm": b"1000 50 20 1 0 10 0\n",
    }
    monkeypatch.setattr(memory, "read_all", lambda path: texts[path])
    assert memory.resident() == (200 * 1024, 150 * 1024, 50 * 1024)
    assert memory.peak() == 300 * 1024
    texts["/proc/self/status"] = b"Name:\tx\nVmRSS:\t  200 kB\n"
    assert memory.resident() == (50 * PAGE, 30 * PAGE, 20 * PAGE)
    assert memory.peak() is None
    texts["/proc/self/statm"] = b""
    assert memory.resident() == (None, None, None)


def test_a_c_library_without_trim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_trim", None)
    memory.trim()
    assert memory.measure(lambda: 1).result == 1


def test_files_that_cannot_be_read_are_empty(tmp_path: Path) -> None:
    assert memory.read_all(str(tmp_path / "absent")) == b""
    assert memory.read_all(str(tmp_path)) == b""
    (tmp_path / "long").write_bytes(b"x" * 200_000)
    assert len(memory.read_all(str(tmp_path / "long"))) == 200_000


SMAPS = b"""\
00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/with space
Size:                328 kB
Rss:                 100 kB
Anonymous:             4 kB
VmFlags: rd ex mr
7f0000000000-7f0000100000 rw-p 00000000 00:00 0 
Size:               1024 kB
Rss:                 512 kB
Anonymous:           512 kB
7ffc0000-7ffe0000 rw-p 00000000 00:00 0                          [stack]
Rss:                   8 kB
Anonymous:             8 kB
7f1000000000-7f1000001000 r--s 00000000 08:02 99          /models/b\xc3\xa4d\\012name.tflite
Rss:                   4 kB
Anonymous:             0 kB
"""  # noqa: W291  # the kernel's own trailing blank


def test_smaps_line_by_line() -> None:
    found = mappings.parse_smaps(SMAPS)
    assert found == [
        Mapping(0x400000, 0x452000, "/usr/bin/with space", 100 * 1024, 4 * 1024),
        Mapping(0x7F0000000000, 0x7F0000100000, "", 512 * 1024, 512 * 1024),
        Mapping(0x7FFC0000, 0x7FFE0000, "[stack]", 8 * 1024, 8 * 1024),
        Mapping(0x7F1000000000, 0x7F1000001000, "/models/bäd\\012name.tflite", 4 * 1024, 0),
    ]
    assert mappings.total(found) == (624 * 1024, 524 * 1024, 100 * 1024)
    assert mappings.mapped_files(SMAPS) == {"/usr/bin/with space", "/models/bäd\\012name.tflite"}
    assert mappings.parse_smaps(b"") == []


def test_our_own_smaps_add_up_to_the_kernels_own_sum() -> None:
    rollup = memory.resident()
    found = mappings.total(mappings.smaps(os.getpid()))
    assert found.rss is not None and rollup.rss is not None
    assert abs(found.rss - rollup.rss) < MIB


def test_a_mapped_file_is_found_under_its_name(tmp_path: Path) -> None:
    real = tmp_path / "line\nend ä.tflite"
    real.write_bytes(b"x" * 3 * PAGE)
    link = tmp_path / "link"
    link.symlink_to(real)
    with open(link, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as area:
        ranges = mappings.file_ranges(mappings.mapped_name(str(link)))
        assert [end - start for start, end in ranges] == [3 * PAGE]
        assert area[0] == ord("x")
    assert mappings.file_ranges(mappings.mapped_name(str(link))) == []


def test_merged_ranges() -> None:
    assert mappings.merged([(5, 9), (1, 3), (3, 4), (8, 12), (20, 20), (30, 10)]) == [(1, 4), (5, 12)]
    assert mappings.merged([]) == []


@pytest.fixture
def area() -> Any:
    """(address, mmap) of eight pages, of which the second and the last two were written."""
    made = mmap.mmap(-1, 8 * PAGE)
    hold = ctypes.c_char.from_buffer(made)
    for page in (1, 6, 7):
        made[page * PAGE] = 1
    yield ctypes.addressof(hold), made
    del hold
    made.close()


def test_residency_counts_pages_that_are_there(area: Any) -> None:
    base, _ = area
    residency = Residency(os.getpid())
    try:
        assert residency.resident(base, base + 8 * PAGE) == 3 * PAGE
        assert residency.resident(base, base + PAGE) == 0
        assert residency.resident(base + PAGE, base + 2 * PAGE) == PAGE
        assert residency.resident(base + PAGE + 100, base + 2 * PAGE) == PAGE - 100
        assert residency.resident(base + 6 * PAGE + 100, base + 7 * PAGE + 50) == PAGE - 100 + 50
        assert residency.resident(base + 6 * PAGE + 10, base + 6 * PAGE + 30) == 20
        assert residency.resident(1 << 62, (1 << 62) + 10) in (0, None)
    finally:
        residency.close()


def test_residency_never_exceeds_what_the_mapping_has(area: Any) -> None:
    """A page that was only read is the kernel's page of zeros: present, but nobody's memory."""
    base, made = area
    assert made[3 * PAGE] == 0
    found = [m for m in mappings.smaps(os.getpid()) if m.start < base + 8 * PAGE and base < m.end]
    residency = Residency(os.getpid(), [Mapping(base, base + 8 * PAGE, "", 3 * PAGE, 3 * PAGE)])
    try:
        assert found
        assert residency.resident(base, base + 8 * PAGE) == 3 * PAGE
    finally:
        residency.close()


def test_residency_is_unknown_where_it_is_hidden() -> None:
    residency = Residency(2**22 + 1)  # no such process
    assert residency.resident(0, 10 * PAGE) is None
    residency.close()
