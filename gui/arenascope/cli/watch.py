"""``arenascope watch``: the memory of a device, and what looking costs it, line by line."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from ..domain.plain_text import plain
from ..domain.units import format_bytes
from ..errors import UsageError
from . import options

if TYPE_CHECKING:
    from ..domain.measurement import BoardSample

#: The same week that a run may take.
LONGEST = 7 * 86400.0
#: Seconds before which a share of a core says nothing.
SOONEST_SHARE = 0.2


def watch(
    target: Annotated[str | None, typer.Argument(metavar="[DEVICE]", help="The same as --device.")] = None,
    device: options.Device = "local",
    seconds: Annotated[
        float | None, typer.Option("--seconds", metavar="N", help="Stop after so many seconds.")
    ] = None,
    json_lines: Annotated[bool, typer.Option("--json-lines", help="One JSON object a line.")] = False,
) -> int:
    """Follow the memory of a device until Ctrl+C, without running anything on it."""
    if seconds is not None and not 0 < seconds <= LONGEST:
        raise UsageError(f"--seconds is {seconds}; it must be above 0 and at most a week.")
    from ..workflow import watch as verb
    from ..workflow.connect import connect
    from . import progress, prompts, session

    show = _json_line if json_lines else _Lines()
    broken: list[OSError] = []

    def on_sample(sample: BoardSample) -> None:
        # On the reader thread, which must not end because nobody reads our output any more.
        try:
            show(sample)
        except OSError as error:
            broken.append(error)
            cancel.cancel()

    with (
        progress.reporter(quiet=json_lines) as report,
        connect(target or device, prompts.terminal(), report) as connected,  # Ctrl+C ends this at once
        session.stop_on_interrupt() as cancel,
    ):
        verb.watch(connected, on_sample, seconds=seconds, cancel=cancel, on_link=report)
    if broken:
        raise broken[0]
    return session.STOPPED if cancel.cancelled and seconds is not None else 0


def _json_line(sample: BoardSample) -> None:
    sys.stdout.write(json.dumps(asdict(sample)) + "\n")
    sys.stdout.flush()


class _Lines:
    """Columns for people; the heading comes with the first sample."""

    def __init__(self) -> None:
        self._begun = False
        self._largest = ""

    def __call__(self, sample: BoardSample) -> None:
        if not self._begun:
            self._begun = True
            typer.echo(f"{format_bytes(sample.ram_total)} RAM")
            typer.echo(f"{'time':>8}  {'available':>11}  {'swap free':>11}  {'agent':>18}  largest process")
        typer.echo(self._line(sample))

    def _line(self, sample: BoardSample) -> str:
        cost = format_bytes(sample.agent_rss)
        if sample.agent_cpu is not None and sample.t >= SOONEST_SHARE:
            cost += f" {100 * sample.agent_cpu:.2f} %"
        if sample.top:  # not with every sample: looking at all processes costs more
            largest = max(sample.top, key=lambda process: process.rss)
            self._largest = f"{plain(largest.name, 40)} {format_bytes(largest.rss)}"
        available, swap = format_bytes(sample.available), format_bytes(sample.swap_free)
        return f"{sample.t:7.1f}s  {available:>11}  {swap:>11}  {cost:>18}  {self._largest}"
