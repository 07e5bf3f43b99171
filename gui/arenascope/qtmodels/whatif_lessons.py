"""What a prediction needs to know of a board, measured there when a person asks for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ..domain.capture import Capture
from ..domain.plain_text import plain
from ..domain.shapes import Delegation
from ..workflow.delegation import of_capture
from ..workflow.whatif import Question, learn
from .notices import Notice
from .tasks import Task
from .whatif_knobs import Knobs, Where, resolve

if TYPE_CHECKING:
    from .session import Session


class Lessons(QObject):
    """``count`` goes up with everything that is learnt: the same question has another answer then."""

    changed = Signal()  #: measuring began or is over
    learnt = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._task: Task | None = None
        self._divided: dict[object, Delegation] = {}
        self.count = 0

    @property
    def going_on(self) -> bool:
        return self._task is not None

    def division(self, question: Question) -> Delegation | None:
        """How the board's runtime divides the model; None where it was not asked."""
        where = question.board.name if question.board is not None else ""
        return self._divided.get(
            (question.graph.sha256, where, question.profile, question.machine, question.asked.preserve_all)
        )

    def take(self, capture: Capture) -> None:
        """A run with the default delegate shows how it divides the model."""
        if capture.options.delegate != "default" or not capture.outcome.ok:
            return
        target = resolve(Knobs(where=Where.RUN), None, capture.device)
        key = (
            capture.model.sha256,
            capture.device.name,
            target.profile,
            target.machine,
            capture.options.preserve_all,
        )
        if key not in self._divided:
            self._divided[key] = of_capture(capture)

    def measure(self, question: Question) -> None:
        """A few short runs on the chosen board; what they say is kept."""
        session, target = self._session, self._session.target
        if question.board is None or self.going_on or session.running is not None:
            return
        base = replace(question, asked=replace(question.asked, batch=None))

        def over() -> None:
            self._task = None
            self.changed.emit()

        def done(divided: Delegation | None) -> None:
            if divided is not None:
                assert base.board is not None
                key = (base.graph.sha256, base.board.name, base.profile, base.machine)
                self._divided[(*key, base.asked.preserve_all)] = divided
            self.count += 1
            over()
            self.learnt.emit()

        def failed(error: BaseException) -> None:
            over()
            session.noticed.emit(Notice.of_error(error, "Calibrating the board", "whatif_learn", target))

        session.stop_watch()
        self._task = session.boards.run(
            f"Calibrating {plain(question.board.name, 40)}",
            target,
            lambda device, task: learn(device, base, task.token),
            done,
            failed,
            over,
            again="whatif_learn",
        )
        self.changed.emit()
