"""How good the connection to a device is, at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LinkKind(StrEnum):
    UP = "up"
    LOST = "lost"  #: it is being made again; runs on the device go on
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class LinkState:
    """``round_trip``: seconds from a ping to its answer, measured; None before the first one.
    ``message``: why it is lost or ended. ``lost_seconds``: of a connection that has just come back, how
    long it was away."""

    kind: LinkKind
    round_trip: float | None = None
    message: str = ""
    lost_seconds: float | None = None
