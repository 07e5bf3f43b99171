"""``arenascope report``: a capture, or a model that is run first, as a file for others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..store.files import write_atomic
from ..store.kinds import is_capture
from . import options
from .options import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from ..domain.capture import Capture


def report(
    source: Annotated[
        Path, typer.Argument(metavar="CAPTURE|MODEL", readable=False, help="A kept run, or a model to run.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="What to write: .html, .svg or .json; a page by default."
        ),
    ] = None,
    keep_names: Annotated[
        bool, typer.Option("--keep-names", help="Show host and user names, which are left out otherwise.")
    ] = False,
    device: options.Device = "local",
    batch: options.Batch = None,
    inputs: options.Inputs = None,
    threads: options.Threads = None,
    delegate: options.Delegate = "default",
    preserve_all: options.PreserveAll = False,
    no_invoke: options.NoInvoke = False,
    timeout: options.Timeout = DEFAULT_TIMEOUT,
    seed: options.Seed = 0,
    quiet: options.Quiet = False,
) -> int:
    """Write a run as one self-contained file: a page, the arena map, or the figures.

    The run options count when SOURCE is a model.
    """
    from . import session

    target = output if output is not None else Path(f"{source.stem}.html")
    suffixes = tuple(WRITERS)
    options.check_output(target, suffixes, f"Reports are written as {', '.join(suffixes)}.")
    if is_capture(source):
        from ..store.capture import load

        capture, code = load(source), 0
    else:
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
        capture = session.run(device, source, request, quiet=quiet)
        code = session.exit_code(capture.outcome)
    text = WRITERS[target.suffix.lower()](capture, not keep_names)
    write_atomic(target, text.encode("utf-8"))
    if not quiet:
        typer.echo(f"Report: {target}")
    return code


def _html(capture: Capture, redact: bool) -> str:
    from ..reporters import html

    return html.render(capture, redact=redact)


def _svg(capture: Capture, redact: bool) -> str:
    from ..reporters import svg

    return svg.render(capture, redact=redact)


def _json(capture: Capture, redact: bool) -> str:
    from ..reporters.redact import redacted
    from ..store.capture import to_json

    return json.dumps(to_json(redacted(capture) if redact else capture), indent=1) + "\n"


#: Suffix → what makes the text of such a file from (capture, redact).
WRITERS: dict[str, Callable[[Capture, bool], str]] = {".html": _html, ".svg": _svg, ".json": _json}
