"""Damage done to bytes at random, but the same for the same generator."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

from arenascope.tflite.reader import walk_file

_WORDS = (0, 1, 2, 4, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)

#: Of ten changes, so many hit the description of a model, however large its weights are.
_IN_DESCRIPTION = 0.9


def description_of(model: Path) -> list[range]:
    """The stretches of a model file that are not constants."""
    constants = walk_file(model, lambda walk: sorted(walk.buffers))
    found, position = [], 0
    for offset, length in constants:
        if offset > position:
            found.append(range(position, offset))
        position = max(position, offset + length)
    end = model.stat().st_size
    return [*found, range(position, end)] if end > position else found


def mutated(data: bytes, rng: random.Random, places: Sequence[range] = ()) -> bytes:
    """``data`` after one to four of: a bit flipped, a word overwritten, bytes moved, the end cut off.

    Most changes hit one of ``places`` where they are given.
    """
    changed = bytearray(data)
    weights = [len(place) for place in places]

    def somewhere() -> int:
        if places and rng.random() < _IN_DESCRIPTION:
            (place,) = rng.choices(places, weights)
            return min(rng.choice(place), len(changed) - 1)
        return rng.randrange(len(changed))

    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        rng.choice(_CHANGES)(changed, rng, somewhere)
        if len(changed) < 16:
            break
    return bytes(changed)


Change = Callable[[bytearray, random.Random, Callable[[], int]], None]


def _flip(data: bytearray, rng: random.Random, somewhere: Callable[[], int]) -> None:
    data[somewhere()] ^= 1 << rng.randrange(8)


def _word(data: bytearray, rng: random.Random, somewhere: Callable[[], int]) -> None:
    struct.pack_into("<I", data, min(somewhere(), len(data) - 4), rng.choice(_WORDS))


def _small_word(data: bytearray, rng: random.Random, somewhere: Callable[[], int]) -> None:
    """Aligned and small: it hits shapes, indices and enumerations, and leaves offsets believable."""
    struct.pack_into("<I", data, min(somewhere(), len(data) - 4) & ~3, rng.randrange(64))


def _splice(data: bytearray, rng: random.Random, somewhere: Callable[[], int]) -> None:
    source, target = somewhere(), somewhere()
    piece = data[source : source + rng.randrange(1, 64)]
    data[target : target + len(piece)] = piece


def _cut(data: bytearray, rng: random.Random, somewhere: Callable[[], int]) -> None:
    del data[somewhere() :]


_CHANGES: tuple[Change, ...] = (_flip, _flip, _flip, _word, _word, _small_word, _small_word, _splice, _cut)
