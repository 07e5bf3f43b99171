"""What a process will need to run a plan: parts with a range each, an origin and a reason.

Measured is what belongs to the board (``baseline``) or to the delegate (``calibration``), planned is what
the runtime's own rules place, and estimated is what kernels take for themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .attribution import ARENA, DELEGATE, DYNAMIC, KERNELS, MODEL, PERSISTENT, PYTHON, RUNTIME
from .baseline import Baseline
from .board import Board
from .calibration import Calibration, interior_bytes
from .graph import Graph
from .kernel_heap import KernelHeap, estimate
from .layout import Kind, MemoryLayout
from .plan import Plan
from .provenance import Provenance
from .ranges import Range, Request, exactly, total
from .touched import touched
from .units import format_bytes

MIB = 1024 * 1024
#: Without a baseline: a process with Python, NumPy and a runtime, on any board that was seen.
UNKNOWN_BASE = Range(20 * MIB, 32 * MIB, 60 * MIB)
#: How the reason of a delegate's part begins that was not measured.
BASE = f"{PYTHON}; {RUNTIME}"
_PAGE = 4096
#: A tensor with memory of its own is this much longer (tflite-memory.md §1).
_DYNAMIC_PADDING = 16
#: What a request needs beyond its bytes when it is mapped: the allocator's header, in whole pages.
_HEADER = 16


@dataclass(frozen=True, slots=True)
class PredictedPart:
    """One part of the resident memory at the peak. ``part`` has the names of ``attribution``; ``reason``
    says in a sentence where the figure comes from; ``guessed``: short runs on the board would narrow it."""

    part: str
    bytes: Range
    provenance: Provenance
    reason: str
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Prediction:
    """``parts`` add up to ``peak``. ``requests``: the allocations in one piece, largest first.

    ``mapped``: address space that the process needs beyond a process that has only the runtime.
    ``files``: what of the peak is pages of files, which the kernel can drop when memory gets short.
    ``beside``: what a program that uses the model adds of its own: copies of inputs and outputs. They are
    not in the peak, for an inspection makes none.
    """

    parts: tuple[PredictedPart, ...]
    requests: tuple[Request, ...]
    mapped: Range
    notes: tuple[str, ...] = ()
    files: int = 0
    beside: tuple[PredictedPart, ...] = ()

    @property
    def guessed(self) -> bool:
        """Whether a part of it is a wide guess that a few short runs on the board would make narrow."""
        return any(part.guessed for part in self.parts)

    @property
    def peak(self) -> Range:
        return total(part.bytes for part in self.parts)


def predict(
    plan: Plan,
    graph: Graph,
    board: Board,
    baseline: Baseline | None = None,
    calibration: Calibration | None = None,
) -> Prediction:
    """What a process will hold at its peak that loads this model, gives it inputs and invokes it.

    ``baseline`` None: what the runtime takes is a wide guess. ``calibration`` matters with a delegate.
    """
    page = board.page_size or _PAGE
    layout = plan.layout
    delegated = _delegated(layout)
    parts = [
        _base(plan, baseline),
        _model(graph),
        *_arenas(plan, page),
        _dynamic(layout),
    ]
    heap = estimate(layout, plan.machine, plan.asked.threads)
    if delegated:
        parts.append(_delegate(layout, graph, calibration))
    if not delegated or calibration is None:  # else what kernels took is in the points
        parts.append(_kernels(heap, baseline, plan))
    workspace = _workspace(layout, calibration) if delegated else 0
    requests = sorted(_requests(plan, graph, heap, workspace), key=lambda r: -r.bytes)
    base = baseline.of(plan.asked.delegate).files if baseline is not None else 0
    grown = [p.bytes for p in parts[1:]]
    return Prediction(
        tuple(p for p in parts if p.bytes.high),
        tuple(requests),
        _mapped(requests, total(grown), page),
        (*plan.notes, *_unknown(plan)),
        files=base + graph.file_bytes,
        beside=tuple(_copies(layout, graph)),
    )


def _unknown(plan: Plan) -> Iterator[str]:
    count = sum(len(unknown.tensors) for unknown in plan.planned.unknown)
    if count:
        what = "One tensor is" if count == 1 else f"{count} tensors are"
        yield f"{what} not counted, for only a run can tell the size: the process needs more than predicted."


def _delegated(layout: MemoryLayout) -> bool:
    return any(p.kind is Kind.DELEGATE for p in layout.placements) or any(
        o.is_delegate for o in layout.operators
    )


def _base(plan: Plan, baseline: Baseline | None) -> PredictedPart:
    if baseline is None:
        return PredictedPart(
            BASE, UNKNOWN_BASE, Provenance.ESTIMATED,
            "What Python, NumPy and the runtime take was not measured on this board: seen elsewhere.",
            guessed=True,
        )  # fmt: skip
    base = baseline.of(plan.asked.delegate)
    who = baseline.identity
    return PredictedPart(
        BASE, base.rss, Provenance.MEASURED,
        f"A process with Python {who.python}, NumPy {who.numpy} and {who.runtime} {who.runtime_version} "
        "that runs a small model, measured on this board.",
    )  # fmt: skip


def _model(graph: Graph) -> PredictedPart:
    read = min(graph.file_bytes, graph.weight_bytes)
    return PredictedPart(
        MODEL, Range(read, graph.file_bytes, graph.file_bytes + _PAGE), Provenance.FILE,
        f"The file is mapped, and its pages are resident once they were read: {format_bytes(read)} of "
        "constants, and what describes them.",
    )  # fmt: skip


def _arenas(plan: Plan, page: int) -> Iterator[PredictedPart]:
    layout = plan.layout
    for kind, name in ((Kind.ARENA_RW, ARENA), (Kind.ARENA_RW_PERSISTENT, PERSISTENT)):
        size = sum(a.bytes for a in layout.arenas if a.kind is kind)
        least, most = touched(layout, kind, page)
        reason = f"{format_bytes(size)} planned"
        if most < size:
            reason += f", of which {format_bytes(size - most)} lie in holes that nothing is written to"
        if least < most:
            reason += f"; {format_bytes(most - least)} are scratch that is seldom written"
        yield PredictedPart(name, Range(least, most, most), Provenance.PLANNED, reason + ".")
    if plan.planned.growth:
        yield PredictedPart(
            "old arena while a larger one replaces it", Range(0, plan.planned.growth, plan.planned.growth),
            Provenance.PLANNED,
            "An arena that grows is copied into a new one: for a moment there are both.",
        )  # fmt: skip


def _dynamic(layout: MemoryLayout) -> PredictedPart:
    found = [p.bytes for p in layout.placements if p.kind in (Kind.DYNAMIC, Kind.PERSISTENT_RO)]
    size = sum(b + _DYNAMIC_PADDING for b in found if b)
    reason = f"{len(found)} tensors with memory of their own."
    return PredictedPart(DYNAMIC, exactly(size), Provenance.PLANNED, reason)


def _delegate(layout: MemoryLayout, graph: Graph, calibration: Calibration | None) -> PredictedPart:
    inside = interior_bytes(layout)
    if calibration is not None:
        return PredictedPart(
            DELEGATE, calibration.at(inside), Provenance.ESTIMATED,
            f"Packed weights and workspace: a line over the {format_bytes(inside)} of tensors inside the "
            f"delegate, through two measurements ({calibration.source}).",
        )  # fmt: skip
    largest = _busiest_inside(layout)
    weights = graph.weight_bytes
    return PredictedPart(
        DELEGATE,
        Range(
            largest,
            largest + largest // 5 + weights,
            max(inside, 2 * largest) + 3 * weights + 2 * MIB,
        ),
        Provenance.ESTIMATED,
        f"Not calibrated: between the {format_bytes(largest)} that one operator inside the delegate "
        f"needs at once and all {format_bytes(inside)} in there, with the {format_bytes(weights)} of "
        "weights packed.",
        guessed=True,
    )


def _busiest_inside(layout: MemoryLayout) -> int:
    """The largest sum of an operator's inputs and outputs inside partitions: no workspace is smaller."""
    sizes = {p.key: p.bytes or 0 for p in layout.placements if p.kind is Kind.DELEGATE}
    return max(
        (sum(sizes.get((o.subgraph, i), 0) for i in {*o.inputs, *o.outputs}) for o in layout.operators),
        default=0,
    )


