"""The options that commands share, and what they mean."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import FileError, UsageError

if TYPE_CHECKING:
    from ..workflow.inspect import InspectRequest

Device = Annotated[
    str,
    typer.Option(
        "--device", "-d", metavar="NAME", help="local, a saved device, user@host[:port], or an SSH alias."
    ),
]
Devices = Annotated[
    list[str],
    typer.Option(
        "--device",
        "-d",
        metavar="NAME",
        help="local, a saved device, user@host[:port], or an SSH alias; may be repeated.",
    ),
]
Batch = Annotated[int | None, typer.Option("--batch", metavar="N", help="First dimension of every input.")]
Inputs = Annotated[
    list[str] | None,
    typer.Option("--input", metavar="NAME=1,96,96,3", help="Shape of one input; may be repeated."),
]
Threads = Annotated[
    int | None,
    typer.Option("--threads", metavar="N", help="Threads of the runtime; its own default if not given."),
]
Delegate = Annotated[
    str,
    typer.Option(
        "--delegate", metavar="default|none", help="'none' shows every tensor that a delegate hides."
    ),
]
PreserveAll = Annotated[
    bool, typer.Option("--preserve-all", help="Keep every intermediate tensor, as for debugging.")
]
NoInvoke = Annotated[bool, typer.Option("--no-invoke", help="Stop after allocating the tensors.")]
Timeout = Annotated[
    float, typer.Option("--timeout", metavar="S", help="Seconds that the run on the device may take.")
]
EachTimeout = Annotated[float, typer.Option("--timeout", metavar="S", help="Seconds that each run may take.")]
JsonFile = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE.json", help="Keep the result in a file.")
]
Model = Annotated[Path, typer.Argument(metavar="MODEL", readable=False, help="The .tflite model.")]
Seed = Annotated[
    int,
    typer.Option(
        "--seed", min=0, max=2**32 - 1, metavar="N", help="Seed of the random values in the inputs."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes on stderr.")]

DEFAULT_TIMEOUT = 300.0


def print_json(document: dict[str, Any]) -> None:
    """What --json prints: one document on one line."""
    sys.stdout.write(json.dumps(document) + "\n")


def print_notes(notes: Iterable[str]) -> None:
    """Beside a document on stdout, on stderr."""
    from ..domain.plain_text import plain

    for note in notes:
        typer.echo(f"Note: {plain(note, 1000)}", err=True)


def build_request(
    *,
    batch: int | None,
    inputs: list[str] | None,
    threads: int | None,
    delegate: str,
    preserve_all: bool,
    no_invoke: bool,
    timeout: float,
    seed: int,
) -> InspectRequest:
    """The request that the options spell. UsageError for a shape that cannot be read."""
    from ..workflow.inspect import InspectRequest

    return InspectRequest(
        batch=batch,
        inputs=parse_inputs(inputs or []),
        threads=threads,
        delegate=delegate,
        preserve_all=preserve_all,
        invoke=not no_invoke,
        timeout=timeout,
        seed=seed,
    )


def parse_inputs(texts: list[str]) -> dict[str, tuple[int, ...]]:
    """'NAME=1,96,96,3' → {'NAME': (1, 96, 96, 3)}. A name may itself hold '='.

    Raises UsageError for a text of another form and for a name given twice.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for text in texts:
        name, equals, extents = text.rpartition("=")
        if not equals or not name or not extents:
            raise UsageError(
                f"--input {text!r} is not of the form NAME=1,96,96,3.",
                hint="Write the input's name, '=', and its dimensions separated by commas.",
            )
        if name in shapes:
            raise UsageError(f"--input {name!r} is given twice.", hint="Give each input's shape once.")
        try:
            shapes[name] = tuple(int(extent) for extent in extents.split(","))
        except ValueError as error:
            raise UsageError(
                f"--input {text!r}: {extents!r} are not whole numbers separated by commas.",
                hint=f"For example: --input {name}=1,96,96,3",
            ) from error
    return shapes


def check_output(path: Path, suffixes: tuple[str, ...], other: str) -> None:
    """That ``path`` can be written and has a known suffix, before a run is spent on it.

    Raises UsageError for the suffix (``other`` says what makes the other kinds), FileError for the place.
    """
    if path.suffix.lower() not in suffixes:
        known = ", ".join(suffixes)
        raise UsageError(f"{path.name} does not end in a known kind of file: {known}.", hint=other)
    parent = path.parent
    if path.is_dir():
        raise FileError(f"{path} is a directory.", hint="Give a file name for the result.")
    if not parent.is_dir():
        raise FileError(f"There is no directory {parent} to write {path.name} in.", hint="Make it first.")
    if not os.access(path if path.exists() else parent, os.W_OK):
        raise FileError(f"{path} cannot be written: permission denied.", hint="Choose another place.")
