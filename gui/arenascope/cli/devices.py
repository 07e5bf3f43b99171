"""``arenascope devices``: the boards that are known by a name."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..domain.plain_text import plain
from . import options

if TYPE_CHECKING:
    from ..domain.board import Board

SCHEMA = "arenascope.devices/1"

app = typer.Typer(
    help="The boards that are known by a name: list, add, check, forget.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="A saved device.")]


@app.command("list")
def list_devices(as_json: options.Json = False) -> int:
    """List the saved devices."""
    from ..workflow import devices

    saved = devices.list_devices()
    if as_json:
        _print_json({"schema": SCHEMA, "devices": [asdict(device) for device in saved]})
        return 0
    if not saved:
        typer.echo("No device is saved. Add one with: arenascope devices add USER@HOST --name NAME")
        return 0
    from . import tables

    made = tables.table("Devices", "name", "address")
    for device in saved:
        tables.add_row(made, plain(device.name), plain(device.address))
    tables.console().print(made)
    return 0
