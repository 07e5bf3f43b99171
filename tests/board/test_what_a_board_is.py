"""What the command line says of a board, beside what the board's own kernel says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.board.machine import EmulatedBoard
from tests.board.seen_there import __file__ as seen_there
from tests.cli.running import Ran, in_process

pytestmark = pytest.mark.on("armhf", "arm64", "armhf-on-arm64")

MIB, GIB, PAGE = 1024**2, 1024**3, 4096
#: Kind → (machine, bits, ceiling of a process).
EXPECTED = {
    "armhf": ("armv7l", 32, 3056 * MIB),
    "armhf-on-arm64": ("aarch64", 32, 4 * GIB - PAGE),
    "arm64": ("aarch64", 64, 1 << 48),
}
#: Two processes differ in what they have loaded and in where the kernel's dice put it (arm: 8 bits of
#: pages for libraries, up to 32 MiB for the heap).
APART = 96 * MIB


def seen(board: EmulatedBoard, user: str) -> dict[str, Any]:
    script = Path(seen_there).read_text()
    found: dict[str, Any] = json.loads(board.out("python3 -I -S - space", user=user, text=script))
    return found


def checked(board: EmulatedBoard, user: str) -> Any:
    ran: Ran = in_process("devices", "check", board.address(user), "--json", "--quiet")
    assert ran.code == 0, ran.err + ran.out
    return ran.json["board"]


@pytest.mark.parametrize("user", ["root", EmulatedBoard.user])
def test_machine_bits_and_address_space(board: EmulatedBoard, user: str) -> None:
    there, said = seen(board, user), checked(board, user)
    expected = EXPECTED[board.kind.name]
    assert (there["machine"], there["bits"], there["ceiling"]) == expected
    assert (said["machine"], said["bits"], said["address_space"]["ceiling"]) == expected
    assert said["page_size"] == there["page_size"] == PAGE
    gap = said["address_space"]["largest_gap"]
    if there["bits"] == 32:
        assert 2800 * MIB < gap < there["ceiling"]
        assert abs(gap - there["largest"]) < APART
    else:
        assert gap <= there["ceiling"]
        # 64 bits: each process begins at random places, some GiB apart; a wrong ceiling is off by terabytes.
        assert abs(gap - there["largest"]) < 16 * GIB


def test_memory_python_and_runtime(board: EmulatedBoard) -> None:
    said = checked(board, board.user)
    memory = dict(line.split(":") for line in board.out("cat /proc/meminfo").splitlines())
    assert said["ram_total"] == int(memory["MemTotal"].split()[0]) * 1024
    assert said["swap_total"] == 0
    assert said["kernel"] == board.out("uname -sr").strip()
    assert f"Python {said['python']}" == board.out("python3 -V").strip()
    versions = {"arm64": ("ai_edge_litert", "2.3.0")}
    expected = versions.get(board.kind.name, ("tflite_runtime", "2.14.0"))
    assert (said["runtime"], said["runtime_version"]) == expected
    assert said["numpy"] == "1.24.2"
