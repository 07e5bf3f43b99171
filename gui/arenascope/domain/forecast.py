"""What a device will make of a model, told before anything runs there: plan, prediction and verdict."""

from __future__ import annotations

from dataclasses import dataclass

from .plan import Plan
from .prediction import Prediction
from .verdict import Verdict


@dataclass(frozen=True, slots=True)
class Forecast:
    """``prediction`` is None where the model refuses the shapes; ``verdict`` says so then."""

    plan: Plan
    prediction: Prediction | None
    verdict: Verdict
