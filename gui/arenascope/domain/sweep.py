"""Many variants of one model on one or several devices: what each will need, and what it needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from .capture import Capture, ModelFacts
from .forecast import Forecast
from .measurement import RAN_OUT, Outcome, Status
from .shapes import ShapeRefusal
from .whatif import WhatIf

#: More points than this are a mistake in the command, not a sweep.
MOST_POINTS = 100_000
#: Notes that differ from point to point are read by nobody.
MOST_NOTES = 10


@dataclass(frozen=True, slots=True)
class PointMeasured:
    """One run in a process of its own. Bytes, None where the run did not get that far; ``seconds`` of the
    first invoke."""

    arena_rw: int | None
    arena_rw_persistent: int | None
    process_peak: int | None
    seconds: float | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Point:
    """One variant on one device. The plan of its forecast has no tensors: there may be many points."""

    device: str
    forecast: Forecast
    measured: PointMeasured | None = None

    @property
    def asked(self) -> WhatIf:
        return self.forecast.plan.asked

    @property
    def inputs(self) -> Mapping[str, tuple[int, ...]]:
        return self.forecast.plan.inputs

    @property
    def refusal(self) -> ShapeRefusal | None:
        return self.forecast.plan.refusal


@dataclass(frozen=True, slots=True)
class LargestFit:
    """The largest batch that fits on a device. ``planned``: by the plan, None where it fits at no batch or
    cannot be told before a run; ``confirmed``: the largest that ran, None where none was run. ``reason``
    says what stands against the next larger one; ``runs`` is how many runs confirmed it."""

    device: str
    planned: int | None
    confirmed: int | None
    reason: str
    runs: int = 0

    @property
    def batch(self) -> int | None:
        """The answer: what ran, or what the plan says where nothing was run."""
        return self.confirmed if self.runs else self.planned


@dataclass(frozen=True)
class Sweep:
    """``refused``: why the model takes no other batch or shape, where one of the points was refused.
    ``stopped``: why some points that were to be run were not, where a device was lost meanwhile."""

    model: ModelFacts
    asked: WhatIf
    points: tuple[Point, ...]
    largest_fit: tuple[LargestFit, ...] = ()
    refused: ShapeRefusal | None = None
    notes: tuple[str, ...] = ()
    stopped: str = ""


def measured(capture: Capture) -> PointMeasured:
    """What a run says of its point."""
    invoked = next((phase.seconds for phase in capture.phases if phase.name == "invoke_first"), None)
    totals = capture.totals
    return PointMeasured(
        totals.arena_rw, totals.arena_rw_persistent, totals.process_peak, invoked, capture.outcome
    )


def notes(points: Iterable[Point]) -> tuple[str, ...]:
    """What the plans have to say, each once."""
    found = dict.fromkeys(note for point in points for note in point.forecast.plan.notes)
    more = len(found) - MOST_NOTES
    told = tuple(found)[:MOST_NOTES]
    return told if more <= 0 else (*told, f"{more} more notes are in the plans of single points.")


def first_refusal(points: Iterable[Point]) -> ShapeRefusal | None:
    """Why the model refuses one of the points: for what it is made of, or else for its size."""
    refusals = [point.refusal for point in points if point.refusal is not None]
    return min(refusals, key=lambda refusal: refusal.too_large, default=None)


def ran_out_of_memory(outcome: Outcome) -> bool:
    """Whether a run that did not come to its end in time had no memory left: it would hardly ever have."""
    return outcome.status is Status.TIMED_OUT and RAN_OUT in outcome.message


def why_not(point: Point) -> str:
    """What stands against a point, as a sentence that names its batch: what happened, or else the plan."""
    batch = f"Batch {point.asked.batch:,}" if point.asked.batch is not None else "This shape"
    if point.measured is None:
        if point.refusal is not None and point.refusal.certain:
            return f"{batch} is refused by the model: {point.refusal.reason}"
        return f"{batch}: {point.forecast.verdict.reason}"
    outcome = point.measured.outcome
    said = f": {outcome.message.rstrip('.')}" if outcome.message else ""
    return f"{batch} was run and {outcome.status.value.replace('_', ' ')}{said}."


def largest_fit(device: str, points: Iterable[Point]) -> LargestFit | None:
    """The largest batch among the points of one device; None where none asks for a batch."""
    by_batch = sorted(
        ((p.asked.batch, p) for p in points if p.asked.batch is not None), key=lambda pair: pair[0]
    )
    if not by_batch:
        return None
    fits = [batch for batch, p in by_batch if p.forecast.verdict.fits]
    ran = [batch for batch, p in by_batch if p.measured is not None and p.measured.outcome.ok]
    runs = sum(p.measured is not None for _, p in by_batch)
    found = LargestFit(device, max(fits, default=None), max(ran, default=None), "", runs)
    larger = (p for batch, p in by_batch if batch > (found.batch or 0))
    beyond = next((p for p in larger if not runs or p.measured is not None), None)
    reason = "It is the largest that was asked for." if beyond is None else why_not(beyond)
    return replace(found, reason=reason)
