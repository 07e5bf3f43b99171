"""Figures of a plan and of what it lets us expect, each with its origin and the addition that makes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .capture import Capture
from .figures import Figure, Term, header_figures
from .forecast import Forecast
from .layout import Kind
from .plan import Plan
from .prediction import Prediction
from .provenance import Provenance
from .ranges import Range
from .units import format_bytes, format_exact

_BY_THE_RULES = "computed by the runtime's own rules from the sizes that its tensors get for these shapes"

_RULES = {
    "lower_bound": f"The largest sum of bytes alive at one operator, {_BY_THE_RULES}. "
    "No placement can use less.",
    "arena": f"max(offset + bytes) over the tensors of the arena, {_BY_THE_RULES}.",
    "persistent": "The arena of tensors that outlive an invoke: states, and weights that kernels keep in "
    "another form. Its places are computed by the runtime's own rules.",
}
_NOT_BEFORE = "Not known before a run."


@dataclass(frozen=True, slots=True)
class Largest:
    """The largest allocation that must be had in one piece, and what it is for."""

    bytes: int
    purpose: str


def largest_allocation(plan: Plan, prediction: Prediction | None) -> Largest | None:
    """None where nothing is allocated, or where that is not known."""
    if plan.refusal is not None:
        return None
    if prediction is not None and prediction.requests:
        first = prediction.requests[0]
        return Largest(first.bytes, first.purpose)
    known = [Largest(a.bytes, _arena_name(a.subgraph, a.kind)) for a in plan.layout.arenas if a.bytes]
    known += [
        Largest(p.bytes, f"dynamic tensor #{p.index}")
        for p in plan.layout.placements
        if p.kind is Kind.DYNAMIC and p.bytes
    ]
    return max(known, key=lambda found: found.bytes, default=None)


def planned_header(capture: Capture, forecast: Forecast | None) -> tuple[Figure, ...]:
    """The strip above every view while a plan is shown. ``capture``: the plan as the views see it."""
    prediction = forecast.prediction if forecast is not None else None
    made = []
    for figure in header_figures(capture):
        if figure.key == "process_peak":
            figure = replace(peak_figure(prediction), key="process_peak", label="Process peak")
        elif figure.key == "headroom":
            figure = _headroom(capture, prediction)
        elif figure.key == "unexplained":
            figure = Figure("unexplained", figure.label, "unknown", "unknown", None, _NOT_BEFORE)
        elif figure.provenance is Provenance.MEASURED:
            figure = replace(figure, provenance=Provenance.PLANNED, rule=_RULES.get(figure.key, figure.rule))
        made.append(figure)
    return tuple(made)


def peak_figure(prediction: Prediction | None) -> Figure:
    """low–likely–high, with the parts that make what is likely."""
    rule = (
        "What the process will hold at its highest: its parts, each with a range, add up to it. "
        "The figure is what is likely; every line says how sure it is."
    )
    if prediction is None:
        return Figure("peak", "Predicted peak", "unknown", "unknown", None, _no_prediction())
    peak = prediction.peak
    exact = f"{format_bytes(peak.low)} – {format_bytes(peak.high)}"
    return Figure(
        "peak",
        "Predicted peak",
        format_bytes(peak.likely),
        format_exact(peak.likely) if peak.low == peak.high else exact,
        Provenance.ESTIMATED,
        " ".join([rule, *_beside(prediction), *prediction.notes]),
        peak.likely,
        tuple(
            Term(
                f"{part.part} ({part.provenance}{_spread(part.bytes)}): {part.reason}",
                part.bytes.likely,
            )
            for part in prediction.parts
            if part.bytes.high
        ),
    )


def largest_figure(plan: Plan, prediction: Prediction | None) -> Figure:
    rule = (
        "The largest allocation that must be had in one piece. It needs a gap of that size among the "
        "addresses of the process, and the kernel's leave."
    )
    found = largest_allocation(plan, prediction)
    if found is None:
        return Figure("largest", "Largest single allocation", "unknown", "unknown", None, rule)
    rest = prediction.requests[1:6] if prediction is not None else ()
    others = "; ".join(f"{r.purpose} {format_bytes(r.bytes)}" for r in rest)
    return Figure(
        "largest",
        "Largest single allocation",
        format_bytes(found.bytes),
        format_exact(found.bytes),
        Provenance.PLANNED,
        f"{rule} After it: {others}." if others else rule,
        found.bytes,
        (Term(found.purpose, found.bytes),),
    )


def verdict_figure(forecast: Forecast) -> Figure:
    """What the verdict is made of, as an explanation: its figures do not add up to anything."""
    verdict = forecast.verdict
    numbers = "; ".join(f"{f.name} {format_bytes(f.bytes)} ({f.provenance.value})" for f in verdict.figures)
    rule = f"{verdict.reason} Compared: {numbers}." if numbers else verdict.reason
    return Figure("verdict", "Verdict", verdict.fit.value, verdict.limit, Provenance.ESTIMATED, rule)


def _headroom(capture: Capture, prediction: Prediction | None) -> Figure:
    available = capture.device.ram_available
    rule = "Memory available on the board (MemAvailable) less the peak that is likely."
    if available is None or prediction is None:
        return Figure("headroom", "Headroom", "unknown", "unknown", None, rule)
    size = available - prediction.peak.likely
    return Figure(
        "headroom",
        "Headroom",
        format_bytes(size),
        format_exact(size),
        Provenance.ESTIMATED,
        rule,
        size,
        (Term("available on the board", available), Term("predicted peak", -prediction.peak.likely)),
    )


def _beside(prediction: Prediction) -> Iterator[str]:
    for part in prediction.beside:
        yield f"A program adds up to {format_bytes(part.bytes.high)}: {part.part}. {part.reason}"


def _no_prediction() -> str:
    return "No prediction: it needs what the runtime itself takes on the board, which is not known yet."


def _spread(of: Range) -> str:
    return "" if of.low == of.high else f", {format_bytes(of.low)} – {format_bytes(of.high)}"


def _arena_name(subgraph: int, kind: Kind) -> str:
    name = "the persistent arena" if kind is Kind.ARENA_RW_PERSISTENT else "the arena"
    return f"{name} of subgraph {subgraph}" if subgraph else name
