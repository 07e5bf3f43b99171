"""Models, batches and devices on which predictions are held against runs; used by ``bench_prediction.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from arenascope.domain.board import Board
from arenascope.domain.capture import Capture
from arenascope.domain.comparison import Comparison, compare
from arenascope.domain.graph import Graph
from arenascope.domain.plan import Plan
from arenascope.domain.prediction import Prediction, predict
from arenascope.domain.profiles import of_runtime
from arenascope.domain.shapes import Delegation
from arenascope.domain.verdict import Verdict, judge
from arenascope.domain.whatif import WhatIf
from arenascope.tflite.reader import read_model
from arenascope.workflow.baseline import baseline, calibration
from arenascope.workflow.connect import Device, refresh
from arenascope.workflow.delegation import of_device
from arenascope.workflow.inspect import InspectRequest, inspect
from arenascope.workflow.planning import Planning


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


@dataclass(frozen=True)
class Predicted:
    case: Case
    plan: Plan
    prediction: Prediction
    verdict: Verdict


class Predictor:
    """Predicts for one device, as sweep and fit do: baseline, partition and calibration are the device's."""

    def __init__(self, device: Device, planning: Planning, store: Path) -> None:
        self.device = refresh(device, probe_runtime=True)
        board = self.device.board
        profile = of_runtime(board.runtime or "", board.runtime_version or "")
        assert profile is not None, board.runtime_text
        self._profile, self._planning, self._store = profile, planning, store
        self.baseline = baseline(self.device, store=store)
        self._delegations: dict[Path, Delegation] = {}

    def predict(self, case: Case, board: Board | None = None) -> Predicted:
        graph = read_model(case.model)
        plan = self._planner(case, graph)
        one = plan(case.asked)
        found = None
        if case.delegate == "default" and self.baseline.delegates:
            found = calibration(
                self.device, case.model, graph, case.asked, plan, self.baseline, store=self._store
            )
        prediction = predict(one, graph, self.device.board, self.baseline, found)
        return Predicted(
            case, one, prediction, judge(prediction, one, board or self.device.board, self.baseline)
        )

    def _planner(self, case: Case, graph: Graph) -> Callable[[WhatIf], Plan]:
        delegation = None
        if case.delegate == "default":
            if case.model not in self._delegations:
                self._delegations[case.model] = of_device(self.device, case.model)
            delegation = self._delegations[case.model]

        def plan(asked: WhatIf) -> Plan:
            machine = machine_of(self.device.board)
            return self._planning.plan(case.model, graph, asked, self._profile, machine, delegation)

        return plan

    def run(self, case: Case, timeout: float = 900) -> Capture:
        request = InspectRequest(
            batch=case.batch, threads=case.threads, delegate=case.delegate, timeout=timeout
        )
        return inspect(self.device, case.model, request)

    def board_now(self) -> Board:
        """Its memory as it is at this moment."""
        return refresh(self.device, probe_runtime=True).board


def machine_of(board: Board) -> str:
    """Of the userland: a 32-bit one on a 64-bit kernel runs 32-bit kernels."""
    return "armv7l" if board.bits == 32 else board.machine or ""


def held_against_runs(predictor: Predictor, cases: Iterable[Case]) -> Iterator[tuple[Predicted, Comparison]]:
    for case in cases:
        predicted = predictor.predict(case)
        yield predicted, compare(predicted.prediction, predictor.run(case))
