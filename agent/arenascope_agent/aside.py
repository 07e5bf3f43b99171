"""Work that would hold the server up or make it large, done in a fork of it: hashing, removing files.

The fork's memory is gone with it, and the sampler keeps its rate meanwhile.
"""

from __future__ import annotations

import os
import signal

from . import protocol
from .loop import READABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .children import Children
    from .loop import Loop


class Failure(Exception):
    """A request that cannot be done, in words: code, message, hint and detail as on the wire."""

    def __init__(self, code: str, message: str, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail


def run(
    loop: Loop,
    children: Children,
    work: Callable[[], dict[str, Any]],
    done: Callable[[dict[str, Any] | Failure], None],
    limit: float,
) -> None:
    """Call ``done`` on the loop with what ``work`` returned, or with the Failure that it raised.

    ``work`` runs in the fork; what it returns crosses as JSON, at most 64 KiB (it must fit the pipe).
    OSError when no process can be made. It is ended after ``limit`` seconds, and with the server.
    """
    server = os.getpid()
    read_end, write_end = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(read_end)
        os.close(write_end)
        raise
    if pid == 0:
        status = 1
        try:
            os.setpgid(0, 0)
            _let_go(server, write_end)
            os.write(write_end, _attempt(work))
            status = 0
        finally:
            os._exit(status)  # nothing of the server may run on in the fork
    os.close(write_end)
    try:
        os.setpgid(pid, pid)  # on both sides: whoever comes first
    except OSError:
        pass

    timer = loop.after(limit, lambda: children.kill(pid))

    def exited(_status: int) -> None:
        loop.cancel(timer)
        data = os.read(read_end, 64 * 1024)
        loop.forget(read_end)
        os.close(read_end)
        done(_answer(data))

    children.add(pid, exited)
    loop.watch(read_end, READABLE, lambda _events: loop.forget(read_end))


def _let_go(server: int, kept: int) -> None:
    """In the fork: die with the server, and hold nothing by which its client could think that it lives."""
    from .lifeline import die_with  # here, because ctypes would stay in the server

    die_with(server)
    signal.set_wakeup_fd(-1)  # its descriptor is closed next
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        if fd > 2 and fd != kept:
            try:
                os.close(fd)
            except OSError:
                pass  # the one that listed the folder


def _attempt(work: Callable[[], dict[str, Any]]) -> bytes:
    try:
        return protocol.encode_payload({"result": work()})
    except Failure as failure:
        return protocol.encode_payload(
            {
                "failure": {
                    "code": failure.code,
                    "message": failure.message,
                    "hint": failure.hint,
                    "detail": failure.detail,
                }
            }
        )
    except OSError as error:
        return protocol.encode_payload(
            {"failure": {"code": protocol.IO_FAILED, "message": "%s: %s." % (error.filename, error.strerror)}}
        )


def _answer(data: bytes) -> dict[str, Any] | Failure:
    if not data:
        return Failure(protocol.IO_FAILED, "The helper process ended without an answer.")
    answer = protocol.decode_payload(data)
    if "failure" in answer:
        return Failure(**answer["failure"])
    result: dict[str, Any] = answer["result"]
    return result
