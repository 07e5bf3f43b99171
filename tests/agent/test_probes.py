"""Facts of this computer, as the agent tells them."""

from __future__ import annotations

import os
import platform
import pwd
import resource
import struct
import sys
from pathlib import Path

import pytest

from arenascope_agent import marks, probes


def test_facts_agree_with_python_s_own() -> None:
    facts = probes.board_facts()
    assert facts["machine"] == platform.machine()
    assert facts["bits"] == struct.calcsize("P") * 8
    assert facts["kernel"] == f"{platform.system()} {platform.release()}"
    assert facts["page_size"] == os.sysconf("SC_PAGE_SIZE")
    assert facts["python"] == platform.python_version()
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert facts["ram_total"] == pages
    assert 0 < facts["ram_available"] <= facts["ram_total"]
    assert facts["swap_total"] >= 0


def test_the_address_space_of_a_process() -> None:
    space = probes.address_space()
    assert space["ceiling"] is not None
    assert space["largest_gap"] is not None
    assert 0 < space["largest_gap"] < space["ceiling"]


def test_what_cannot_be_read_is_unknown_and_not_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "_text", lambda path: "")
    facts = probes.board_facts()
    assert (facts["ram_total"], facts["ram_available"], facts["swap_total"]) == (None, None, None)
    assert facts["address_space"]["largest_gap"] is None


def test_facts_of_the_system_say_what_can_be_brought_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, private_home: Path
) -> None:
    facts = probes.board_facts()
    assert facts["abi"] == f"cp{sys.version_info[0]}{sys.version_info[1]}"
    assert facts["multiarch"] == sys.implementation._multiarch
    assert facts["libc"] == " ".join(platform.libc_ver())
    assert facts["disk_free"] > 0
    assert facts["user"] == pwd.getpwuid(os.getuid()).pw_name
    assert facts["psi"] is Path("/proc/pressure/memory").exists()
    assert isinstance(facts["memory_cgroup"], bool)
    assert facts["environment"] is None
    assert list(private_home.iterdir()) == []  # looking makes no folder
    monkeypatch.setattr(os, "confstr", lambda name: None)
    assert probes.board_facts()["libc"] is None


@pytest.mark.parametrize("readable", [True, False])
def test_the_kernel_s_log_is_readable_as_itself_or_in_the_journal(
    monkeypatch: pytest.MonkeyPatch, readable: bool
) -> None:
    def refuse(path: str, flags: int) -> int:
        raise PermissionError(path)

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os, "listdir", lambda folder: ["machine"])
    asked: list[str] = []
    monkeypatch.setattr(os, "access", lambda path, mode: asked.append(path) is None and readable)
    assert probes._reads_kernel_log() is readable
    assert asked[0] == "/var/log/journal/machine/system.journal"


def test_limits_are_the_kernel_s_own_words() -> None:
    facts = probes.board_facts()
    limits = facts["limits"]
    assert limits["overcommit"] == int(Path("/proc/sys/vm/overcommit_memory").read_text())
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    assert limits["rlimit_as"] == (None if soft == resource.RLIM_INFINITY else soft)
    sizes = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    assert limits["commit_limit"] == int(sizes["CommitLimit"].split()[0]) * 1024
    assert facts["address_space"]["mapped"] >= facts["address_space"]["data"] > 0


def test_swap_in_ram_is_told_apart_from_swap_on_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {
        "/proc/swaps": "Filename Type Size Used Priority\n"
        "/dev/zram0 partition 2000 500 100\n/var/swap file 9000 0 -2\n",
        "/sys/block/zram0/mm_stat": " 512000 120000 131072 0 131072 9 0 0 0\n",
    }
    monkeypatch.setattr(probes, "_text", lambda path: texts.get(path, ""))
    found = probes.limits({})
    assert (found["zram_free"], found["zram_kept"], found["zram_used"]) == (1500 * 1024, 512000, 131072)


def test_the_tightest_control_group_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    for folder, limit, used in ((tmp_path / "outer", "1000", "400"), (inner, "900", "100")):
        (folder / "memory.max").write_text(limit + "\n")
        (folder / "memory.current").write_text(used + "\n")
    monkeypatch.setattr(marks, "CGROUPS", str(tmp_path))
    monkeypatch.setattr(marks, "group_file", lambda name, old: str(inner / name))
    assert marks.group_limit() == (1000, 400)  # the outer leaves 600, the inner 800
    (tmp_path / "outer" / "memory.max").write_text("max\n")
    assert marks.group_limit() == (900, 100)
