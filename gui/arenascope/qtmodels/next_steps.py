"""What can be done about a failure, as buttons: one table for everything that can go wrong.

``again`` is always the window's action that does once more what failed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..domain.board import Board
from ..domain.capture import Capture
from ..domain.lacks import lacks_kernel_log
from ..domain.measurement import Outcome, Status
from ..domain.plain_text import plain
from ..errors import (
    ArenaScopeError,
    AuthenticationError,
    BoardError,
    Cancelled,
    DeployError,
    HostKeyChanged,
    HostKeyUnknown,
    InputError,
    LinkError,
    SessionOver,
    SetupError,
    StoreError,
    UsageError,
    WireError,
)
from .commands import commands_in, name_of

#: A command that is shown whole on its button has at most so many letters.
_SHOWN = 26
_MOST_COMMANDS = 2


@dataclass(frozen=True, slots=True)
class NextStep:
    """A button: it triggers actions of the window, or puts ``copies`` on the clipboard.

    ``action`` has the key of one, or of some with spaces between them, to be triggered in that order.

    Without a ``text`` it has the name of its action.
    """

    text: str = ""
    action: str = ""
    copies: str = ""


Rule = Callable[[ArenaScopeError, str], tuple[NextStep, ...]]

#: An action → what its button says where it did not work the first time.
AGAIN = {
    "inspect": "Run Again",
    "inspect_here": "Run Again",
    "watch": "Watch Again",
    "check_board": "Connect Again",
    "add_board": "Try Again…",
    "setup_board": "Set Up Again…",
    "undo_setup": "Undo Again…",
    "open": "Open Another…",
    "save": "Save Elsewhere…",
    "report": "Write Elsewhere…",
    "export": "Export Elsewhere…",
    "inputs": "Change the Inputs…",
    "reload_boards": "Read the List Again",
}
_ELSEWHERE = NextStep(action="add_board")
#: With these, the command in the hint comes before trying again.
_DO_FIRST = (HostKeyChanged, DeployError, SetupError, BoardError, StoreError)
_RUNS = ("inspect", "inspect_here", "watch")
_FILES = ("save", "report", "export")


def _again(error: ArenaScopeError, again: str, text: str = "") -> tuple[NextStep, ...]:
    return (NextStep(text or AGAIN[again], again),) if again else ()


def _reach(error: ArenaScopeError, again: str) -> tuple[NextStep, ...]:
    """A connection, before anything is done with it."""
    return _again(error, "check_board" if again in _RUNS or not again else again)


def _connect(error: ArenaScopeError, again: str) -> tuple[NextStep, ...]:
    """A connection, or what was to be done with it."""
    return (*_reach(error, again), *(_again(error, again) if again in _RUNS else ()))


def _show_key(error: ArenaScopeError, again: str) -> tuple[NextStep, ...]:
    return _again(error, again or "check_board", "Show the Key Again…")


def _ask_secret(error: ArenaScopeError, again: str) -> tuple[NextStep, ...]:
    return _again(error, again or "check_board", "Try Again…")


def _run(error: ArenaScopeError, again: str) -> tuple[NextStep, ...]:
    return _again(error, again or "inspect")


def _set_up(error: ArenaScopeError, again: str) -> tuple[NextStep, ...]:
    return (NextStep("Set Up This Board…", "setup_board"),)


def _other_file(error: ArenaScopeError, again: str) -> tuple[NextStep, ...]:
    return _again(error, again if again in (*_FILES, "reload_boards") else "open")


def _other_words(error: ArenaScopeError, again: str) -> tuple[NextStep, ...]:
    """What was asked for makes no sense: for a run, that is its inputs."""
    return _again(error, "inputs" if again in _RUNS or not again else again)


def _report(error: ArenaScopeError, again: str) -> tuple[NextStep, ...]:
    return (*_again(error, again), _details(error))


def _report_link(error: ArenaScopeError, again: str) -> tuple[NextStep, ...]:
    return (*_reach(error, again), _details(error))


#: The nearest class of an error decides.
TABLE: dict[type[ArenaScopeError], Rule] = {
    ArenaScopeError: _report,
    UsageError: _other_words,
    InputError: _other_file,
    StoreError: _other_file,
    LinkError: _connect,
    HostKeyUnknown: _show_key,
    HostKeyChanged: _reach,
    AuthenticationError: _ask_secret,
    SessionOver: _run,
    DeployError: _reach,
    SetupError: lambda error, again: _again(error, again or "setup_board"),
    WireError: _report_link,
    BoardError: _report,
    Cancelled: _again,
}

#: Of a BoardError, its code on the wire decides; others are told as they are.
CODES: dict[str, Rule] = {
    "no_runtime": _set_up,
    "no_proc": lambda error, again: (_ELSEWHERE,),
    "busy": lambda error, again: _again(error, again or "check_board", "Try Again"),
    "no_space": lambda error, again: _again(error, again or "check_board", "Try Again"),
}


def steps_of(error: BaseException, again: str = "", *, local: bool = False) -> tuple[NextStep, ...]:
    """At least one button for any error: what to do, and what can be copied for it.

    ``local``: it is about this computer, which is not set up over a connection.
    """
    if not isinstance(error, ArenaScopeError):
        return (NextStep("Copy Details", copies=f"{type(error).__name__}: {error}"),)
    rule = next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)
    if isinstance(error, BoardError):
        rule = CODES.get(error.board_code, rule)
    if local and rule is _set_up:
        return (_ELSEWHERE, _details(error))
    steps, copied = rule(error, again), copies_in(error.hint, foreign=isinstance(error, BoardError))
    if isinstance(error, _DO_FIRST):
        steps, copied = copied, steps
    return (*steps, *copied) or (_details(error),)


def steps_after(capture: Capture) -> tuple[NextStep, ...]:
    """The same for a run that came to its end, however bad that was. () for a good one."""
    outcome = capture.outcome
    steps = _ENDINGS[outcome.status]
    if outcome.status is Status.CRASHED and capture.options.delegate == "none":
        steps = _ENDINGS[Status.CANCELLED]
    return (*steps, *_proof(outcome, capture.device))


def copies_in(text: str, *, foreign: bool = False) -> tuple[NextStep, ...]:
    """A button for each command of a sentence.

    ``foreign``: a device wrote it. Then only what its button shows whole can be copied.
    """
    found = [c for c in commands_in(text) if not foreign or len(c) <= _SHOWN]
    return tuple(_copy(command) for command in found[:_MOST_COMMANDS])


_SMALLER = NextStep("Change the Inputs…", "inputs")
_ENDINGS: dict[Status, tuple[NextStep, ...]] = {
    Status.OK: (),
    Status.REFUSED: (_SMALLER,),
    Status.KILLED: (_SMALLER,),
    Status.CRASHED: (NextStep("Run with CPU Kernels", "delegate_none inspect"),),
    Status.FAILED: (NextStep("Open Another…", "open"),),
    Status.TIMED_OUT: (_SMALLER,),
    Status.CANCELLED: (NextStep("Run Again", "inspect"),),
}


def _proof(outcome: Outcome, device: Board) -> tuple[NextStep, ...]:
    """What would help to find out, or what was found out to help."""
    remedies = [step for found in outcome.findings for step in copies_in(found.remedy, foreign=True)]
    if outcome.status is Status.KILLED and not remedies:
        remedies = [step for lack in lacks_kernel_log(device) for step in copies_in(lack.next)]
    return tuple(dict.fromkeys(remedies))[:_MOST_COMMANDS]


def _copy(command: str) -> NextStep:
    text = f"Copy “{command}”" if len(command) <= _SHOWN else f"Copy the {name_of(command)} Command"
    return NextStep(plain(text, 60), copies=command)


def _details(error: ArenaScopeError) -> NextStep:
    parts = (error.message, error.hint, error.detail)
    return NextStep("Copy Details", copies="\n\n".join(part for part in parts if part))
