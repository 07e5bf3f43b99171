"""The boards are what the other tests take them for."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.board import remains
from tests.board.conftest import BootBoard
from tests.board.machine import EmulatedBoard
from tests.board.recipe import ARMHF
from tests.support.link_proxy import LinkProxy


@pytest.mark.on("armhf", "arm64")
def test_an_ordinary_user_is_one(board: EmulatedBoard) -> None:
    assert board.out("id -nG", user=board.user).split() == [board.user]
    assert board.out("cat /proc/sys/kernel/dmesg_restrict").strip() == "1"
    refused = board.ssh("dmesg", user=board.user)
    assert refused.returncode != 0
    assert "not permitted" in refused.stderr
    assert "Linux version" in board.out("dmesg")


@pytest.mark.on("armhf", "armhf-on-arm64")
def test_what_debian_has_there(board: EmulatedBoard) -> None:
    assert "some avg10" in board.out("cat /proc/pressure/memory", user=board.user)
    assert board.out("cat /proc/sys/vm/overcommit_memory").strip() == "0"
    assert re.search(r"^deb \S+ bookworm main", board.out("cat /etc/apt/sources.list"), re.MULTILINE)
    assert board.out("systemctl list-units --failed --plain --no-legend") == ""


@pytest.mark.on("armhf-bare")
def test_bare_is_without_all_that_numpy_brought(board: EmulatedBoard) -> None:
    installed = board.out("dpkg-query -W -f '${Package}\\n'").split()
    assert "python3" in installed
    assert not set(ARMHF.userland.numpy) & set(installed)
    assert not re.search("blas|lapack|gfortran", board.out("/sbin/ldconfig -p"))
    for name in ("numpy", "tflite_runtime", "pkg_resources"):
        assert "ModuleNotFoundError" in board.ssh(f"python3 -c 'import {name}'").stderr


@pytest.mark.on("armhf")
def test_it_reaches_no_network(board: EmulatedBoard) -> None:
    script = (
        "import socket\ntry: socket.create_connection(('10.0.2.2', 22), 5)\nexcept OSError: print('none')"
    )
    assert board.python(script) == "none\n"


@pytest.mark.on("armhf")
def test_its_clock_is_this_computers(board: EmulatedBoard) -> None:
    there = datetime.fromtimestamp(int(board.out("date +%s")), UTC)
    assert abs(there - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.on("armhf")
def test_what_a_test_leaves_is_seen_and_removed(board: EmulatedBoard) -> None:
    before = remains.look(board)
    agent = f"/root/.cache/arenascope/agent/{'a' * 64}.pyz"
    board.out(f"mkdir -p $(dirname {agent}) && touch {agent} /tmp/forgotten")
    assert remains.look(board).beyond(before).files == {"/tmp/forgotten"}
    board.out("setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo $!", user=board.user)
    found = remains.look(board).beyond(before)
    (process,) = found.processes
    assert (process.user, process.command) == (board.user, "sleep 1000")
    assert "sleep 1000" in str(found)
    assert "/tmp/forgotten" in str(found)
    remains.restore(board, found)
    assert not remains.left(board, before)
    assert agent not in remains.look(board).files


@pytest.mark.on("armhf")
def test_a_process_that_is_just_ending_is_waited_for(board: EmulatedBoard) -> None:
    before = remains.look(board)
    board.out("setsid sleep 4 >/dev/null 2>&1 </dev/null &")
    assert not remains.left(board, before)


@pytest.mark.on("armhf")
def test_a_cut_link_is_mended(board: EmulatedBoard, board_link: LinkProxy, private_home: Path) -> None:
    assert f"[127.0.0.1]:{board_link.port} " in (private_home / ".ssh/known_hosts").read_text()
    assert board.address(port=board_link.port) == f"board@127.0.0.1:{board_link.port}"


@pytest.mark.on("armhf")
def test_a_board_of_its_own_keeps_its_disk_over_a_power_cut(extra_board: BootBoard) -> None:
    board = extra_board(memory_mib=512, clock="2027-06-01T00:00:00")
    assert board.out("date +%Y-%m-%d").strip() == "2027-06-01"
    assert int(board.out("awk '/MemTotal/ {print $2}' /proc/meminfo")) < 512 * 1024
    board.out("echo kept > /home/board/note; sync")
    board.power_off()
    assert board.pid is None
    board.boot()
    assert board.out("cat /home/board/note") == "kept\n"
