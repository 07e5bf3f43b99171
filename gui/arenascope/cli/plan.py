"""``arenascope plan``: where everything of a model will lie, before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options

Runtime = Annotated[
    str | None,
    typer.Option(
        "--runtime", metavar="NAME", help="litert-2.3, tflite-2.14, …; this computer's if not given."
    ),
]
Machine = Annotated[
    str | None,
    typer.Option(
        "--machine",
        metavar="armv7l|aarch64|x86_64",
        help="The board's machine; this computer's if not given.",
    ),
]
OTHER_FILES = "plan writes .json; a run of the model is kept with: arenascope inspect MODEL -o FILE.ascope"
_TIMEOUT = 30.0


def plan(
    model: options.Model,
    runtime: Runtime = None,
    machine: Machine = None,
    batch: options.Batch = None,
    inputs: options.Inputs = None,
    threads: options.Threads = None,
    delegate: options.Delegate = "default",
    preserve_all: options.PreserveAll = False,
    as_json: options.Json = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.json", help="Keep the plan in a file.")
    ] = None,
    timeout: Annotated[
        float,
        typer.Option("--timeout", metavar="S", help="Seconds that the runtime of this computer may take."),
    ] = _TIMEOUT,
    all_tensors: Annotated[
        bool, typer.Option("--all", help="List every tensor, not only the largest.")
    ] = False,
    quiet: options.Quiet = False,
) -> int:
    """Plan where the memory of a model will lie on a board, without running it there.

    Sizes come from the runtime of this computer, places from the rules of the runtime that is planned for.
    """
    from ..domain.whatif import WhatIf
    from ..workflow.planning import plan_model, refused
    from . import progress
    from .session import stop_on_interrupt

    if output is not None:
        options.check_output(output, (".json",), OTHER_FILES)
    asked = WhatIf(batch, options.parse_inputs(inputs or []), threads, delegate, preserve_all)
    with progress.reporter(quiet=quiet) as report, stop_on_interrupt() as cancel:
        made = plan_model(
            model, asked, runtime=runtime, machine=machine, limit=timeout, tell=report, cancel=cancel
        )
    if (error := refused(made)) is not None:
        raise error
    if output is not None:
        from ..store.files import write_document
        from ..store.plan_out import plan_json

        write_document(output, plan_json(made))
    if as_json:
        from ..store.plan_out import plan_json

        options.print_json(plan_json(made))
        if not quiet:
            options.print_notes(made.notes)
    else:
        from . import plan_tables

        plan_tables.show(made, all_tensors=all_tensors)
        if output is not None and not quiet:
            typer.echo(f"Kept in {output}", err=True)
    return 0
