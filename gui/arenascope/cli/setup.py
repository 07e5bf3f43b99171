"""``arenascope devices setup``: give a board what it needs, or take it away again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..domain.plain_text import plain
from ..domain.units import format_bytes
from ..errors import Cancelled, SetupError, UsageError
from . import options
from .options import print_json

if TYPE_CHECKING:
    from ..workflow.setup import SetupPlan, Undone

SCHEMA = "arenascope.setup/1"


def setup(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A saved device or an address.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without a question.")] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take away everything that ArenaScope keeps on the device.")
    ] = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Give a board a runtime and NumPy of its own, in the user's cache folder there, after a yes."""
    _can_ask(yes)
    if undo:
        return _undo(name, yes=yes, as_json=as_json, quiet=quiet)
    return _setup(name, yes=yes, as_json=as_json, quiet=quiet)


def _setup(name: str, *, yes: bool, as_json: bool, quiet: bool) -> int:
    from ..workflow import setup as verb
    from ..workflow.connect import connect
    from . import progress, prompts, session

    with session.stop_on_interrupt() as cancel:
        with progress.reporter(quiet=quiet) as report:
            device = connect(name, prompts.terminal(), report, probe_runtime=True)
        with device:
            with progress.reporter(quiet=quiet) as report:
                plan = verb.plan_setup(device, report, cancel)
            if plan.works:
                return _nothing_to_do(name, plan, as_json=as_json)
            if plan.none is not None:
                raise SetupError(plan.none.reason, hint=plan.none.next)
            if not quiet or not yes:
                _show(name, plan)
            if not yes:
                _ask("Set it up?")
            with progress.reporter(quiet=quiet) as report:
                board = verb.setup(device, plan, report, cancel).board
    runtime = board.runtime_text
    if as_json:
        numpy = board.numpy
        print_json({**_document(name, plan), "done": True, "runtime": runtime, "numpy": numpy})
    else:
        typer.echo(f"{plain(name)} has {plain(runtime)} with NumPy {plain(board.numpy or 'unknown')} now.")
        typer.echo(f"To take it away again: {plan.undo}")
    return 0


def _undo(name: str, *, yes: bool, as_json: bool, quiet: bool) -> int:
    from ..workflow import setup as verb
    from . import progress, prompts

    def agreed(there: verb.Undone) -> None:
        if not yes:
            sys.stderr.write(
                f"ArenaScope keeps {_size(there)} in {plain(there.folder)} on {plain(name)}: "
                "its agent, models that were sent, and what was set up. All of it goes.\n"
            )
            _ask("Take it away?")

    with progress.reporter(quiet=quiet) as report:
        found = verb.undo(name, prompts.terminal(), report, agreed)
    if as_json:
        print_json(
            {"schema": SCHEMA, "device": name, "done": True, "undo": None,
             "removed": {"folder": found.folder, "bytes": found.bytes}}
        )  # fmt: skip
    elif found.bytes != 0:
        typer.echo(f"Taken away: {_size(found)} in {plain(found.folder)}. {plain(name)} is as it was.")
    else:
        typer.echo(f"ArenaScope keeps nothing on {plain(name)}: there is nothing to take away.")
    return 0


def _size(found: Undone) -> str:
    return "files" if found.bytes is None else format_bytes(found.bytes)


def _nothing_to_do(name: str, plan: SetupPlan, *, as_json: bool) -> int:
    if as_json:
        print_json({**_document(name, plan), "done": False, "runtime": plan.works})
    else:
        typer.echo(f"{plain(plan.works)} works on {plain(name)}: there is nothing to set up.")
    return 0


def _document(name: str, plan: SetupPlan) -> dict[str, Any]:
    return {
        "schema": SCHEMA, "device": name, "folder": plan.folder, "bytes": plan.bytes,
        "unpacked": plan.unpacked,
        "items": [
            {"name": one.name, "version": one.version, "source": one.source, "bytes": one.bytes}
            for one in plan.items
        ],
        "undo": plan.undo,
    }  # fmt: skip


def _show(name: str, plan: SetupPlan) -> None:
    """What would be done, on stderr, so that stdout stays free for the result."""
    lines = [f"What {plain(name)} would get:"]
    for one in plan.items:
        lines.append(
            f"  {plain(one.name)} {plain(one.version)}  {format_bytes(one.bytes)}, {plain(one.source)}"
        )
    lines += [f"{number}. {plain(step, 400)}" for number, step in enumerate(plan.steps, 1)]
    lines.append(f"Nothing else is changed there. To undo it: {plain(plan.undo)}")
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()


def _can_ask(yes: bool) -> None:
    if not yes and (sys.stdin is None or not sys.stdin.isatty()):
        raise UsageError(
            "This changes a device, and there is no terminal to ask whether it may.",
            hint="Add --yes to do it without a question.",
        )


def _ask(question: str) -> None:
    sys.stderr.write(f"{question} Type yes to go on: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("yes", "y"):
        typer.echo("Nothing was changed.", err=True)
        raise Cancelled("Nothing was changed.", hint="")
