"""All commands in one Typer application."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException
from typer.main import get_command

from .. import __version__
from ..errors import Cancelled, UsageError
from . import devices, fit, inspect, plan, rebatch, report, sweep, verify, watch

app = typer.Typer(
    name="arenascope",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("inspect")(inspect.inspect)
app.command("plan")(plan.plan)
app.command("sweep")(sweep.sweep)
app.command("fit")(fit.fit)
app.command("rebatch")(rebatch.rebatch)
app.command("verify-planner")(verify.verify_planner)
app.command("report")(report.report)
app.command("watch")(watch.watch)
app.add_typer(devices.app, name="devices")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"arenascope {__version__}")
        raise typer.Exit


@app.callback()
def _arenascope(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Where the memory of a TensorFlow Lite model goes, read on the real device.

    Without a command, or with files (.tflite, .ascope), the window opens.
    """


def run(arguments: list[str]) -> int:
    """Run a command line; returns its exit code. Raises ArenaScopeError."""
    command = get_command(app)
    try:
        with command.make_context("arenascope", list(arguments)) as context:
            code = command.invoke(context)
    except typer.Exit as leave:
        return leave.exit_code
    except TyperException as error:
        of = getattr(error, "ctx", None)
        path = of.command_path if of is not None else "arenascope"
        raise UsageError(error.format_message(), hint=f"See: {path} --help") from error
    except Abort as error:
        raise Cancelled("Stopped as asked.", hint="") from error
    return int(code or 0)
