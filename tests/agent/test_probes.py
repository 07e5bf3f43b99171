"""Facts of this computer, as the agent tells them."""

from __future__ import annotations

import os
import platform
import struct

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
