"""What was measured in one run: phases, samples, totals, attribution, outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from .provenance import Provenance

#: The phases of an inspection, in order.
PHASES = ("runtime_import", "load", "allocate", "invoke_first", "invoke")


#: The agent's words for a device that reads pages back again and again (``causes.py`` there has them).
RAN_OUT = "memory had run out"


class Status(StrEnum):
    OK = "ok"
    FAILED = "failed"
    KILLED = "killed"
    CRASHED = "crashed"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Phase:
    """One step of a run. Bytes of resident memory; ``rss_peak`` by the VmHWM method
    (trim, reset, step, read), None where the kernel does not allow the reset.
    ``start`` is seconds since the start of the run, on the clock of the samples."""

    name: str
    seconds: float
    rss_before: int | None
    rss_peak: int | None
    rss_after: int | None
    anon_after: int | None
    file_after: int | None
    start: float | None = None


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """A process of the board that held memory at a moment."""

    pid: int
    name: str
    rss: int


@dataclass(frozen=True, slots=True)
class TopProcesses:
    t: float
    processes: tuple[ProcessMemory, ...]


@dataclass(frozen=True, slots=True)
class Samples:
    """Curves of one run, all of one length. ``t`` in seconds since the start of the run, the rest
    bytes; a value that could not be read is None. They draw the curve and never claim a peak."""

    t: tuple[float, ...] = ()
    rss: tuple[int | None, ...] = ()
    available: tuple[int | None, ...] = ()
    swap_free: tuple[int | None, ...] = ()
    processes: tuple[TopProcesses, ...] = ()

    @property
    def last_look(self) -> TopProcesses | None:
        """Who held memory when the worker was last seen. The list that is made after its end lacks it."""
        before = [look for look in self.processes if self.t and look.t <= self.t[-1]]
        return before[-1] if before else None


@dataclass(frozen=True, slots=True)
class BoardSample:
    """A device at one moment of a watch: seconds since its start, bytes, and what watching costs
    (bytes of the agent's server process, share of one core)."""

    t: float
    ram_total: int | None
    available: int | None
    swap_free: int | None
    agent_rss: int | None
    agent_cpu: float | None
    top: tuple[ProcessMemory, ...] = ()


@dataclass(frozen=True, slots=True)
class Totals:
    """Bytes. The terms behind each are made by ``figures.explain``."""

    weights: int | None
    arena_rw: int | None
    arena_rw_persistent: int | None
    dynamic: int | None
    lower_bound: int | None
    sum_without_reuse: int | None
    process_peak: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the resident memory after the first invoke; all parts add up to it exactly."""

    part: str
    bytes: int
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Finding:
    cause: str
    proof: str
    remedy: str
    saves: int | None = None


class Source(StrEnum):
    """Who says how a process ended: the kernel's log names it; its counters tell that it killed one, of this
    control group or of the device; or there is no more than how it ended."""

    KERNEL_LOG = "kernel_log"
    CGROUP = "cgroup"
    VMSTAT = "vmstat"
    EXIT_STATUS = "exit_status"


@dataclass(frozen=True, slots=True)
class Evidence:
    """``text`` in the source's own words; ``t``: seconds since the start of the run, where it has a time."""

    source: Source
    text: str
    t: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. A kill or a crash is a result, not an exception.

    ``phase`` is the phase it was in; ``signal`` the signal's name ('SIGABRT') where one ended it.
    """

    status: Status
    phase: str | None = None
    message: str = ""
    signal: str | None = None
    findings: tuple[Finding, ...] = field(default=())
    log: tuple[str, ...] = field(default=())  # the last native lines of the worker
    evidence: Evidence | None = None

    @property
    def ok(self) -> bool:
        return self.status is Status.OK

    @property
    def proven(self) -> bool:
        """Whether the kernel itself says why it ended the worker."""
        return self.evidence is not None and self.evidence.source is Source.KERNEL_LOG
