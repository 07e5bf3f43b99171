"""A plan as the views see it: a capture without a run, so that map, table and details show it as they are."""

from __future__ import annotations

from dataclasses import replace

from .. import __version__
from ..domain.board import Board
from ..domain.capture import Capture, Options
from ..domain.forecast import Forecast
from ..domain.measurement import Outcome, Samples, Status

#: What ``Capture.layout_source`` says of a plan; readings name the interface they were read through.
PLANNED = "planned"


def planned_capture(forecast: Forecast, board: Board | None) -> Capture:
    """``board``: the device that it is planned for, where that is one; its runtime is the plan's."""
    plan = forecast.plan
    version = ".".join(str(n) for n in plan.profile.version)
    place = board if board is not None else Board(f"any {plan.machine}", machine=plan.machine)
    if not _runs(place, plan.profile.package, version):
        place = replace(place, runtime=plan.profile.package, runtime_version=version)
    return Capture(
        tool_version=__version__,
        model=plan.model,
        device=place,
        options=Options(plan.asked.threads, plan.asked.delegate, plan.asked.preserve_all, dict(plan.inputs)),
        layout=plan.layout,
        phases=(),
        totals=plan.totals,
        attribution=(),
        samples=Samples(),
        outcome=Outcome(Status.OK),
        layout_source=PLANNED,
        notes=(f"Planned, not run: {plan.profile.name} on {plan.machine}.", *plan.notes),
    )


def is_planned(capture: Capture | None) -> bool:
    return capture is not None and capture.layout_source == PLANNED


def _runs(board: Board, package: str, version: str) -> bool:
    """Whether the board's own runtime is the one of the plan."""
    if board.runtime != package or board.runtime_version is None:
        return False
    return f"{board.runtime_version}.".startswith(f"{version}.")
