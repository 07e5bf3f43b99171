"""Forecasts for one model on one device: the device's own rules, what it holds already, what it can give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from ..domain.baseline import Baseline
from ..domain.board import Board
from ..domain.calibration import Calibration
from ..domain.forecast import Forecast, foretell
from ..domain.graph import Graph
from ..domain.plan import Plan
from ..domain.profiles import RuntimeProfile, delegates, nearest, of_runtime, userland
from ..domain.provision import advice
from ..domain.shapes import Delegation
from ..domain.whatif import WhatIf
from ..errors import BoardError
from .baseline import LONGEST, baseline, calibration
from .connect import Device, refresh
from .delegation import of_device
from .events import Step
from .jobs import CancelToken
from .planning import Planning

Tell = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Rules:
    """By which rules a device's runtime places tensors. ``machine`` is the userland's, not the kernel's;
    ``note`` says where the rules are those of another version."""

    profile: RuntimeProfile
    machine: str
    note: str = ""


def rules_of(board: Board) -> Rules:
    """Raises BoardError for a device without a runtime, or with one that no rules are known of."""
    if board.runtime is None:
        raise BoardError(
            f"No TensorFlow Lite runtime works on {board.name}.", board_code="no_runtime", hint=advice(board)
        )
    profile = nearest(board.runtime, board.runtime_version or "")
    machine = userland(board)
    if profile is None or machine is None:
        raise BoardError(
            f"The planner knows no rules for {board.runtime_text} on {board.machine}.",
            board_code="no_rules",
            hint="Inspect the model there instead: arenascope inspect MODEL --device …",
        )
    note = ""
    if of_runtime(board.runtime, board.runtime_version or "") is None:
        note = f"The planner was not tried with {board.runtime_text}: planned by the rules of {profile.name}."
    return Rules(profile, machine, note)


class Forecaster:
    """What a device needs to be asked is asked at the first forecast that depends on it, and kept.

    ``timeout``: seconds for each of the short runs that this takes. One forecast at a time. Raises UsageError
    for what is asked, InputError for the model, LinkError and BoardError for the device, Cancelled.
    """

    def __init__(
        self,
        planning: Planning,
        device: Device,
        model: Path,
        graph: Graph,
        *,
        tell: Tell = lambda event: None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        self._planning = planning
        self._device = device
        self._model = model
        self._graph = graph
        self._tell = tell
        self._cancel = cancel or CancelToken()
        self._timeout = LONGEST if timeout is None else min(timeout, LONGEST)
        self._rules: Rules | None = None
        self._baseline: Baseline | None = None
        self._delegations: dict[int | None, Delegation | None] = {}
        self._calibrations: dict[object, Calibration | None] = {}

    def forecast(self, asked: WhatIf) -> Forecast:
        return next(self.forecast_many([asked]))

    def forecast_many(self, variants: Iterable[WhatIf]) -> Iterator[Forecast]:
        """One for each, in their order; all knobs but batch and inputs are those of the first."""
        variants = iter(variants)
        first = next(variants, None)
        if first is None:
            return
        rules, base = self._known()
        divided = self._delegation(first)
        calibrated = self._calibration(first, base, divided)
        for plan in self._planning.plan_many(
            self._model,
            self._graph,
            chain([first], variants),
            rules.profile,
            rules.machine,
            divided,
            self._cancel,
        ):
            if rules.note:
                plan = replace(plan, notes=(*plan.notes, rules.note))
            yield foretell(plan, self._graph, self._device.board, base, calibrated)

    def _known(self) -> tuple[Rules, Baseline]:
        if self._rules is None or self._baseline is None:
            if self._device.board.runtime is None:
                self._device = refresh(self._device, probe_runtime=True)
            self._rules = rules_of(self._device.board)
            self._tell(Step(f"What a process with the runtime holds on {self._device.name}"))
            self._baseline = baseline(self._device, cancel=self._cancel)
        return self._rules, self._baseline

    def _delegation(self, asked: WhatIf) -> Delegation | None:
        """As the device's own runtime divides the model; None where this computer's is the one to ask."""
        rules, _ = self._known()
        if (
            asked.delegate != "default"
            or not delegates(rules.profile, rules.machine)
            or self._device.is_local
        ):
            return None
        if asked.threads not in self._delegations:
            self._tell(Step(f"How {self._device.name} divides the model for its delegate"))
            self._delegations[asked.threads] = of_device(
                self._device,
                self._model,
                threads=asked.threads,
                timeout=self._timeout,
                cancel=self._cancel,
            )
        return self._delegations[asked.threads]

    def _calibration(self, asked: WhatIf, base: Baseline, divided: Delegation | None) -> Calibration | None:
        if asked.delegate != "default" or not base.delegates:
            return None
        key = (asked.threads, asked.preserve_all)  # other shapes lie on the same line
        if key not in self._calibrations:
            rules, _ = self._known()
            self._tell(Step(f"What the delegate of {self._device.name} takes, by two small runs"))

            def planner(variant: WhatIf) -> Plan:
                return self._planning.plan(
                    self._model, self._graph, variant, rules.profile, rules.machine, divided, self._cancel
                )

            self._calibrations[key] = calibration(
                self._device, self._model, self._graph, asked, planner, base,
                timeout=self._timeout, cancel=self._cancel,
            )  # fmt: skip
        return self._calibrations[key]
