"""Damage done to bytes at random, but the same for the same generator."""

from __future__ import annotations

import random
import struct

_WORDS = (0, 1, 2, 4, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """``data`` after one to four of: a bit flipped, a word overwritten, bytes moved, the end cut off."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        rng.choice((_flip, _flip, _word, _word, _small_word, _splice, _cut))(changed, rng)
        if len(changed) < 16:
            return bytes(changed)
    return bytes(changed)


def _flip(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _word(data: bytearray, rng: random.Random) -> None:
    struct.pack_into("<I", data, rng.randrange(0, len(data) - 4), rng.choice(_WORDS))


def _small_word(data: bytearray, rng: random.Random) -> None:
    """Aligned and small: it hits shapes, indices and enumerations, and leaves offsets believable."""
    struct.pack_into("<I", data, rng.randrange(0, len(data) - 4) & ~3, rng.randrange(64))


def _splice(data: bytearray, rng: random.Random) -> None:
    length = rng.randrange(1, 64)
    source, target = (rng.randrange(len(data)) for _ in range(2))
    piece = data[source : source + length]
    data[target : target + len(piece)] = piece


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]
