"""``arenascope rebatch``: a model for another batch, proved to compute the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options
from .options import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from ..domain.rebatch import Change, Proof, Rebatched


def rebatch(
    model: options.Model,
    batch: Annotated[int, typer.Option("--batch", metavar="N", help="Samples that the new model takes.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT.tflite", help="Where the new model is written.")
    ],
    timeout: options.Timeout = DEFAULT_TIMEOUT,
    seed: options.Seed = 0,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Write a model for another batch, when it is proved to compute the same.

    What pins the batch is changed: states, constants with shapes, recorded shapes. Then N random samples
    run through the old model and the new one on this computer, with and without the default delegate, and
    every result is compared. Nothing is written where it cannot be done safely, or where results differ.
    """
    from ..workflow.inspect import InspectRequest
    from ..workflow.inspect import check as check_run
    from ..workflow.rebatch import check
    from ..workflow.rebatch import rebatch as work
    from . import progress, session

    check(model, batch, output)
    options.check_output(output, (".tflite",), "The new model is a .tflite file.")
    check_run(model, InspectRequest(timeout=timeout, seed=seed))
    with progress.reporter(quiet=quiet) as report, session.stop_on_interrupt() as cancel:
        made = work(model, batch, output, timeout=timeout, seed=seed, on_event=report, cancel=cancel)
    if as_json:
        from ..store.rebatch_out import to_json

        options.print_json(to_json(made))
    else:
        typer.echo(_text(made))
    if not quiet:
        _print_notes(made)
    return 0


def _text(made: Rebatched) -> str:
    from ..domain.plain_text import plain
    from ..domain.units import format_bytes

    lines = [f"{plain(made.model.name)}: batch {made.batch:,} → {made.wanted:,}"]
    lines += [_change(one) for one in made.changes]
    told = sum(one.kind in ("input", "output", "state") for one in made.changes)
    rest = made.resized - told
    if rest > 0:
        lines.append(f"  {rest:,} other tensors have the shape of the new batch")
    lines += [_proof(one) for one in made.proofs]
    lines.append(f"Written: {made.path} ({format_bytes(made.bytes)})")
    return "\n".join(lines)


def _change(change: Change) -> str:
    from ..domain.plain_text import plain

    where = f" of {change.operator}" if change.operator else ""
    where += f" of subgraph {change.subgraph}" if change.subgraph else ""
    note = f" ({change.note})" if change.note else ""
    name = plain(change.name, 80)
    return f"  {change.kind} “{name}”{where}: {list(change.before)} → {list(change.after)}{note}"


def _proof(proof: Proof) -> str:
    from ..domain.plain_text import plain
    from ..domain.rebatch import TOLERANCE_REASON
    from ..workflow.rebatch import KERNELS

    worst = proof.worst
    who = f" of signature “{plain(proof.signature, 60)}”" if proof.signature else ""
    invokes = f"{proof.steps} invokes in a row" if proof.steps > 1 else "one invoke"
    start = (
        f"Proved with {KERNELS[proof.delegate]}: {proof.samples:,} samples{who}, {invokes}, one by one and "
        "all at once, "
    )
    if not worst.largest:
        return start + "give equal results."
    return (
        start
        + f"differ by {worst.largest:.2g} at most, in “{plain(worst.name, 60)}”; {worst.tolerance:.2g} is "
        f"allowed ({TOLERANCE_REASON})."
    )


def _print_notes(made: Rebatched) -> None:
    from ..domain.plain_text import plain

    for note in made.notes:
        typer.echo(f"Note: {plain(note, 1000)}", err=True)
