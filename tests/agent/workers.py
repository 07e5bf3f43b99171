"""Starts a real worker as the server does, without a server, and collects what it says."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from arenascope_agent import protocol

AGENT = Path(__file__).resolve().parents[2] / "agent" / "arenascope_agent" / "__main__.py"

#: The parameters of an inspection that asks for nothing special.
INSPECT: dict[str, Any] = {
    "inputs": {}, "threads": None, "delegate": "none", "preserve_all": False, "invoke": True, "seed": 1,
}  # fmt: skip


class Ended:
    """A worker that came to its end: exit status, events as (name, data), native output."""

    def __init__(self, status: int, events: list[tuple[str, dict[str, Any]]], output: bytes) -> None:
        self.status = status
        self.events = events
        self.output = output

    def all(self, name: str) -> list[dict[str, Any]]:
        return [data for event, data in self.events if event == name]

    def one(self, name: str) -> dict[str, Any]:
        (data,) = self.all(name)
        return data

    def subgraphs(self) -> dict[int, tuple[dict[str, Any], dict[int, list[Any]]]]:
        """Index → (head, tensors by index), the last reading of each."""
        found: dict[int, tuple[dict[str, Any], dict[int, list[Any]]]] = {}
        for name, data in self.events:
            if name == "subgraph":
                found[data["index"]] = (data, {})
            elif name == "tensors":
                found[data["subgraph"]][1].update({row[0]: row for row in data["tensors"]})
        return found


def run(
    task: str,
    params: dict[str, Any],
    python: str = sys.executable,
    limit: float = 120,
    ahead: bool = False,
) -> Ended:
    """Run a task in a worker of its own under ``python``. ``ahead``: it begins without its parameters."""
    task_read, task_write = os.pipe()
    event_read, event_write = os.pipe()
    environment = {
        **os.environ,
        "NUMPY_MADVISE_HUGEPAGE": "0",
        "MALLOC_ARENA_MAX": "1",
        protocol.ENV_TASK_FD: str(task_read),
        protocol.ENV_EVENT_FD: str(event_write),
        protocol.ENV_RUN_START: repr(time.monotonic()),
        protocol.ENV_SERVER_PID: str(os.getpid()),
    }
    if ahead:
        environment[protocol.ENV_AHEAD] = task
    worker = subprocess.Popen(
        [python, str(AGENT), "child"],
        env=environment,
        pass_fds=(task_read, event_write),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    os.close(task_read)
    os.close(event_write)
    with os.fdopen(task_write, "wb") as file:
        file.write(protocol.encode({"task": task, "params": params}))
    with os.fdopen(event_read, "rb") as file:
        stream = file.read()
    output, _ = worker.communicate(timeout=limit)
    messages = [protocol.decode_payload(p) for p in protocol.FrameReader().feed(stream)]
    return Ended(worker.returncode, [(m["name"], m["data"]) for m in messages], output)


def inspect(
    model: Path | str,
    python: str = sys.executable,
    limit: float = 120,
    ahead: bool = False,
    **changes: Any,
) -> Ended:
    return run("inspect", {**INSPECT, "model": str(model), **changes}, python, limit, ahead)
