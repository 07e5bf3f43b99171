"""Giving one board what it needs, and taking that away again: the steps of a dialog, off the GUI thread.

First it is looked at, then asked (by whoever shows this), then done. Nothing here changes a board before
``set_up`` or ``take_away`` is called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Signal

from ..domain.board import Board
from ..domain.lacks import Lack, lacks
from ..domain.plain_text import plain
from ..remote.prompts import Prompts
from ..workflow.connect import Device
from ..workflow.events import Connecting, SetupEvent
from ..workflow.jobs import CancelToken
from .boards import Boards
from .bridge import GuiBridge
from .notices import Notice
from .tasks import Task, Tasks

if TYPE_CHECKING:
    from ..workflow.setup import SetupPlan, Undone

OnEvent = Callable[[SetupEvent], None]


class Provisioning(Protocol):
    """``workflow.setup``, or what stands in for it."""

    def plan_setup(self, device: Device, on_event: OnEvent, cancel: CancelToken) -> SetupPlan: ...

    def setup(self, device: Device, plan: SetupPlan, on_event: OnEvent, cancel: CancelToken) -> Device: ...

    def kept(self, target: str, prompts: Prompts, on_event: OnEvent) -> Undone: ...

    def undo(self, target: str, prompts: Prompts, on_event: OnEvent) -> Undone: ...


class BoardSetup(QObject):
    """One thing at a time. Each verb ends in one of the signals; ``stopped`` is a cancel."""

    planned = Signal(object)  #: SetupPlan
    ready = Signal(object)  #: Board, on which a runtime works now
    found = Signal(object)  #: Undone: what would be taken away
    gone = Signal(object)  #: Undone: what was taken away
    failed = Signal(object)  #: Notice
    stopped = Signal()
    progressed = Signal(object)  #: Task: its text, bytes done and bytes in all

    def __init__(
        self,
        target: str,
        boards: Boards,
        tasks: Tasks,
        bridge: GuiBridge,
        verbs: Provisioning,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.target = target
        self._boards, self._tasks, self._bridge, self._verbs = boards, tasks, bridge, verbs
        self._task: Task | None = None
        self._taking_away = self._left = False
        tasks.changed.connect(self._follow)

    @property
    def board(self) -> Board | None:
        item = self._boards.model.item(self.target)
        return item.board if item is not None else None

    @property
    def lacks(self) -> tuple[Lack, ...]:
        """What the board lacks besides a runtime, which is what is brought."""
        board = self.board
        return lacks(replace(board, runtime_errors=())) if board is not None else ()

    @property
    def working(self) -> bool:
        return self._task is not None

    # -- verbs ------------------------------------------------------------------------------------

    def look(self) -> None:
        """What would be brought."""

        def job(device: Device, task: Task) -> SetupPlan:
            return self._verbs.plan_setup(device, self._teller(task), task.token)

        self._run(f"Looking what {self._name} lacks", job, self.planned.emit)

    def set_up(self, plan: SetupPlan) -> None:
        def job(device: Device, task: Task) -> Device:
            return self._verbs.setup(device, plan, self._teller(task), task.token)

        def done(device: Device) -> None:
            self.ready.emit(device.board)

        self._run(f"Setting up {self._name}", job, done, tidies=True)

    def look_what_is_kept(self) -> None:
        def job(prompts: Prompts, tell: Callable[[Connecting], None]) -> Undone:
            return self._verbs.kept(self.target, prompts, tell)  # type: ignore[arg-type]

        self._run_apart(f"Looking what is kept on {self._name}", job, self.found.emit)

    def take_away(self) -> None:
        """Everything of ours there. What ran from it is not known to work any more."""

        def job(prompts: Prompts, tell: Callable[[Connecting], None]) -> Undone:
            return self._verbs.undo(self.target, prompts, tell)  # type: ignore[arg-type]

        def done(undone: Undone) -> None:
            self._boards.model.update_facts(
                self.target,
                runtime=None,
                runtime_version=None,
                runtime_errors=(),
                numpy=None,
                environment=None,
            )
            self.gone.emit(undone)

        self._run_apart(f"Taking everything away from {self._name}", job, done)
        self._taking_away = True

    @property
    def can_cancel(self) -> bool:
        """Half of a removal helps nobody: it goes on."""
        return self._task is not None and not self._taking_away and not self._task.stopping

    def cancel(self) -> None:
        """Ask what goes on to stop; nothing where nothing does."""
        if self._task is not None and self.can_cancel:
            self._tasks.cancel(self._task)

    def leave(self) -> None:
        """Nobody looks any more: stop what can be stopped. What cannot is told of in the window."""
        self._left = True
        self.cancel()
        self._rest()

    # -- inside -----------------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return plain(self.target, 40)

    def _teller(self, task: Task) -> OnEvent:
        return lambda event: self._bridge.post(event, task.number)

    def _run(
        self,
        label: str,
        job: Callable[[Device, Task], object],
        then: Callable[..., None],
        *,
        tidies: bool = False,
    ) -> None:
        ended, failed, stopped = self._ends(label, then, "setup_board")
        self._task = self._boards.run(
            label, self.target, job, ended, failed, stopped, tidies=tidies, again="setup_board"
        )

    def _run_apart(
        self,
        label: str,
        job: Callable[[Prompts, Callable[[Connecting], None]], Undone],
        then: Callable[[Undone], None],
    ) -> None:
        ended, failed, stopped = self._ends(label, then, "undo_setup")
        self._task = self._boards.run_apart(label, self.target, job, ended, failed, stopped)

    def _ends(
        self, label: str, then: Callable[..., None], again: str
    ) -> tuple[Callable[[object], None], Callable[[BaseException], None], Callable[[], None]]:
        def ended(value: object) -> None:
            self._task = None
            then(value)
            self._rest()

        def failed(error: BaseException) -> None:
            self._task = None
            notice = Notice.of_error(error, label, again, self.target)
            (self._boards.noticed if self._left else self.failed).emit(notice)
            self._rest()

        def stopped() -> None:
            self._task = None
            self.stopped.emit()
            self._rest()

        return ended, failed, stopped

    def _rest(self) -> None:
        self._taking_away = self._taking_away and self.working
        if self._left and not self.working:
            self.deleteLater()

    def _follow(self) -> None:
        if self._task is not None and self._tasks.get(self._task.number) is not None:
            self.progressed.emit(self._task)
