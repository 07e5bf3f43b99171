"""The worker: one task, one fresh process. Only here and below may NumPy and a runtime be imported.

The server hands the task over on one descriptor and listens on another (protocol.py has their
names). A task emits events; the last one is ``result`` when it came to its end, or ``failure`` with
what stopped it. A worker that is killed or crashes says nothing, and the server reports how it went.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from typing import Any

from . import protocol


def main() -> int:
    """Does the task and ends the process with its exit status."""
    clock = float(os.environ.pop(protocol.ENV_RUN_START))
    task_fd = int(os.environ.pop(protocol.ENV_TASK_FD))
    name = os.environ.pop(protocol.ENV_AHEAD, "")
    task = None if name else _task(task_fd)
    events = int(os.environ.pop(protocol.ENV_EVENT_FD))
    os.set_inheritable(events, False)

    def emit(name: str, data: dict[str, Any]) -> None:
        rest = memoryview(protocol.encode(protocol.event(name, data)))
        while rest:
            rest = rest[os.write(events, rest) :]

    def params() -> dict[str, Any]:
        return dict((task or _task(task_fd))["params"])

    status = run(task["task"] if task else name, params, emit, clock)
    _leave(status)
    return status


def run(
    name: str, params: Callable[[], dict[str, Any]], emit: Callable[[str, dict[str, Any]], None], clock: float
) -> int:
    """Exit status of a task: 0, or EXIT_REPORTED after a ``failure``. ValueError for an unknown task.

    ``params`` may have to wait for them, so it is called when there is nothing to do without.
    """
    if name == "probe":
        from . import runtimes

        emit("result", runtimes.probe())
        return 0
    if name == "layouts":
        return _layouts(params(), emit)
    task = _work(name, emit, clock)
    try:
        runtime = task.begin()
        task.run(runtime, params())
    except Exception as error:  # noqa: BLE001  # the worker's one top: whatever stopped the task is its result
        emit("failure", task.failure(error))
        return protocol.EXIT_REPORTED
    emit("result", {})
    return 0


def _work(name: str, emit: Callable[[str, dict[str, Any]], None], clock: float) -> Any:
    """The task of that name, with ``begin``, ``run`` and ``failure``; only its module is imported."""
    if name == "inspect":
        from .tasks.inspect import Inspect

        return Inspect(emit, clock)
    if name == "compare_batches":
        from .tasks.compare_batches import CompareBatches

        return CompareBatches(emit, clock)
    raise ValueError("no task " + name)


def _layouts(params: dict[str, Any], emit: Callable[[str, dict[str, Any]], None]) -> int:
    from . import runtimes
    from .tasks import layouts

    try:
        layouts.run(runtimes.load(), params, emit)
    except Exception as error:  # noqa: BLE001  # as in run: whatever stopped the task is its result
        phase = "runtime_import" if isinstance(error, runtimes.NoRuntimeError) else "allocate"
        emit("failure", {"phase": phase, "kind": "failed", "message": runtimes.brief(error), "error": ""})
        return protocol.EXIT_REPORTED
    emit("result", {})
    return 0


def _task(fd: int) -> dict[str, Any]:
    frames = protocol.FrameReader()
    while True:
        data = os.read(fd, 1 << 16)
        if not data:
            raise protocol.ProtocolError("the task ended before its end")
        for payload in frames.feed(data):
            os.close(fd)
            return protocol.decode_payload(payload)


def _leave(status: int) -> None:
    """End without taking anything apart: the kernel is quicker, and a runtime that crashes in its
    destructors must not spoil a result. What native code still holds in its buffers is written."""
    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).fflush(None)
    os._exit(status)
