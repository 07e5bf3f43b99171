"""``arenascope inspect``: the real layout, the phases and the outcome of one run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options
from .options import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from ..domain.capture import Capture

OTHER_FILES = "inspect keeps a run as .ascope; for a page use: arenascope report MODEL -o FILE.html"


def inspect(
    model: options.Model,
    device: options.Device = "local",
    batch: options.Batch = None,
    inputs: options.Inputs = None,
    threads: options.Threads = None,
    delegate: options.Delegate = "default",
    preserve_all: options.PreserveAll = False,
    no_invoke: options.NoInvoke = False,
    as_json: options.Json = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.ascope", help="Keep the run in a file.")
    ] = None,
    timeout: options.Timeout = DEFAULT_TIMEOUT,
    seed: options.Seed = 0,
    all_tensors: Annotated[
        bool, typer.Option("--all", help="List every tensor, not only the largest.")
    ] = False,
    quiet: options.Quiet = False,
) -> int:
    """Run a model on a device and show where its memory lies."""
    from . import session

    if output is not None:
        options.check_output(output, (".ascope",), OTHER_FILES)
    request = options.build_request(
        batch=batch,
        inputs=inputs,
        threads=threads,
        delegate=delegate,
        preserve_all=preserve_all,
        no_invoke=no_invoke,
        timeout=timeout,
        seed=seed,
    )
    capture = session.run(device, model, request, quiet=quiet, meanwhile=_load_store)
    if output is not None:
        from ..store.capture import save

        save(capture, output)
    if as_json:
        _print_json(capture)
        if not quiet:
            options.print_notes(capture.notes)
    else:
        from . import tables

        tables.show(capture, all_tensors=all_tensors)
        if output is not None and not quiet:
            typer.echo(f"Kept in {output}", err=True)
    return session.exit_code(capture.outcome)


def _load_store() -> None:
    from ..store import capture  # noqa: F401  # 10 ms, which the device's work hides


def _print_json(capture: Capture) -> None:
    import json

    from ..store.capture import to_json

    sys.stdout.write(json.dumps(to_json(capture), separators=(",", ":")))
    sys.stdout.write("\n")
