"""``arenascope inspect`` on boards: facts of the process, and addresses as the interpreter there has them."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.board.machine import EmulatedBoard
from tests.board.seen_there import __file__ as seen_there
from tests.cli.running import in_process
from tests.support.models import own, shared
from tests.support.sources import AGENT, ROOT

MIB, GIB = 1024**2, 1024**3
CEILINGS = {"armhf": 3056 * MIB, "armhf-on-arm64": 4 * GIB - 4096}
MODELS = ("lstm_fused.tflite", "mnist_lstm_float.tflite")


def model(name: str) -> Path:
    return own(name) if own(name).exists() else shared(name)


def inspected(path: Path, board: EmulatedBoard, user: str, *options: str) -> Any:
    ran = in_process("inspect", path, "--device", board.address(user), "--json", "--quiet", *options)
    assert ran.code == 0, ran.err + ran.out
    return ran.json


@pytest.mark.on("armhf", "armhf-on-arm64")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("user", ["root", EmulatedBoard.user])
def test_a_32_bit_board(board: EmulatedBoard, board_folder: str, name: str, user: str) -> None:
    path = model(name)
    capture = inspected(path, board, user, "--delegate", "none")
    device = capture["device"]
    assert device["machine"] == board.out("uname -m").strip()
    assert (device["bits"], device["runtime"], device["page_size"]) == (32, "tflite_runtime", 4096)
    space = device["address_space"]
    assert space["ceiling"] == CEILINGS[board.kind.name]
    assert 2700 * MIB < space["largest_gap"] < space["ceiling"]
    assert capture["outcome"]["status"] == "ok"
    addresses = [t["address"] for t in capture["tensors"] if t["address"] is not None]
    assert addresses
    assert all(0 < address < space["ceiling"] for address in addresses)
    compare(capture, interpreter_there(board, board_folder, path, user))


@pytest.mark.on("arm64")
@pytest.mark.parametrize("name", MODELS)
def test_a_64_bit_board_with_the_default_delegate(board: EmulatedBoard, board_folder: str, name: str) -> None:
    capture = inspected(model(name), board, board.user)
    device = capture["device"]
    assert (device["machine"], device["bits"]) == ("aarch64", 64)
    assert (device["runtime"], device["runtime_version"]) == ("ai_edge_litert", "2.3.0")
    assert capture["options"]["delegate"] == "default"
    assert capture["outcome"]["status"] == "ok"
    assert any(t["address"] for t in capture["tensors"])
    plain = inspected(model(name), board, board.user, "--delegate", "none")
    compare(plain, interpreter_there(board, board_folder, model(name), board.user))


@pytest.mark.on("armhf", "arm64")
def test_every_address_is_the_interpreters_in_its_own_process(
    board: EmulatedBoard, board_folder: str
) -> None:
    """check_runtime.py, which compares within one process, run on the board."""
    board.out(f"mkdir -p {board_folder}/tests/agent")
    board.send(AGENT.parent, f"{board_folder}/agent")
    board.send(ROOT / "tests/agent/check_runtime.py", f"{board_folder}/tests/agent")
    paths = [own("lstm_fused.tflite"), own("cnn_float.tflite"), own("while_loop.tflite")]
    for path in paths:
        board.send(path, board_folder)
    names = " ".join(f"{board_folder}/{path.name}" for path in paths)
    script = f"cd {board_folder} && PYTHONDONTWRITEBYTECODE=1 python3 tests/agent/check_runtime.py {names}"
    ran = board.ssh(script, user=board.user)
    found = json.loads(ran.stdout or "{}")
    assert ran.returncode == 0, ran.stderr + ran.stdout
    assert found["problems"] == []
    assert found["compared"] > 20


@pytest.mark.on("armhf-bare")
def test_a_bare_board_has_no_runtime_and_the_next_step_is_said(board: EmulatedBoard) -> None:
    path = own("lstm_fused.tflite")
    ran = in_process("inspect", path, "--device", board.address(), "--json", "--quiet")
    assert ran.code == 4, ran.err + ran.out
    said = ran.json
    assert said["schema"] == "arenascope.error/1"
    assert "no " in said["message"].lower()
    assert "numpy" in (said["message"] + said["detail"]).lower()
    assert said["hint"]


def interpreter_there(board: EmulatedBoard, folder: str, path: Path, user: str) -> dict[str, int | None]:
    """Index → address, as a script of a few lines sees them there in a process of its own."""
    board.send(path, folder)
    script = Path(seen_there).read_text()
    out = board.out(f"python3 - addresses {folder}/{path.name}", user=user, text=script)
    found: dict[str, int | None] = json.loads(out)
    return found


def compare(capture: Any, there: dict[str, int | None]) -> None:
    """Two processes have their arenas at different places; within an arena, and within the model's file,
    everything is equally far apart."""
    kinds: dict[str, dict[str, int]] = defaultdict(dict)
    for tensor in capture["tensors"]:
        index = str(tensor["index"])
        if tensor["subgraph"] == 0 and there.get(index) and tensor["address"] is not None:
            kinds[tensor["kind"]][index] = tensor["address"] - (there[index] or 0)
    kinds.pop("dynamic", None)  # each of these is where malloc had room
    assert "arena_rw" in kinds
    for kind, distances in kinds.items():
        assert len(set(distances.values())) == 1, (kind, distances)
    compared = sum(len(distances) for distances in kinds.values())
    shown = sum(1 for t in capture["tensors"] if t["subgraph"] == 0 and t["address"] is not None)
    assert compared >= shown / 2
