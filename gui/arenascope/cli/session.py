"""One run from the command line: connect, inspect, show progress, stop on Ctrl+C."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..domain.measurement import Status
from ..workflow.jobs import CancelToken
from . import progress, prompts

if TYPE_CHECKING:
    from types import FrameType

    from ..domain.capture import Capture
    from ..domain.measurement import Outcome
    from ..workflow.events import RunEvent
    from ..workflow.inspect import InspectRequest

STOPPED = 130
#: How a run ended → exit code of the command.
EXIT_CODES = {
    Status.OK: 0,
    Status.FAILED: 3,
    Status.KILLED: 5,
    Status.REFUSED: 5,
    Status.CRASHED: 6,
    Status.TIMED_OUT: 6,
    Status.CANCELLED: STOPPED,
}


def exit_code(outcome: Outcome) -> int:
    return EXIT_CODES[outcome.status]


def run(
    target: str,
    model: Path,
    request: InspectRequest,
    *,
    quiet: bool,
    meanwhile: Callable[[], None] = lambda: None,
) -> Capture:
    """Inspect ``model`` on ``target``. Ctrl+C ends the run; a second one ends this program.

    ``meanwhile`` is called once, on another thread, while the device works: time to load what comes next.
    """
    from ..workflow.connect import connect
    from ..workflow.events import PhaseStarted
    from ..workflow.inspect import check, inspect

    check(model, request)  # before anybody waits for a device, or is asked for a password
    pending = [meanwhile]

    with (
        progress.reporter(quiet=quiet) as report,
        connect(target, prompts.terminal(), report) as device,  # Ctrl+C ends this at once
        stop_on_interrupt() as cancel,
    ):

        def on_event(event: RunEvent) -> None:
            report(event)
            if isinstance(event, PhaseStarted) and event.name == "allocate" and pending:
                pending.pop()()

        return inspect(device, model, request, on_event, cancel)


@contextmanager
def stop_on_interrupt() -> Iterator[CancelToken]:
    """A token that the first Ctrl+C cancels. The second one is Python's own KeyboardInterrupt."""
    token = CancelToken()
    before = signal.getsignal(signal.SIGINT)

    def interrupted(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        token.cancel()

    signal.signal(signal.SIGINT, interrupted)
    try:
        yield token
    finally:
        signal.signal(signal.SIGINT, before)
