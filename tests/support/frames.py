"""Frames that no honest peer sends, made from a seeded generator so that each is found again.

What is well framed and makes no sense must be answered in words; what is no frame must end the link.
``canary`` is a path that would be made if anything of it were ever evaluated, unpickled, formatted or
given to a shell.
"""

from __future__ import annotations

import json
import random
from typing import Any

from arenascope_agent import protocol

#: Terminal escapes, marks that turn the writing direction, halves of surrogate pairs, zero width, NUL.
ODD_TEXTS = (
    "", "\0", "\x1b[2J\x1b]0;title\x07", "\u202egpj.exe", "\ud800", "\udfff\ud800", "\u200b", "\u2028", "\r\n",
    "\U0001f600" * 50, "A\u0301" * 50, "\uffff", "\x9b31m", "%s%n%x" * 20, "{0.__class__}", "x" * 5000, "\x7f", "٣", "²",
)  # fmt: skip
ODD_PATHS = (
    "/etc/passwd", "../../../../etc/passwd", "/proc/self/mem", "/dev/zero", "/dev/stdin", "/", ".", "..", "~/x",
    "a/../b", "/tmp/\0x", "x\n/etc/passwd", "//server/share", "C:\\windows", "file:///etc/passwd", "-", "--help", "-c",
    "--model=/etc/passwd", "/nonexistent/" + "d/" * 2000, "\ud800.tflite", "aux",
)  # fmt: skip
ODD_NUMBERS = (
    0, -1, 1, 2, 255, 2**31 - 1, 2**31, 2**32, 2**53, 2**53 + 1, 2**63, 2**64, -(2**63), 10**39, -(10**38), 0.5, -0.0, 1e-300,
    1e308, -1e308, 1.5,
)  # fmt: skip


def payloads(canary: str) -> tuple[str, ...]:
    """Texts that do something where they are taken for more than texts."""
    touch = f"touch {canary}"
    return (
        f"$({touch})", f"`{touch}`", f"; {touch} #", f"| {touch}", f"&& {touch}", f"\n{touch}\n", f"'; {touch}; '", f'"; {touch}; "',
        f"__import__('os').system('{touch}')", f"{{__import__('os').system('{touch}')}}", f"%(x)s {touch}",
        f"cos\nsystem\n(S'{touch}'\ntR.", f"!!python/object/apply:os.system ['{touch}']", f"{{{{ ''.__class__ }}}} {touch}",
        f"${{IFS}}{touch}", f"{canary}", f"file://{canary}", f"-o{canary}",
    )  # fmt: skip


def any_text(rng: random.Random, canary: str = "/nonexistent/canary") -> str:
    return rng.choice(rng.choice((ODD_TEXTS, ODD_PATHS, payloads(canary))))


def any_value(rng: random.Random, canary: str = "/nonexistent/canary", depth: int = 0) -> Any:
    """Any JSON value, of any type, seldom a sensible one."""
    kind = rng.randrange(10 if depth < 3 else 6)
    if kind == 0:
        return None
    if kind == 1:
        return rng.random() < 0.5
    if kind in (2, 3):
        return rng.choice(ODD_NUMBERS)
    if kind in (4, 5):
        return any_text(rng, canary)
    if kind in (6, 7):
        return [any_value(rng, canary, depth + 1) for _ in range(rng.randrange(5))]
    return {any_text(rng, canary): any_value(rng, canary, depth + 1) for _ in range(rng.randrange(4))}


def malformed(rng: random.Random, limit: int) -> bytes:
    """What no frame reader may take, for a side that takes frames up to ``limit`` bytes."""
    return rng.choice(_MALFORMED)(rng, limit)


def _length(rng: random.Random, limit: int) -> bytes:
    length = rng.choice((0, 1, limit + 1, 2**31, 2**32 - 1, rng.randrange(limit + 1, 2**32)))
    return protocol.HEADER.pack(length) + rng.randbytes(rng.randrange(200))


def _random(rng: random.Random, limit: int) -> bytes:
    return b"\xff" + rng.randbytes(rng.randrange(4, 400))  # a length of at least four thousand million


def _other_protocol(rng: random.Random, limit: int) -> bytes:
    return rng.choice((
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"SSH-2.0-OpenSSH_9.2p1\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix", b"<?xml version='1.0'?>", b"EHLO example\r\n",
    ))  # fmt: skip


def _not_json(rng: random.Random, limit: int) -> bytes:
    deep = rng.choice((b"[", b'{"a":', b'[{"a":')) * rng.choice((500, 5000, 100_000))
    return protocol.frame(rng.choice((
        b"\xff\xfe{}", b'{"a":"\xc3\x28"}', b'{"a":"\xed\xa0\x80"}', b"{'a':1}", b"not json", b"{}{}", b"{} x", b'{"a":1,}', b"\0\0",
        b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}', b'{"a":' + b"9" * 5000 + b"}", b'{"a":"\x01"}', b'{"a"', b'"\\ud800',
        b"\xef\xbb\xbf{}", rng.randbytes(rng.randrange(2, 300)).replace(b"{", b"x"), deep, deep + b"]" * 500,
    )))  # fmt: skip


def _no_object(rng: random.Random, limit: int) -> bytes:
    return protocol.frame(
        rng.choice((b"[]", b"17", b'"text"', b"null", b"true", b"1e999", b"[{}]", b"-0", b"[[[]]]", b'"{}"'))
    )


_MALFORMED = (_length, _random, _other_protocol, _not_json, _no_object)


def raw(message: dict[str, Any], rng: random.Random) -> bytes:
    """The frame of a message, sometimes written otherwise than ``protocol`` does: keys twice, spaces, UTF-8."""
    way = rng.randrange(8)
    if way == 0 and message:  # every key twice, the first time with another value
        text = json.dumps(message)
        extra = ",".join(f"{json.dumps(key)}:{rng.choice(('null', '1e999', '[]', '{}'))}" for key in message)
        return protocol.frame(b"{" + extra.encode() + b"," + text[1:].encode())
    if way == 1:
        text = json.dumps(message, ensure_ascii=False, indent=rng.choice((None, 3)))
        return protocol.frame(text.encode("utf-8", "replace"))
    return protocol.frame(json.dumps(message).encode())
