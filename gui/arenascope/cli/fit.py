"""``arenascope fit``: the largest batch that fits on a device, planned, then confirmed by runs."""

from __future__ import annotations

from typing import Annotated

import typer

from ..domain.whatif import MAX_EXTENT, WhatIf, check_knobs
from . import options


def fit(
    model: options.Model,
    devices: options.Devices = ["local"],  # noqa: B006 - Typer copies it
    inputs: options.Inputs = None,
    threads: options.Threads = None,
    delegate: options.Delegate = "default",
    preserve_all: options.PreserveAll = False,
    plan_only: Annotated[
        bool, typer.Option("--plan-only", help="Only plan: nothing is run, and nothing confirmed.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", help="The largest batch to think of.")
    ] = MAX_EXTENT,
    as_json: options.Json = False,
    output: options.JsonFile = None,
    timeout: options.EachTimeout = options.DEFAULT_TIMEOUT,
    seed: options.Seed = 0,
    quiet: options.Quiet = False,
) -> int:
    """Find the largest batch that fits on a device; a model of fixed batch says what pins it."""
    from . import sweeping

    asked = WhatIf(
        inputs=options.parse_inputs(inputs or []),
        threads=threads,
        delegate=delegate,
        preserve_all=preserve_all,
    )
    check_knobs(asked)
    return sweeping.fit(
        devices,
        model,
        asked,
        limit,
        None if plan_only else sweeping.runs(timeout, seed),
        sweeping.Output(as_json, output, quiet),
    )
