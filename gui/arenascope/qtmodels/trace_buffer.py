"""A curve of a run as growing arrays with a pyramid of minima and maxima above them.

A view asks for as many points as it has pixels; the pyramid answers in the same time for a thousand
samples or for a million, and no spike is ever averaged away. A gap is a NaN and stays a gap on every level.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_Columns = tuple[Floats, Floats, npt.NDArray[np.bool_]]

#: Samples (or buckets of the level below) in one bucket.
FACTOR = 4
#: Seconds without a sample that count as a lost link, at least.
_GAP_SECONDS = 0.4
#: The same as a multiple of the usual interval, for slow rates.
_GAP_INTERVALS = 5.0


class SampleClock:
    """Tells from the times of the samples alone where the link was lost."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._interval = 0.0

    def gaps(self, t: Sequence[float] | Floats) -> Floats:
        """Moments at which samples stopped for longer than their usual interval explains.

        ``t`` is the next batch; the usual interval is learnt from the batches before and from it.
        """
        times = np.asarray(t, np.float64)
        if self._last is not None:
            times = np.r_[self._last, times]
        if not len(times):
            return times
        self._last = float(times[-1])
        steps = np.diff(times)
        if len(steps) >= 4 or (not self._interval and len(steps)):
            self._interval = float(np.median(steps[-256:]))
        holes = np.flatnonzero(steps > max(_GAP_SECONDS, _GAP_INTERVALS * self._interval))
        return times[holes] + min(self._interval, _GAP_SECONDS) / 2


