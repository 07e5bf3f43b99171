"""A run that is begun before it is asked for.

Loading a runtime takes as long as the client takes to find out what its user wants. The worker is as
fresh as any other; it has only not heard yet which model it will load.
"""

from __future__ import annotations

from . import probes, protocol
from .runner import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .children import Children
    from .loop import Loop

_TASK, _HZ, _NUMBER = "inspect", 20.0, 1
#: Bytes of parameters that surely fit into a pipe at once.
_MOST_PARAMS = 32 * 1024


def fits(number: int, task: str, params: dict[str, Any], hz: float) -> bool:
    """Whether the run that is asked for is the one that was begun."""
    if (number, task, hz) != (_NUMBER, _TASK, _HZ):
        return False
    return len(protocol.encode_payload(params)) <= _MOST_PARAMS


class Ahead:
    """The first run of a server, begun at its start. Its events wait until it is claimed or dropped.

    ``facts`` are those of the board before this run took any memory.
    """

    def __init__(self, loop: Loop, children: Children, argv: list[str]) -> None:
        """OSError when no process can be started."""
        self.facts = probes.board_facts()
        self._held: list[bytes] = []
        self._end: dict[str, Any] | None = None
        self._send: Callable[[bytes], None] = self._held.append
        self._on_end: Callable[[dict[str, Any]], None] | None = None
        self._run = Run(loop, children, argv, _NUMBER, _TASK, None, None, _HZ, self._payload, self._ended)

    def claim(
        self,
        params: dict[str, Any],
        timeout: float | None,
        send_payload: Callable[[bytes], None],
        on_end: Callable[[dict[str, Any]], None],
    ) -> Run | None:
        """The run, told so far and going on with its parameters; None when it has ended already."""
        for payload in self._held:
            send_payload(payload)
        self._held.clear()
        self._send, self._on_end = send_payload, on_end
        if self._end is not None:
            on_end(self._end)
            return None
        self._run.give(params, timeout)
        return self._run

    def drop(self) -> None:
        """End it unheard."""
        self._send = _unheard
        self._held.clear()
        self._run.cancel()

    def _payload(self, payload: bytes) -> None:
        self._send(payload)

    def _ended(self, end: dict[str, Any]) -> None:
        self._end = end
        if self._on_end is not None:
            self._on_end(end)


def _unheard(_payload: bytes) -> None:
    pass
