"""A plan as tables for people: like those of a run, with 'planned' where a run has 'measured'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from ..domain.alive import alive_set, high_water_step
from ..domain.layout import Kind
from ..domain.plain_text import plain
from ..domain.provenance import Provenance
from ..domain.units import format_bytes, format_exact
from .tables import UNKNOWN, add_row, console, heading, knobs, table, tensors

if TYPE_CHECKING:
    from rich.table import Table

    from ..domain.plan import Plan

LARGEST_ALIVE = 10


def show(plan: Plan, *, all_tensors: bool = False) -> None:
    """All of a plan that is no refusal, on stdout."""
    out = console()
    asked = plan.asked
    where = f"planned for {plan.profile.name} on {plan.machine}; shapes from {plan.shapes_from}"
    options = knobs(asked.threads, asked.delegate, plan.inputs, preserve_all=asked.preserve_all)
    if plan.delegation:
        options += f"\ndivided for the delegate by {plain(plan.delegation)}"
    out.print(heading(plan.model, where, options))
    largest = tensors(plan.layout, all_tensors=all_tensors, width=out.width)
    for made in (_figures(plan), largest, _alive(plan), _unknown(plan)):
        if made is not None:
            out.print(made, "")
    for note in plan.notes:
        out.print(Text(f"Note: {plain(note, 1000)}"))


def _figures(plan: Plan) -> Table:
    totals = plan.totals
    made = table("Figures", "", ">size", ">exact", "how it is known")
    rows = [
        ("Lower bound", totals.lower_bound, Provenance.PLANNED),
        ("Arena", totals.arena_rw, Provenance.PLANNED),
        ("Persistent", totals.arena_rw_persistent, Provenance.PLANNED),
        ("On the heap", totals.dynamic, Provenance.PLANNED),
        ("Without reuse", totals.sum_without_reuse, Provenance.PLANNED),
        ("Weights", totals.weights, Provenance.FILE),
    ]
    if plan.planned.growth:
        rows.insert(2, ("Beside it while it grows", plan.planned.growth, Provenance.PLANNED))
    for label, size, provenance in rows:
        known = UNKNOWN if size is None else provenance.value
        if size is not None and provenance is Provenance.PLANNED and not plan.exact:
            known += ", at least"
        add_row(made, label, format_bytes(size), format_exact(size), known)
    return made


def _alive(plan: Plan) -> Table | None:
    """What lies in the largest arena when it is as full as it gets."""
    layout = plan.layout
    arenas = [a for a in layout.arenas if a.kind is Kind.ARENA_RW and a.bytes]
    if not arenas:
        return None
    arena = max(arenas, key=lambda a: a.bytes)
    step = high_water_step(layout, arena.subgraph)
    if step is None:
        return None
    alive = alive_set(layout, step, arena.subgraph)
    running = next((o for o in layout.plan(arena.subgraph) if o.step == step), None)
    at = f"step {step}" + (f", {plain(running.name, 60)}" if running is not None and running.name else "")
    where = f" of subgraph {arena.subgraph}" if len(arenas) > 1 else ""
    made = table(f"Alive at the high-water mark{where}: {at}", ">index", "name", ">bytes", ">offset")
    for placement in alive.tensors[:LARGEST_ALIVE]:
        name = plain(placement.name, 60) or ("(scratch)" if placement.temporary else "(no name)")
        size = "shared" if placement.key in alive.shared else f"{placement.bytes or 0:,}"
        add_row(made, str(placement.index), name, size, f"{placement.offset or 0:,}")
    more = len(alive.tensors) - LARGEST_ALIVE
    if more > 0:
        add_row(made, "", f"and {more} more", "", "")
    made.add_section()
    add_row(made, "", "together", f"{alive.bytes:,}", "")
    add_row(made, "", "the arena", f"{arena.bytes:,}", "", style="bold")
    return made


def _unknown(plan: Plan) -> Table | None:
    if not plan.planned.unknown:
        return None
    made = table("Unknown before a run", ">tensors", "why")
    for unknown in plan.planned.unknown:
        listed = ", ".join(str(index) for index in unknown.tensors[:8])
        more = f" and {len(unknown.tensors) - 8} more" if len(unknown.tensors) > 8 else ""
        where = f" of subgraph {unknown.subgraph}" if unknown.subgraph else ""
        add_row(made, f"{listed}{more}{where}", plain(unknown.reason, 300))
    return made
