"""Run a model on a device and bring back where its memory lies."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import __version__
from ..domain.attribution import attribute
from ..domain.board import Board
from ..domain.capture import Capture, ModelFacts, Options
from ..domain.graph import Graph, tensor_bytes
from ..domain.layout import MemoryLayout
from ..domain.measurement import Outcome, Phase, Samples, Status, TopProcesses
from ..domain.provision import advice
from ..domain.reading import assemble
from ..domain.totals import totals
from ..domain.whatif import WhatIf, check_knobs, input_shapes
from ..errors import BoardError
from ..remote import translate
from ..remote.exchange import AWAY, BACK
from ..remote.reading import ReadingCollector
from ..tflite.notes import notes
from ..tflite.reader import read_model
from ..tflite.source import mapped
from .connect import Device
from .events import (
    LinkAway,
    LinkBack,
    PhaseEnded,
    PhaseStarted,
    ProcessesSeen,
    RunEnded,
    RunEvent,
    SamplesArrived,
)
from .followed_run import FollowedRun, started
from .jobs import CancelToken, check_time_limit
from .staging import stage_model

#: Lists of the device's processes that a run keeps. A device short of memory sends two a second.
_MOST_LOOKS = 600


@dataclass(frozen=True, slots=True)
class InspectRequest(WhatIf):
    """What to run, and how. ``timeout`` is in seconds for the whole run on the device."""

    invoke: bool = True
    timeout: float = 300.0
    seed: int = 0
    sample_hz: float = 20.0

    @classmethod
    def of(cls, asked: WhatIf, *, timeout: float, seed: int = 0) -> InspectRequest:
        """A run with these knobs."""
        return cls(
            asked.batch, asked.inputs, asked.threads, asked.delegate, asked.preserve_all,
            timeout=timeout, seed=seed,
        )  # fmt: skip


def inspect(
    device: Device,
    model: Path,
    request: InspectRequest | None = None,
    on_event: Callable[[RunEvent], None] | None = None,
    cancel: CancelToken | None = None,
) -> Capture:
    """Raises InputError for the model, UsageError for the request, LinkError for the device, and
    BoardError for a device without a runtime.

    How the run itself ended, a kill or a crash included, is ``Capture.outcome``.
    ``on_event`` is called on other threads than the caller's.
    """
    request = request or InspectRequest()
    tell = on_event or (lambda event: None)
    cancel = cancel or CancelToken()
    check_request(request)
    cancel.raise_if_cancelled()
    shapes: dict[int, tuple[int, ...]] = {}
    if device.is_local and not request.reshapes:
        # Nothing to send and nothing to look up: the model is read while the worker starts.
        with mapped(model):  # what is no model at all is not worth a worker
            path = str(model.resolve())
        with _launched(device, path, shapes, request, tell, cancel) as run:
            graph = read_model(model)
            outcome = run.wait()
    else:
        graph = read_model(model)
        shapes = input_shapes(graph, request)
        path = stage_model(device, model, graph, tell, cancel)
        cancel.raise_if_cancelled()
        with _launched(device, path, shapes, request, tell, cancel) as run:
            outcome = run.wait()
    if outcome.status is Status.FAILED and outcome.phase == "runtime_import":
        raise BoardError(
            f"No TensorFlow Lite runtime works on {device.name}.",
            board_code="no_runtime",
            hint=advice(device.board),
            detail=outcome.message,
        )
    capture = _capture(graph, request, shapes, run, outcome, path)
    return replace(capture, notes=(*notes(model, graph), *run.link_notes()))


def check(model: Path, request: InspectRequest) -> None:
    """What can be told without a device: raises InputError for the model, UsageError for the request."""
    check_request(request)
    with mapped(model):
        pass


def _launched(
    device: Device,
    path: str,
    shapes: dict[int, tuple[int, ...]],
    request: InspectRequest,
    tell: Callable[[RunEvent], None],
    cancel: CancelToken,
) -> AbstractContextManager[_Run]:
    """A run of the model at ``path`` on the device. It is ended when the block fails."""
    params: dict[str, Any] = {
        "model": path,
        "inputs": {str(index): list(shape) for index, shape in shapes.items()},
        "threads": request.threads,
        "delegate": request.delegate,
        "preserve_all": request.preserve_all,
        "invoke": request.invoke,
        "seed": request.seed,
    }
    run = _Run(tell, cancel, device.board)
    return started(device, "inspect", params, run, timeout=request.timeout, sample_hz=request.sample_hz)


def check_request(request: InspectRequest) -> None:
    """What can be told without the model. Raises UsageError."""
    check_knobs(request)
    check_time_limit(request.timeout)


class _Run(FollowedRun):
    """Collects all that one inspection tells."""

    def __init__(self, tell: Callable[[RunEvent], None], cancel: CancelToken, board: Board) -> None:
        super().__init__(cancel)
        self._tell = tell
        self._lost: list[float] = []  # seconds of each time without a connection
        self.reading = ReadingCollector()
        self.phases: list[Phase] = []
        self.samples: list[Samples] = []
        self.processes: list[TopProcesses] = []
        self.board = board
        self.agent_cost: tuple[int | None, float | None] = (None, None)
        self._taken: int | None = None

    def link_notes(self) -> tuple[str, ...]:
        """What the connection did to the run, where it was lost: nothing, if all samples are here."""
        if not self._lost:
            return ()
        taken, here = self._taken, sum(len(part.t) for part in self.samples)
        if taken is None:
            kept = "whether samples are missing is not known"
        elif taken == here:
            kept = "nothing of the run is missing"
        else:
            kept = f"{taken - here} of its {taken} samples are missing"
        times = ", ".join(f"{seconds:.1f} s" for seconds in self._lost)
        return (f"The connection was lost during the run ({times}); {kept}.",)

    def take(self, name: str, data: dict[str, Any]) -> None:
        if self.reading.feed(name, data):
            return
        if name == "phase_started":
            self._tell(PhaseStarted(*translate.phase_start(data)))
        elif name == "phase":
            phase = translate.phase(data)
            self.phases.append(phase)
            self._tell(PhaseEnded(phase))
        elif name == "samples":
            samples = translate.samples(data)
            self.samples.append(samples)
            self._tell(SamplesArrived(samples))
        elif name == "processes":
            top = translate.processes(data)
            self.processes.append(top)
            if len(self.processes) > _MOST_LOOKS:
                del self.processes[1 : _MOST_LOOKS // 2 : 2]  # of the older half, every second one
            self._tell(ProcessesSeen(top))
        elif name == "runtime":
            self.board = translate.with_runtime(self.board, data)
        elif name == AWAY:
            self._tell(LinkAway(str(data["message"])))
        elif name == BACK:
            self._lost.append(float(data["seconds"]))
            self._tell(LinkBack(self._lost[-1]))
        elif name == "ended":
            self.agent_cost, self._taken = translate.agent_cost(data), translate.sample_count(data)
            outcome = translate.outcome(data)
            self._tell(RunEnded(outcome))
            self.end(outcome)


def _capture(
    graph: Graph,
    request: InspectRequest,
    shapes: dict[int, tuple[int, ...]],
    run: _Run,
    outcome: Outcome,
    model_path: str,
) -> Capture:
    subgraphs = run.reading.subgraphs()
    layout = assemble(subgraphs, graph, preserve_all=request.preserve_all)
    process = run.reading.process(model_path)
    rss, cpu = run.agent_cost
    return Capture(
        tool_version=__version__,
        model=ModelFacts.of(graph),
        device=run.board,
        options=Options(
            request.threads,
            request.delegate,
            request.preserve_all,
            {
                graph.main.tensors[i].name: _shape_of(graph, i, shapes, layout)
                for i in graph.main.inputs
                if i >= 0
            },
        ),
        layout=layout,
        phases=tuple(run.phases),
        totals=totals(
            layout,
            graph,
            run.phases,
            () if outcome.ok else (rss for part in run.samples for rss in part.rss),
        ),
        attribution=attribute(process) if process is not None else (),
        attribution_when=process.when if process is not None else None,
        samples=_joined(run.samples, run.processes),
        outcome=outcome if outcome.status is not Status.OK or layout.placements else _nothing_read(outcome),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        layout_source=subgraphs[0].source if subgraphs else None,
        agent_rss=rss,
        agent_cpu=cpu,
    )


def _shape_of(
    graph: Graph, index: int, shapes: dict[int, tuple[int, ...]], layout: MemoryLayout
) -> tuple[int, ...]:
    """The shape that ran: as read, else as asked for, else the file's."""
    placed = layout.by_key.get((0, index))
    if (
        placed is not None
        and placed.shape is not None
        and tensor_bytes(placed.dtype, placed.shape) is not None
    ):
        return placed.shape
    return shapes.get(index, graph.main.tensors[index].shape)


def _nothing_read(outcome: Outcome) -> Outcome:
    return replace(outcome, status=Status.FAILED, message="The run ended without a reading of the layout.")


def _joined(parts: list[Samples], processes: list[TopProcesses]) -> Samples:
    return Samples(
        t=tuple(t for s in parts for t in s.t),
        rss=tuple(v for s in parts for v in s.rss),
        available=tuple(v for s in parts for v in s.available),
        swap_free=tuple(v for s in parts for v in s.swap_free),
        processes=tuple(processes),
    )
