"""A model for another batch: changed, run beside the old one, and kept only if both compute the same.

    shapes of the old model → change → shapes of the new one → proof with CPU kernels → with the delegate

Every run is a process of its own on this computer: a model is not to be trusted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..domain.batch_axis import Shape
from ..domain.capture import Capture, ModelFacts
from ..domain.graph import Graph
from ..domain.layout import Kind
from ..domain.measurement import Outcome, Status
from ..domain.plain_text import plain
from ..domain.rebatch import TOLERANCE_REASON, Difference, Proof, Rebatched
from ..domain.whatif import WhatIf, check_knobs
from ..errors import Cancelled, FileError, ModelError, RunFailed, UsageError
from ..remote import compared, translate
from ..store.files import written_beside
from ..tflite.reader import read_model
from ..tflite.rewrite import Rewritten, rebatched
from .connect import Device, connect
from .events import RunEvent, Step
from .followed_run import FollowedRun, started
from .inspect import InspectRequest, inspect
from .jobs import CancelToken

SUFFIX = ".tflite"
#: Invokes in a row for a model that keeps something between them, and for one that should not.
_STEPS_WITH_STATE, _STEPS = 3, 2
KERNELS = {"none": "CPU kernels", "default": "the default delegate"}
_UNWRITTEN = "Nothing was written."

Shapes = Mapping[tuple[int, int], Shape]


def rebatch(
    model: Path,
    batch: int,
    output: Path,
    *,
    timeout: float = 300.0,
    seed: int = 0,
    on_event: Callable[[RunEvent | Step], None] | None = None,
    cancel: CancelToken | None = None,
) -> Rebatched:
    """Write ``model`` for a batch of ``batch`` to ``output``, when it is proved to compute the same.

    ``timeout``: seconds for each run. Raises UsageError for the request, FileError for a file, ModelError
    where the batch cannot be changed or the results differ, RunFailed where a run did not come to its end.
    In each case nothing is written.
    """
    tell, cancel = on_event or (lambda event: None), cancel or CancelToken()
    check(model, batch, output)
    cancel.raise_if_cancelled()
    graph = read_model(model)
    runs = _Runs(model.name, timeout, seed, tell, cancel)
    with connect() as device:
        tell(Step("Reading the shapes of the model"))
        before = runs.shapes(device, model)
        made = rebatched(model, graph, batch, before)
        with written_beside(output, made.data) as part:
            tell(Step(f"Reading the shapes for a batch of {batch:,}"))
            _same_shapes(read_model(part), made, runs.shapes(device, part, batch), batch)
            proofs: list[Proof] = []
            for delegate, kernels in KERNELS.items():
                tell(Step(f"Comparing {batch:,} samples, one by one and all at once, with {kernels}"))
                proofs += runs.compare(device, model, part, made, batch, delegate)
    return Rebatched(
        model=ModelFacts.of(graph),
        batch=made.batch,
        wanted=batch,
        path=str(output),
        sha256=hashlib.sha256(made.data).hexdigest(),
        bytes=len(made.data),
        changes=made.changes,
        resized=made.resized,
        pinned=made.pinned,
        proofs=tuple(proofs),
        runtime=runs.runtime,
        notes=_notes(made, batch, proofs),
    )


def check(model: Path, batch: int, output: Path) -> None:
    """What can be told before anything is run. Raises UsageError and FileError."""
    check_knobs(WhatIf(batch=batch))
    if output.suffix.lower() != SUFFIX:
        raise UsageError(f"{output.name} does not end in {SUFFIX}.", hint="Name the new model OUT.tflite.")
    try:
        same = output.exists() and model.exists() and output.samefile(model)
    except (OSError, ValueError) as error:
        raise FileError("The paths cannot be used.", detail=str(error)) from error
    if same:
        raise UsageError(
            f"{output} is the model itself; it would be lost.", hint="Give the new model another name."
        )
    if output.is_dir():
        raise FileError(f"{output} is a directory.", hint="Give a file name for the new model.")
    if output.exists() and not output.is_file():
        raise FileError(f"{output} is not a regular file.", hint="Give another name for the new model.")


def _notes(made: Rewritten, batch: int, proofs: list[Proof]) -> tuple[str, ...]:
    notes = []
    if batch == made.batch:
        notes.append(f"The model has a batch of {batch:,} already.")
    elif not made.pinned:
        notes.append(
            f"Nothing in the model pins its batch: resizing its inputs (--batch {batch}) is enough. "
            "The new file has that batch from the start."
        )
    if batch > 1 and not any(one.unlike for proof in proofs for one in proof.outputs):
        notes.append("All samples gave the same results, so comparing them shows little.")
    return tuple(notes)


def _same_shapes(graph: Graph, made: Rewritten, found: Shapes, batch: int) -> None:
    """The runtime makes of the new file what was foreseen, else something was not understood."""
    for key, shape in sorted(found.items()):
        meant = made.shapes.get(key)
        if meant is not None and meant != shape:
            name = plain(graph.subgraphs[key[0]].tensors[key[1]].name)
            raise ModelError(
                f"The batch cannot be changed: for a batch of {batch:,} the runtime makes tensor “{name}” "
                f"{list(shape)}, where {list(meant)} was to be expected. {_UNWRITTEN}"
            )


class _Runs:
    """Runs of this computer's runtime that must come to their end."""

    def __init__(
        self,
        name: str,
        timeout: float,
        seed: int,
        tell: Callable[[RunEvent | Step], None],
        cancel: CancelToken,
    ) -> None:
        self._name, self._timeout, self._seed = name, timeout, seed
        self._tell, self._cancel = tell, cancel
        self.runtime = ""

    def shapes(self, device: Device, model: Path, batch: int | None = None) -> Shapes:
        """What a runtime makes of the shapes in a file; where some depend on values, after an invoke."""
        layout = self._inspected(device, model, False, batch).layout
        if any(p.kind is Kind.DYNAMIC for p in layout.placements):
            layout = self._inspected(device, model, True, batch).layout
        return {
            p.key: p.shape
            for p in layout.placements
            if p.shape is not None and not p.temporary and p.kind is not Kind.NONE
        }

    def _inspected(self, device: Device, model: Path, invoke: bool, batch: int | None) -> Capture:
        request = InspectRequest(delegate="none", invoke=invoke, timeout=self._timeout, seed=self._seed)
        capture = inspect(device, model, request, None, self._cancel)
        what = self._name if batch is None else f"{self._name} for a batch of {batch:,}"
        self._check(capture.outcome, what, batch is not None)
        return capture

    def compare(
        self, device: Device, old: Path, new: Path, made: Rewritten, batch: int, delegate: str
    ) -> list[Proof]:
        """Raises ModelError where the results differ."""
        steps = _STEPS_WITH_STATE if made.stateful else _STEPS
        params = {
            "model": str(old.resolve()),
            "other": str(new.resolve()),
            "ports": compared.request(made.ports),
            "batch": made.batch,
            "wanted": batch,
            "steps": steps,
            "threads": None,
            "delegate": delegate,
            "seed": self._seed,
        }
        self._cancel.raise_if_cancelled()
        following = _Comparison(made, self._cancel)
        with started(
            device, "compare_batches", params, following, timeout=self._timeout, sample_hz=1.0
        ) as run:
            outcome = run.wait()
        what = f"{self._name}, compared with its new version for a batch of {batch:,},"
        self._check(outcome, what, outcome.phase != "one_at_a_time")
        self.runtime = run.runtime
        proofs = [
            Proof(delegate, ports.signature, batch, steps, outputs)
            for ports, outputs in zip(made.ports, run.outputs, strict=True)
        ]
        for proof in proofs:
            if not all(one.holds for one in proof.outputs):
                raise _differs(self._name, batch, proof)
        return proofs

    def _check(self, outcome: Outcome, what: str, new: bool) -> None:
        """``new``: whether the new model was running, which may be too large."""
        if outcome.status is Status.OK:
            return
        if outcome.status is Status.CANCELLED:
            raise Cancelled("Stopped as asked.", hint="")
        hint = "Take a smaller batch, or free some memory."
        if outcome.status is Status.TIMED_OUT:
            hint = "Give more time with --timeout, or take a smaller batch."
        elif outcome.status in (Status.FAILED, Status.CRASHED) and not new:
            hint = "Check with arenascope inspect that the model runs on this computer."
        raise RunFailed(
            f"{what} did not run here: {outcome.message.rstrip('.')}. {_UNWRITTEN}",
            status=outcome.status.value,
            hint=hint,
            detail="\n".join(outcome.log[-3:]),
        )


