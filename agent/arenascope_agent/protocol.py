"""The wire, defined once: greeting, frames, messages, limits, error codes. No input or output here.

A connection is GREETING from the server, then frames in both directions: a 4-byte big-endian
length and that many bytes of UTF-8 JSON, one object a frame. The client skips whatever stands
before the greeting (login banners). Nothing that arrives is ever evaluated or unpickled.

    hello      server → client, first frame   protocol, agent, pid, python
                                              in a session also: resumed, seen, boot
    gone       server → client, first frame   boot; there is no such session (any more)
    request    client → server                id, method, params
    response   server → client                id, result
    error      server → client                id (null: about no request), code, message, hint, detail
    event      server → client                run, name, data

In a session (``session.py``) both sides count the other's frames behind the first one of a connection, and
say how many they have got: the client when it attaches and with ``ping``, the server in hello and in the
answer to ``ping``, each in ``seen``. What the other side has not got is sent again. ``boot`` names the start
of the device.

The worker talks to the server in the same frames, with events that carry no ``run``.
The server imports this module, so it stays small: no typing, no dataclasses at run time.
"""

from __future__ import annotations

import json
import struct

TYPE_CHECKING = False  # typing costs the server 0.5 MB; type checkers know this name
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Message = dict[str, Any]

PROTOCOL = 1
GREETING = b"\x00ARENASCOPE/1\n"
MAX_BANNER = 64 * 1024
MAX_FRAME = 8 * 1024 * 1024
#: What the server takes: decoded, a frame may be thirty times as large, and it lives on a small board.
MAX_REQUEST = 1024 * 1024
HEADER = struct.Struct(">I")

# Seconds that the server gives to what a request asks for; a client waits a little longer.
PROBE_LIMIT = 120.0  # a probe that loads the runtime
FILE_LIMIT = 300.0  # file_status and file_adopt: hashing on a slow board with a slow card

# The methods that set a device up and take that back; ``provisioning.py`` does them.
SET_UP = ("environment_install", "environment_remove", "apt_sources", "apt_installed", "apt_verify")

# Error codes on the wire.
MALFORMED = "malformed"  # not a frame or not a message; the link is closed after it
UNKNOWN_METHOD = "unknown_method"
INVALID = "invalid_params"
BUSY = "busy"
NOT_FOUND = "not_found"
HASH_MISMATCH = "hash_mismatch"
NO_SPACE = "no_space"
IO_FAILED = "io_failed"

# How the worker ends when it could say why; anything else is read from its exit status.
EXIT_REPORTED = 10

# What the server hands to the worker.
ENV_EVENT_FD = "ARENASCOPE_CHILD_FD"
ENV_TASK_FD = "ARENASCOPE_TASK_FD"
ENV_RUN_START = "ARENASCOPE_RUN_START"
ENV_AHEAD = "ARENASCOPE_AHEAD"  # the task to begin with before its parameters have come
ENV_SERVER_PID = "ARENASCOPE_SERVER_PID"


class ProtocolError(Exception):
    """What arrived is not the protocol. The stream cannot be trusted after it."""


def _not_a_number(text: str) -> float:
    raise ProtocolError("a number that JSON does not know: " + text)


def _bounded_int(text: str) -> int:
    # Pythons before 3.11 turn a million digits into an integer in quadratic time.
    if len(text) > 40:
        raise ProtocolError("an integer of %d digits" % len(text))
    return int(text)


_decoder = json.JSONDecoder(parse_constant=_not_a_number, parse_int=_bounded_int)
_encoder = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def encode_payload(message: Message) -> bytes:
    """The JSON bytes of a message. ValueError for a number that is not finite."""
    return _encoder.encode(message).encode("ascii")


def frame(payload: bytes, limit: int = MAX_FRAME) -> bytes:
    """A payload with its length before it. ProtocolError when it is longer than ``limit``."""
    if len(payload) > limit:
        raise ProtocolError("a frame of %d bytes; the limit is %d" % (len(payload), limit))
    return HEADER.pack(len(payload)) + payload


def encode(message: Message, limit: int = MAX_FRAME) -> bytes:
    """One frame, ready to send."""
    return frame(encode_payload(message), limit)


def decode_payload(payload: bytes) -> Message:
    """The JSON object in a payload; ProtocolError for anything else."""
    try:
        message = _decoder.decode(payload.decode("utf-8"))
    except RecursionError:
        raise ProtocolError("brackets nested too deeply") from None
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        raise ProtocolError("not JSON: %s" % error) from None
    if not isinstance(message, dict):
        raise ProtocolError("a %s where an object is expected" % type(message).__name__)
    return message


class FrameReader:
    """Cuts a byte stream into payloads.

    Holds only bytes that arrived: a length above ``limit`` is refused from its four bytes, and
    nothing is reserved for a length that is merely announced.
    """

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._buffer = bytearray()
        self._limit = limit

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The payloads that ``data`` completes. ProtocolError for an oversize or empty frame."""
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            (length,) = HEADER.unpack_from(self._buffer)
            if not 2 <= length <= self._limit:
                raise ProtocolError("a frame of %d bytes; the limit is %d" % (length, self._limit))
            end = HEADER.size + length
            if len(self._buffer) < end:
                return
            payload = bytes(self._buffer[HEADER.size : end])
            del self._buffer[:end]
            yield payload

    @property
    def waiting(self) -> int:
        """Bytes of a frame that has not come to its end."""
        return len(self._buffer)


def hello(agent: str, pid: int, python: str) -> Message:
    return {"type": "hello", "protocol": PROTOCOL, "agent": agent, "pid": pid, "python": python}


def request(number: int, method: str, params: Message) -> Message:
    return {"type": "request", "id": number, "method": method, "params": params}


def response(number: int, result: Message) -> Message:
    return {"type": "response", "id": number, "result": result}


def error(number: int | None, code: str, message: str, hint: str = "", detail: str = "") -> Message:
    return {"type": "error", "id": number, "code": code, "message": message, "hint": hint, "detail": detail}


def event(name: str, data: Message, run: int | None = None) -> Message:
    if run is None:
        return {"type": "event", "name": name, "data": data}
    return {"type": "event", "run": run, "name": name, "data": data}
