"""Variants of a model on one or several devices: planned at once, and run where that is asked for.

Every run is a fresh process on its device. Devices work side by side, each at one thing at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ..domain.capture import ModelFacts
from ..domain.measurement import Status
from ..domain.sweep import MOST_POINTS, Point, Sweep, first_refusal, largest_fit, measured, notes
from ..domain.whatif import WhatIf
from ..errors import Cancelled, LinkError, UsageError
from ..tflite.reader import read_model
from .connect import Device
from .events import PointDone, PointStarted, SweepEvent
from .forecast import Forecaster
from .inspect import InspectRequest, inspect
from .jobs import CancelToken, side_by_side
from .planning import Planning


@dataclass(frozen=True, slots=True)
class Runs:
    """How the runs of a sweep are made. ``timeout``: seconds for each."""

    timeout: float = 300.0
    seed: int = 0

    def request(self, asked: WhatIf) -> InspectRequest:
        return InspectRequest.of(asked, timeout=self.timeout, seed=self.seed)


Tell = Callable[[SweepEvent], None]


def sweep(
    devices: Sequence[Device],
    model: Path,
    variants: Sequence[WhatIf],
    *,
    runs: Runs | None = None,
    tell: Tell = lambda event: None,
    cancel: CancelToken | None = None,
) -> Sweep:
    """Plan every variant for every device; with ``runs``, run those that the plan does not refuse, too.

    Raises UsageError for a variant, InputError for the model, LinkError for a device. A cancel during the
    runs ends them, and so does a device that is lost (``stopped``): what is measured so far is returned, the
    rest stays planned.
    """
    cancel = cancel or CancelToken()
    if not variants:
        raise UsageError("No variant is asked for.", hint="Give --batches 1,2,4 or --input NAME=….")
    if len(variants) > MOST_POINTS:
        raise UsageError(
            f"{len(variants):,} variants are asked for; the most is {MOST_POINTS:,}.", hint="Give fewer."
        )
    graph = read_model(model)
    points: dict[str, list[Point]] = {}
    with Planning() as planning:
        for device in devices:
            forecaster = Forecaster(
                planning, device, model, graph,
                tell=tell, timeout=None if runs is None else runs.timeout, cancel=cancel,
            )  # fmt: skip
            points[device.name] = []
            for forecast in forecaster.forecast_many(variants):
                points[device.name].append(Point(device.name, forecast.without_tensors()))
                tell(PointDone(points[device.name][-1], len(points[device.name]), len(variants)))
    stopped = ""
    if runs is not None:
        try:
            _measure_all(devices, model, points, runs, tell, cancel)
        except LinkError as error:
            if not any(p.measured is not None for some in points.values() for p in some):
                raise
            stopped = error.message
    everything = [point for device in devices for point in points[device.name]]
    return Sweep(
        model=ModelFacts.of(graph),
        asked=variants[0],
        points=tuple(everything),
        largest_fit=tuple(
            fit for device in devices if (fit := largest_fit(device.name, points[device.name])) is not None
        ),
        refused=first_refusal(everything),
        notes=notes(everything),
        stopped=stopped,
    )


def run_point(
    device: Device, model: Path, point: Point, runs: Runs, tell: Tell, cancel: CancelToken
) -> Point:
    """The point with what a fresh process on the device needed for it. Raises Cancelled."""
    capture = inspect(device, model, runs.request(point.asked), tell, cancel)
    if capture.outcome.status is Status.CANCELLED:
        raise Cancelled("Stopped as asked.", hint="")
    return replace(point, measured=measured(capture))


def _measure_all(
    devices: Sequence[Device],
    model: Path,
    points: dict[str, list[Point]],
    runs: Runs,
    tell: Tell,
    cancel: CancelToken,
) -> None:
    """Runs the points of each device, in place. A cancel leaves the rest planned; an error is raised."""

    def measure(device: Device) -> Callable[[], None]:
        return lambda: _measure(device, model, points[device.name], runs, tell, cancel)

    with suppress(Cancelled):
        side_by_side([measure(device) for device in devices], cancel)


def _measure(
    device: Device, model: Path, points: list[Point], runs: Runs, tell: Tell, cancel: CancelToken
) -> None:
    for number, point in enumerate(points):
        cancel.raise_if_cancelled()
        if point.refusal is not None and point.refusal.certain:
            continue  # the device will not take it
        tell(PointStarted(device.name, point.asked, number + 1, len(points)))
        points[number] = run_point(device, model, point, runs, tell, cancel)
        tell(PointDone(points[number], number + 1, len(points)))
