"""Work that would hold the server up or make it large, done in a fork of it: hashing, removing files.

The fork's memory is gone with it and bounded, and the sampler keeps its rate meanwhile.
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


#: Bytes that a fork may take beside what the server has: unpacking needs a few MB.
MOST_MEMORY = 128 * 1024 * 1024
#: Bytes of an answer. It waits in the server when the client does not take it.
MOST_ANSWER = 64 * 1024


class Failure(Exception):
    """A request that cannot be done, in words: code, message, hint and detail as on the wire."""

    def __init__(self, code: str, message: str, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail

    def parts(self) -> dict[str, str]:
        return {"code": self.code, "message": self.message, "hint": self.hint, "detail": self.detail}


def in_words(error: OSError) -> str:
    """'/a/b: No such file or directory.'"""
    reason = error.strerror or type(error).__name__
    return "%s: %s." % (error.filename, reason) if error.filename else reason + "."


def run(
    loop: Loop,
    children: Children,
    work: Callable[[], dict[str, Any]],
    done: Callable[[dict[str, Any] | Failure], None],
    limit: float,
    keep: int = -1,
) -> None:
    """Call ``done`` on the loop with what ``work`` returned, or with the Failure that it raised.

    ``work`` runs in the fork; what it returns crosses as JSON, at most MOST_ANSWER bytes of it. ``keep``: a
    descriptor that ``work`` reads from. OSError when no process can be made. It is ended after ``limit``
    seconds, and with the server.
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
            _let_go(server, (write_end, keep))
            _limit_memory()
            _write(write_end, _attempt(work))
            status = 0
        finally:
            os._exit(status)  # nothing of the server may run on in the fork
    os.close(write_end)
    try:
        os.setpgid(pid, pid)  # on both sides: whoever comes first
    except OSError:
        pass

    timer = loop.after(limit, lambda: children.kill(pid))
    answer = bytearray()

    def readable(_events: int) -> None:
        data = os.read(read_end, MOST_ANSWER)
        if data:
            answer.extend(data)  # the fork writes no more than MOST_ANSWER
        else:
            loop.forget(read_end)

    def exited(_status: int) -> None:
        loop.cancel(timer)
        loop.forget(read_end)
        while data := os.read(read_end, MOST_ANSWER):
            answer.extend(data)
        os.close(read_end)
        done(_answer(bytes(answer)))

    children.add(pid, exited)
    loop.watch(read_end, READABLE, readable)


def _let_go(server: int, kept: tuple[int, int]) -> None:
    """In the fork: die with the server, and hold nothing by which its client could think that it lives."""
    from .lifeline import die_with  # here, because ctypes would stay in the server

    die_with(server)
    signal.set_wakeup_fd(-1)  # its descriptor is closed next
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        if fd > 2 and fd not in kept:
            try:
                os.close(fd)
            except OSError:
                pass  # the one that listed the folder


def _limit_memory() -> None:
    """What the fork is given to do may not take the board's memory, whatever was asked for."""
    import resource

    with open("/proc/self/statm", "rb") as file:
        most = int(file.read().split()[0]) * resource.getpagesize() + MOST_MEMORY
    limits = [limit for limit in resource.getrlimit(resource.RLIMIT_AS) if limit != resource.RLIM_INFINITY]
    most = min([most, *limits])
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _write(fd: int, data: bytes) -> None:
    if len(data) > MOST_ANSWER:
        data = _failed(_unanswered("The answer is longer than this agent sends: %d bytes." % len(data)))
    while data:
        data = data[os.write(fd, data) :]


def _failed(failure: Failure) -> bytes:
    return protocol.encode_payload({"failure": failure.parts()})


def _unanswered(message: str) -> Failure:
    return Failure(protocol.IO_FAILED, message)


def _attempt(work: Callable[[], dict[str, Any]]) -> bytes:
    try:
        return protocol.encode_payload({"result": work()})
    except Failure as failure:
        return _failed(failure)
    except OSError as error:
        return _failed(_unanswered(in_words(error)))
    except MemoryError:
        return _failed(_unanswered("It takes more memory than this agent gives to it."))


def _answer(data: bytes) -> dict[str, Any] | Failure:
    try:
        answer = protocol.decode_payload(data)
    except protocol.ProtocolError:  # nothing, or the beginning of one
        return _unanswered("The helper process ended without an answer.")
    if "failure" in answer:
        return Failure(**answer["failure"])
    result: dict[str, Any] = answer["result"]
    return result
