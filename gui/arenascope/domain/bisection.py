"""The largest whole number that passes a test, with few tests: each may be a run of minutes."""

from __future__ import annotations

from collections.abc import Callable


def largest(passes: Callable[[int], bool], limit: int, *, first: int = 1, step: int = 1) -> int:
    """The largest number from 1 to ``limit`` that passes; 0 where 1 does not.

    The test must pass below some border and fail from it on. The border is expected near ``first``: from
    there ``step`` is taken, and doubled, until it lies between two tests; then the interval is halved.
    """
    low, high = 0, limit + 1  # low passes, high fails or may not be asked
    at = min(max(first, 1), limit)
    if passes(at):
        low = at
        while low < limit:
            at = min(low + step, limit)
            if not passes(at):
                high = at
                break
            low, step = at, 2 * step
    else:
        high = at
        while high > 1:
            at = max(high - step, 1)
            if passes(at):
                low = at
                break
            high, step = at, 2 * step
    while low + 1 < high:
        at = (low + high) // 2
        low, high = (at, high) if passes(at) else (low, at)
    return low
