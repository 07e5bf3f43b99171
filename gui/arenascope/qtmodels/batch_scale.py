"""Batches as a person drags them: every one while they are few, then in steps of a few per cent."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise

LARGEST = 4096
_EVERY_ONE = 32
_STEP = 1.03


def _stops() -> tuple[int, ...]:
    made = list(range(1, _EVERY_ONE + 1))
    while made[-1] < LARGEST:
        made.append(min(LARGEST, max(made[-1] + 1, round(made[-1] * _STEP))))
    return tuple(sorted({*made, *(1 << n for n in range(13))}))


#: Every position of the slider.
STOPS = _stops()


def position(batch: int) -> int:
    """The slider's position nearest to a batch, from above where it lies between two."""
    return min(bisect_left(STOPS, batch), len(STOPS) - 1)


def coarse_to_fine(limit: int) -> Iterator[int]:
    """The stops up to ``limit``, itself included, so that every beginning of the sequence covers all of it:
    powers of two first, then always the middles of what is left out."""
    stops = [stop for stop in STOPS if stop < limit] + [limit]
    first = [stop for stop in stops if stop & (stop - 1) == 0 or stop == limit]
    yield from first
    done = sorted({stops.index(stop) for stop in first})
    while True:
        middles = [(a + b) // 2 for a, b in pairwise(done) if b - a > 1]
        if not middles:
            return
        yield from (stops[n] for n in middles)
        done = sorted({*done, *middles})
