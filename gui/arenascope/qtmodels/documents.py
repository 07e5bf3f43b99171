"""Files: opening models and captures, keeping captures, writing pages. All of it off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from ..domain.capture import Capture
from ..domain.graph import Graph
from ..domain.plain_text import plain
from ..store.kinds import CAPTURE_SUFFIX as CAPTURE_SUFFIX
from ..store.kinds import MODEL_SUFFIXES as MODEL_SUFFIXES
from ..store.kinds import is_capture
from ..workflow.jobs import JobRunner
from .bridge import GuiBridge
from .history_model import HistoryEntry
from .notices import Level, Notice
from .tasks import Task, Tasks
from .warm import warmed


@dataclass(frozen=True, eq=False)
class OpenModel:
    """The model in the window. ``path`` None: only a capture of it is here, the file is not.

    ``graph`` is there once the file was read.
    """

    name: str
    sha256: str
    bytes: int
    operators: int
    path: Path | None = None
    graph: Graph | None = None

    @classmethod
    def of_graph(cls, graph: Graph, path: Path) -> OpenModel:
        return cls(graph.name, graph.sha256, graph.file_bytes, graph.operator_count, path, graph)

    @classmethod
    def of_entry(cls, entry: HistoryEntry) -> OpenModel:
        facts = entry.capture.model
        return cls(facts.name, facts.sha256, facts.bytes, facts.operators, entry.model_path)


def read(path: Path) -> OpenModel | HistoryEntry:
    """What a file is. Raises FileError, ModelError, StoreError."""
    if is_capture(path):
        return read_capture(path)
    from ..tflite.reader import read_model

    return OpenModel.of_graph(read_model(path), path)


def read_capture(path: Path) -> HistoryEntry:
    """A capture, with its model's file where that lies beside it under its name and is the same model."""
    from ..store.capture import load

    capture = warmed(load(path))
    return HistoryEntry(capture, path=path, model_path=_model_beside(capture, path))


def _model_beside(capture: Capture, path: Path) -> Path | None:
    from ..errors import InputError
    from ..tflite.source import sha256_of

    beside = path.parent / Path(capture.model.name).name
    try:
        same_size = beside.is_file() and beside.stat().st_size == capture.model.bytes
        return beside if same_size and sha256_of(beside) == capture.model.sha256 else None
    except (OSError, ValueError, InputError):
        return None


class Documents(QObject):
    """Each verb is a task; what it brings comes as a signal, what goes wrong as a notice."""

    modelOpened = Signal(object)  #: OpenModel
    captureOpened = Signal(object)  #: HistoryEntry
    written = Signal(object, object)  #: HistoryEntry, Path: the capture was saved
    noticed = Signal(object)  #: Notice

    def __init__(self, bridge: GuiBridge, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge, self._tasks = bridge, tasks
        self._runner = JobRunner("files")

    def open(self, path: Path) -> None:
        """A model or a capture."""
        self._run(f"Opening {plain(path.name, 60)}", lambda: read(path), self._opened)

    def read_graph(self, model: OpenModel, then: Callable[[OpenModel], None]) -> None:
        """``then`` with the model and its graph, read if need be."""
        path = model.path
        if model.graph is not None or path is None:
            then(model)
            return
        from ..tflite.reader import read_model

        self._run(
            f"Reading {plain(model.name, 60)}",
            lambda: read_model(path, sha256=model.sha256),
            lambda graph: then(replace(model, graph=graph)),
        )

    def save(self, entry: HistoryEntry, path: Path) -> None:
        from ..store.capture import save

        def done(_: object) -> None:
            self.noticed.emit(
                Notice(Level.SUCCESS, f"Saved as {plain(path.name, 80)}.", plain(str(path.parent), 300))
            )
            self.written.emit(entry, path)

        self._run(f"Saving {plain(path.name, 60)}", lambda: save(entry.capture, path), done, again="save")

    def write(
        self,
        what: str,
        path: Path,
        make: Callable[[], bytes],
        then: Callable[[], None] | None = None,
        otherwise: Callable[[Notice], None] | None = None,
        again: str = "report",
    ) -> None:
        """Write what ``make`` (on the worker thread) returns, whole or not at all; then say so.

        ``otherwise`` gets the notice of an error; without it that goes where all notices go.
        """
        from ..store.files import write_atomic

        def done(_: object) -> None:
            message = f"{what} written to {plain(path.name, 80)}."
            self.noticed.emit(Notice(Level.SUCCESS, message, plain(str(path.parent), 300)))
            if then is not None:
                then()

        label = f"Writing {plain(path.name, 60)}"
        self._run(label, lambda: write_atomic(path, make()), done, otherwise, again)

    def submit(self, job: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Small work with the disk (settings, recent files) that needs no name; errors become notices."""
        self._bridge.follow(self._runner.submit(job), then, lambda e: self.noticed.emit(Notice.of_error(e)))

    def leave(self) -> None:
        self._runner.leave()

    def close(self) -> None:
        self._runner.close()

    def _run(
        self,
        label: str,
        job: Callable[[], Any],
        then: Callable[[Any], None],
        otherwise: Callable[[Notice], None] | None = None,
        again: str = "open",
    ) -> None:
        """A cancel that comes after the work was done, but before it was shown, counts too."""

        def submit(task: Task) -> Future[Any]:
            def run() -> Any:
                task.token.raise_if_cancelled()
                value = job()
                task.token.raise_if_cancelled()
                return value

            return self._runner.submit(run)

        def result(value: Any) -> None:
            if not started.token.cancelled:
                then(value)

        def failed(error: BaseException) -> None:
            (otherwise or self.noticed.emit)(Notice.of_error(error, label, again))

        started = self._tasks.start(label, submit, result, failed)

    def _opened(self, found: OpenModel | HistoryEntry) -> None:
        if isinstance(found, OpenModel):
            self.modelOpened.emit(found)
        else:
            self.captureOpened.emit(found)
