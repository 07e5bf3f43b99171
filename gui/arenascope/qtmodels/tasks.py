"""What is being done at the moment off the GUI thread: its name, how far it is, and how to stop it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, Signal

from ..errors import Cancelled
from ..workflow.events import Connecting, DownloadProgress, Step, UploadProgress
from ..workflow.jobs import CancelToken
from .bridge import GuiBridge


@dataclass(eq=False)
class Task:
    """Belongs to the GUI thread; only ``token`` is shared. ``done``/``total`` are bytes where known.

    ``give_up`` is set while the task waits for what cannot be interrupted (a connection being made);
    it lets that end by itself, and nobody waits for it any more.
    """

    number: int
    label: str
    target: str = ""
    text: str = ""
    done: int | None = None
    total: int | None = None
    endless: bool = False  #: goes on until it is stopped
    stopping: bool = False
    away: bool = False  #: its device cannot be reached at the moment; it goes on there
    token: CancelToken = field(default_factory=CancelToken)
    give_up: Callable[[], None] | None = None
    on_cancelled: Callable[[], None] | None = None

    @property
    def said(self) -> str:
        """What it is doing at the moment, in words; '' where nothing is known beyond its label."""
        if self.stopping:
            return "stopping"
        if self.away:
            return "connection lost, trying again" if self.endless else "connection lost, the run goes on"
        return self.text


class Tasks(QObject):
    """Every task ends in one of ``on_result``, ``on_error``, ``on_cancelled``, called on the GUI thread."""

    changed = Signal()

    def __init__(self, bridge: GuiBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._numbers = itertools.count(1)
        self._running: dict[int, Task] = {}
        self._telling: list[threading.Thread] = []
        bridge.connecting.connect(self._connecting)
        bridge.uploadProgress.connect(self._uploading)
        bridge.linkAway.connect(lambda event, source: self.tell(source, away=True))
        bridge.linkBack.connect(lambda event, source: self.tell(source, away=False))
        bridge.posted.connect(self._setting_up)

    @property
    def running(self) -> tuple[Task, ...]:
        return tuple(self._running.values())

    def get(self, number: object) -> Task | None:
        return self._running.get(number) if isinstance(number, int) else None

    def start(
        self,
        label: str,
        submit: Callable[[Task], Future[Any]],
        on_result: Callable[[Any], None],
        on_error: Callable[[BaseException], None],
        on_cancelled: Callable[[], None] | None = None,
        target: str = "",
        *,
        endless: bool = False,
    ) -> Task:
        """``submit`` gets the task (its number is the ``source`` of its events) and returns its future."""
        task = Task(next(self._numbers), label, target, endless=endless, on_cancelled=on_cancelled)
        self._running[task.number] = task

        def finished() -> bool:
            """False where the task was abandoned: nobody waits for it any more."""
            return self._running.pop(task.number, None) is not None

        def result(value: Any) -> None:
            if finished():
                self.changed.emit()
                on_result(value)

        def error(problem: BaseException) -> None:
            if not finished():
                return
            self.changed.emit()
            if not isinstance(problem, Cancelled):
                on_error(problem)
            elif on_cancelled is not None:
                on_cancelled()

        self._bridge.follow(submit(task), result, error)
        self.changed.emit()
        return task

    def cancel(self, task: Task) -> None:
        """Ask it to stop. It is over when its thread says so, or at once where it can be given up."""
        task.stopping = True
        self._tell_to_stop(task)
        if task.give_up is not None and self._running.pop(task.number, None) is not None:
            task.give_up()
            if task.on_cancelled is not None:
                task.on_cancelled()
        self.changed.emit()

    def leave(self) -> None:
        """Cancel what goes on; returns at once."""
        for task in self.running:
            self._tell_to_stop(task)

    def close(self) -> None:
        """``leave``, and wait until all of it has been told."""
        self.leave()
        for thread in self._telling:
            thread.join()

    def _tell_to_stop(self, task: Task) -> None:
        """Telling a device means sending, and a stalled link may hold that up: not on the GUI thread."""
        if not task.target:
            task.token.cancel()
            return
        self._telling = [t for t in self._telling if t.is_alive()]
        thread = threading.Thread(target=task.token.cancel, name=f"cancel-{task.number}")
        self._telling.append(thread)
        thread.start()

    def tell(self, number: object, **changes: Any) -> None:
        """Change what a task says of itself; one that is over is ignored."""
        task = self.get(number)
        if task is not None:
            for name, value in changes.items():
                setattr(task, name, value)
            self.changed.emit()

    def _connecting(self, event: Connecting, source: object) -> None:
        self.tell(source, text=event.text, done=None, total=None)

    def _setting_up(self, event: object, source: object) -> None:
        if isinstance(event, Step):
            self.tell(source, text=event.text, done=None, total=None)
        elif isinstance(event, DownloadProgress):
            self.tell(source, done=event.done, total=event.total or None)

    def _uploading(self, event: UploadProgress, source: object) -> None:
        self.tell(source, done=event.done, total=event.total)
