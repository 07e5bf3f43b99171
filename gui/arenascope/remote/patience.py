"""How long a link waits for what, and how somebody who waits is told to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import Cancelled

#: Whether somebody has asked to stop.
Stop = Callable[[], bool]
#: Seconds between two looks at a ``Stop``.
POLL = 0.2


@dataclass(frozen=True)
class Patience:
    """Seconds: between two signs of life; without any of the other side's until the connection counts as
    lost; before each try to make it again (the last one repeats); until that is given up."""

    heartbeat: float = 5.0
    silence: float = 15.0
    delays: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 3.0)
    give_up: float = 180.0


PATIENCE = Patience()


def raise_if(stop: Stop | None) -> None:
    """Cancelled where ``stop`` says so."""
    if stop is not None and stop():
        raise Cancelled("Stopped as asked.", hint="")
