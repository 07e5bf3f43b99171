"""The header figures, each with its unit, its origin, its rule, and the addition that makes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .alive import alive_set, busiest_step, shared_in_place
from .attribution import UNEXPLAINED, moment
from .capture import Capture
from .layout import Kind, MemoryLayout, Placement
from .measurement import Status
from .plain_text import plain
from .provenance import Provenance
from .units import format_bytes, format_exact

#: Converters join the names of fused operators: a sentence keeps both ends of such a name.
_NAME_IN_WORDS = 60


@dataclass(frozen=True, slots=True)
class Term:
    """One line of an addition. ``bytes`` may be negative (a subtraction). ``key``: the tensor behind it."""

    label: str
    bytes: int
    key: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """``bytes`` is the figure itself, None where it is unknown or not a size; the terms add up to it."""

    key: str
    label: str
    value_text: str
    exact_text: str
    provenance: Provenance | None
    rule: str
    bytes: int | None = None
    terms: tuple[Term, ...] = ()


def header_figures(capture: Capture) -> tuple[Figure, ...]:
    """The strip above every view, in its order."""
    return (
        _lower_bound(capture),
        _arena(capture),
        _overhead(capture),
        _persistent(capture),
        _weights(capture),
        _peak(capture),
        _headroom(capture),
        _unexplained(capture),
    )


def tensor_label(placement: Placement, layout: MemoryLayout) -> str:
    """A name for people: '#12 conv1', and for nameless scratch the operator that uses it."""
    name = placement.name
    if not name and placement.temporary and placement.producer is not None:
        name = f"scratch of {layout.operator_name(placement.subgraph, placement.producer)}"
    where = f"{placement.subgraph}:" if placement.subgraph else ""
    return f"#{where}{placement.index} {name}".rstrip()


def _size(
    key: str,
    label: str,
    size: int | None,
    provenance: Provenance,
    rule: str,
    terms: Iterable[Term] = (),
) -> Figure:
    return Figure(
        key,
        label,
        format_bytes(size),
        format_exact(size),
        provenance if size is not None else None,
        rule,
        size,
        tuple(terms) if size is not None else (),
    )


def _lower_bound(capture: Capture) -> Figure:
    layout = capture.layout
    terms: list[Term] = []
    for subgraph in layout.subgraphs:
        step = busiest_step(layout, subgraph)
        if step is None:
            continue
        alive = alive_set(layout, step, subgraph)
        terms += [
            Term(f"{tensor_label(p, layout)} (alive at step {step})", p.bytes or 0, p.key)
            for p in alive.tensors
            if p.key not in alive.shared
        ]
    return _size(
        "lower_bound",
        "Lower bound",
        capture.totals.lower_bound,
        Provenance.MEASURED,
        "The largest sum of bytes alive at one operator, from the sizes read on the device. "
        "No placement can use less.",
        terms,
    )


def _arena(capture: Capture) -> Figure:
    return _arena_figure(
        capture,
        "arena",
        "Arena",
        Kind.ARENA_RW,
        capture.totals.arena_rw,
        "max(offset + bytes) over the tensors of the arena, from the addresses read on the device.",
    )


def _persistent(capture: Capture) -> Figure:
    return _arena_figure(
        capture,
        "persistent",
        "Persistent",
        Kind.ARENA_RW_PERSISTENT,
        capture.totals.arena_rw_persistent,
        "The arena of tensors that outlive an invoke: states, and weights that kernels keep in another form.",
    )


def _arena_figure(capture: Capture, key: str, label: str, kind: Kind, size: int | None, rule: str) -> Figure:
    terms: list[Term] = []
    layout = capture.layout
    for arena in layout.arenas:
        if arena.kind is not kind:
            continue
        where = f" of subgraph {arena.subgraph}" if arena.subgraph else ""
        top = next(
            (
                p
                for p in layout.in_arena(arena.subgraph, kind)
                if p.offset is not None and p.offset + (p.bytes or 0) == arena.bytes
            ),
            None,
        )
        if top is None or top.offset is None:
            terms.append(Term(f"arena{where}", arena.bytes))
            continue
        name = tensor_label(top, layout)
        terms.append(Term(f"offset of {name}{where}", top.offset, top.key))
        terms.append(Term(f"bytes of {name}", top.bytes or 0, top.key))
    return _size(key, label, size, Provenance.MEASURED, rule, terms)


def _overhead(capture: Capture) -> Figure:
    arena, bound = capture.totals.arena_rw, capture.totals.lower_bound
    rule = "How much larger the arena is than its lower bound: (arena - lower bound) / lower bound."
    if arena is None or not bound:
        return Figure("overhead", "Overhead", "unknown", "unknown", None, rule)
    extra = arena - bound
    return Figure(
        "overhead",
        "Overhead",
        f"{100 * extra / bound:.1f} %",
        format_exact(extra),
        Provenance.MEASURED,
        rule,
        extra,
        (Term("arena", arena), Term("lower bound", -bound)),
    )


def _weights(capture: Capture) -> Figure:
    distinct = {
        p.address: p for p in capture.layout.placements if p.kind is Kind.MMAP_RO and p.address and p.bytes
    }
    largest = sorted(distinct.values(), key=lambda p: -(p.bytes or 0))
    terms = [Term(tensor_label(p, capture.layout), p.bytes or 0, p.key) for p in largest]
    size = capture.totals.weights
    missing = (size or 0) - sum(t.bytes for t in terms)
    if missing:
        terms.append(Term("constants of the file that no tensor of this reading holds", missing))
    return _size(
        "weights",
        "Weights",
        size,
        Provenance.FILE,
        "Constant data in the model file, each buffer counted once. It is mapped, not copied: "
        "only the pages that were touched are resident.",
        terms,
    )


def _peak(capture: Capture) -> Figure:
    size = capture.totals.process_peak
    phase = next((p for p in capture.phases if p.rss_peak == size), None)
    if phase is None and size is not None:
        return _size(
            "process_peak",
            "Process peak",
            size,
            Provenance.MEASURED,
            "At least this much: the largest sample of a run that did not come to its end, so that the "
            "kernel's high-water mark of its last phase could not be read.",
            [Term("largest sample of resident memory", size)],
        )
    terms = [Term("highest resident memory" + (f" during {phase.name}" if phase else ""), size or 0)]
    if phase is not None and size is not None and phase.rss_before is not None:
        terms = [
            Term(f"resident before {phase.name}", phase.rss_before),
            Term(f"highest rise during {phase.name}", size - phase.rss_before),
        ]
    return _size(
        "process_peak",
        "Process peak",
        size,
        Provenance.MEASURED,
        "The kernel's own high-water mark of the worker (VmHWM), reset before each phase; "
        "good to about 1 MiB. Samples draw the curve and claim no peak.",
        terms,
    )


def _headroom(capture: Capture) -> Figure:
    available, peak = capture.device.ram_available, capture.totals.process_peak
    if capture.outcome.status in (Status.KILLED, Status.REFUSED):
        peak = None  # it wanted more than there was, and how much more is not known
    size = available - peak if available is not None and peak is not None else None
    return _size(
        "headroom",
        "Headroom",
        size,
        Provenance.MEASURED,
        "Memory available on the device before the run (MemAvailable) less the process peak. Unknown where "
        "the run needed more than it could have.",
        [Term("available before the run", available or 0), Term("process peak", -(peak or 0))],
    )


def _unexplained(capture: Capture) -> Figure:
    rule = (
        f"Resident memory {moment(capture.attribution_when)} less everything whose owner is known. "
        "It is shown, never spread over the other parts."
    )
    rest = next((p for p in capture.attribution if p.part == UNEXPLAINED), None)
    if rest is None:
        return Figure("unexplained", "Unexplained", "unknown", "unknown", None, rule)
    resident = sum(p.bytes for p in capture.attribution)
    terms = [Term(f"resident {moment(capture.attribution_when)}", resident)]
    terms += [Term(p.part, -p.bytes) for p in capture.attribution if p is not rest and p.bytes]
    return _size("unexplained", "Unexplained", rest.bytes, Provenance.MEASURED, rule, terms)


def what_makes_the_peak(capture: Capture, subgraph: int = 0) -> str:
    """One sentence about the busiest step: its operator and the share of its largest tensor."""
    layout = capture.layout
    step = busiest_step(layout, subgraph)
    if step is None:
        return "Nothing lies in this arena."
    alive = alive_set(layout, step, subgraph)
    largest = next(p for p in alive.tensors if p.key not in alive.shared)
    share = 100 * (largest.bytes or 0) / alive.bytes
    plan = layout.plan(subgraph)
    operator = plan[step].name if step < len(plan) else "?"
    role = "scratch of that operator" if largest.temporary else "a tensor of the model"
    sharing = sum(1 for root in shared_in_place(layout, subgraph).values() if root == largest.key)
    users = f"{sharing} later tensors use" if sharing > 1 else "1 later tensor uses"
    also = f" {users} its memory in place." if sharing else ""
    return (
        f"At step {step} ({operator}) {len(alive.tensors)} tensors are alive, "
        f"{format_bytes(alive.bytes)} together. "
        f"{share:.0f} % of it is {plain(tensor_label(largest, layout), _NAME_IN_WORDS)}, {role}.{also}"
    )