def _kernels(heap: KernelHeap, baseline: Baseline | None, plan: Plan) -> PredictedPart:
    small = baseline.of("none").heap if baseline is not None else Range(0, MIB // 2, MIB)
    reason = "The runtime's records and its threads"
    if heap.reason:
        reason += f"; {heap.reason}"
    return PredictedPart(KERNELS, small + heap.bytes, Provenance.ESTIMATED, reason + ".")


def _workspace(layout: MemoryLayout, calibration: Calibration | None) -> int:
    """What a delegate asks for in one piece, at least."""
    grows = calibration.workspace(interior_bytes(layout)) if calibration is not None else 0
    return max(grows, _busiest_inside(layout))


def _requests(plan: Plan, graph: Graph, heap: KernelHeap, workspace: int) -> Iterator[Request]:
    for arena in plan.layout.arenas:
        if not arena.bytes:
            continue
        kept = "persistent arena" if arena.kind is Kind.ARENA_RW_PERSISTENT else "arena"
        where = f" of subgraph {arena.subgraph}" if arena.subgraph else ""
        block = plan.profile.arena_block(arena.bytes)
        yield Request(block, f"the {kept}{where}", unchecked=not plan.profile.checks_arena)
    for placed in plan.layout.placements:
        if placed.kind in (Kind.DYNAMIC, Kind.PERSISTENT_RO) and placed.bytes:
            yield Request(placed.bytes + _DYNAMIC_PADDING, f"the dynamic tensor #{placed.index}")
    yield Request(graph.file_bytes, "the model file, mapped")
    yield from heap.requests
    if workspace:
        yield Request(workspace, "the delegate's workspace")
    if plan.planned.growth:
        yield Request(plan.profile.arena_block(plan.planned.growth), "the arena that is replaced")


def _mapped(requests: list[Request], touched_at_most: Range, page: int) -> Range:
    """Address space: what is asked for in one piece, or what is touched where that is more."""
    asked = sum(-(-(r.bytes + _HEADER) // page) * page for r in requests)
    return Range(asked, max(asked, touched_at_most.likely), max(asked, touched_at_most.high) + 8 * MIB)


def _copies(layout: MemoryLayout, graph: Graph) -> Iterator[PredictedPart]:
    """Arrays of the program: what it gives to set_tensor, and what get_tensor returns."""
    sizes = {p.index: p.bytes or 0 for p in layout.placements if p.subgraph == 0}
    for name, tensors, how in (
        ("copy of the inputs", graph.main.inputs, "The array that a program hands to set_tensor."),
        ("copy of the outputs", graph.main.outputs, "The array that get_tensor returns, a copy as well."),
    ):
        size = sum(sizes.get(tensor, 0) for tensor in dict.fromkeys(tensors))
        if size:
            yield PredictedPart(name, Range(0, size, size), Provenance.PLANNED, how)
