"""Why a run ended badly, in words: message, evidence and findings of a kill, a crash, a run that hung.

Runs in a process of its own (``aside.py``). The functions are pure but for ``explain``, which asks the
kernel. A finding is {"cause", "proof", "remedy"}; evidence is {"source", "text", "t"}.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from . import marks, oom, probes
from .amounts import size

#: More of a core than this is computing; less than that is waiting.
BUSY, IDLE = 0.5, 0.05
#: Of the RAM: more than this available when memory ran out is worth a word; less than that is thrashing.
PLENTY, NOTHING = 0.2, 0.03
#: Programs that end others when memory gets short, by the names of their processes.
GUARDS = ("earlyoom", "systemd-oomd", "systemd-oom", "nohang", "oomd")
SMALLER = "Use a smaller batch or input, end other programs on the device, or add swap."
PERMISSION = (
    "To see the kernel's own words next time, let this user read its log: sudo usermod -aG adm %s, then log "
    "in again; or for everybody, until the next start: sudo sysctl kernel.dmesg_restrict=0."
)
_TEXT = 400

#: What a process waits for, by a part of the kernel's name for the place.
_WAITS = (
    ("futex", "for another of its threads"),
    ("pipe", "for a pipe"),
    ("poll", "for input"),
    ("select", "for input"),
    ("wait_woken", "for input"),
    ("sleep", "for a timer"),
    ("pause", "for a signal"),
    ("sigtimedwait", "for a signal"),
    ("do_wait", "for a process that it started"),
    ("folio_wait", "for the disk"),
    ("wait_on_page", "for the disk"),
    ("io_schedule", "for the disk"),
)


class Case(NamedTuple):
    """A run that ended badly, as far as the server knows. Bytes; times in seconds since its start."""

    status: str
    where: str  #: ' in invoke_first, while …' or ''
    signal: str | None
    pid: int
    message: str
    said: str  #: the last line that native code wrote
    start: float  #: CLOCK_MONOTONIC
    counters: dict[str, int | None]  #: before the run
    log: int  #: descriptor of the kernel log, or -1
    last: tuple[float, int] | None  #: the last sample of the worker: time, resident bytes
    gone: float | None  #: when the worker was first seen without memory
    available: int | None  #: the last time that it was read
    ram_total: int | None
    moments: tuple[dict[str, Any], ...]  #: marks.moment, of a run that hung


def explain(case: Case) -> dict[str, Any]:
    """{"message", "evidence", "findings"} to put into ``ended``."""
    if case.status == "killed":
        now = marks.counters()
        counted = {name: oom.more(case.counters, now, name) for name in now}
        found = oom.search(case.pid, case.log, case.start, counted["vmstat"] != 0)
        return killed(case, found, counted, probes.user() or "USER", _limit_of, _guards())
    if case.status == "crashed":
        return crashed(case)
    return hung(case)


# ------------------------------------------------------------------------------------------- killed


def killed(
    case: Case,
    found: oom.Found,
    counted: dict[str, int | None],
    user: str,
    limit_of: Callable[[str], int | None],
    guards: list[str],
) -> dict[str, Any]:
    """``counted``: kills since the start of the run, of the own group and of the device. ``limit_of``: the
    memory limit of a control group. ``guards``: programs there that end others."""
    if found.kill is not None:
        return _by_the_kernel(case, found.kill, limit_of)
    if counted["vmstat"] == 0:
        return _by_somebody(case, _counted(counted), guards)
    if found.why == oom.NONE and not any(counted.values()):
        return _by_somebody(case, "The kernel's log tells of no out-of-memory kill of it.", guards)
    why, remedy = {
        oom.CLOSED: (" without permission to read the kernel log", "%s %s" % (SMALLER, PERMISSION % user)),
        oom.ELSEWHERE: (" from inside a container", "%s Look into the log of the host: dmesg." % SMALLER),
        oom.LOST: (": the kernel log was overwritten before it could be read", SMALLER),
        oom.NONE: (": the kernel log does not name this process", SMALLER),
    }[found.why]
    source = _source(counted)
    counts = _counted(counted)
    known = "; %s%s" % (counts[0].lower(), counts[1:-1]) if any(counted.values()) else ""
    return _answer(
        "killed%s, cause not provable%s%s" % (case.where, why, known),
        source,
        counts if known else _signalled(case),
        None,
        "The device ran out of memory, in all likelihood",
        "%s %s %s" % (_signalled(case), counts, _last_sample(case)),
        remedy,
    )


def _by_the_kernel(case: Case, kill: oom.Kill, limit_of: Callable[[str], int | None]) -> dict[str, Any]:
    held = "" if kill.anon is None else " while it held %s" % size(kill.anon)
    proof = "The kernel's log: “%s”. %s" % (_cut(kill.line.text), _last_sample(case))
    t = kill.line.t - case.start
    if kill.group is not None:
        limit = limit_of(kill.group) if kill.group else None
        named = " %s" % kill.group if kill.group else ""
        most = "" if limit is None else " of %s" % size(limit)
        return _answer(
            "killed%s by the kernel at the memory limit%s of its control group%s" % (case.where, most, held),
            "kernel_log",
            kill.line.text,
            t,
            "The memory limit%s of the control group%s was reached" % (most, named),
            proof,
            "Raise the limit (MemoryMax= of the service, --memory of the container), or use a smaller batch "
            "or input.",
        )
    if case.available and case.ram_total and case.available > PLENTY * case.ram_total:
        proof += " That is not little: on a 32-bit kernel its own low memory can run out first (LowFree)."
    return _answer(
        "killed%s by the kernel, because the device ran out of memory%s" % (case.where, held),
        "kernel_log",
        kill.line.text,
        t,
        "The device ran out of memory",
        proof,
        SMALLER,
    )


def _by_somebody(case: Case, circumstances: str, guards: list[str]) -> dict[str, Any]:
    who = "%s runs there and does that when memory gets short" % guards[0] if guards else ""
    return _answer(
        "killed%s by SIGKILL, which nobody here sent; it was not the kernel for want of memory" % case.where,
        "exit_status",
        _signalled(case),
        None,
        "Another program on the device sent the signal",
        "%s %s %s" % (_signalled(case), circumstances, _last_sample(case)),
        "Look whether %s." % who
        if who
        else "Ask who ended it: a person, a script, or a program that guards the memory, as earlyoom does.",
    )


def _answer(
    message: str, source: str, text: str, t: float | None, cause: str, proof: str, remedy: str
) -> dict[str, Any]:
    return {
        "message": message,
        "evidence": {"source": source, "text": _cut(text), "t": None if t is None else round(t, 3)},
        "findings": [{"cause": cause, "proof": proof, "remedy": remedy}],
    }


def _source(counted: dict[str, int | None]) -> str:
    return "cgroup" if counted["cgroup"] else "vmstat" if counted["vmstat"] else "exit_status"


def _counted(counted: dict[str, int | None]) -> str:
    """'The kernel counted 1 out-of-memory kill during this run (/proc/vmstat).'"""
    for name, of in (("cgroup", "in this control group during this run (memory.events)"),
                     ("vmstat", "during this run (/proc/vmstat)")):  # fmt: skip
        number = counted[name]
        if number:
            return "The kernel counted %d out-of-memory kill%s %s." % (number, "s" * (number > 1), of)
    if counted["vmstat"] == 0:
        return "The kernel counted no out-of-memory kill during this run (/proc/vmstat)."
    return "This kernel does not count out-of-memory kills."


def _last_sample(case: Case) -> str:
    if case.last is None or case.available is None:
        return "No sample tells what memory was left."
    t, rss = case.last
    before = "" if case.gone is None else ", %.2f s before its end" % (case.gone - t)
    total = "" if case.ram_total is None else " of %s" % size(case.ram_total)
    left = "%s%s available" % (size(case.available), total)
    return "The last sample, at %.2f s%s: the worker held %s, %s." % (t, before, size(rss), left)


def _signalled(case: Case) -> str:
    return "Process %d was ended by %s." % (case.pid, case.signal or "a signal")


def _limit_of(group: str) -> int | None:
    for file_name in (group + "/memory.max", "/memory" + group + "/memory.limit_in_bytes"):
        try:
            with open(marks.CGROUPS + file_name, "rb") as file:
                text = file.read(40).strip()
        except OSError:
            continue
        return int(text) if text.isdigit() else None
    return None


def _guards() -> list[str]:
    """Names of the programs that run here and end others when memory gets short."""
    names = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open("/proc/%s/comm" % entry, "rb") as file:
                    names.add(file.read(64).strip().decode("utf-8", "replace"))
            except OSError:
                continue  # it has just ended
    return sorted(names.intersection(GUARDS))


# ------------------------------------------------------------------------------------------ crashed

_FAULTS = {
    "SIGABRT": "The runtime gave up and aborted its own process",
    "SIGSEGV": "The runtime touched memory that is not its own",
    "SIGBUS": "A page of a file or of memory could not be read",
    "SIGFPE": "The runtime divided by zero",
    "SIGILL": "The runtime used an instruction that this CPU does not have",
}
_REMEDIES = {
    "SIGBUS": "Check that the model file was not cut or replaced during the run, and that the disk is sound.",
    "SIGILL": "Install a build of the runtime for this CPU.",
}


def crashed(case: Case) -> dict[str, Any]:
    """What a signal or an exit status says. The message stays as it is."""
    ended = _signalled(case) if case.signal else "The worker left without a result."
    proof = "%s Its last line: “%s”." % (ended, _cut(case.said)) if case.said else ended
    cause = "The runtime, or a library that it uses, ended the process"
    if case.signal:
        cause = _FAULTS.get(case.signal, "The signal came from outside, or the runtime sent it")
    remedy = _REMEDIES.get(
        case.signal or "",
        "Try without the delegate, or another version of the runtime; the device is as it was.",
    )
    if re.search(r"bad_alloc|[Oo]ut of memory|Cannot allocate memory|Memory allocation", case.said):
        cause = "The runtime could not get memory and did not survive it"
        remedy = SMALLER
    elif case.signal == "SIGSEGV" and case.where.startswith((" in allocate", " in invoke")):
        proof += (
            " Some versions (TensorFlow 2.15 to LiteRT 2.1.0) go on without noticing that they got no memory."
        )
    return {
        "message": case.message,
        "evidence": {"source": "exit_status", "text": ended, "t": None},
        "findings": [{"cause": cause, "proof": proof, "remedy": remedy}],
    }


# --------------------------------------------------------------------------------------------- hung


class Doing(NamedTuple):
    """What a process did between two moments. ``cpu``: share of a core, above 1 with several threads;
    ``faults``: pages that it had to wait for the disk for; None: the kernel does not say."""

    state: str
    wchan: str
    cpu: float | None
    faults: int | None
    seconds: float


def doing(moments: tuple[dict[str, Any], ...], ticks: int) -> Doing | None:
    """From one or two of ``marks.moment``; None where the last one says nothing. ``ticks`` a second."""
    stats = [_stat(moment["stat"]) for moment in moments]
    if not stats or stats[-1] is None:
        return None
    state, cpu, faults = stats[-1]
    wchan = moments[-1]["wchan"]
    wchan = "" if wchan == "0" else wchan
    if len(moments) < 2 or stats[0] is None:
        return Doing(state, wchan, None, None, 0.0)
    seconds = max(moments[-1]["t"] - moments[0]["t"], 1e-3)
    return Doing(state, wchan, (cpu - stats[0][1]) / ticks / seconds, faults - stats[0][2], seconds)


def _stat(text: str) -> tuple[str, int, int] | None:
    """(state, ticks on a core, major faults) of /proc/PID/stat. The name may hold spaces and brackets."""
    fields = text.rpartition(")")[2].split()
    if len(fields) < 13:
        return None
    return fields[0], int(fields[11]) + int(fields[12]), int(fields[9])


def hung(case: Case) -> dict[str, Any]:
    """Whether a run that was too slow was computing or stuck. No evidence: it was ended by us."""
    did = doing(case.moments, os.sysconf("SC_CLK_TCK"))
    if did is None:
        return {"message": case.message, "evidence": None, "findings": []}
    nothing = case.available is not None and case.available < NOTHING * (case.ram_total or 0)
    cause, remedy, short = _verdict(did, nothing)
    at = " in %s" % did.wchan if did.wchan else ""
    used = "" if did.cpu is None else "%.0f %% of a core in the last %.1f s, " % (100 * did.cpu, did.seconds)
    faults = ", %d pages read back from disk" % did.faults if did.faults else ""
    proof = "%sstate %s%s%s. %s" % (used, did.state, at, faults, _last_sample(case))
    return {
        "message": "%s; %s" % (case.message, short),
        "evidence": None,
        "findings": [{"cause": cause, "proof": proof[0].upper() + proof[1:], "remedy": remedy}],
    }


def _verdict(did: Doing, nothing: bool) -> tuple[str, str, str]:
    """(cause, remedy, the same for the message). ``nothing``: of the memory was left."""
    if nothing:
        return (
            "Memory had run out, and the device read pages back from its disk again and again",
            SMALLER,
            "memory had run out, and the device was busy reading pages back from its disk",
        )
    if did.cpu is not None and did.cpu >= BUSY:
        return (
            "It was computing, and had not come to its end",
            "Give it more time (--timeout SECONDS), or a smaller input.",
            "it was busy computing (%.0f %% of a core)" % (100 * did.cpu),
        )
    if did.state == "R" and did.cpu is not None:
        return (
            "It was computing, on a core that others were using too",
            "See what else the device is busy with, and give it more time.",
            "it was computing, but got only %.0f %% of a core" % (100 * did.cpu),
        )
    if did.state in "Tt":
        return "Its process had been stopped", "Look for a debugger or a SIGSTOP there.", "it was stopped"
    if did.state == "D" or did.faults:
        return (
            "It was waiting for the disk",
            "Its pages may be read again and again because memory is short: use a smaller batch or input. Or "
            "the disk is slow.",
            "it was waiting for the disk",
        )
    waited = next((words for name, words in _WAITS if name in did.wchan), "")
    if did.cpu is None or did.cpu < IDLE:
        return (
            "It was stuck: it waited%s and did nothing" % (" " + waited if waited else ""),
            "More time will not help. Try one thread, or without the delegate.",
            "it was stuck%s" % (", waiting " + waited if waited else ""),
        )
    return (
        "It was computing a little and waiting most of the time",
        "See what else the device is busy with, and give it more time.",
        "it was waiting most of the time (%.0f %% of a core)" % (100 * did.cpu),
    )


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT else text[: _TEXT - 1] + "…"
