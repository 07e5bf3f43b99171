"""Questions of the What-if view and who answers them: plan, prediction and verdict, without a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from ..domain.baseline import Baseline
from ..domain.board import Board
from ..domain.calibration import Calibration
from ..domain.forecast import Forecast, foretell
from ..domain.graph import Graph
from ..domain.plan import Plan
from ..domain.profiles import RuntimeProfile
from ..domain.shapes import Delegation
from ..domain.whatif import WhatIf
from ..settings import places
from .connect import Device
from .jobs import CancelToken


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One model with one set of knobs. Every question is its own: an answer belongs to the object that
    asked. ``board`` None: there is no device whose memory could set a limit. ``delegation``: how the
    board's runtime divides the model, where that is known."""

    model: Path
    graph: Graph
    asked: WhatIf
    profile: RuntimeProfile
    machine: str
    board: Board | None = None
    delegation: Delegation | None = None

    def with_batch(self, batch: int) -> Question:
        return replace(self, asked=replace(self.asked, batch=batch))


class Foreteller(Protocol):
    """Blocking; used by one thread at a time. Errors are ArenaScopeErrors."""

    def forecast(self, question: Question, cancel: CancelToken) -> Forecast: ...

    def close(self) -> None: ...


class Planner:
    """The one that plans: it keeps a process of this computer's runtime for the next question, and what
    was measured of the board once."""

    def __init__(self) -> None:
        from .planning import Planning  # what it brings along, a start does not need

        self._planning = Planning()
        self._planning.start()
        self._known: tuple[object, tuple[Baseline | None, Calibration | None]] | None = None

    def forecast(self, question: Question, cancel: CancelToken) -> Forecast:
        q = question
        plan = self._planning.plan(
            q.model, q.graph, q.asked, q.profile, q.machine, q.delegation, cancel=cancel
        )
        known = self._kept_for(q) if q.board is not None and plan.refusal is None else (None, None)
        return foretell(plan, q.graph, q.board, *known)

    def close(self) -> None:
        self._planning.close()

    def _kept_for(self, q: Question) -> tuple[Baseline | None, Calibration | None]:
        """Read again only where the file or the question is another one."""
        from . import baseline

        assert q.board is not None
        path = places().baselines
        try:
            written = path.stat().st_mtime_ns
        except OSError:
            written = 0
        asked = replace(q.asked, batch=None)
        shapes = tuple(sorted((n, s[1:]) for n, s in asked.inputs.items()))
        key = (written, q.board, q.graph.sha256, asked.threads, asked.delegate, shapes)
        if self._known is None or self._known[0] != key:
            self._known = (key, baseline.kept_for(q.board, q.graph, asked, path))
        return self._known[1]


def learn(device: Device, question: Question, cancel: CancelToken) -> Delegation | None:
    """Measure on a device what a prediction for it needs: the base of a process with its runtime and, with
    the default delegate, how it divides the model and what it takes. All but the division is kept.

    Raises BoardError where a short run fails there, LinkError, Cancelled.
    """
    from . import baseline, delegation
    from .planning import Planning

    base = baseline.baseline(device, cancel=cancel)
    if question.asked.delegate != "default":
        return None
    divided = delegation.of_device(device, question.model, threads=question.asked.threads, cancel=cancel)
    if not divided.plans:
        return divided
    q = replace(question, delegation=divided)
    with Planning() as planning:

        def plan(asked: WhatIf) -> Plan:
            return planning.plan(q.model, q.graph, asked, q.profile, q.machine, divided, cancel=cancel)

        baseline.calibration(device, q.model, q.graph, q.asked, plan, base, cancel=cancel)
    return divided
