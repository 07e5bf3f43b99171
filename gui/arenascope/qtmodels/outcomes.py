"""How a run ended, in words for the banner."""

from __future__ import annotations

from ..domain.capture import Capture
from ..domain.measurement import Outcome, Status
from ..domain.plain_text import plain
from .next_steps import steps_after
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
    Status.KILLED: "Try a smaller batch, or free memory on the device.",
    Status.CRASHED: "The runtime itself ended the process; the device and the agent are as they were.",
    Status.FAILED: "Check that this runtime knows every operator of the model.",
    Status.TIMED_OUT: "Give the run more time, or a smaller input.",
    Status.CANCELLED: "What was measured until then is in the history.",
}


def headline(outcome: Outcome) -> str:
    """'Out of memory: the runtime refused while allocating tensors.'"""
    killed = "Out of memory: the kernel killed the worker" if outcome.proven else "The worker was killed"
    where = f" {_WHERE.get(outcome.phase, f'in {plain(outcome.phase, 40)}')}" if outcome.phase else ""
    signal = f" ({plain(outcome.signal, 20)})" if outcome.signal else ""
    return {
        Status.OK: "The run went through.",
        Status.REFUSED: f"Out of memory: the runtime refused{where}.",
        Status.KILLED: f"{killed}{where}{signal}.",
        Status.CRASHED: f"The runtime crashed{where}{signal}.",
        Status.FAILED: f"The runtime could not run this model{where}.",
        Status.TIMED_OUT: f"The run took too long{where} and was stopped.",
        Status.CANCELLED: f"Stopped as asked{where}.",
    }[outcome.status]


def reason(outcome: Outcome) -> str:
    """What the message of an ending says beyond its headline, as a sentence; '' where that is nothing.

    The worker's messages name what happened, then the phase and the signal ('the runtime aborted its
    process in invoke_first (SIGABRT); it last wrote: …'): the headline has said these already.
    """
    text = plain(outcome.message, 700).strip()
    if not text or outcome.status is Status.CANCELLED:
        return ""
    if outcome.phase:
        text = text.replace(f" in {plain(outcome.phase, 40)}", "", 1)
    if outcome.signal:
        text = text.replace(f" ({plain(outcome.signal, 20)})", "", 1)
    if outcome.status is Status.KILLED:
        for known in ("killed, ", "killed ", "by the kernel, because ", "by the kernel "):
            text = text.removeprefix(known)
        if outcome.signal:
            sent = f"by {plain(outcome.signal, 20)}, which nobody here sent"
            text = text.replace(sent, "nobody here sent that signal", 1)
    text = text.replace("; it last wrote: ", ". It last wrote: ", 1)
    first = text.split()[0]
    if first.isalpha() and first.islower():
        text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?…" else f"{text}."


def explanation(outcome: Outcome) -> list[str]:
    """Each finding in lines: its cause, its proof, its remedy."""
    lines = []
    for finding in outcome.findings:
        lines += [plain(finding.cause, 600), f"Proof: {plain(finding.proof, 2000)}"]
        if finding.remedy:
            lines.append(f"Remedy: {plain(finding.remedy, 2000)}")
    return lines


def notice_of(capture: Capture) -> Notice | None:
    """What to say about a run that did not simply go well; None where there is nothing to say."""
    outcome = capture.outcome
    if outcome.ok:
        return None
    level = Level.INFO if outcome.status is Status.CANCELLED else Level.ERROR
    message = headline(outcome)
    why = reason(outcome)
    if why:
        message = f"{message} {why}"
    detail = "\n".join([*explanation(outcome), *(plain(line, 2000) for line in outcome.log)])
    remedies = [plain(finding.remedy, 600) for finding in outcome.findings if finding.remedy]
    hint = " ".join(remedies) or _NEXT[outcome.status]
    if outcome.status is Status.CANCELLED and capture.layout.placements:
        hint = "What was measured until then is shown."
    return Notice(level, message, hint, detail, steps_after(capture))
