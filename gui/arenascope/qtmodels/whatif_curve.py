"""What is known of every batch of one set of knobs, and which batch is worth planning next."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise

from ..domain.capture import Capture
from ..domain.forecast import Forecast
from ..domain.measurement import Status
from ..domain.shapes import ShapeRefusal
from .batch_scale import LARGEST, coarse_to_fine
from .history_model import batch_of

_FIRST = 16  #: as far as a curve goes at first
_WITHOUT_LIMIT = 64  #: and where no board sets a limit


@dataclass(frozen=True, slots=True)
class Dot:
    """What a run with this batch took. Bytes; None where the run did not get that far."""

    batch: int
    arena: int | None
    peak: int | None
    status: Status

    @classmethod
    def of(cls, capture: Capture) -> Dot | None:
        """None where its inputs share no batch."""
        batch, totals = batch_of(capture), capture.totals
        if batch is None:
            return None
        return cls(batch, totals.arena_rw, totals.process_peak, capture.outcome.status)


class Curve:
    """Points are forecasts without their tensors. ``own``: the batch of the file, which is never refused.

    A curve begins small and goes on to the first batch that does not fit, so that its border is in view.
    """

    def __init__(self, own: int | None = None) -> None:
        self._points: dict[int, Forecast] = {}
        self._batches: list[int] = []
        self._own = own
        self._limit = _FIRST

    @property
    def batches(self) -> tuple[int, ...]:
        """Those that are planned, in order."""
        return tuple(self._batches)

    @property
    def limit(self) -> int:
        """The largest batch that the curve is about."""
        return self._limit

    def get(self, batch: int) -> Forecast | None:
        return self._points.get(batch)

    def add(self, batch: int, forecast: Forecast) -> None:
        if batch not in self._points:
            self._batches.insert(bisect_left(self._batches, batch), batch)
        self._points[batch] = forecast.without_tensors()

    def copy(self) -> Curve:
        """For a thread that plans on while this one is shown."""
        made = Curve(self._own)
        made._points, made._batches, made._limit = dict(self._points), list(self._batches), self._limit
        return made

    def reach(self, batch: int) -> None:
        """Let it go as far as ``batch``, and a little beyond."""
        while self._limit < min(LARGEST, batch * 5 // 4):
            self._limit = min(LARGEST, 2 * self._limit)

    def nearest(self, batch: float) -> int | None:
        """Of the planned batches that the model takes, the nearest."""
        taken = [b for b in self._batches if self._takes(b)]
        return min(taken, key=lambda b: abs(b - batch), default=None)

    @property
    def largest_fit(self) -> int | None:
        """The largest planned batch that fits; None where none does or it is not known."""
        return max((b for b in self._batches if self._points[b].verdict.fits), default=None)

    @property
    def exact(self) -> bool:
        """Whether ``largest_fit`` is the largest of all: the next one up is planned and does not fit, or is
        refused."""
        largest = self.largest_fit
        if largest is None:
            return False
        return largest == LARGEST or largest + 1 in self._points or self._only_own()

    @property
    def first_refusal(self) -> tuple[int, ShapeRefusal] | None:
        """The smallest planned batch that the model does not take."""
        for batch in self._batches:
            refusal = self._points[batch].plan.refusal
            if refusal is not None:
                return batch, refusal
        return None

    def next(self) -> int | None:
        """The batch to plan now; None when nothing is left to be known."""
        while True:
            wanted = self._own if self._own not in self._points else self._coarse()
            if wanted is None:
                if self._goes_on():
                    self._limit = min(LARGEST, 2 * self._limit)
                    continue
                wanted = self._border() or self._middle()
            return wanted

    def _coarse(self) -> int | None:
        """Powers of two. After three refusals in a row, larger batches are refused as well."""
        batch, refused = 1, 0
        while True:
            if batch not in self._points:
                return batch
            refused = refused + 1 if not self._takes(batch) else 0
            if refused == 3 or batch >= self._limit:
                return None
            batch = min(2 * batch, self._limit)

    def _goes_on(self) -> bool:
        """Whether larger batches than the limit are worth looking at."""
        last = self._points.get(self._limit)
        if last is None or last.plan.refusal is not None or self._limit >= LARGEST:
            return False
        return last.verdict.fits is True or (last.verdict.fits is None and self._limit < _WITHOUT_LIMIT)

    def _border(self) -> int | None:
        """Between the largest that fits and the next that does not, or that is refused."""
        for a, b in pairwise(self._batches):
            fits = self._points[a].verdict.fits and not self._points[b].verdict.fits
            ends = self._takes(a) and not self._takes(b)
            if (fits or ends) and b - a > 1:
                return (a + b) // 2
        return None

    def _middle(self) -> int | None:
        for batch in coarse_to_fine(self._limit):
            if batch in self._points:
                continue
            at = bisect_left(self._batches, batch)
            around = self._batches[max(at - 1, 0) : at + 1]
            if any(self._takes(b) for b in around):
                return batch
        return None

    def _takes(self, batch: int) -> bool:
        return self._points[batch].plan.refusal is None

    def _only_own(self) -> bool:
        """Whether every other batch is refused."""
        return len(self._batches) > 1 and [b for b in self._batches if self._takes(b)] == [self._own]
