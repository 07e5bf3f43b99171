"""What a run tells while it goes on. Frozen values; they cross threads as they are."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.measurement import Outcome, Phase, Samples, TopProcesses
from ..domain.sweep import Point
from ..domain.whatif import WhatIf
from ..remote.patience import PATIENCE


@dataclass(frozen=True, slots=True)
class Connecting:
    """A step towards a device, in words."""

    text: str


@dataclass(frozen=True, slots=True)
class UploadProgress:
    """Bytes of the model that have reached the device."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Step:
    """A step of setting a device up, in words."""

    text: str


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """Bytes that have reached this computer; ``total`` is what was announced, or 0 where it is not known."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    name: str
    t: float


@dataclass(frozen=True, slots=True)
class PhaseEnded:
    phase: Phase


@dataclass(frozen=True, slots=True)
class SamplesArrived:
    samples: Samples


@dataclass(frozen=True, slots=True)
class ProcessesSeen:
    top: TopProcesses


@dataclass(frozen=True, slots=True)
class LinkAway:
    """The connection is lost, and is being made again; the run goes on there. ``message`` says why,
    ``give_up`` after how many seconds nobody tries any more."""

    message: str
    give_up: float = PATIENCE.give_up


@dataclass(frozen=True, slots=True)
class LinkBack:
    """It is back after that many seconds; what happened meanwhile follows."""

    seconds: float


@dataclass(frozen=True, slots=True)
class RunEnded:
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class PointStarted:
    """A run of a sweep begins: the ``number``-th of ``total``, None where it takes as many as it takes."""

    device: str
    asked: WhatIf
    number: int
    total: int | None


@dataclass(frozen=True, slots=True)
class PointDone:
    """A point is planned, or measured as well; ``number`` of ``total`` as in PointStarted."""

    point: Point
    number: int
    total: int | None


#: Everything that ``workflow.inspect`` may tell.
RunEvent = (
    Connecting
    | UploadProgress
    | PhaseStarted
    | PhaseEnded
    | SamplesArrived
    | ProcessesSeen
    | LinkAway
    | LinkBack
    | RunEnded
)
#: Everything that ``workflow.setup`` may tell.
SetupEvent = Connecting | Step | DownloadProgress | UploadProgress
#: Everything that ``workflow.sweep`` and ``workflow.fit`` may tell.
SweepEvent = RunEvent | Step | PointStarted | PointDone
