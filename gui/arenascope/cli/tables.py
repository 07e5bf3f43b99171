"""A capture as tables for people. Text from models and devices is shown as text, never as markup."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..domain.attribution import moment
from ..domain.figures import header_figures
from ..domain.measurement import Status
from ..domain.plain_text import plain
from ..domain.units import format_bytes, format_exact, format_seconds

if TYPE_CHECKING:
    from ..domain.board import Board
    from ..domain.capture import Capture, ModelFacts
    from ..domain.layout import MemoryLayout, Placement
    from ..domain.measurement import Outcome, Part

LARGEST = 20
#: Where nobody looks, nothing needs to be cut off.
WIDTH_OF_A_FILE = 10_000
UNKNOWN = "unknown"
#: Columns that are not broken into lines where room is short; names give way.
KEPT_WHOLE = ("type", "shape", "kind", "name", "how it is known")
#: Characters between two columns.
GAP = 2
SHORTEST_NAME, LONGEST_NAME = 10, 60


def console() -> Console:
    width = None if sys.stdout.isatty() else WIDTH_OF_A_FILE
    return Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)


def table(title: str, *columns: str) -> Table:
    """An empty table. A column whose name begins with '>' is aligned to the right."""
    made = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    made.show_edge, made.padding = False, (0, 1, 0, 0)
    for column in columns:
        right = column.startswith(">")
        made.add_column(
            column.lstrip(">"), justify="right" if right else "left", no_wrap=right or column in KEPT_WHOLE
        )
    return made


def add_row(to: Table, *cells: str, style: str = "") -> None:
    to.add_row(*(Text(cell) for cell in cells), style=style)


def show(capture: Capture, *, all_tensors: bool = False) -> None:
    """All of a capture, on stdout."""
    out = console()
    out.print(_heading(capture))
    for made in (
        _figures(capture),
        tensors(capture.layout, all_tensors=all_tensors, width=out.width),
        _phases(capture),
        _attribution(capture.attribution, capture.attribution_when),
        _last_look(capture),
    ):
        if made is not None:
            out.print(made, "")
    out.print(_outcome(capture.outcome))
    for note in capture.notes:
        out.print(Text(f"Note: {plain(note, 1000)}"))


def _heading(capture: Capture) -> Text:
    options = capture.options
    return heading(
        capture.model,
        f"on {describe_device(capture.device)}",
        knobs(options.threads, options.delegate, options.inputs, preserve_all=options.preserve_all),
    )


def heading(model: ModelFacts, where: str, options: str) -> Text:
    """The model, where it ran or would run, and how."""
    text = Text()
    text.append(plain(model.name), style="bold")
    text.append(
        f"  {format_bytes(model.bytes)}, {_count(model.operators, 'operator')}, "
        f"{_count(model.subgraphs, 'subgraph')}, sha256 {plain(model.sha256[:12])}\n"
    )
    text.append(f"{where}\n{options}\n")
    return text


def knobs(
    threads: int | None, delegate: str, inputs: Mapping[str, tuple[int, ...]], *, preserve_all: bool
) -> str:
    """The options of a run in words."""
    shapes = ", ".join(f"{plain(name, 60)} {_shape(shape)}" for name, shape in inputs.items())
    return f"{runtime_knobs(threads, delegate, preserve_all=preserve_all)}; inputs: {shapes or 'none'}"


def runtime_knobs(threads: int | None, delegate: str, *, preserve_all: bool) -> str:
    """The same without shapes."""
    counted = "default threads" if threads is None else _count(threads, "thread")
    keeping = ", every tensor preserved" if preserve_all else ""
    return f"delegate {plain(delegate)}, {counted}{keeping}"


def describe_device(board: Board) -> str:
    """'pi4: aarch64, 64 bit, kernel 6.1.21, Python 3.11.2, ai_edge_litert 2.3.0', without what is unknown."""
    parts = [
        board.machine,
        f"{board.bits} bit" if board.bits else None,
        f"kernel {board.kernel}" if board.kernel else None,
        f"{format_bytes(board.ram_total)} RAM" if board.ram_total else None,
        f"Python {board.python}" if board.python else None,
        board.runtime_text,
    ]
    return f"{plain(board.name)}: {plain(', '.join(part for part in parts if part), 300)}"


def _figures(capture: Capture) -> Table:
    made = table("Figures", "", ">size", ">exact", "how it is known")
    for figure in header_figures(capture):
        known = figure.provenance.value if figure.provenance is not None else UNKNOWN
        add_row(made, figure.label, figure.value_text, figure.exact_text, known)
    return made


def tensors(layout: MemoryLayout, *, all_tensors: bool, width: int) -> Table | None:
    """The tensors of a layout, the largest first."""
    placements = sorted(layout.placements, key=lambda p: (-(p.bytes or 0), p.key))
    if not placements:
        return None
    shown = placements if all_tensors else placements[:LARGEST]
    title = f"Tensors ({len(placements)})"
    if len(shown) < len(placements):
        title = f"Tensors (the largest {len(shown)} of {len(placements)}; --all lists every one)"
    several = len(layout.subgraphs) > 1
    columns = (
        ">graph:index" if several else ">index",
        "type",
        "shape",
        ">bytes",
        "kind",
        ">offset",
        ">alive",
    )
    rows = [_tensor_row(placement, several) for placement in shown]
    widths = (max(map(len, cells)) for cells in zip(*rows, (c.lstrip(">") for c in columns), strict=True))
    longest = min(LONGEST_NAME, max(SHORTEST_NAME, width - sum(widths) - GAP * len(columns) - 1))
    made = table(title, columns[0], "name", *columns[1:])
    for placement, row in zip(shown, rows, strict=True):
        name = plain(placement.name, longest) or ("(scratch)" if placement.temporary else "(no name)")
        add_row(made, row[0], name, *row[1:])
    return made


def _tensor_row(placement: Placement, several: bool) -> tuple[str, ...]:
    return (
        f"{placement.subgraph}:{placement.index}" if several else str(placement.index),
        plain(placement.dtype),
        UNKNOWN if placement.shape is None else _shape(placement.shape),
        UNKNOWN if placement.bytes is None else f"{placement.bytes:,}",
        placement.kind.value,
        "" if placement.offset is None else f"{placement.offset:,}",
        _alive(placement),
    )


def _alive(placement: Placement) -> str:
    if placement.first_op is None:
        return ""
    return f"{placement.first_op}–{'end' if placement.last_op is None else placement.last_op}"


def _phases(capture: Capture) -> Table | None:
    if not capture.phases:
        return None
    made = table("Phases (resident memory of the worker)", "phase", ">time", ">before", ">peak", ">after")
    for phase in capture.phases:
        sizes = (format_bytes(size) for size in (phase.rss_before, phase.rss_peak, phase.rss_after))
        add_row(made, plain(phase.name), format_seconds(phase.seconds), *sizes)
    return made


def _attribution(parts: Iterable[Part], when: str | None) -> Table | None:
    parts = tuple(parts)
    if not parts:
        return None
    total = sum(part.bytes for part in parts)
    made = table(f"Resident {moment(when)}", "part", ">size", ">exact", ">share", "how it is known")
    for part in parts:
        share = f"{100 * part.bytes / total:.1f} %" if total else ""
        add_row(
            made, plain(part.part), format_bytes(part.bytes), format_exact(part.bytes), share, part.provenance
        )
    made.add_section()
    add_row(made, "total", format_bytes(total), format_exact(total), "100.0 %" if total else "", style="bold")
    return made


def _last_look(capture: Capture) -> Table | None:
    """Who held memory shortly before the worker came to a bad end."""
    look = capture.samples.last_look
    if look is None or capture.outcome.status not in (Status.KILLED, Status.CRASHED):
        return None
    made = table("Who held memory", f"at {look.t:.2f} s, before the end", ">resident")
    for process in look.processes:
        add_row(made, f"{plain(process.name, 60)} ({process.pid})", format_bytes(process.rss))
    return made


def _outcome(outcome: Outcome) -> Text:
    words = [f"Outcome: {outcome.status.value}"]
    if outcome.phase and not outcome.ok:
        words.append(f"in {plain(outcome.phase)}")
    if outcome.signal and outcome.status in (Status.KILLED, Status.CRASHED):
        words.append(f"by {plain(outcome.signal)}")
    text = Text().append(" ".join(words), style="green" if outcome.ok else "bold red")
    if outcome.message:
        text.append(f"\n{plain(outcome.message, 2000)}")
    for finding in outcome.findings:
        text.append(f"\n{plain(finding.cause, 400)}", style="bold")
        text.append(f"\n  Proof: {plain(finding.proof, 2000)}")
        text.append(f"\n  Remedy: {plain(finding.remedy, 600)}")
    if not outcome.ok and outcome.log:
        text.append("\nThe last lines of the runtime:")
        for line in outcome.log[-10:]:
            text.append(f"\n  {plain(line, 300)}", style="dim")
    return text


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _shape(shape: tuple[int, ...]) -> str:
    return "scalar" if not shape else "×".join(str(extent) for extent in shape)
