"""One sitting at the window: the model that is open, the device that is chosen, the run that goes on.

The verbs come from actions and panels, the signals go to them; the work is done off the GUI thread by
``Boards`` and ``Documents``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from ..domain.capture import Capture
from ..domain.measurement import BoardSample, Status
from ..domain.plain_text import plain
from ..workflow import devices
from ..workflow.connect import LOCAL, Device
from ..workflow.inspect import InspectRequest, inspect
from ..workflow.watch import watch
from ..workflow.whatif import Foreteller, Planner
from .board_setup import BoardSetup, Provisioning
from .board_worker import Connect, connect_with_runtime
from .boards import Boards, DeviceBook
from .bridge import GuiBridge
from .documents import Documents, OpenModel
from .history_model import HistoryEntry, HistoryModel
from .next_steps import NextStep
from .notices import Level, Notice
from .outcomes import notice_of
from .prompts import Questions
from .search_state import SearchState
from .selection import Selection
from .tasks import Task, Tasks
from .warm import warmed
from .whatif import WhatIfModel

Inspect = Callable[..., Capture]
_OPEN = (NextStep(action="open"),)


class Session(QObject):
    """Everything of the window that is not a widget. ``close`` ends every thread and connection."""

    modelChanged = Signal(object)  #: OpenModel | None
    entryChanged = Signal(object)  #: HistoryEntry | None, what the views show
    targetChanged = Signal(str)
    requestChanged = Signal(object)  #: InspectRequest for the next run
    runStarted = Signal(object)  #: Task
    runStopped = Signal()  #: however it ended
    watchChanged = Signal(object)  #: Task | None
    boardSampled = Signal(object)  #: BoardSample of the watch
    noticed = Signal(object)  #: Notice

    def __init__(
        self,
        *,
        book: DeviceBook = devices,
        measures_here: bool = True,
        connect: Connect = connect_with_runtime,
        run: Inspect = inspect,
        verbs: Provisioning | None = None,
        foretell: Callable[[], Foreteller] = Planner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.bridge = GuiBridge(self)
        self.tasks = Tasks(self.bridge, self)
        self.questions = Questions(self.bridge, self)
        self.boards = Boards(
            self.bridge, self.tasks, book=book, measures_here=measures_here, connect=connect, parent=self
        )
        self.documents = Documents(self.bridge, self.tasks, self)
        self.history = HistoryModel(self)
        self.selection = Selection(self)
        self.search = SearchState(self)
        self._inspect, self._verbs = run, verbs
        self._model: OpenModel | None = None
        self._target = LOCAL
        self._request = InspectRequest()
        self._run: Task | None = None
        self._watch: Task | None = None

        self.documents.modelOpened.connect(self.show_model)
        self.documents.captureOpened.connect(self.add_and_show)
        self.documents.written.connect(self._written)
        self.documents.noticed.connect(self.noticed)
        self.boards.noticed.connect(self.noticed)
        self.bridge.posted.connect(self._posted)
        self.selection.captureChanged.connect(self.search.set_capture)
        self.whatif = WhatIfModel(self, foretell)
        self.bridge.start()

    # -- what is open ---------------------------------------------------------------------------

    @property
    def model(self) -> OpenModel | None:
        return self._model

    @property
    def entry(self) -> HistoryEntry | None:
        return self.history.current

    @property
    def capture(self) -> Capture | None:
        """The run on show, also while its plan is looked at."""
        return self.selection.reading

    @property
    def target(self) -> str:
        return self._target

    @property
    def request(self) -> InspectRequest:
        return self._request

    @property
    def running(self) -> Task | None:
        """The run of a model that goes on, if one does."""
        return self._run

    @property
    def watching(self) -> Task | None:
        return self._watch

    def open(self, path: Path) -> None:
        self.documents.open(path)

    def show_model(self, model: OpenModel) -> None:
        """A model was opened: with its latest capture of this sitting, else with nothing yet."""
        self._set_model(model)
        known = next((e for e in self.history.entries if e.capture.model.sha256 == model.sha256), None)
        self._show(known)

    def add_and_show(self, entry: HistoryEntry) -> None:
        self.history.add(entry)
        self.show(entry)

    def show(self, entry: HistoryEntry) -> None:
        """Show a capture of the history; its model becomes the model of the window."""
        current = self._model
        if current is None or current.sha256 != entry.capture.model.sha256 or current.path is None:
            self._set_model(OpenModel.of_entry(entry))
        self._show(entry)

    def remove(self, entry: HistoryEntry) -> None:
        """Take a capture off the list; a file of it stays."""
        shown = entry is self.entry
        self.history.remove(entry)
        if shown:
            following = next(iter(self.history.entries), None)
            if following is not None:
                self.show(following)
            else:
                self._show(None)

    def save(self, path: Path) -> None:
        if self.entry is not None:
            self.documents.save(self.entry, path)

    # -- the next run ---------------------------------------------------------------------------

    def set_target(self, target: str) -> None:
        if target != self._target:
            self._target = target
            self.targetChanged.emit(target)

    def set_request(self, request: InspectRequest) -> None:
        if request != self._request:
            self._request = request
            self.requestChanged.emit(request)

    def with_graph(self, then: Callable[[OpenModel], None]) -> None:
        """``then`` with the model and what its file holds; says why where there is no file."""
        if self._model is None or self._model.path is None:
            self.noticed.emit(self._no_file())
            return

        def have(model: OpenModel) -> None:
            if self._model is not None and self._model.sha256 == model.sha256:
                self._model = model
                then(model)

        self.documents.read_graph(self._model, have)

    def inspect(self, target: str | None = None, request: InspectRequest | None = None) -> None:
        """Run the model on the device and show what it took. ``request``: for this run alone."""
        if self._run is not None:
            return
        model, target = self._model, target or self._target
        if model is None or model.path is None:
            self.noticed.emit(self._no_file())
            return
        item = self.boards.model.item(target)
        if item is None or not item.can_inspect:
            self.noticed.emit(
                Notice(
                    Level.WARNING,
                    "Only plans can be made on this computer: measuring a process needs Linux.",
                    "Add a board that SSH reaches, choose it above, and inspect there.",
                    steps=(NextStep(action="add_board"),),
                )
            )
            return
        self.set_target(target)
        self.stop_watch()
        path, request = model.path, request or self._request

        def job(device: Device, task: Task) -> Capture:
            def tell(event: object) -> None:
                self.bridge.post(event, task.number)

            return warmed(self._inspect(device, path, request, tell, task.token))

        self._run = self.boards.run(
            f"Inspecting {plain(model.name, 60)} on {plain(item.title, 40)}",
            target,
            job,
            lambda capture: self._ran(capture, path),
            self._run_failed,
            self._run_over,
            again="inspect",
        )
        self.runStarted.emit(self._run)

    def cancel(self) -> bool:
        """Stop what goes on, a watch only where nothing else does; False where nothing does."""
        going = [t for t in self.tasks.running if not t.stopping]
        for task in [t for t in going if t is not self._watch] or going:
            self.tasks.cancel(task)
        return bool(going)

    # -- watching -------------------------------------------------------------------------------

    def start_watch(self) -> None:
        """Follow the memory of the chosen device until told otherwise."""
        item = self.boards.model.item(self._target)
        if self._watch is not None or self._run is not None or item is None or not item.can_inspect:
            return

        def job(device: Device, task: Task) -> None:
            def tell(event: object) -> None:
                self.bridge.post(event, task.number)

            watch(device, tell, hz=2.0, cancel=task.token, on_link=tell)

        self._set_watch(
            self.boards.run(
                f"Watching {plain(item.title, 40)}",
                self._target,
                job,
                lambda _: self._set_watch(None),
                self._watch_failed,
                lambda: self._set_watch(None),
                endless=True,
                again="watch",
            )
        )

    def stop_watch(self) -> None:
        if self._watch is not None and not self._watch.stopping:
            self.tasks.cancel(self._watch)

    # -- setting a board up -----------------------------------------------------------------------

    def board_setup(self, target: str, parent: QObject) -> BoardSetup:
        """For a dialog that sets the board up or takes that back. A watch of it gives way."""
        from ..workflow import setup  # what it brings along, a start does not need

        self.stop_watch()
        return BoardSetup(target, self.boards, self.tasks, self.bridge, self._verbs or setup, parent)

    # -- the end ----------------------------------------------------------------------------------

    def leave(self) -> None:
        """Ask everything to end and hear nothing more; returns at once, whatever hangs."""
        self.bridge.stop()
        self.whatif.leave()
        self.tasks.leave()
        self.boards.leave()
        self.documents.leave()

    def close(self) -> None:
        """``leave``, and wait until no thread of ours is left."""
        self.leave()
        self.whatif.close()
        self.tasks.close()
        self.boards.close()
        self.documents.close()

    # -- inside ---------------------------------------------------------------------------------

    def _set_model(self, model: OpenModel | None) -> None:
        other = model is None or self._model is None or model.sha256 != self._model.sha256
        self._model = model
        if other:  # a batch and shapes belong to one model
            self.set_request(replace(self._request, batch=None, inputs={}))
        self.modelChanged.emit(model)

    def _show(self, entry: HistoryEntry | None) -> None:
        capture = entry.capture if entry is not None else None
        self.history.set_current(entry)
        self.selection.set_capture(capture)
        self.entryChanged.emit(entry)

    def _ran(self, capture: Capture, path: Path) -> None:
        entry = HistoryEntry(capture, model_path=path)
        stopped = capture.outcome.status is Status.CANCELLED
        self._run_over()
        if stopped and not capture.layout.placements:  # nothing to see: what is shown stays
            self.history.add(entry)
        else:
            self.add_and_show(entry)
        notice = notice_of(capture)
        if notice is not None:
            self.noticed.emit(notice)

    def _run_failed(self, error: BaseException) -> None:
        doing = self._run.label if self._run is not None else "Inspecting"
        target = self._run.target if self._run is not None else self._target
        self._run_over()
        self.noticed.emit(Notice.of_error(error, doing, "inspect", target))

    def _run_over(self) -> None:
        self._run = None
        self.runStopped.emit()

    def _set_watch(self, task: Task | None) -> None:
        self._watch = task
        self.watchChanged.emit(task)

    def _watch_failed(self, error: BaseException) -> None:
        target = self._watch.target if self._watch is not None else self._target
        self._set_watch(None)
        self.noticed.emit(Notice.of_error(error, "Watching the device", "watch", target))

    def _written(self, entry: HistoryEntry, path: Path) -> None:
        self.history.mark_saved(entry, path)

    def _posted(self, value: Any, number: object) -> None:
        if isinstance(value, Notice):  # from the excepthooks
            self.noticed.emit(value)
        elif isinstance(value, BoardSample) and self._watch is not None and number == self._watch.number:
            self.boardSampled.emit(value)

    def _no_file(self) -> Notice:
        if self._model is None:
            return Notice(Level.INFO, "No model is open.", "Open a .tflite file first.", steps=_OPEN)
        return Notice(
            Level.INFO,
            f"The file of {plain(self._model.name, 80)} is not here: only a capture of it was opened.",
            "Open the .tflite file to run it again.",
            steps=_OPEN,
        )
