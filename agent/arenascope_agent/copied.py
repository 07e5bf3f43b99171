"""Runs work in a copy of this process, so that the measured one does not carry it.

After ``fork`` the copy has the same memory at the same addresses: an interpreter's records, views
and tensors can be read there as well as here. What the reading allocates, imports and touches ends
with the copy. This process waits meanwhile, so nothing moves while it is being looked at; where the
kernel is asked about it, it is asked by its process number.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from .lifeline import SIGKILL, die_with


class CopyError(Exception):
    """The copy did not come to its end. ``killed``: its process number, if it was by SIGKILL."""

    killed: int | None = None


def run(work: Callable[[int], Any]) -> Any:
    """What ``work(pid of this process)`` returns, as JSON makes of it. CopyError when it failed.

    Where there is no room for a second process, the work is done here.
    """
    here = os.getpid()
    read_end, write_end = os.pipe()
    try:
        copy = os.fork()
    except OSError:  # ENOMEM, EAGAIN
        os.close(read_end)
        os.close(write_end)
        return work(here)
    if copy == 0:
        _as_copy(work, here, write_end)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as file:
        answer = file.read()
    _, status = os.waitpid(copy, 0)
    if os.WIFSIGNALED(status):
        ended = CopyError("reading the layout was ended by signal %d" % os.WTERMSIG(status))
        if os.WTERMSIG(status) == SIGKILL:
            ended.killed = copy
        raise ended
    if not answer:
        raise CopyError("reading the layout ended with exit status %d" % os.WEXITSTATUS(status))
    found = json.loads(answer)
    if "error" in found:
        raise CopyError(found["error"])
    return found["done"]


def _as_copy(work: Callable[[int], Any], here: int, write_end: int) -> None:
    """Never returns. Buffers of Python and C are the other process's to write: nothing is flushed."""
    die_with(here)  # it is not inherited
    try:
        answer = {"done": work(here)}
    except Exception as error:  # noqa: BLE001  # the top of this process; the other one raises it again
        answer = {"error": "%s: %s" % (type(error).__name__, error)}
    data = memoryview(json.dumps(answer).encode())
    while data:
        data = data[os.write(write_end, data) :]
    os._exit(0)
