"""How long a server of a session stays when nobody is attached to it."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .loop import Loop, Timer

#: Seconds without a client and without a run; the same while the end of a run waits to be fetched;
#: and with a run, whatever its own time limit is.
IDLE = 60.0
UNDELIVERED = 90.0
ALONE = 3600.0
_LOOK = 1.0


class Linger:
    """Counts while nobody is attached, and calls ``leave`` when it has been long enough."""

    def __init__(
        self,
        loop: Loop,
        running: Callable[[], bool],
        undelivered: Callable[[], bool],
        leave: Callable[[], None],
        idle: float = IDLE,
    ) -> None:
        self._loop = loop
        self._running = running
        self._undelivered = undelivered
        self._leave = leave
        self._idle = idle
        self._timer: Timer | None = None

    def begin(self) -> None:
        """Nobody is attached from now on."""
        if self._timer is None:
            self._since = self._idle_since = time.monotonic()
            self._timer = self._loop.every(min(_LOOK, self._idle), self._look, self._since)

    def stop(self) -> None:
        """Somebody is attached."""
        if self._timer is not None:
            self._loop.cancel(self._timer)
            self._timer = None

    def _look(self) -> None:
        now = time.monotonic()
        if self._running():
            self._idle_since = now
        unfetched = self._undelivered()
        most = self._idle * UNDELIVERED / IDLE if unfetched else self._idle
        if now - self._idle_since >= most or now - self._since >= ALONE:
            self._leave()
