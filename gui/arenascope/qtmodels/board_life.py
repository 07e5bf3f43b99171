"""What the list says of a board between two questions: how its connection is doing, what memory it has left.

Nothing is asked for this. A connection tells when it is lost and when it is back, and the samples of a run
or a watch bring the memory along.
"""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import QObject, QTimer

from ..domain.link_state import LinkKind, LinkState
from ..domain.measurement import BoardSample
from ..domain.plain_text import plain
from ..errors import LinkLost
from ..workflow.events import SamplesArrived
from .boards_model import BoardsModel, BoardState
from .bridge import GuiBridge
from .next_steps import steps_of
from .tasks import Tasks

#: So often the seconds of a lost connection are counted, and the memory of a board is shown anew.
_SECOND = 1.0


class BoardLife(QObject):
    """Belongs to the GUI thread. ``hear`` takes what the connection of a board says of itself."""

    def __init__(
        self, model: BoardsModel, tasks: Tasks, bridge: GuiBridge, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._model, self._tasks = model, tasks
        self._lost: dict[str, float] = {}
        self._shown: dict[str, float] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(round(1000 * _SECOND))
        self._timer.timeout.connect(self._count)
        bridge.samplesArrived.connect(self._samples)
        bridge.posted.connect(self._posted)

    def close(self) -> None:
        self._timer.stop()

    def hear(self, target: str, state: LinkState, when: float) -> None:
        """``when``: time.monotonic() at which it was said."""
        item = self._model.item(target)
        if item is None or not item.met:
            return
        if state.kind is LinkKind.UP:
            self._lost.pop(target, None)
            working = any(task.target == target and task.give_up is None for task in self._tasks.running)
            changes: dict[str, Any] = {"round_trip": state.round_trip}
            if item.state is BoardState.AWAY:
                changes |= {"state": BoardState.BUSY if working else BoardState.READY, "message": ""}
            self._model.update(target, **changes)
        elif state.kind is LinkKind.LOST and item.connected:
            self._lost[target] = when
            self._model.update(target, state=BoardState.AWAY, message=plain(state.message, 120))
            self._count()
        elif state.kind is LinkKind.ENDED:
            self._lost.pop(target, None)
            error = LinkLost(state.message)
            steps = steps_of(error, "check_board")
            self._model.update(
                target, state=BoardState.LOST, message=plain(error.message, 120), steps=steps, round_trip=None
            )
        self._run_timer()

    def _count(self) -> None:
        """The seconds since a connection was lost go on."""
        now = time.monotonic()
        for target, since in list(self._lost.items()):
            item = self._model.item(target)
            if item is None or item.state is not BoardState.AWAY:
                del self._lost[target]
            else:
                self._model.update(target, away=max(0, int(now - since)))
        self._run_timer()

    def _run_timer(self) -> None:
        if not self._lost:
            self._timer.stop()
        elif not self._timer.isActive():
            self._timer.start()

    def _samples(self, event: SamplesArrived, source: object) -> None:
        task = self._tasks.get(source)
        known = [value for value in event.samples.available if value is not None]
        if task is not None and known:
            self._show_memory(task.target, known[-1])

    def _posted(self, value: object, source: object) -> None:
        task = self._tasks.get(source)
        if isinstance(value, BoardSample) and task is not None and value.available is not None:
            self._show_memory(task.target, value.available)

    def _show_memory(self, target: str, available: int) -> None:
        """Once a second: a figure that changes at every glance cannot be read."""
        now = time.monotonic()
        item = self._model.item(target)
        if item is None or item.board is None or now - self._shown.get(target, -_SECOND) < _SECOND:
            return
        self._shown[target] = now
        self._model.update_facts(target, ram_available=available)