class _Level:
    """Minimum and maximum of each bucket, NaN where all of it is; whether any sample in it is NaN."""

    def __init__(self) -> None:
        self.size = 0
        self.low = np.empty(64)
        self.high = np.empty(64)
        self.gap = np.empty(64, bool)

    def reserve(self, size: int) -> None:
        if size > len(self.low):
            grown = max(size, 2 * len(self.low))
            self.low, self.high, self.gap = (
                _grown(a, self.size, grown) for a in (self.low, self.high, self.gap)
            )

    def take(self, tail: _Columns, first: int) -> None:
        """Put in place of bucket ``first`` and all after it those of ``tail``, the end of the level below."""
        low, high, gap = tail
        count = -(-len(low) // FACTOR)
        fill = count * FACTOR - len(low)
        self.reserve(first + count)
        put = slice(first, first + count)
        self.low[put] = np.fmin.reduce(_rows(low, fill, np.nan), axis=1)
        self.high[put] = np.fmax.reduce(_rows(high, fill, np.nan), axis=1)
        self.gap[put] = np.logical_or.reduce(_rows(gap, fill, False), axis=1)
        self.size = first + count

    @property
    def columns(self) -> _Columns:
        return self.low[: self.size], self.high[: self.size], self.gap[: self.size]


class TraceBuffer:
    """One curve: rising times in seconds and a value each, NaN where it is unknown. Grows by doubling."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._size = 0
        self._t, self._y = np.empty(1024), np.empty(1024)
        self._levels: list[_Level] = []

    def __len__(self) -> int:
        """Rows, the NaN rows of gaps among them."""
        return self._size

    @property
    def t(self) -> Floats:
        return self._t[: self._size]

    @property
    def y(self) -> Floats:
        return self._y[: self._size]

    @property
    def end(self) -> float | None:
        """Time of the last row; None while there is none."""
        return float(self._t[self._size - 1]) if self._size else None

    def last(self) -> float | None:
        """The latest known value; None where there is none."""
        for end in range(self._size, 0, -256):
            chunk = self.y[max(0, end - 256) : end]
            known = np.flatnonzero(~np.isnan(chunk))
            if len(known):
                return float(chunk[known[-1]])
        return None

    def append(self, t: Sequence[float] | Floats, y: Sequence[float | None] | Floats) -> None:
        """Add rows; None becomes NaN. Rows that go back in time are dropped."""
        times, values = np.asarray(t, np.float64), np.array(y, np.float64)  # None → NaN
        latest = -np.inf if self.end is None else self.end
        fresh = np.diff(np.maximum.accumulate(np.r_[latest, times])) > 0
        if fresh.any():
            self._extend(times[fresh], values[fresh])

    def add_gap(self, t: float) -> None:
        """The link was lost at ``t``: what follows is not joined to what was before."""
        if self.end is None or t > self.end:
            self._extend(np.array([t]), np.array([np.nan]))

    def value_at(self, t: float) -> float | None:
        """The value of the row nearest to ``t``; None in a gap, and outside of what was recorded."""
        if not self._size:
            return None
        right = int(np.searchsorted(self.t, t))
        near = [i for i in (right - 1, right) if 0 <= i < self._size]
        index = min(near, key=lambda i: abs(float(self._t[i]) - t))
        value = float(self._y[index])
        if len(near) == 2 and not np.isnan(self._y[near]).any():
            return value
        beyond = index + 1 if self._t[index] >= t else index - 1
        spacing = abs(float(self._t[beyond] - self._t[index])) if 0 <= beyond < self._size else 0.0
        return None if np.isnan(value) or abs(float(self._t[index]) - t) > spacing else value

    def view(self, t0: float, t1: float, points: int, until: int | None = None) -> tuple[Floats, Floats]:
        """``(t, y)`` of a line from ``t0`` to ``t1`` and one row beyond each, for ``points`` places.

        Up to ``4 * points`` buckets answer; each is a minimum and a maximum at one time, then NaN where it
        holds a gap. ``until``: look only at so many rows (a paused view).
        """
        size = self._size if until is None else min(until, self._size)
        times = self._t[:size]
        first = max(0, int(np.searchsorted(times, t0)) - 1)
        last = min(size, int(np.searchsorted(times, t1, side="right")) + 1)
        level = -1
        while (last - first) // FACTOR ** (level + 2) >= points and level + 1 < len(self._levels):
            level += 1
        if level < 0:
            return times[first:last], self._y[first:last]
        width = FACTOR ** (level + 1)
        low, high, gap = (c[first // width : -(-last // width)] for c in self._levels[level].columns)
        x = times[first // width * width : size : width][: len(low)]
        made = np.full((len(x), 3), np.nan)
        made[:, 0], made[:, 1] = low[: len(x)], high[: len(x)]
        keep = np.ones((len(x), 3), bool)
        keep[:, 2] = gap[: len(x)]
        return np.repeat(x, 3)[keep.ravel()], made.ravel()[keep.ravel()]

    # -- inside -------------------------------------------------------------------------------

    def _extend(self, times: Floats, values: Floats) -> None:
        old, new = self._size, self._size + len(times)
        if new > len(self._t):
            grown = max(new, 2 * len(self._t))
            self._t, self._y = _grown(self._t, old, grown), _grown(self._y, old, grown)
        self._t[old:new], self._y[old:new] = times, values
        self._size = new
        self._raise_levels(old)

    def _raise_levels(self, changed: int) -> None:
        """Bring the pyramid up to date from row ``changed`` on: on each level only the buckets above it."""
        size, number = self._size, 0
        while size > FACTOR:
            if number == len(self._levels):
                self._levels.append(_Level())
                changed = 0  # a new level begins with everything below it
            start = changed // FACTOR * FACTOR
            level = self._levels[number]
            level.take(self._below(number, start), start // FACTOR)
            changed, size, number = start // FACTOR, level.size, number + 1

    def _below(self, number: int, start: int) -> _Columns:
        """What level ``number`` is made from, from its element ``start`` on."""
        if number == 0:
            raw = self.y[start:]
            return raw, raw, np.isnan(raw)
        low, high, gap = self._levels[number - 1].columns
        return low[start:], high[start:], gap[start:]


def _grown(array: npt.NDArray, used: int, size: int) -> npt.NDArray:
    made = np.empty(size, array.dtype)
    made[:used] = array[:used]
    return made


def _rows(values: npt.NDArray, fill: int, with_what: float | bool) -> npt.NDArray:
    if fill:
        values = np.concatenate((values, np.full(fill, with_what, values.dtype)))
    return values.reshape(-1, FACTOR)
