"""The two curves of a run, each at its own pace: the worker's memory and the board's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from .trace_buffer import Floats, SampleClock, TraceBuffer


class RunCurves(Mapping[str, TraceBuffer]):
    """ "rss" (the worker, resident) and "available" (the board), over seconds since the start of the run."""

    def __init__(self) -> None:
        self._curves = {"rss": TraceBuffer(), "available": TraceBuffer()}
        self._clock = SampleClock()

    def __getitem__(self, key: str) -> TraceBuffer:
        return self._curves[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._curves)

    def __len__(self) -> int:
        return len(self._curves)

    def clear(self) -> None:
        self._clock = SampleClock()
        for curve in self._curves.values():
            curve.clear()

    def append(
        self, t: Sequence[float], rss: Sequence[float | None], available: Sequence[float | None]
    ) -> None:
        """A None in ``rss`` could not be read and is a gap; the board's memory is read more seldom than the
        worker's, so a None in ``available`` says nothing. Where no sample came at all, both have a gap."""
        times = np.asarray(t, np.float64)
        gaps = self._clock.gaps(times)
        worker, board = np.array(rss, np.float64), np.array(available, np.float64)  # None → NaN
        read = ~np.isnan(board)
        if not np.isnan(worker).all():
            self._curves["rss"].append(*_with_gaps(times, worker, gaps))
        self._curves["available"].append(*_with_gaps(times[read], board[read], gaps))

    def add_gap(self, t: float) -> None:
        """The link was lost at ``t``."""
        for curve in self._curves.values():
            curve.add_gap(t)

    @property
    def end(self) -> float | None:
        """Time of the last row of either; None while there is none."""
        return max((curve.end for curve in self._curves.values() if curve.end is not None), default=None)

    @property
    def samples(self) -> int:
        """Rows of the longer curve."""
        return max(len(curve) for curve in self._curves.values())


def _with_gaps(t: Floats, y: Floats, gaps: Floats) -> tuple[Floats, Floats]:
    """The rows with a NaN row at each gap, in the order of time."""
    times, values = np.r_[t, gaps], np.r_[y, np.full(len(gaps), np.nan)]
    order = np.argsort(times, kind="stable")
    return times[order], values[order]
