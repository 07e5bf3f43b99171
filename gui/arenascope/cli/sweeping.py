"""What ``sweep`` and ``fit`` share: devices, progress, the tables, the file, the exit code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..domain.plain_text import plain
from ..domain.units import format_bytes, format_seconds
from ..errors import UsageError
from . import options, progress, prompts, session

if TYPE_CHECKING:
    from ..domain.graph import Graph
    from ..domain.sweep import LargestFit, Point, Sweep
    from ..domain.whatif import WhatIf
    from ..workflow.connect import Device
    from ..workflow.jobs import CancelToken
    from ..workflow.sweep import Runs

DOES_NOT_FIT, REFUSED, LOST = 5, 3, 4
OTHER_FILES = "A sweep is kept as .json."
#: Rows of a table that a person still reads.
MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Output:
    as_json: bool
    file: Path | None
    quiet: bool


def runs(timeout: float, seed: int) -> Runs:
    """UsageError for a time limit that cannot be meant."""
    from ..domain.whatif import WhatIf
    from ..workflow.inspect import check_request
    from ..workflow.sweep import Runs

    made = Runs(timeout, seed)
    check_request(made.request(WhatIf()))
    return made


def sweep(names: Sequence[str], model: Path, points: Sequence[WhatIf], made: Runs | None, to: Output) -> int:
    """Exit code: 0 where something fits, or ran; else why it does not. 4 where a device was lost meanwhile,
    130 after Ctrl+C."""
    from ..workflow.fit import own_batch
    from ..workflow.sweep import sweep as verb

    graph = _checked(names, model, points[0], to)
    if points[0].batch is not None:
        own_batch(graph, points[0])  # an input must be left to take it
    with _devices(names, to) as (devices, report, cancel):
        found = verb(devices, model, points, runs=made, tell=report, cancel=cancel)
    _show(found, to)
    if cancel.cancelled:
        return session.STOPPED
    if found.stopped:
        typer.echo(f"arenascope: {plain(found.stopped, 1000)}", err=True)
        return LOST
    return _code(found.points)


def fit(names: Sequence[str], model: Path, asked: WhatIf, limit: int, made: Runs | None, to: Output) -> int:
    """Exit code: 0 where something fits on every device; else why it does not."""
    from ..workflow.fit import check
    from ..workflow.fit import fit as verb

    check(_checked(names, model, asked, to), asked, limit)
    with _devices(names, to) as (devices, report, cancel):
        found = verb(devices, model, asked, limit=limit, runs=made, tell=report, cancel=cancel)
    _show(found, to)
    lacking = {one.device for one in found.largest_fit if one.batch is None}
    return _code([p for p in found.points if p.device in lacking]) or DOES_NOT_FIT if lacking else 0


def _code(points: Sequence[Point]) -> int:
    """Of points that were run, 0 if one came to its end, else that of the worst; else what the plans say."""
    ends = [p.measured.outcome for p in points if p.measured is not None]
    if ends:
        return 0 if any(end.ok for end in ends) else max(session.exit_code(end) for end in ends)
    if all(p.refusal is not None and p.refusal.certain for p in points):
        return REFUSED
    return DOES_NOT_FIT if all(p.forecast.verdict.fits is False for p in points) else 0


def _checked(names: Sequence[str], model: Path, first: WhatIf, to: Output) -> Graph:
    """The model. What is wrong with the command is told before anybody waits for a device."""
    from ..domain.whatif import input_shapes
    from ..tflite.reader import read_model

    if len(set(names)) < len(names):
        raise UsageError("A device is named twice.", hint="Give each --device once.")
    if to.file is not None:
        options.check_output(to.file, (".json",), OTHER_FILES)
    graph = read_model(model)
    input_shapes(graph, first)
    return graph


@contextmanager
def _devices(
    names: Sequence[str], to: Output
) -> Iterator[tuple[list[Device], progress.Reporter, CancelToken]]:
    """Connected devices, and what the work on them tells and hears."""
    from ..workflow.connect import connect

    with (
        progress.reporter(quiet=to.quiet) as report,
        ExitStack() as stack,
        session.stop_on_interrupt() as cancel,
    ):
        devices = [
            stack.enter_context(connect(name, prompts.terminal(), report, probe_runtime=True))
            for name in names
        ]
        yield devices, report, cancel


def _show(found: Sweep, to: Output) -> None:
    from ..store.files import write_document
    from ..store.sweep_out import sweep_json

    document = sweep_json(found)
    if to.file is not None:
        write_document(to.file, document)
    if to.as_json:
        options.print_json(document)
        return
    _tables(found)
    if to.file is not None and not to.quiet:
        typer.echo(f"Kept in {to.file}", err=True)


def _tables(found: Sweep) -> None:
    from . import tables

    out = tables.console()
    several = len({point.device for point in found.points}) > 1
    ran = any(point.measured is not None for point in found.points)
    columns = ["device"] if several else []
    columns += [">batch", "inputs", ">arena, planned", ">persistent, planned", ">peak, predicted", "verdict"]
    if ran:
        columns += [">arena, measured", ">peak, measured", ">first invoke", "outcome"]
    asked = found.asked
    knobs = tables.runtime_knobs(asked.threads, asked.delegate, preserve_all=asked.preserve_all)
    made = tables.table(f"{plain(found.model.name)}: {knobs}", *columns)
    for point in found.points[:MOST_ROWS]:
        tables.add_row(made, *_row(point, several, ran))
    out.print(made, "")
    if len(found.points) > MOST_ROWS:
        out.print(f"{len(found.points) - MOST_ROWS:,} more rows are in the JSON document.")
    for fit in found.largest_fit:
        out.print(_answer(fit))
    if found.refused is not None and not found.refused.too_large:
        if not any(found.refused.reason in fit.reason for fit in found.largest_fit):
            out.print(f"The model refuses other shapes: {plain(found.refused.reason, 1000)}")
        out.print(
            f"→ arenascope rebatch {plain(found.model.name)} --batch N -o OUT.tflite makes a version of "
            "another batch, where that can be done."
        )
    for note in found.notes:
        out.print(f"Note: {plain(note, 1000)}")


def _row(point: Point, several: bool, ran: bool) -> list[str]:
    totals, prediction = point.forecast.plan.totals, point.forecast.prediction
    verdict = point.forecast.verdict
    cells = [plain(point.device)] if several else []
    cells += [
        "" if point.asked.batch is None else f"{point.asked.batch:,}",
        ", ".join(f"{plain(n, 40)} {'×'.join(map(str, shape))}" for n, shape in point.inputs.items()),
        _planned(totals.arena_rw, point),
        _planned(totals.arena_rw_persistent, point),
    ]
    if prediction is None:
        cells.append("")
    else:
        peak = prediction.peak
        cells.append(f"{format_bytes(peak.low)} – {format_bytes(peak.high)}")
    refused = point.refusal is not None and point.refusal.certain
    cells.append("refused by the model" if refused else verdict.fit.value)
    if ran:
        cells += _measured(point)
    return cells


def _planned(size: int | None, point: Point) -> str:
    """'≥' where only a run can tell some of the sizes."""
    sure = point.forecast.plan.exact or size is None
    return format_bytes(size) if sure else f"≥ {format_bytes(size)}"


def _measured(point: Point) -> list[str]:
    measured = point.measured
    if measured is None:
        return ["", "", "", "not run"]
    return [
        format_bytes(measured.arena_rw),
        format_bytes(measured.process_peak),
        format_seconds(measured.seconds),
        measured.outcome.status.value.replace("_", " "),
    ]


def _answer(fit: LargestFit) -> str:
    where = plain(fit.device)
    if fit.batch is None:
        found = "No batch fits on" if not fit.runs else "No batch that was run came to its end on"
        planned = f" (planned: {fit.planned:,})" if fit.runs and fit.planned else ""
        return f"{found} {where}{planned}. {plain(fit.reason, 2000)}"
    told = f"Largest batch that fits on {where}: {fit.batch:,}"
    if fit.confirmed is None:
        told += " (planned; not run)"
    elif fit.confirmed == fit.planned:
        told += f" (planned, and confirmed by {fit.runs} {'run' if fit.runs == 1 else 'runs'})"
    else:
        planned = "nothing" if fit.planned is None else f"{fit.planned:,}"
        told += f" (measured by {fit.runs} {'run' if fit.runs == 1 else 'runs'}; planned: {planned})"
    return f"{told}. {plain(fit.reason, 2000)}"
