"""Questions of the What-if view and who answers them: plan, prediction and verdict, without a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from ..domain.board import Board
from ..domain.forecast import Forecast
from ..domain.graph import Graph
from ..domain.plan import Plan
from ..domain.prediction import predict
from ..domain.profiles import RuntimeProfile
from ..domain.verdict import Fit, Verdict, judge
from ..domain.whatif import WhatIf
from .jobs import CancelToken


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One model with one set of knobs. Every question is its own: an answer belongs to the object that
    asked. ``board`` None: there is no device whose memory could set a limit."""

    model: Path
    graph: Graph
    asked: WhatIf
    profile: RuntimeProfile
    machine: str
    board: Board | None = None

    def with_batch(self, batch: int) -> Question:
        return replace(self, asked=replace(self.asked, batch=batch))


class Foreteller(Protocol):
    """Blocking; used by one thread at a time. Errors are ArenaScopeErrors."""

    def forecast(self, question: Question, cancel: CancelToken) -> Forecast: ...

    def close(self) -> None: ...


class Planner:
    """The one that plans: it keeps a process of this computer's runtime for the next question."""

    def __init__(self) -> None:
        from .planning import Planning  # what it brings along, a start does not need

        self._planning = Planning()
        self._planning.start()

    def forecast(self, question: Question, cancel: CancelToken) -> Forecast:
        q = question
        plan = self._planning.plan(q.model, q.graph, q.asked, q.profile, q.machine, cancel=cancel)
        return forecast_of(plan, q.graph, q.board)

    def close(self) -> None:
        self._planning.close()


def forecast_of(plan: Plan, graph: Graph, board: Board | None) -> Forecast:
    """What this plan means on a board; without one nothing is predicted."""
    if plan.refusal is not None:
        return Forecast(plan, None, judge(None, plan, board or Board("")))
    if board is None:
        return Forecast(plan, None, Verdict(Fit.UNKNOWN, "No board is chosen, so there is no limit."))
    prediction = predict(plan, graph, board)
    return Forecast(plan, prediction, judge(prediction, plan, board))
