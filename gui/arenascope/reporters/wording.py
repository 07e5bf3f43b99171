"""What the page says in sentences: how a run ended, and how its figures were taken."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain.attribution import moment
from ..domain.capture import Capture
from ..domain.measurement import Outcome, Status
from ..domain.plain_text import plain
from ..domain.provenance import Provenance
from ..domain.units import format_bytes

ENDINGS = {
    Status.OK: "The run went through",
    Status.FAILED: "The runtime could not run this model",
    Status.KILLED: "The worker was killed",
    Status.CRASHED: "The runtime crashed",
    Status.REFUSED: "The runtime was refused memory",
    Status.TIMED_OUT: "The run took too long and was stopped",
    Status.CANCELLED: "The run was stopped as asked",
}

ORIGINS = {
    Provenance.FILE: "read from the model file",
    Provenance.PLANNED: "computed exactly from the runtime's own rules",
    Provenance.ESTIMATED: "computed with a range",
    Provenance.MEASURED: "read on this device, in this run",
}


def ending(outcome: Outcome) -> str:
    """'The runtime crashed in phase allocate (SIGABRT).'"""
    what = ENDINGS[outcome.status]
    if outcome.status is Status.KILLED and outcome.proven:
        what = "Out of memory: the kernel killed the worker"
    where = f" in phase {plain(outcome.phase, 40)}" if outcome.phase and not outcome.ok else ""
    signal = f" ({plain(outcome.signal, 20)})" if outcome.signal else ""
    return f"{what}{where}{signal}."


def methods(capture: Capture) -> Sequence[tuple[str, str]]:
    """How it was measured: what, and how, in plain words."""
    when = f" {moment(capture.attribution_when)}" if capture.attribution_when else ""
    source = {
        "runtime structures": (
            f"Addresses, sizes and kinds of all tensors were read from the runtime's own structures{when}, "
            "scratch tensors and the insides of other subgraphs included."
        ),
        "public interface": (
            "Addresses of tensors were read through the runtime's public interface, tensor by tensor. "
            "Scratch tensors cannot be seen that way."
        ),
    }.get(capture.layout_source or "", "It is not known how the layout was read.")
    return (
        ("Layout", source + " An offset is counted from the lowest address of its arena."),
        (
            "Lifetimes",
            "A tensor is alive from the operator that makes it to the last one that reads it; inputs, states "
            "and outputs to the end. Positions are steps of the execution plan: program order, not time.",
        ),
        (
            "Peak of a phase",
            "Freed memory is given back, the kernel's high-water mark of the process is reset, the step "
            "runs, the mark is read (VmHWM). It is the kernel's own count, good to about 1 MiB.",
        ),
        (
            "Attribution",
            "Pages backed by a file belong to that file. Anonymous pages are counted where they lie, for "
            "arenas and dynamic tensors, and otherwise by the step in which they appeared. The parts add up "
            "to the resident memory exactly; what has no owner is shown as unexplained and is not spread. "
            "What a delegate holds cannot be asked for: its part is an estimate, all growth of anonymous "
            "memory while it prepared and first ran, beyond the arenas.",
        ),
        (
            "Curve",
            "Samples draw the curve and claim no peak. The short bars are the peaks of the phases. Where "
            "nobody looked there is a gap, not a line.",
        ),
        (
            "Inputs",
            _inputs(capture),
        ),
        ("Cost of looking", _cost(capture)),
    )


def _inputs(capture: Capture) -> str:
    if capture.attribution_when == "allocate":
        return "None were written: the model was not invoked. A page that nobody has touched takes no memory."
    return "They are written before the first invoke: a page that nobody has touched takes no memory."


def _cost(capture: Capture) -> str:
    if capture.agent_rss is None or capture.agent_cpu is None:
        return "The worker is a process of its own. What the agent took beside it is not known."
    return (
        "The worker is a process of its own; the agent beside it took "
        f"{format_bytes(capture.agent_rss)} and {100 * capture.agent_cpu:.1f} % of a core."
    )
