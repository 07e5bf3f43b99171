"""A planning service for tests of the window: plans by a small planner of its own, when the test lets it.

Its figures are made up but consistent; what is real about planning is tested with the real service.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from arenascope.domain.board import Board
from arenascope.domain.capture import ModelFacts
from arenascope.domain.forecast import Forecast
from arenascope.domain.graph import Graph, Operator, Subgraph, Tensor
from arenascope.domain.layout import Kind, MemoryLayout, PlacedOperator
from arenascope.domain.lifetimes import Lifetime, Step, lifetimes
from arenascope.domain.plan import Plan, Planned
from arenascope.domain.prediction import PredictedPart, Prediction
from arenascope.domain.provenance import Provenance
from arenascope.domain.ranges import Range, Request, exactly
from arenascope.domain.shapes import ShapeRefusal
from arenascope.domain.totals import totals
from arenascope.domain.verdict import Fit, Verdict, VerdictFigure
from arenascope.domain.whatif import input_shapes
from arenascope.workflow.jobs import CancelToken
from arenascope.workflow.whatif import Question
from tests.support.placing import Slot, place

MIB = 1024**2
BASE = 30 * MIB
REFUSAL = ShapeRefusal(
    "its state has a fixed batch of 1", "input->dims->data[0] != 1", 0, 1, "RELU", 1, "first/relu"
)


def small_graph(features: int = 50_000) -> Graph:
    """Three operators in a row on one float input [1, features]."""
    names = ("image", "first/relu", "second/relu", "answer")
    tensors = tuple(
        Tensor(i, name, "float32", (1, features), (-1, features), 0, 0, False) for i, name in enumerate(names)
    )
    operators = tuple(Operator(i, "RELU", (i,), (i + 1,)) for i in range(3))
    main = Subgraph(0, "main", tensors, operators, (0,), (3,))
    return Graph("small.tflite", "5" * 64, 1234, (main,))


@dataclass
class FakeForeteller:
    """``gate`` holds every answer up until it is set; ``asked`` is what was asked, in order."""

    refuses: Callable[[int], bool] = lambda batch: False
    error: Exception | None = None
    stubborn: bool = False  #: hears no cancel
    shift: int = 0  #: bytes by which every place is moved
    asked: list[Question] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    closed: bool = False

    def __post_init__(self) -> None:
        self.gate.set()

    def __call__(self) -> FakeForeteller:
        return self

    def forecast(self, question: Question, cancel: CancelToken) -> Forecast:
        self.asked.append(question)
        while not self.gate.wait(0.01):
            if not self.stubborn:
                cancel.raise_if_cancelled()
        if not self.stubborn:
            cancel.raise_if_cancelled()
        if self.error is not None:
            raise self.error
        return self.made(question)

    def made(self, question: Question) -> Forecast:
        """What is answered to a question, at once."""
        plan = planned(question, self.refuses, self.shift)
        return forecast_of(plan, question.board)

    def close(self) -> None:
        self.closed = True


def planned(question: Question, refuses: Callable[[int], bool], shift: int = 0) -> Plan:
    graph, asked = question.graph, question.asked
    shapes = input_shapes(graph, asked)
    batch = next((s[0] for s in shapes.values() if s), 1)
    refused = refuses(batch)
    layout = MemoryLayout((), (), ()) if refused else layout_of(graph, batch, asked.preserve_all, shift)
    tensors = graph.main.tensors
    return Plan(
        ModelFacts.of(graph),
        asked,
        {tensors[i].name: shapes.get(i, tensors[i].shape) for i in graph.main.inputs},
        question.profile,
        question.machine,
        Planned(layout),
        totals(layout, graph, ()),
        REFUSAL if refused else None,
        "a planner for tests",
    )


def layout_of(graph: Graph, batch: int, preserve_all: bool, shift: int = 0) -> MemoryLayout:
    main = graph.main
    lives = lifetimes(
        [Step(op.inputs, op.outputs) for op in main.operators],
        inputs=main.inputs,
        outputs=main.outputs,
        preserve_all=preserve_all,
    )

    def slot(t: Tensor) -> Slot:
        life = lives.get(t.index, Lifetime(None, None))
        shape = t.shape if t.is_constant or not t.shape else (t.shape[0] * batch, *t.shape[1:])
        kind = Kind.MMAP_RO if t.is_constant else Kind.ARENA_RW if t.index in lives else Kind.NONE
        makers = [o.index for o in main.operators if t.index in o.outputs]
        readers = tuple(o.index for o in main.operators if t.index in o.inputs)
        return Slot(
            t.index, t.name, t.dtype, shape, kind, life.first, life.last, next(iter(makers), None), readers
        )

    placements, arenas = place(0, [slot(t) for t in main.tensors], 0, 0)
    placements = tuple(
        replace(p, address=None, offset=None if p.offset is None else p.offset + shift) for p in placements
    )
    operators = tuple(
        PlacedOperator(0, o.index, o.name, o.inputs, o.outputs, (), o.index) for o in main.operators
    )
    return MemoryLayout(
        placements, operators, tuple(replace(a, base=None, bytes=a.bytes + shift) for a in arenas)
    )


def forecast_of(plan: Plan, board: Board | None) -> Forecast:
    if plan.refusal is not None:
        return Forecast(plan, None, Verdict(Fit.UNKNOWN, f"The model refuses: {plan.refusal.reason}."))
    if board is None or board.ram_available is None:
        return Forecast(plan, None, Verdict(Fit.UNKNOWN, "No board, so no limit."))
    arena = plan.totals.arena_rw or 0
    parts = (
        PredictedPart("runtime and its libraries", exactly(BASE), Provenance.MEASURED, "measured once"),
        PredictedPart("arena", exactly(arena), Provenance.PLANNED, "planned to the byte"),
        PredictedPart(
            "delegate", Range(0, arena // 4, arena // 2), Provenance.ESTIMATED, "its packed weights"
        ),
    )
    prediction = Prediction(parts, (Request(arena, "the arena"),), exactly(arena))
    high = prediction.peak.high
    available = board.ram_available
    fit = Fit.FITS if high < 0.9 * available else Fit.TIGHT if high <= available else Fit.KILLED
    limit = "available memory"
    figures = (
        VerdictFigure("predicted peak", high, Provenance.ESTIMATED),
        VerdictFigure(limit, available, Provenance.MEASURED),
    )
    reason = f"It needs {high:,} bytes at most; {available:,} are available."
    return Forecast(plan, prediction, Verdict(fit, reason, limit, figures))


def write_model(folder: Path, graph: Graph) -> Path:
    """A file that stands for the graph's; nobody reads it."""
    path = folder / graph.name
    path.write_bytes(b"TFL3")
    return path
