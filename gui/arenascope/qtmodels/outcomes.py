"""How a run ended, in words for the banner."""

from __future__ import annotations

from ..domain.capture import Capture
from ..domain.measurement import Outcome, Status
from ..domain.plain_text import plain
from .notices import Level, Notice

#: What goes on in a phase.
PHASE_WORDS = {
    "runtime_import": "importing the runtime",
    "load": "loading the model",
    "allocate": "allocating tensors",
    "invoke_first": "the first invoke",
    "invoke": "a later invoke",
}

_WHERE = {
    "runtime_import": "while importing the runtime",
    "load": "while loading the model",
    "allocate": "while allocating tensors",
    "invoke_first": "in the first invoke",
    "invoke": "in a later invoke",
}

_NEXT = {
    Status.REFUSED: "Try a smaller batch or input, or another delegate; the device is as it was.",
    Status.KILLED: "The device ran out of memory. Try a smaller batch, or free memory there.",
    Status.CRASHED: "The runtime itself ended the process; the device and the agent are as they were.",
    Status.FAILED: "Check that this runtime knows every operator of the model.",
    Status.TIMED_OUT: "Give the run more time, or a smaller input.",
    Status.CANCELLED: "What was measured until then is in the history.",
}


def headline(outcome: Outcome) -> str:
    """'Out of memory: the runtime refused while allocating tensors.'"""
    where = f" {_WHERE.get(outcome.phase, f'in {plain(outcome.phase, 40)}')}" if outcome.phase else ""
    signal = f" ({plain(outcome.signal, 20)})" if outcome.signal else ""
    return {
        Status.OK: "The run went through.",
        Status.REFUSED: f"Out of memory: the runtime refused{where}.",
        Status.KILLED: f"The kernel killed the worker{where}{signal}.",
        Status.CRASHED: f"The runtime crashed{where}{signal}.",
        Status.FAILED: f"The runtime could not run this model{where}.",
        Status.TIMED_OUT: f"The run took too long{where} and was stopped.",
        Status.CANCELLED: f"Stopped as asked{where}.",
    }[outcome.status]


def notice_of(capture: Capture) -> Notice | None:
    """What to say about a run that did not simply go well; None where there is nothing to say."""
    outcome = capture.outcome
    if outcome.ok:
        return None
    level = Level.INFO if outcome.status is Status.CANCELLED else Level.ERROR
    message = headline(outcome)
    if outcome.message:
        message = f"{message} {plain(outcome.message, 300)}"
    detail = "\n".join(plain(line, 2000) for line in outcome.log)
    return Notice(level, message, _NEXT[outcome.status], detail)
