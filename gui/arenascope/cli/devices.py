"""``arenascope devices``: the boards that are known by a name."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from ..domain.lacks import lacks
from ..domain.plain_text import plain
from ..domain.units import format_bytes
from ..errors import UsageError
from . import options, setup
from .options import print_json

if TYPE_CHECKING:
    from rich.table import Table

    from ..domain.board import Board

app = typer.Typer(
    help="The boards that are known by a name: list, add, check, setup, forget; the list by default.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@app.callback()
def _default(context: typer.Context, as_json: options.Json = False) -> int:
    if context.invoked_subcommand is None:
        return list_devices(as_json)
    if as_json:
        command = f"{context.command_path} {context.invoked_subcommand}"
        raise UsageError("--json stands in the wrong place.", hint=f"Write: {command} … --json")
    return 0


@app.command("list")
def list_devices(as_json: options.Json = False) -> int:
    """List the saved devices."""
    from ..workflow import devices

    saved = devices.list_devices()
    if as_json:
        print_json({"schema": "arenascope.devices/1", "devices": [asdict(device) for device in saved]})
    elif not saved:
        typer.echo("No device is saved. Add one with: arenascope devices add USER@HOST --name NAME")
    else:
        from . import tables

        made = tables.table("Devices", "name", "address")
        for device in saved:
            tables.add_row(made, plain(device.name), plain(device.address))
        tables.console().print(made)
    return 0


@app.command("add")
def add(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="user@host[:port] or an SSH alias.")],
    name: Annotated[str | None, typer.Option("--name", help="What to call it; its host by default.")] = None,
    fingerprint: Annotated[
        list[str] | None,
        typer.Option(
            "--fingerprint",
            metavar="SHA256:…",
            help="Accept an unknown host key without a question if it is exactly this one; "
            "may be repeated for hosts on the way.",
        ),
    ] = None,
    remember: Annotated[
        bool,
        typer.Option("--remember", help="Keep a password that is typed in the keyring of this system."),
    ] = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Connect to a device once, accept its host key, and remember it under a name."""
    from ..workflow import devices
    from . import progress, prompts

    with progress.reporter(quiet=quiet) as report:
        keep = prompts.Remember.YES if remember else prompts.Remember.ASK
        asking = prompts.terminal(fingerprint or (), remember=keep)
        added = devices.add(address, name, asking, report)
    _show_board(added.device.name, added.device.address, added.board, as_json=as_json)
    return 0


@app.command("check")
def check(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A saved device, an address, or local.")],
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Connect to a device and show what it is, what it has, and which runtime works there."""
    from ..workflow import devices
    from . import progress, prompts

    with progress.reporter(quiet=quiet) as report:
        board = devices.check(name, prompts.terminal(), report)
    saved = {device.name: device.address for device in devices.list_devices()}
    _show_board(name, saved.get(name), board, as_json=as_json)
    return 0


app.command("setup")(setup.setup)


@app.command("forget")
def forget(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A saved device.")],
    as_json: options.Json = False,
) -> int:
    """Remove a device from the list, and its password from the keyring. Its host key stays known."""
    from ..workflow import devices

    gone = devices.forget(name)
    if as_json:
        print_json({"schema": "arenascope.device/1", **asdict(gone), "board": None})
    else:
        typer.echo(f"Forgot {plain(gone.name)} ({plain(gone.address)}).")
    return 0


def _show_board(name: str, address: str | None, board: Board, *, as_json: bool) -> None:
    if as_json:
        facts = {**asdict(board), "runtime_errors": dict(board.runtime_errors)}
        missing = [asdict(lack) for lack in lacks(board)]
        print_json(
            {
                "schema": "arenascope.device/1",
                "name": name,
                "address": address,
                "board": facts,
                "lacks": missing,
            }
        )
        return
    from . import tables

    tables.console().print(_facts(name, board))
    if board.lacks_runtime:
        for package, error in board.runtime_errors:
            typer.echo(f"{plain(package)}: {plain(error, 300)}")
    for lack in lacks(board):
        typer.echo(f"\nIt lacks {lack.what}. {plain(lack.why, 600)}\n→ {plain(lack.next, 600)}")


def _facts(name: str, board: Board) -> Table:
    from . import tables

    made = tables.table(plain(name), "", "")
    made.show_header = False
    space = board.address_space
    facts = (
        ("machine", board.machine),
        ("bits", None if board.bits is None else str(board.bits)),
        ("kernel", board.kernel),
        ("page size", format_bytes(board.page_size)),
        ("RAM", format_bytes(board.ram_total)),
        ("available now", format_bytes(board.ram_available)),
        ("swap", format_bytes(board.swap_total)),
        ("Python", board.python),
        ("NumPy", board.numpy or ("none" if "numpy" in dict(board.runtime_errors) else None)),
        ("runtime", _runtime(board)),
        ("set up here", _environment(board)),
        ("C library", board.libc),
        ("disk free", format_bytes(board.disk_free)),
        ("pressure (PSI)", _yes_no(board.psi)),
        ("memory cgroup", _yes_no(board.memory_cgroup)),
        ("kernel log", _yes_no(board.kernel_log, "readable", "not readable")),
        ("address space", format_bytes(space.ceiling)),
        ("largest gap in it", format_bytes(space.largest_gap)),
    )
    for label, value in facts:
        tables.add_row(made, label, plain(value or tables.UNKNOWN))
    return made


def _environment(board: Board) -> str | None:
    if board.environment is None:
        return "nothing"
    packages = ", ".join(f"{name} {version}" for name, version in board.environment.packages)
    return f"{packages} ({format_bytes(board.environment.bytes)})"


def _yes_no(value: bool | None, yes: str = "yes", no: str = "no") -> str | None:
    return None if value is None else yes if value else no


def _runtime(board: Board) -> str | None:
    if board.lacks_runtime:
        return "none works"
    return board.runtime_text or None