def _differs(name: str, batch: int, proof: Proof) -> ModelError:
    worst = proof.worst
    allowed = f"; {worst.tolerance:.3g} would be allowed" if worst.tolerance else "; it must be equal"
    return ModelError(
        f"{name} does not compute the same with a batch of {batch:,}: with {KERNELS[proof.delegate]}, sample "
        f"{worst.sample + 1} of {batch:,}, invoke {worst.step + 1}, output “{plain(worst.name)}” differs by "
        f"{worst.largest:.3g}{allowed}. {_UNWRITTEN}",
        hint="An operator of the model mixes the samples; use the model with its own batch.",
        detail=TOLERANCE_REASON if worst.tolerance else "",
    )


class _Comparison(FollowedRun):
    """Collects the results of one comparison."""

    def __init__(self, made: Rewritten, cancel: CancelToken) -> None:
        super().__init__(cancel)
        self._ports = made.ports
        self.outputs: list[tuple[Difference, ...]] = []
        self.runtime = ""

    def take(self, name: str, data: dict[str, Any]) -> None:
        if name == "compared" and len(self.outputs) < len(self._ports):
            self.outputs.append(compared.differences(data, self._ports[len(self.outputs)]))
            self.runtime = compared.runtime(data)
        elif name == "ended":
            self.end(translate.outcome(data))
