"""The devices: which there are, which of them answer, and the work that is done on them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal

from ..domain.board import Board
from ..domain.plain_text import plain
from ..errors import DeployError, LinkError, WireError
from ..workflow.connect import LOCAL, Device, refresh
from ..workflow.jobs import JobRunner
from .board_worker import BoardWorker, Connect, connect_with_runtime
from .boards_model import BoardItem, BoardsModel, BoardState
from .bridge import GuiBridge
from .notices import Notice
from .prompts import WindowPrompts
from .tasks import Task, Tasks

THIS_COMPUTER = "This computer"
PLANS_ONLY = "measuring needs Linux: add a board"


class DeviceBook(Protocol):
    """The saved devices (``workflow.devices``). Every call may touch the disk."""

    def targets(self) -> list[tuple[str, str]]:
        """(target, title) of every saved device."""

    def add(self, target: str) -> tuple[str, str]:
        """Keep a device. Raises UsageError for an address that cannot be read, StoreError for the rest."""

    def forget(self, target: str) -> None: ...


class Boards(QObject):
    """``noticed`` carries what a person should read; ``model`` is what lists show."""

    noticed = Signal(object)  #: Notice
    answered = Signal(str)  #: a target whose facts are known now

    def __init__(
        self,
        bridge: GuiBridge,
        tasks: Tasks,
        book: DeviceBook,
        *,
        measures_here: bool = True,
        connect: Connect = connect_with_runtime,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge, self._tasks, self._book, self._connect = bridge, tasks, book, connect
        self._workers: dict[str, tuple[BoardWorker, WindowPrompts]] = {}
        self._disk = JobRunner("devices")
        self._closing: list[threading.Thread] = []
        self.model = BoardsModel(self)
        state = BoardState.UNKNOWN if measures_here else BoardState.PLANS_ONLY
        self._here = BoardItem(LOCAL, THIS_COMPUTER, state, message="" if measures_here else PLANS_ONLY)
        self.model.set_items([self._here])
        bridge.posted.connect(self._posted)

    # -- the list -------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read the saved devices again."""
        self._bridge.follow(self._disk.submit(self._book.targets), self._listed, self._failed)

    def add(self, target: str) -> None:
        """Keep a device and ask it for its facts."""

        def added(saved: tuple[str, str]) -> None:
            key, title = saved
            if self.model.item(key) is None:
                self.model.set_items([*self.model.items, BoardItem(key, title)])
            self.check(key)

        self._bridge.follow(self._disk.submit(lambda: self._book.add(target)), added, self._failed)

    def forget(self, target: str) -> None:
        """End the connection and take the device off the list."""
        if target == LOCAL:
            return
        self.disconnect_board(target)
        self.model.set_items([i for i in self.model.items if i.target != target])
        self._bridge.follow(
            self._disk.submit(lambda: self._book.forget(target)), lambda _: None, self._failed
        )

    # -- one device -----------------------------------------------------------------------------

    def check(self, target: str, *, quiet: bool = False) -> Task | None:
        """Connect if need be and ask for the facts again. ``quiet``: a failure shows in the list alone."""
        item = self.model.item(target)
        if item is None or not item.can_inspect:
            return None

        def failed(error: BaseException) -> None:
            if not quiet:
                self.noticed.emit(Notice.of_error(error, f"Checking {item.title}"))

        return self.run(f"Checking {item.title}", target, _facts, lambda device: None, failed)

    def run(
        self,
        label: str,
        target: str,
        job: Callable[[Device, Task], Any],
        on_result: Callable[[Any], None],
        on_error: Callable[[BaseException], None],
        on_cancelled: Callable[[], None] | None = None,
    ) -> Task:
        """Do ``job`` on a device's own thread, connecting first where that is needed."""
        worker = self._worker(target)

        def submit(task: Task) -> Future[Any]:
            def on_device(device: Device) -> Any:
                self._bridge.post(_Connected(target, device.board), task.number)
                return job(device, task)

            def tell(event: object) -> None:
                self._bridge.post(event, task.number)

            task.connecting = True
            return worker.submit(on_device, tell, task.cancel)

        def result(value: Any) -> None:
            if isinstance(value, Device):  # its facts were asked for again
                worker.replace_device(value)
                self.model.update(target, board=_merged(self.model.item(target), value.board))
                self.answered.emit(target)
            self.model.update(target, state=BoardState.READY, message="")
            on_result(value)

        def error(problem: BaseException) -> None:
            self._note_failure(target, problem)
            on_error(problem)

        def cancelled() -> None:
            self._settle(target)
            if on_cancelled is not None:
                on_cancelled()

        item = self.model.item(target)
        if item is not None and not item.connected:
            self.model.update(target, state=BoardState.CONNECTING, message="connecting")
        return self._tasks.start(label, submit, result, error, cancelled, target)

    def cancel(self, task: Task) -> None:
        """Stop a task. Connecting cannot be interrupted: there the whole connection is given up."""
        if task.connecting and task.target in self._workers:
            self._tasks.abandon(task)
            self._give_up(task.target)
            self._settle(task.target)
        else:
            self._tasks.cancel(task)

    def disconnect_board(self, target: str) -> None:
        """Close the connection; the next job makes a new one."""
        for task in self._tasks.running:
            if task.target == target:
                self._tasks.abandon(task)
        self._give_up(target)
        self.model.update(target, state=BoardState.UNKNOWN, message="", board=None)

    def close(self) -> None:
        """End every connection and wait for the threads."""
        for target in list(self._workers):
            self._give_up(target)
        for thread in self._closing:
            thread.join()
        self._disk.close()

    # -- inside ---------------------------------------------------------------------------------

    def _posted(self, value: object, number: object) -> None:
        if not isinstance(value, _Connected) or self._tasks.get(number) is None:
            return
        self._tasks.tell(number, connecting=False, text="", done=None, total=None)
        board = _merged(self.model.item(value.target), value.board)
        self.model.update(value.target, state=BoardState.BUSY, message="", board=board)
        self.answered.emit(value.target)

    def _worker(self, target: str) -> BoardWorker:
        if target not in self._workers:
            prompts = WindowPrompts(self._bridge, target)
            self._workers[target] = BoardWorker(target, prompts, self._connect), prompts
        return self._workers[target][0]

    def _give_up(self, target: str) -> None:
        """Close a worker on a thread of its own: what it waits for may take as long as a time-out."""
        self._closing = [t for t in self._closing if t.is_alive()]
        if target in self._workers:
            worker, prompts = self._workers.pop(target)
            prompts.cancel()
            thread = threading.Thread(target=worker.close, name=f"close-{target}")
            self._closing.append(thread)
            thread.start()

    def _settle(self, target: str) -> None:
        item = self.model.item(target)
        known = item is not None and item.board is not None
        self.model.update(target, state=BoardState.READY if known else BoardState.UNKNOWN, message="")

    def _note_failure(self, target: str, problem: BaseException) -> None:
        item = self.model.item(target)
        if item is None:
            return
        if isinstance(problem, LinkError | DeployError | WireError):
            state = BoardState.LOST if item.connected else BoardState.FAILED
            self.model.update(target, state=state, message=plain(str(problem), 120))
        else:
            self._settle(target)

    def _listed(self, found: list[tuple[str, str]]) -> None:
        here = self.model.item(LOCAL) or self._here
        self.model.set_items([here, *(BoardItem(target, title) for target, title in found)])

    def _failed(self, error: BaseException) -> None:
        self.noticed.emit(Notice.of_error(error, "Reading the list of devices"))


@dataclass(frozen=True, slots=True)
class _Connected:
    """A device answered; on its way to the GUI thread."""

    target: str
    board: Board


def _facts(device: Device, _task: Task) -> Device:
    return refresh(device)


def _merged(item: BoardItem | None, board: Board) -> Board:
    """New facts; the runtime, which costs a process to ask for, is kept where it was not asked again."""
    if item is None or item.board is None or board.runtime is not None:
        return board
    before = item.board
    numpy = board.numpy or before.numpy
    return replace(board, runtime=before.runtime, runtime_version=before.runtime_version, numpy=numpy)
