"""A bare board that reaches no network gets a runtime from this computer, and gives all of it back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.board import remains
from tests.board.machine import EmulatedBoard
from tests.cli.running import Ran, in_process
from tests.support.models import own

LSTM = own("lstm_fused.tflite")
#: Files of the whole system that are younger than a mark, but for what the system itself keeps writing.
YOUNGER = (
    "find / -xdev -path /var/log -prune -o -path /var/lib/systemd -prune -o -type f -newer {mark} -print"
)


def devices(*arguments: str) -> Ran:
    ran = in_process("devices", *arguments, "--json", "--quiet")
    assert ran.code == 0, ran.err + ran.out
    return ran


def lacked(board: EmulatedBoard) -> dict[str, Any]:
    return {lack["what"]: lack for lack in devices("check", board.address()).json["lacks"]}


@pytest.mark.on("armhf-bare")
def test_a_bare_board_becomes_a_working_one_and_a_clean_one(board: EmulatedBoard) -> None:
    mark = board.out("mktemp").strip()
    before = remains.look(board)
    assert lacked(board)["a TensorFlow Lite runtime and NumPy"]["next"] == (
        f"arenascope devices setup {board.address()}"
    )
    done = devices("setup", board.address(), "--yes").json
    assert (done["runtime"], done["done"]) == ("tflite_runtime 2.14.0", True)
    assert done["numpy"].startswith("1.24.")
    names = [item["name"] for item in done["items"]]
    assert names[:2] == ["tflite-runtime", "python3-numpy"]
    assert {"libblas3", "liblapack3", "libgfortran5"} <= set(names)  # the bare board lacks them, too
    assert not [lack for lack in lacked(board) if "runtime" in lack]

    home = f"/home/{board.user}"
    written = board.out(YOUNGER.format(mark=mark)).split()
    assert written
    assert not [path for path in written if not path.startswith((f"{home}/.cache/arenascope/", "/tmp/"))]

    capture = in_process("inspect", LSTM, "--device", board.address(), "--json", "--quiet").json
    device = capture["device"]
    assert (device["bits"], device["runtime"], device["runtime_version"]) == (32, "tflite_runtime", "2.14.0")
    assert capture["outcome"]["status"] == "ok"
    assert [t for t in capture["tensors"] if t["kind"] == "arena_rw" and t["address"]]

    gone = devices("setup", board.address(), "--undo", "--yes").json
    assert gone["removed"]["bytes"] > 0
    assert not remains.look(board).beyond(before, allowed=())
    assert board.out(f"ls -A {home}").split() == [".bash_logout", ".bashrc", ".profile", ".ssh"]
    board.out(f"rm {mark}")
