"""Curves of a run as growing arrays with a pyramid of minima and maxima above them.

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
    """Samples of several channels over one time axis, in seconds. Unknown is NaN. Grows by doubling."""

    def __init__(self, channels: Sequence[str]) -> None:
        self.channels = tuple(channels)
        self.clear()

    def clear(self) -> None:
        self._size = 0
        self._t = np.empty(1024)
        self._raw = {c: np.empty(1024) for c in self.channels}
        self._levels: dict[str, list[_Level]] = {c: [] for c in self.channels}
        self._interval: float | None = None

    def __len__(self) -> int:
        """Rows, the NaN rows of gaps among them."""
        return self._size

    @property
    def t(self) -> Floats:
        return self._t[: self._size]

    def values(self, channel: str) -> Floats:
        return self._raw[channel][: self._size]

    def last(self, channel: str) -> float | None:
        """The latest known value; None where there is none."""
        for start in range(self._size, 0, -256):
            chunk = self.values(channel)[max(0, start - 256) : start]
            known = np.flatnonzero(~np.isnan(chunk))
            if len(known):
                return float(chunk[known[-1]])
        return None

    def largest(self, channel: str, t0: float = -np.inf, t1: float = np.inf) -> float | None:
        """The largest sample between two times; None where nothing is known there."""
        _, y = self.view(channel, t0, t1, 512)
        return float(np.nanmax(y)) if len(y) and not np.isnan(y).all() else None

    def append(self, t: Sequence[float] | Floats, *columns: Sequence[float | None] | Floats) -> None:
        """Add rows in the order of ``channels``; None becomes NaN. Rows that go back in time are dropped.

        Where samples are missing for longer than the usual interval explains, a NaN row is put between.
        """
        times = np.asarray(t, np.float64)
        data = [np.array(c, np.float64) for c in columns]  # None → NaN
        latest = self._t[self._size - 1] if self._size else -np.inf
        fresh = times > np.r_[latest, np.maximum.accumulate(times)[:-1]] if len(times) else np.zeros(0, bool)
        times, data = times[fresh], [c[fresh] for c in data]
        if not len(times):
            return
        before = times[:1] if not self._size else np.r_[latest]
        steps = np.diff(np.r_[before, times])
        usual = self._usual(steps[steps > 0])
        limit = max(_GAP_SECONDS, _GAP_INTERVALS * usual)
        holes = np.flatnonzero(steps > limit)
        if len(holes):
            at = times[holes] - steps[holes] + min(usual, limit) / 2
            data = [np.insert(c, holes, np.nan) for c in data]
            times = np.insert(times, holes, at)
        self._extend(times, data)

    def add_gap(self, t: float) -> None:
        """The link was lost at ``t``: what follows is not joined to what was before."""
        if not self._size or t > self._t[self._size - 1]:
            self._extend(np.array([t]), [np.array([np.nan]) for _ in self.channels])

    def index_at(self, t: float) -> int | None:
        """Index of the known row nearest to ``t``."""
        if not self._size:
            return None
        right = int(np.searchsorted(self.t, t))
        near = [i for i in (right - 1, right) if 0 <= i < self._size]
        return min(near, key=lambda i: abs(float(self._t[i]) - t))

    def value_at(self, channel: str, t: float) -> float | None:
        """The value of the row nearest to ``t``; None in a gap."""
        index = self.index_at(t)
        value = np.nan if index is None else self._raw[channel][index]
        return None if np.isnan(value) else float(value)

    def view(
        self, channel: str, t0: float, t1: float, points: int, until: int | None = None
    ) -> tuple[Floats, Floats]:
        """``(x, y)`` of a line from ``t0`` to ``t1`` and one row beyond each, for ``points`` places.

        Up to ``4 * points`` buckets answer; each is a minimum and a maximum at one time, then NaN where it
        holds a gap. ``until``: look only at so many rows (a paused view).
        """
        size = self._size if until is None else min(until, self._size)
        times = self._t[:size]
        first = max(0, int(np.searchsorted(times, t0)) - 1)
        last = min(size, int(np.searchsorted(times, t1, side="right")) + 1)
        count = last - first
        level = -1
        while count // FACTOR ** (level + 2) >= points and level + 1 < len(self._levels[channel]):
            level += 1
        if level < 0:
            return times[first:last], self._raw[channel][first:last]
        width = FACTOR ** (level + 1)
        low, high, gap = (c[first // width : -(-last // width)] for c in self._levels[channel][level].columns)
        x = times[(first // width) * width : size : width][: len(low)]
        made = np.full((len(x), 3), np.nan)
        made[:, 0], made[:, 1] = low[: len(x)], high[: len(x)]
        keep = np.ones((len(x), 3), bool)
        keep[:, 2] = gap[: len(x)]
        return np.repeat(x, 3)[keep.ravel()], made.ravel()[keep.ravel()]

    # -- inside -------------------------------------------------------------------------------

    def _usual(self, steps: Floats) -> float:
        """The usual seconds between two samples, learnt from the batches."""
        if len(steps) >= 4 or (self._interval is None and len(steps)):
            self._interval = float(np.median(steps[-256:]))
        return self._interval or 0.0

    def _extend(self, times: Floats, columns: list[Floats]) -> None:
        old, new = self._size, self._size + len(times)
        if new > len(self._t):
            grown = max(new, 2 * len(self._t))
            self._t = _grown(self._t, old, grown)
            self._raw = {c: _grown(a, old, grown) for c, a in self._raw.items()}
        self._t[old:new] = times
        for channel, column in zip(self.channels, columns, strict=True):
            self._raw[channel][old:new] = column
        self._size = new
        for channel in self.channels:
            self._raise_levels(channel, old)

    def _raise_levels(self, channel: str, changed: int) -> None:
        """Bring the pyramid up to date from row ``changed`` on: on each level only the buckets above it."""
        levels, size, number = self._levels[channel], self._size, 0
        while size > FACTOR:
            if number == len(levels):
                levels.append(_Level())
                changed = 0  # a new level begins with everything below it
            start = changed // FACTOR * FACTOR
            levels[number].take(self._below(channel, number, start), start // FACTOR)
            changed, size, number = start // FACTOR, levels[number].size, number + 1

    def _below(self, channel: str, number: int, start: int) -> _Columns:
        """What level ``number`` is made from, from its element ``start`` on."""
        if number == 0:
            raw = self.values(channel)[start:]
            return raw, raw, np.isnan(raw)
        low, high, gap = self._levels[channel][number - 1].columns
        return low[start:], high[start:], gap[start:]


def _grown(array: npt.NDArray, used: int, size: int) -> npt.NDArray:
    made = np.empty(size, array.dtype)
    made[:used] = array[:used]
    return made


def _rows(values: npt.NDArray, fill: int, with_what: float | bool) -> npt.NDArray:
    if fill:
        values = np.concatenate((values, np.full(fill, with_what, values.dtype)))
    return values.reshape(-1, FACTOR)
