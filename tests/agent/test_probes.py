"""Facts of this computer, as the agent tells them."""

from __future__ import annotations

import os
import platform
import pwd
import struct
import sys
from pathlib import Path

import pytest

from arenascope_agent import probes


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
