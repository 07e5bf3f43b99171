"""Runs that must end badly, on boards: killed for want of memory and refused by each limit; then the next.

The model is a chain of TANH, whose arena holds three blocks of the input's size at a time. So its size
can be chosen to the megabyte, and to write it takes seconds.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.agent import tiny_models
from tests.board.machine import EmulatedBoard
from tests.cli.running import Ran, in_process
from tests.support.models import own

pytestmark = pytest.mark.on("armhf")

MIB, GIB = 1024**2, 1024**3
#: Bytes of one row of the input, and blocks of the arena.
ROW, BLOCKS = 4096 * 4, 3
#: Seconds between the last sample and the end of the worker's memory, at most.
LAST = 0.1


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    path = tmp_path / "chain.tflite"
    path.write_bytes(tiny_models.chain(4))
    return path


@pytest.fixture
def overcommit(board: EmulatedBoard) -> Iterator[EmulatedBoard]:
    """The kernel promises whatever it is asked for."""
    board.out("sysctl -q vm.overcommit_memory=1")
    yield board
    board.out("sysctl -q vm.overcommit_memory=0")


def ram(board: EmulatedBoard) -> int:
    return int(board.out("sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")) * 1024


def inspect(path: Path, board: EmulatedBoard, user: str, rows: int, *options: str) -> Ran:
    return in_process(
        "inspect", path, "--device", board.address(user), "--json", "--quiet", "--delegate", "none",
        "--input", f"t0={rows},4096", *options,
    )  # fmt: skip


def killed(path: Path, board: EmulatedBoard, user: str, share: float) -> dict[str, Any]:
    """The capture of a run whose arena takes that share of the RAM."""
    # Short of memory, a board may read its programs again and again for minutes before the kernel gives up.
    ran = inspect(path, board, user, int(share * ram(board) / BLOCKS / ROW), "--timeout", "700")
    assert ran.code == 5, ran.out + ran.err
    capture: dict[str, Any] = ran.json
    outcome = capture["outcome"]
    assert (outcome["status"], outcome["phase"], outcome["signal"]) == ("killed", "invoke_first", "SIGKILL")
    assert [phase["name"] for phase in capture["phases"]] == ["runtime_import", "load", "allocate"]
    assert capture["tensors"]
    (finding,) = outcome["findings"]
    assert all(finding[key] for key in ("cause", "proof", "remedy"))
    # The kernel chose the worker and nobody else, and the next command finds the board as it was.
    again = in_process(
        "inspect", own("cnn_float.tflite"), "--device", board.address(user), "--json", "--quiet"
    )
    assert again.code == 0, again.out + again.err
    return capture


def kills(board: EmulatedBoard) -> list[str]:
    return [line for line in board.out("dmesg").splitlines() if "Killed process" in line]


def test_killed_with_the_kernel_s_line_as_proof(board: EmulatedBoard, chain: Path) -> None:
    before = len(kills(board))
    capture = killed(chain, board, "root", 0.98)  # promised, because it is less than all; more than is free
    (line,) = kills(board)[before:]
    evidence = capture["outcome"]["evidence"]
    assert evidence["source"] == "kernel_log"
    assert evidence["text"] in line
    assert "oom_score_adj:1000" in line
    assert "the device ran out of memory while it held" in capture["outcome"]["message"]
    assert evidence["text"][:80] in capture["outcome"]["findings"][0]["proof"]
    samples = capture["samples"]
    last, before = re.search(  # type: ignore[union-attr]
        r"The last sample, at ([\d.]+) s, ([\d.]+) s before its end",
        capture["outcome"]["findings"][0]["proof"],
    ).groups()
    assert float(last) == round(samples["t"][-1], 2)
    # The kernel's line follows the signal when it is the kernel's turn: with a busy computer, much later.
    assert samples["t"][-1] < evidence["t"]
    # A busy computer holds the whole emulator up now and then, and at the end as well.
    longest = max(later - sooner for sooner, later in itertools.pairwise(samples["t"]))
    assert float(before) <= max(LAST, longest)
    assert samples["rss"][-1] > 0.8 * max(samples["rss"])
    assert [available for available in samples["available"] if available is not None][-1] < 0.05 * ram(board)
    looks = [look for look in samples["processes"] if look["t"] <= samples["t"][-1]]
    assert looks[-1]["top"][0]["rss"] > 0.5 * max(samples["rss"])


@pytest.mark.on("armhf", "arm64")
def test_killed_without_permission_to_see_why(overcommit: EmulatedBoard, chain: Path) -> None:
    board = overcommit
    outcome = killed(chain, board, board.user, 1.5)["outcome"]
    assert "cause not provable without permission to read the kernel log" in outcome["message"]
    assert "the kernel counted 1 out-of-memory kill" in outcome["message"]
    assert outcome["evidence"]["source"] in ("cgroup", "vmstat")
    assert f"sudo usermod -aG adm {board.user}" in outcome["findings"][0]["remedy"]


def test_killed_before_the_eyes_of_somebody_who_may_read_the_journal(
    overcommit: EmulatedBoard, chain: Path
) -> None:
    board = overcommit
    board.out(f"usermod -aG adm {board.user}")
    try:
        evidence = killed(chain, board, board.user, 1.5)["outcome"]["evidence"]
    finally:
        board.out(f"gpasswd -d {board.user} adm")
    assert evidence["source"] == "kernel_log"
    assert "Out of memory: Killed process" in evidence["text"]


def test_killed_while_its_inputs_are_written(overcommit: EmulatedBoard, tmp_path: Path) -> None:
    """Two blocks, of which one alone is more than there is."""
    path = tmp_path / "chain.tflite"
    path.write_bytes(tiny_models.chain(2))
    ran = inspect(path, overcommit, "root", int(0.99 * ram(overcommit) / ROW))
    assert ran.code == 5, ran.out + ran.err
    outcome = ran.json["outcome"]
    assert (outcome["status"], outcome["phase"]) == ("killed", "invoke_first")
    assert "in invoke_first, while its inputs were written" in outcome["message"]


def refused(ran: Ran) -> tuple[str, dict[str, Any]]:
    assert ran.code == 5, ran.out + ran.err
    outcome = ran.json["outcome"]
    assert (outcome["status"], outcome["phase"]) == ("refused", "allocate")
    (finding,) = outcome["findings"]
    return outcome["message"], finding


@pytest.mark.parametrize("user", ["root", EmulatedBoard.user])
def test_refused_because_ram_and_swap_are_less(board: EmulatedBoard, chain: Path, user: str) -> None:
    rows = int(1.1 * ram(board) / BLOCKS / ROW)
    message, finding = refused(inspect(chain, board, user, rows))
    assert "MiB of RAM and no swap, and the kernel refuses any single allocation above that" in message
    assert f"{ram(board) / MIB:.1f} MiB" in message
    assert f"{BLOCKS * rows * ROW:,} bytes" in finding["proof"]
    assert "add swap" in finding["remedy"]


def test_refused_because_the_process_has_32_bits(overcommit: EmulatedBoard, chain: Path) -> None:
    message, finding = refused(inspect(chain, overcommit, "root", int(2.1 * GIB / BLOCKS / ROW)))
    assert "a 32-bit process gets no single allocation of 2 GiB or more" in message
    assert "64-bit system" in finding["remedy"]


def test_refused_because_the_kernel_promises_no_more(board: EmulatedBoard, chain: Path) -> None:
    board.out("sysctl -q vm.overcommit_memory=2")
    try:
        ran = inspect(chain, board, board.user, int(0.9 * ram(board) / BLOCKS / ROW))
    finally:
        board.out("sysctl -q vm.overcommit_memory=0")
    message, finding = refused(ran)
    assert "the kernel promises" in message
    assert "vm.overcommit_ratio" in finding["remedy"]


def test_a_size_beyond_the_bits_of_a_process(board: EmulatedBoard, chain: Path) -> None:
    message, _ = refused(inspect(chain, board, board.user, 2**31 // 4096))
    assert "32 bits of a size" in message or "in one piece" in message


def test_too_slow_is_told_to_have_computed(board: EmulatedBoard, chain: Path) -> None:
    rows = int(0.5 * ram(board) / BLOCKS / ROW)
    ran = inspect(chain, board, board.user, rows, "--timeout", "6")
    assert ran.code == 6, ran.out + ran.err
    outcome = ran.json["outcome"]
    assert outcome["status"] == "timed_out"
    assert outcome["evidence"] is None
    assert outcome["findings"]
