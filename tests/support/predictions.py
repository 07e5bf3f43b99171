"""Models, batches and devices on which predictions are held against runs; for tests and ``bench_prediction.py``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from arenascope.domain.capture import Capture
from arenascope.domain.comparison import Comparison, compare
from arenascope.domain.forecast import Forecast
from arenascope.domain.verdict import Fit, Verdict
from arenascope.domain.whatif import WhatIf
from arenascope.tflite.reader import read_model
from arenascope.workflow.connect import Device, refresh
from arenascope.workflow.forecast import Forecaster
from arenascope.workflow.inspect import InspectRequest, inspect
from arenascope.workflow.planning import Planning
from tests.support.sources import ROOT


@dataclass(frozen=True)
class Case:
    model: Path
    batch: int | None
    delegate: str = "none"
    threads: int | None = None

    @property
    def asked(self) -> WhatIf:
        return WhatIf(self.batch, threads=self.threads, delegate=self.delegate)

    @property
    def text(self) -> str:
        batch = "" if self.batch is None else f" batch {self.batch:,}"
        threads = "" if self.threads is None else f" {self.threads} threads"
        return f"{self.model.stem}{batch}{threads}, {self.delegate}"


class Predictor:
    """Forecasts for one device, as ``arenascope sweep`` makes them, and runs on it.

    The first one measures the device's baseline; it is kept under ARENASCOPE_HOME.
    """

    def __init__(self, device: Device, planning: Planning) -> None:
        self.device = refresh(device, probe_runtime=True)
        self._planning = planning
        self._forecasters: dict[Path, Forecaster] = {}

    def forecast(self, case: Case, *, now: bool = False) -> Forecast:
        """``now``: by what the device has at this moment; else by what it had at the beginning."""
        if now:
            self.device = refresh(self.device, probe_runtime=True)
            self._forecasters.clear()
        if case.model not in self._forecasters:
            self._forecasters[case.model] = Forecaster(
                self._planning, self.device, case.model, read_model(case.model)
            )
        return self._forecasters[case.model].forecast(case.asked)

    def run(self, case: Case, timeout: float = 900) -> Capture:
        request = InspectRequest(
            batch=case.batch, threads=case.threads, delegate=case.delegate, timeout=timeout
        )
        return inspect(self.device, case.model, request)


def held_against_run(predictor: Predictor, case: Case) -> Comparison:
    """What was predicted beside what was measured, in a process of its own."""
    forecast = predictor.forecast(case)
    assert forecast.prediction is not None, forecast.verdict.reason
    return compare(forecast.prediction, predictor.run(case))


# ------------------------------------------------------------------------------------- verdicts

#: Three blocks of a row's size in the arena, and next to no computing: its size is chosen to the kilobyte.
ROWS = ROOT / "tests" / "data" / "shared_constant.tflite"
ROW, BLOCKS = 32 * 4, 3


def rows(arena: float) -> Case:
    """A run whose arena has about so many bytes."""
    return Case(ROWS, int(arena / (ROW * BLOCKS)))


@dataclass(frozen=True)
class Judged:
    case: Case
    verdict: Verdict
    capture: Capture

    @property
    def happened(self) -> str:
        status = self.capture.outcome.status
        return "ran" if self.capture.outcome.ok else status.value

    @property
    def right(self) -> bool:
        """What fits tightly may run or not; everything else must end as it was said."""
        return (
            self.happened
            in {
                Fit.FITS: ("ran",),
                Fit.TIGHT: ("ran", "killed", "refused"),
                Fit.KILLED: ("killed",),
                Fit.REFUSED: ("refused", "failed", "crashed"),  # who does not check the answer crashes
                Fit.UNKNOWN: (),
            }[self.verdict.fit]
        )

    @property
    def text(self) -> str:
        limit = f" ({self.verdict.limit})" if self.verdict.limit else ""
        return f"{self.case.text}: {self.verdict.fit}{limit}; it {self.happened}"


def judged(predictor: Predictor, case: Case, timeout: float = 900) -> Judged:
    """The verdict is made from what the board has at that moment; then it is run."""
    verdict = predictor.forecast(case, now=True).verdict
    return Judged(case, verdict, predictor.run(case, timeout))
