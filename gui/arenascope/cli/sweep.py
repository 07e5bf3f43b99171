"""``arenascope sweep``: many batches or input shapes, planned at once and run where that is asked for."""

from __future__ import annotations

from typing import Annotated

import typer

from ..domain.whatif import WhatIf, check_knobs
from . import batches as spelled
from . import options


def sweep(
    model: options.Model,
    devices: options.Devices = ["local"],  # noqa: B006 - Typer copies it
    batches: Annotated[
        str | None,
        typer.Option(
            "--batches", metavar="1,2,4,8", help="Batches to try; 1-1024/64 is a range with a step."
        ),
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input", metavar="NAME=1,96,96,3", help="Shape of one input; repeated, each is a point."
        ),
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Run each point, too, in a process of its own.")
    ] = False,
    threads: options.Threads = None,
    delegate: options.Delegate = "default",
    preserve_all: options.PreserveAll = False,
    as_json: options.Json = False,
    output: options.JsonFile = None,
    timeout: options.EachTimeout = options.DEFAULT_TIMEOUT,
    seed: options.Seed = 0,
    quiet: options.Quiet = False,
) -> int:
    """Tell for many batches or input shapes what a device will need, and what of it fits."""
    from . import sweeping

    base = WhatIf(threads=threads, delegate=delegate, preserve_all=preserve_all)
    check_knobs(base)
    points = spelled.variants(base, batches, inputs or [])
    return sweeping.sweep(
        devices,
        model,
        points,
        sweeping.runs(timeout, seed) if measure else None,
        sweeping.Output(as_json, output, quiet),
    )
