"""How a run ended, from what the worker said and from how its process went. Pure."""

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


def describe(
    status: int,
    phase: str | None,
    report: dict[str, Any] | None,
    finished: bool,
    ours: str | None,
    log: list[str],
    timeout: float | None,
) -> dict[str, Any]:
    """{"status", "phase", "signal", "exit_code", "message"} of a worker.

    ``status`` is the wait status, ``report`` the data of its ``failure`` event, ``finished`` whether its
    ``result`` event came, ``ours`` why the server killed it ("timed_out", "cancelled", "failed").
    """
    killed = os.WIFSIGNALED(status)
    name = _signal_name(os.WTERMSIG(status)) if killed else None
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
    where = " in " + phase if phase else ""
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
    elif report is not None:
        verdict = "refused" if report.get("kind") == "refused" else "failed"
        message = str(report.get("message") or report.get("error") or "no reason given")
        phase = report.get("phase") or phase
    elif code == 0 and finished:
        verdict, message = "ok", ""
    else:
        verdict = "crashed" if phase else "failed"
        message = "the worker left%s with exit status %s and without a result" % (where, code)
    # What the runtime says in passing ("INFO: Created … delegate") is no reason to end.
    said = [line for line in log if not line.startswith("INFO:")]
    if verdict in ("crashed", "failed") and report is None and said:
        message += "; it last wrote: " + said[-1]
    return {"status": verdict, "phase": phase, "signal": name, "exit_code": code, "message": message}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal %d" % number  # a real-time signal
