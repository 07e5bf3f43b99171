"""How a device's runtime lays a model out in several cases, all asked of one worker there.

Nothing is measured and, unless a case asks for it, nothing is invoked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..domain.graph import Graph
from ..domain.measurement import Status
from ..domain.provision import advice
from ..domain.reading import RawSubgraph
from ..domain.whatif import WhatIf, input_shapes
from ..errors import BoardError, WireError
from ..remote import translate
from ..remote.reading import ReadingCollector
from .connect import Device
from .followed_run import FollowedRun, started
from .jobs import CancelToken
from .staging import stage_model

#: A case's subgraphs after allocate, then those after an invoke, where one was asked for and came to its
#: end; or why there are none.
Laid = tuple[RawSubgraph, ...] | str

#: Seconds for a worker, and for each of its cases.
_LIMIT, _CASE_LIMIT = 60.0, 20.0
#: Of one worker: a device takes no more, and one that fails late has not worked for long.
_MOST_CASES = 200
_NO_SAMPLES = 0.1


@dataclass(frozen=True, slots=True)
class Case:
    """What is laid out. ``invoke``: also once more after an invoke with zeros."""

    asked: WhatIf
    invoke: bool = False


def layouts(
    device: Device, model: Path, graph: Graph, cases: Sequence[Case], cancel: CancelToken | None = None
) -> list[Laid]:
    """One answer for each case, in their order; a text where the runtime refuses or crashes.

    Raises LinkError for the device, BoardError for one without a runtime, UsageError for a case whose
    inputs the model does not have.
    """
    cancel = cancel or CancelToken()
    wanted = [_params(graph, case) for case in cases]
    path = stage_model(device, model, graph, lambda event: None, cancel)
    answers: list[Laid] = []
    while len(answers) < len(wanted):  # a crash costs the case that crashed, and a fresh worker
        made, late = _run(device, path, wanted[len(answers) :][:_MOST_CASES], cancel)
        answers += made
        if late:
            answers += made[-1:] * (len(wanted) - len(answers))
    return answers


def _params(graph: Graph, case: Case) -> dict[str, Any]:
    asked = case.asked
    return {
        "inputs": {str(index): list(shape) for index, shape in input_shapes(graph, asked).items()},
        "threads": asked.threads,
        "delegate": asked.delegate,
        "preserve_all": asked.preserve_all,
        "invoke": case.invoke,
    }


def _run(
    device: Device, path: str, cases: list[dict[str, Any]], cancel: CancelToken
) -> tuple[list[Laid], bool]:
    """The answers of one worker: all, or those up to the case in which it ended; and whether its time ran
    out, which it would with the others as well."""
    cancel.raise_if_cancelled()
    limit = _LIMIT + _CASE_LIMIT * len(cases)
    following = _Run(cancel)
    params = {"model": path, "cases": cases}
    with started(device, "layouts", params, following, timeout=limit, sample_hz=_NO_SAMPLES) as run:
        outcome = run.wait()
    cancel.raise_if_cancelled()
    status, message = outcome.status, outcome.message
    if outcome.phase == "runtime_import":
        raise BoardError(
            f"No TensorFlow Lite runtime works on {device.name}.",
            board_code="no_runtime",
            hint=advice(device.board),
            detail=message,
        )
    if status is Status.OK and len(run.answers) != len(cases):
        device.link.close()
        raise WireError(f"{device.name} answered {len(run.answers)} of {len(cases)} cases.")
    if status is not Status.OK:
        if len(run.answers) > len(cases):
            raise WireError(f"{device.name} answered more than the {len(cases)} cases asked for.")
        if not run.answers or not isinstance(run.answers[-1], tuple) or not run.answers[-1]:
            run.answers[-1:] = [message]  # the case that it was in; else only its invoke failed
            if len(run.answers) > 1 and status is not Status.TIMED_OUT:
                run.answers.pop()  # an invoke before it may have spoilt the heap: once more, on its own
    return run.answers or [message], status is Status.TIMED_OUT


class _Run(FollowedRun):
    """Collects the cases of one worker."""

    def __init__(self, cancel: CancelToken) -> None:
        super().__init__(cancel)
        self.answers: list[Laid] = []
        self._reading = ReadingCollector()
        self._invoked: ReadingCollector | None = None

    def take(self, name: str, data: dict[str, Any]) -> None:
        if name == "case":
            self._finish()
            self._reading, self._invoked = ReadingCollector(), None
            self.answers.append(())
        elif name == "refused":
            self._invoked = None
            if not self._reading.subgraphs():  # else it was only the invoke
                self.answers[-1:] = [translate.refusal(data)]
        elif name == "ended":
            outcome = translate.outcome(data)
            if outcome.status is not Status.OK:
                self._invoked = None  # it may lack its end
            self._finish()
            self.end(outcome)
        else:
            self._read(name, data)

    def _read(self, name: str, data: dict[str, Any]) -> None:
        if name == "subgraph" and data.get("when") == "after_invoke" and self._invoked is None:
            self._invoked = ReadingCollector()
        (self._invoked or self._reading).feed(name, data)

    def _finish(self) -> None:
        """The case before has all of its subgraphs."""
        if self.answers and self.answers[-1] == ():
            after = self._invoked.subgraphs() if self._invoked else ()
            self.answers[-1] = (*self._reading.subgraphs(), *after)
