"""How a run ended, from what the worker said and from how its process went. Pure.

Why it ended so badly is for ``causes.py`` to say.
"""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SIGNALS = {
    "SIGABRT": "the runtime aborted its process",
    "SIGSEGV": "the runtime touched memory that is not its own",
    "SIGBUS": "a page could not be read, as with a file that was cut while it was in use",
    "SIGFPE": "the runtime divided by zero",
    "SIGILL": "the runtime used an instruction that this CPU does not have",
}

#: What a worker does between two phases, by the word of its event "step": the phase that it belongs to
#: (None: the one before), and what to say of it. Writing inputs is the first use of memory that allocate
#: was only promised, so it is no part of allocate.
_STEPS = {
    "reading": (None, "while its layout was read"),
    "inputs": ("invoke_first", "while its inputs were written"),
}


def place(phase: str | None, step: str | None) -> tuple[str | None, str]:
    """(the phase's name, ' in invoke_first, while its inputs were written'); (None, '') before the first."""
    belongs, words = _STEPS.get(step or "", (None, ""))
    phase = belongs or phase
    where = " in " + phase if phase else ""
    return phase, "%s, %s" % (where, words) if words else where


def describe(
    status: int,
    phase: str | None,
    step: str | None,
    report: dict[str, Any] | None,
    finished: bool,
    ours: str | None,
    log: list[str],
    timeout: float | None,
) -> dict[str, Any]:
    """{"status", "phase", "signal", "exit_code", "message", "evidence", "findings"} of a worker.

    ``status`` is the wait status, ``step`` what it did since the last phase, ``report`` the data of its
    ``failure`` event, ``finished`` whether its ``result`` event came, ``ours`` why the server killed it
    ("timed_out", "cancelled", "failed"). The evidence is None, and comes later where there can be some.
    """
    killed = os.WIFSIGNALED(status)
    name = signal_name(os.WTERMSIG(status)) if killed else None
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
    phase, where = place(phase, step)
    findings: list[Any] = []
    if ours == "timed_out":
        verdict, message = "timed_out", "not done%s after %g s" % (where, timeout or 0)
    elif ours == "cancelled":
        verdict, message = "cancelled", "cancelled" + where
    elif ours is not None:
        verdict, message = "failed", "the worker wrote what is not the protocol" + where
    elif name == "SIGKILL":
        verdict, message = "killed", "killed%s by SIGKILL, which nobody here sent" % where
    elif name is not None:
        verdict = "crashed"
        message = "%s%s (%s)" % (_SIGNALS.get(name, "the worker was ended"), where, name)
    elif report is not None and report.get("kind") == "killed":  # a copy of it was
        verdict, name = "killed", "SIGKILL"
        message = "killed%s by SIGKILL, which nobody here sent" % where
    elif report is not None:
        verdict = "refused" if report.get("kind") == "refused" else "failed"
        message = str(report.get("message") or report.get("error") or "no reason given")
        if report.get("phase") not in _STEPS:
            phase = report.get("phase") or phase
        findings = report.get("findings") or []
    elif code == 0 and finished:
        verdict, message = "ok", ""
    else:
        verdict = "crashed" if phase else "failed"
        message = "the worker left%s with exit status %s and without a result" % (where, code)
    said = last_words(log)
    if verdict in ("crashed", "failed") and report is None and said:
        message += "; it last wrote: " + said
    return {
        "status": verdict, "phase": phase, "signal": name, "exit_code": code, "message": message,
        "evidence": None, "findings": findings,
    }  # fmt: skip


def last_words(log: list[str]) -> str:
    """The last line of native code that is a reason to end; what a runtime says in passing ("INFO: Created
    … delegate") is none."""
    said = [line for line in log if not line.startswith("INFO:")]
    return said[-1] if said else ""


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal %d" % number  # a real-time signal
