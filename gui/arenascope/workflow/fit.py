"""The largest batch that fits on a device: as the plan says, then confirmed by runs on both sides of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from ..domain.bisection import largest
from ..domain.capture import ModelFacts
from ..domain.graph import Graph
from ..domain.measurement import Status
from ..domain.sweep import LargestFit, Point, Sweep, notes, ran_out_of_memory, why_not
from ..domain.whatif import MAX_EXTENT, WhatIf
from ..errors import UsageError
from ..tflite.reader import read_model
from .connect import Device
from .events import PointDone, PointStarted
from .forecast import Forecaster
from .jobs import CancelToken, side_by_side
from .planning import Planning
from .sweep import Runs, Tell, run_point

#: The first step away from the planned batch, as a part of it: about how sure a prediction is.
_STEP = 50
#: Ends of a run that mean "not that much memory here". Any other says nothing of memory, and ends the search.
_TOO_LARGE = (Status.KILLED, Status.REFUSED)


def fit(
    devices: Sequence[Device],
    model: Path,
    asked: WhatIf | None = None,
    *,
    limit: int = MAX_EXTENT,
    runs: Runs | None = None,
    tell: Tell = lambda event: None,
    cancel: CancelToken | None = None,
) -> Sweep:
    """``asked.batch`` is left out of account; its other knobs hold for every batch. Without ``runs`` nothing
    runs, and nothing is confirmed. ``limit``: the largest batch to think of.

    The points are those that bound the answer, and all that were run. ``refused`` says what pins the batch
    of a model that takes no other. Raises UsageError, InputError for the model, LinkError for a device.
    """
    cancel = cancel or CancelToken()
    asked = replace(asked or WhatIf(), batch=None)
    graph = read_model(model)
    own = check(graph, asked, limit)
    with ExitStack() as stack:
        searches = []
        for device in devices:
            planning = stack.enter_context(Planning())  # one each: devices are searched side by side
            forecaster = Forecaster(
                planning, device, model, graph,
                tell=tell, timeout=None if runs is None else runs.timeout, cancel=cancel,
            )  # fmt: skip
            searches.append(_Search(device, model, forecaster, asked, own, limit, tell, cancel))
        for search in searches:
            search.plan()
        if runs is not None:
            side_by_side([partial(search.confirm, runs) for search in searches], cancel)
    return Sweep(
        model=ModelFacts.of(graph),
        asked=asked,
        points=tuple(point for search in searches for point in search.shown()),
        largest_fit=tuple(search.found for search in searches),
        notes=notes(point for search in searches for point in search.shown()),
        refused=next((s.pinned.refusal for s in searches if s.pinned is not None), None),
    )


def check(graph: Graph, asked: WhatIf, limit: int) -> int:
    """The file's own batch. UsageError for a limit or shapes that leave nothing to look for."""
    if not 1 <= limit <= MAX_EXTENT:
        raise UsageError(
            f"The limit is {limit:,}; it must be from 1 to {MAX_EXTENT:,}.",
            hint="Give the largest batch to think of, as in --limit 1000.",
        )
    return own_batch(graph, asked)


def own_batch(graph: Graph, asked: WhatIf) -> int:
    """The batch that the file's own inputs have. UsageError where no input is left to have one."""
    for index in graph.main.inputs:
        if index >= 0 and graph.main.tensors[index].name not in asked.inputs:
            shape = graph.main.tensors[index].shape
            if shape:
                return max(1, shape[0])
    raise UsageError(
        "The model has no input whose batch could change.",
        hint="Every input is a scalar, or its shape is given with --input: leave one of them out.",
    )


@dataclass
class _Search:
    """One device's search. ``own`` is the file's batch: a model that takes no other has only that one."""

    device: Device
    model: Path
    forecaster: Forecaster
    asked: WhatIf
    own: int
    limit: int
    tell: Tell
    cancel: CancelToken
    points: dict[int, Point] = field(default_factory=dict)
    pinned: Point | None = None
    planned: int | None = None
    confirmed: int | None = None
    reason: str = ""
    runs: int = 0

    @property
    def found(self) -> LargestFit:
        return LargestFit(self.device.name, self.planned, self.confirmed, self.reason, self.runs)

    def plan(self) -> None:
        """Find the border by forecasts alone."""
        next_one = self._point(self.own + 1)
        if next_one.refusal is not None and not next_one.refusal.too_large:
            self.pinned = next_one
            self.planned = self.own if self.own <= self.limit and self._fits(self.own) else None
        else:
            self.planned = largest(self._fits, self.limit, first=self.own) or None
        self.reason = self._against(self.planned)

    def confirm(self, runs: Runs) -> None:
        """Bisect by runs, from where the plan expects the border."""

        def passes(batch: int) -> bool:
            return self._run(batch, runs)

        try:
            if self.pinned is not None and self.own > self.limit:
                return
            if self.pinned is not None:
                self.confirmed = self.own if passes(self.own) else None
            else:
                first = self.planned or self.own
                self.confirmed = largest(passes, self.limit, first=first, step=max(1, first // _STEP)) or None
        except _UnclearError as stopped:
            ran = [b for b, p in self.points.items() if p.measured is not None and p.measured.outcome.ok]
            self.confirmed = max(ran, default=None)
            self.reason = f"{why_not(stopped.point)} That says nothing of memory, so the search ended there."
        else:
            self.reason = self._against(self.confirmed)

    def shown(self) -> list[Point]:
        """The points that were run, and those on both sides of the planned border."""
        border = {self.planned or 0, (self.planned or 0) + 1}
        return [
            point
            for batch, point in sorted(self.points.items())
            if batch in border or point.measured is not None or point is self.pinned
        ]

    def _against(self, best: int | None) -> str:
        """Why nothing larger: of the smallest batch that is known not to fit."""
        if self.pinned is not None and self.own > self.limit:
            return f"The model takes batch {self.own:,} alone, and the limit is {self.limit:,}."
        if self.pinned is not None:
            return why_not(self.pinned if best is not None else self._point(self.own))
        if best is not None and best >= self.limit:
            return f"It is the largest that was to be thought of ({self.limit:,})."
        return why_not(self._point((best or 0) + 1))

    def _fits(self, batch: int) -> bool:
        return self._point(batch).forecast.verdict.fits is True

    def _point(self, batch: int) -> Point:
        if batch not in self.points:
            forecast = self.forecaster.forecast(replace(self.asked, batch=batch))
            self.points[batch] = Point(self.device.name, forecast.without_tensors())
        return self.points[batch]

    def _run(self, batch: int, runs: Runs) -> bool:
        self.cancel.raise_if_cancelled()
        self.runs += 1
        self.tell(PointStarted(self.device.name, replace(self.asked, batch=batch), self.runs, None))
        point = run_point(self.device, self.model, self._point(batch), runs, self.tell, self.cancel)
        self.points[batch] = point
        self.tell(PointDone(point, self.runs, None))
        assert point.measured is not None
        outcome = point.measured.outcome
        if outcome.ok:
            return True
        if outcome.status not in _TOO_LARGE and not ran_out_of_memory(outcome):
            raise _UnclearError(point)
        return False


class _UnclearError(Exception):
    """A run ended in a way that says nothing of memory."""

    def __init__(self, point: Point) -> None:
        super().__init__()
        self.point = point
