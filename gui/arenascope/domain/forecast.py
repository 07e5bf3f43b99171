"""What a device will make of a model, told before anything runs there: plan, prediction and verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .baseline import Baseline
from .board import Board
from .calibration import Calibration
from .graph import Graph
from .plan import Plan
from .prediction import Prediction, predict
from .verdict import Fit, Verdict, judge


@dataclass(frozen=True, slots=True)
class Forecast:
    """``prediction`` is None where the model refuses the shapes, or where there is no board; ``verdict`` says
    so then."""

    plan: Plan
    prediction: Prediction | None
    verdict: Verdict

    def without_tensors(self) -> Forecast:
        """What is kept of one of many: a plan of a large model has thousands of tensors."""
        return replace(self, plan=self.plan.without_tensors())


def foretell(
    plan: Plan,
    graph: Graph,
    board: Board | None,
    baseline: Baseline | None = None,
    calibration: Calibration | None = None,
) -> Forecast:
    """What this plan means on a board; without one nothing is predicted."""
    if plan.refusal is not None:
        return Forecast(plan, None, judge(None, plan, board or Board(""), baseline))
    if board is None:
        return Forecast(plan, None, Verdict(Fit.UNKNOWN, "No board is chosen, so there is no limit."))
    prediction = predict(plan, graph, board, baseline, calibration)
    return Forecast(plan, prediction, judge(prediction, plan, board, baseline))
