"""What a prediction needs to know of a device: measured by a few short runs, once, and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..domain.attribution import DELEGATE, KERNELS
from ..domain.baseline import Baseline, base, identity
from ..domain.board import Board
from ..domain.calibration import Calibration, Point, interior_bytes
from ..domain.capture import Capture
from ..domain.graph import Graph
from ..domain.kernel_heap import multiply_adds
from ..domain.plan import Plan
from ..domain.prediction import predict
from ..domain.whatif import WhatIf
from ..errors import BoardError, FileError
from ..resources import resource_path
from ..settings import places
from ..store import baselines as kept_in
from ..store.baselines import CalibrationKey, Kept
from .connect import Device, refresh
from .inspect import InspectRequest, inspect
from .jobs import CancelToken

#: Small models of ours: one of convolutions, one of a recurrent layer.
MODELS = ("cnn", "lstm")
#: The second run of a calibration holds this much more inside the delegate than the first: enough for the
#: noise of two readings to be small beside it, and little for a board.
APART = 64 * 1024 * 1024
#: At most so many multiply-adds in it, and so much of what is available: a slow board is not to run for
#: minutes (a Pi makes a thousand million a second, or more).
MOST_WORK = 2_000_000_000
SHARE = 0.25
#: Seconds for each of the short runs.
LONGEST = 120.0
_lock = threading.Lock()

#: What plans a variant of the model that is calibrated, for the device and its delegation.
Planner = Callable[[WhatIf], Plan]


def known(device: Device, store: Path | None = None) -> Baseline | None:
    """The baseline that is kept for this device; None where it has to be measured."""
    return kept_in.load(store or places().baselines).baseline(identity(device.board))


def kept_for(
    board: Board, graph: Graph, asked: WhatIf, store: Path | None = None
) -> tuple[Baseline | None, Calibration | None]:
    """What is kept for a board and a variant of a model; nothing is measured."""
    kept = kept_in.load(store or places().baselines)
    who = identity(board)
    key = CalibrationKey(graph.sha256, who, asked.threads, _shapes(asked))
    delegated = asked.delegate == "default"
    return kept.baseline(who), kept.calibration(key) if delegated else None


def baseline(
    device: Device, *, fresh: bool = False, store: Path | None = None, cancel: CancelToken | None = None
) -> Baseline:
    """Kept, or measured now by four short runs. ``fresh``: measure anew. ``store``: where it is kept.

    Raises BoardError where the device has no runtime or cannot run the small models, LinkError, Cancelled.
    """
    cancel = cancel or CancelToken()
    path = store or places().baselines
    if not identity(device.board).complete:
        device = refresh(device, probe_runtime=True)
    if not fresh:
        found = known(device, path)
        if found is not None:
            return found
    found = _measured(device, cancel)
    _keep(lambda kept: kept.with_baseline(found), path)
    return found


def _measured(device: Device, cancel: CancelToken) -> Baseline:
    captures: dict[str, list[Capture]] = {"none": [], "default": []}
    for delegate, taken in captures.items():
        for name in MODELS:
            cancel.raise_if_cancelled()
            request = InspectRequest(delegate=delegate, timeout=LONGEST)
            taken.append(inspect(device, resource_path("examples", f"{name}.tflite"), request, cancel=cancel))
    cancel.raise_if_cancelled()
    every = [*captures["none"], *captures["default"]]
    delegates = any(_delegated(capture) for capture in captures["default"])
    # Where the runtime has no delegate of its own all four runs say the same.
    none = base(captures["none"] if delegates else every)
    default = base(captures["default"] if delegates else every)
    if none is None or default is None:
        failed = next((c.outcome for c in every if not c.outcome.ok), None)
        raise BoardError(
            f"What a process holds on {device.name} could not be measured.",
            board_code="no_baseline",
            hint="Inspect one of the example models there to see what is wrong.",
            detail=failed.message if failed is not None else "its memory cannot be read",
        )
    one = captures["none"][0].device
    return Baseline(identity(one), none, default, delegates, one.address_space)


def _delegated(capture: Capture) -> bool:
    return any(operator.is_delegate for operator in capture.layout.operators)


def calibration(
    device: Device,
    model: Path,
    graph: Graph,
    asked: WhatIf,
    planner: Planner,
    of: Baseline,
    *,
    fresh: bool = False,
    store: Path | None = None,
    timeout: float = LONGEST,
    cancel: CancelToken | None = None,
) -> Calibration | None:
    """What the device's delegate takes for this model, by two small runs at different batches; by one run,
    which tells only the level, where the model takes no other batch. Kept. None where the delegate takes
    nothing, and where the runs did not come to their end.

    Raises what ``inspect`` raises, and Cancelled.
    """
    cancel = cancel or CancelToken()
    path = store or places().baselines
    key = CalibrationKey(graph.sha256, of.identity, asked.threads, _shapes(asked))
    if not fresh:
        found = kept_in.load(path).calibration(key)
        if found is not None:
            return found
    first_batch: int | None = (
        1 if any(graph.main.tensors[i].shape for i in graph.main.inputs if i >= 0) else None
    )
    small = planner(replace(asked, batch=None) if first_batch is None else _with_batch(asked, 1))
    if small.refusal is not None and first_batch is not None:
        small, first_batch = planner(replace(asked, batch=None)), None
    inside = interior_bytes(small.layout)
    if small.refusal is not None or not inside:
        return None
    second_batch = None if first_batch is None else _second(inside, small, device)
    measurer = _Measurer(device, model, graph, of, timeout, cancel)
    first = measurer.point(small)
    if first is None:
        return None
    second, words = first, f"a run on {device.name}"
    if second_batch is not None:
        large = planner(_with_batch(asked, second_batch))
        taken = measurer.point(large) if large.refusal is None else None
        if taken is not None:
            second, words = taken, f"runs with batch 1 and {second_batch} on {device.name}"
    result = Calibration(first, second, words)
    _keep(lambda kept: kept.with_calibration(key, result), path)
    return result


@dataclass(frozen=True)
class _Measurer:
    device: Device
    model: Path
    graph: Graph
    baseline: Baseline
    timeout: float
    cancel: CancelToken

    def point(self, plan: Plan) -> Point | None:
        """Run a plan, and take from its peak all that is known without a delegate."""
        self.cancel.raise_if_cancelled()
        request = InspectRequest.of(plan.asked, timeout=self.timeout)
        capture = inspect(self.device, self.model, request, cancel=self.cancel)
        self.cancel.raise_if_cancelled()
        peak = capture.totals.process_peak
        if not capture.outcome.ok or peak is None:
            return None
        parts = predict(plan, self.graph, self.device.board, self.baseline).parts
        others = sum(p.bytes.likely for p in parts if p.part not in (DELEGATE, KERNELS))
        return Point(interior_bytes(plan.layout), max(0, peak - others))


def _second(inside: int, small: Plan, device: Device) -> int:
    """The batch of the second run."""
    batch = 1 + -(-APART // inside)
    arenas = sum(a.bytes for a in small.layout.arenas)
    if device.board.ram_available is not None:
        batch = min(batch, int(SHARE * device.board.ram_available) // (inside + arenas + 1))
    work = multiply_adds(small.layout)
    return max(2, min(batch, MOST_WORK // work) if work else batch)


def _with_batch(asked: WhatIf, batch: int) -> WhatIf:
    """The same with another first dimension everywhere."""
    inputs = {name: (batch, *shape[1:]) for name, shape in asked.inputs.items() if shape}
    return replace(asked, batch=batch, inputs=inputs)


def _shapes(asked: WhatIf) -> str:
    given = sorted((name, shape[1:]) for name, shape in asked.inputs.items())
    return ";".join(f"{name}={'x'.join(map(str, rest))}" for name, rest in given)


def _keep(change: Callable[[Kept], Kept], path: Path) -> None:
    """What cannot be kept is measured again next time."""
    with _lock:
        try:
            kept_in.save(change(kept_in.load(path)), path)
        except FileError:
            return
