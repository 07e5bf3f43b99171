"""The devices: which there are, which of them answer, and the work that is done on them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal

from ..domain.board import Board
from ..domain.link_state import LinkState
from ..domain.plain_text import plain
from ..errors import DeployError, LinkError, WireError
from ..remote.prompts import Prompts
from ..store.devices import SavedDevice
from ..workflow import devices
from ..workflow.connect import LOCAL, Device, refresh
from ..workflow.devices import Added
from ..workflow.events import Connecting
from ..workflow.jobs import JobRunner
from .board_life import BoardLife
from .board_worker import BoardWorker, Connect, connect_with_runtime
from .boards_model import BoardItem, BoardsModel, BoardState
from .bridge import GuiBridge
from .next_steps import steps_of
from .notices import Notice
from .prompts import WindowPrompts
from .tasks import Task, Tasks

THIS_COMPUTER = "This computer"
PLANS_ONLY = "measuring needs Linux: add a board"


class DeviceBook(Protocol):
    """The saved devices, as ``workflow.devices`` has them. Every call may touch the disk or the network."""

    def list_devices(self) -> tuple[SavedDevice, ...]: ...

    def add(
        self,
        address: str,
        name: str | None,
        prompts: Prompts | None,
        on_progress: Callable[[Connecting], None] | None,
    ) -> Added: ...

    def forget(self, name: str) -> SavedDevice: ...


class Boards(QObject):
    """``noticed`` carries what a person should read; ``model`` is what lists show."""

    noticed = Signal(object)  #: Notice
    answered = Signal(str)  #: a target whose facts are known now
    added = Signal(str)  #: a target that is on the list now

    #: Address and name of what could not be added, to be tried again.
    refused: tuple[str, str] = ("", "")

    def __init__(
        self,
        bridge: GuiBridge,
        tasks: Tasks,
        *,
        book: DeviceBook = devices,
        measures_here: bool = True,
        connect: Connect = connect_with_runtime,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge, self._tasks, self._book, self._connect = bridge, tasks, book, connect
        self._workers: dict[str, tuple[BoardWorker, WindowPrompts]] = {}
        self._disk = JobRunner("devices")
        self._adding: tuple[JobRunner, WindowPrompts] | None = None
        self._closing: list[threading.Thread] = []
        self.model = BoardsModel(self)
        self._life = BoardLife(self.model, tasks, bridge, self)
        state = BoardState.UNKNOWN if measures_here else BoardState.PLANS_ONLY
        self._here = BoardItem(LOCAL, THIS_COMPUTER, state, message="" if measures_here else PLANS_ONLY)
        self.model.set_items([self._here])
        bridge.posted.connect(self._posted)

    # -- the list -------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read the saved devices again."""
        self._bridge.follow(self._disk.submit(self._book.list_devices), self._listed, self._failed)

    def add(self, address: str, name: str | None = None) -> Task:
        """Connect to a device and keep it. Nothing is kept where it does not answer."""
        self._end_adding()
        runner, prompts = JobRunner("add"), WindowPrompts(self._bridge, address)
        self._adding = runner, prompts

        def submit(task: Task) -> Future[Added]:
            def tell(event: Connecting) -> None:
                self._bridge.post(event, task.number)

            task.give_up = self._end_adding
            return runner.submit(lambda: self._book.add(address, name, prompts, tell))

        def added(found: Added) -> None:
            self._end_adding()
            self.refused = ("", "")
            item = BoardItem(found.device.name, found.device.name, BoardState.READY, found.board)
            self.model.set_items([*self.model.items, item])
            self.added.emit(item.target)

        def failed(error: BaseException) -> None:
            self._end_adding()
            self.refused = (address, name or "")
            self.noticed.emit(Notice.of_error(error, f"Adding {plain(address, 80)}", "add_board"))

        return self._tasks.start(f"Adding {plain(address, 80)}", submit, added, failed, target=address)

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
                doing = f"Checking {item.title}"
                self.noticed.emit(Notice.of_error(error, doing, "check_board", target))

        return self.run(f"Checking {item.title}", target, _facts, lambda device: None, failed)

    def run(
        self,
        label: str,
        target: str,
        job: Callable[[Device, Task], Any],
        on_result: Callable[[Any], None],
        on_error: Callable[[BaseException], None],
        on_cancelled: Callable[[], None] | None = None,
        *,
        endless: bool = False,
        tidies: bool = False,
        again: str = "check_board",
    ) -> Task:
        """Do ``job`` on a device's own thread, connecting first where that is needed.

        ``tidies`` as in ``BoardWorker.submit``; ``again``: the window's action that does this once more.
        """
        worker = self._worker(target)

        def submit(task: Task) -> Future[Any]:
            def on_device(device: Device) -> Any:
                self._bridge.post(_Connected(target, device.board), task.number)
                return job(device, task)

            def tell(event: Connecting) -> None:
                self._bridge.post(event, task.number)

            task.give_up = lambda: self._give_up(target)
            return worker.submit(on_device, tell, task.token, tidies=tidies)

        def result(value: Any) -> None:
            if isinstance(value, Device):  # its facts were asked for again
                worker.replace_device(value)
                self.model.update(target, board=_merged(self.model.item(target), value.board))
                self.answered.emit(target)
            self._settle(target)
            on_result(value)

        def error(problem: BaseException) -> None:
            self._note_failure(target, problem, again)
            on_error(problem)

        def cancelled() -> None:
            self._settle(target)
            if on_cancelled is not None:
                on_cancelled()

        item = self.model.item(target)
        if item is not None and not item.connected and not self._working(target):
            self.model.update(target, state=BoardState.CONNECTING, message="connecting")
        return self._tasks.start(label, submit, result, error, cancelled, target, endless=endless)

    def run_apart(
        self,
        label: str,
        target: str,
        job: Callable[[Prompts, Callable[[Connecting], None]], Any],
        on_result: Callable[[Any], None],
        on_error: Callable[[BaseException], None],
        on_cancelled: Callable[[], None] | None = None,
    ) -> Task:
        """Do ``job``, which makes a connection of its own, while nothing of ours is connected there."""
        worker = self._worker(target)

        def submit(task: Task) -> Future[Any]:
            def tell(event: Connecting) -> None:
                self._bridge.post(event, task.number)

            task.give_up = lambda: self._give_up(target)
            return worker.submit_apart(lambda prompts: job(prompts, tell), task.token)

        self._forget_connection(target)
        return self._tasks.start(label, submit, on_result, on_error, on_cancelled, target)

    def disconnect_board(self, target: str) -> None:
        """Close the connection; the next job makes a new one."""
        for task in self._tasks.running:
            if task.target == target:
                task.give_up = lambda: self._give_up(target)
                self._tasks.cancel(task)
        self._give_up(target)
        self._forget_connection(target)
        self.model.update(target, board=None)

    def leave(self) -> None:
        """End every connection; returns at once."""
        self._life.close()
        self._end_adding()
        for target in list(self._workers):
            self._give_up(target)
        self._disk.leave()

    def close(self) -> None:
        """``leave``, and wait for the threads."""
        self.leave()
        for thread in self._closing:
            thread.join()
        self._disk.close()

    # -- inside ---------------------------------------------------------------------------------

    def _posted(self, value: object, number: object) -> None:
        if isinstance(value, _Said):
            worker = self._workers.get(value.target)
            if worker is not None and worker[1] is value.prompts:
                self._life.hear(value.target, value.state, value.when)
            return
        if not isinstance(value, _Connected) or self._tasks.get(number) is None:
            return
        self._tasks.tell(number, give_up=None, text="", done=None, total=None)
        board = _merged(self.model.item(value.target), value.board)
        self.model.update(value.target, state=BoardState.BUSY, message="", board=board)
        self.answered.emit(value.target)

    def _worker(self, target: str) -> BoardWorker:
        if target not in self._workers:
            prompts = WindowPrompts(self._bridge, target)

            def hear(state: LinkState) -> None:
                self._bridge.post(_Said(target, prompts, state, time.monotonic()))

            self._workers[target] = BoardWorker(target, prompts, self._connect, hear), prompts
        return self._workers[target][0]

    def _give_up(self, target: str) -> None:
        if target in self._workers:
            worker, prompts = self._workers.pop(target)
            prompts.cancel()
            self._close_aside(worker.close, target)

    def _end_adding(self) -> None:
        if self._adding is not None:
            (runner, prompts), self._adding = self._adding, None
            prompts.cancel()
            self._close_aside(runner.close, "add")

    def _close_aside(self, close: Callable[[], None], name: str) -> None:
        """On a thread of its own: what it waits for may take as long as a time-out."""
        self._closing = [t for t in self._closing if t.is_alive()]
        thread = threading.Thread(target=close, name=f"close-{name}")
        self._closing.append(thread)
        thread.start()

    def _working(self, target: str) -> bool:
        return any(task.target == target for task in self._tasks.running)

    def _settle(self, target: str) -> None:
        """A job is over, and said nothing of its connection."""
        item = self.model.item(target)
        if item is not None and item.state is BoardState.CONNECTING:
            self.model.update(target, state=BoardState.UNKNOWN, message="")
        elif item is not None and item.state is BoardState.BUSY:
            self.model.update(target, state=BoardState.READY)

    def _forget_connection(self, target: str) -> None:
        self.model.update(target, state=BoardState.UNKNOWN, message="", steps=(), round_trip=None)

    def _note_failure(self, target: str, problem: BaseException, again: str) -> None:
        item = self.model.item(target)
        if item is None:
            return
        if isinstance(problem, LinkError | DeployError | WireError):
            state = BoardState.LOST if item.met else BoardState.FAILED
            steps = steps_of(problem, again, local=target == LOCAL)
            self.model.update(
                target, state=state, message=plain(str(problem), 120), steps=steps, round_trip=None
            )
        else:
            self._settle(target)

    def _listed(self, found: tuple[SavedDevice, ...]) -> None:
        here = self.model.item(LOCAL) or self._here
        self.model.set_items([here, *(BoardItem(d.name, d.name) for d in found)])

    def _failed(self, error: BaseException) -> None:
        self.noticed.emit(Notice.of_error(error, "Reading the list of devices", "reload_boards"))


@dataclass(frozen=True, slots=True)
class _Connected:
    """A device answered; on its way to the GUI thread."""

    target: str
    board: Board


@dataclass(frozen=True, slots=True, eq=False)
class _Said:
    """What a connection said of itself, on its way to the GUI thread. ``prompts`` tell whose it was."""

    target: str
    prompts: WindowPrompts
    state: LinkState
    when: float


def _facts(device: Device, _task: Task) -> Device:
    """Which runtime works costs a process to ask; where there was none, one may be there by now."""
    return refresh(device, probe_runtime=device.board.runtime is None)


def _merged(item: BoardItem | None, board: Board) -> Board:
    """New facts; what was said of the runtime is kept where it was not asked for again."""
    if item is None or item.board is None or board.runtime is not None or board.runtime_errors:
        return board
    before = item.board
    return replace(
        board,
        runtime=before.runtime,
        runtime_version=before.runtime_version,
        runtime_errors=before.runtime_errors,
        numpy=board.numpy or before.numpy,
    )
