"""What if: knobs become plans off the GUI thread, and only the answer to the latest knobs is ever shown.

One thread plans. A change of a knob cancels what is not begun and overtakes what is; every answer carries
the question it answers, and one whose question is not the present one goes to the curve at most. While
nobody waits, the curve over all batches is refined.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from ..domain.board import Board
from ..domain.capture import Capture
from ..domain.forecast import Forecast
from ..domain.whatif import check_knobs
from ..errors import ArenaScopeError, Cancelled
from ..workflow.inspect import InspectRequest
from ..workflow.jobs import CancelToken, JobRunner
from ..workflow.whatif import Foreteller, Question
from .boards_model import BoardItem
from .documents import OpenModel
from .planned_capture import planned_capture
from .whatif_curve import Curve, Dot
from .whatif_dots import on_the_curve
from .whatif_keys import Answer as Answer
from .whatif_keys import key_of, knobs_of, same_limits, without_batch
from .whatif_knobs import Knobs, Target, Where, asked_of, file_batch, has_batch, resolve, same_run
from .whatif_lessons import Lessons

if TYPE_CHECKING:
    from .session import Session

#: A question that takes longer than this is said to be worked on.
PATIENCE_MS = 300
#: The curve is refined in pieces of this length, so that the next question need not wait.
_PIECE_SECONDS = 0.05
_BREATH_SECONDS = 0.002


class WhatIfModel(QObject):
    """Plans only while somebody looks (``want``). Everything here is called on the GUI thread."""

    knobsChanged = Signal(object)  #: Knobs
    targetChanged = Signal(object)  #: Target
    answered = Signal(object)  #: Answer to the present question; None: it is asked anew
    planned = Signal(object)  #: Capture of the plan with its tensors; None: there is none any more
    curveChanged = Signal()
    slow = Signal(bool)  #: the present question has been open for 300 ms, or no longer
    missingChanged = Signal(str)

    def __init__(self, session: Session, foretell: Callable[[], Foreteller]) -> None:
        super().__init__(session)
        self._session, self._foretell = session, foretell
        self._service: Foreteller | None = None
        self._runner = JobRunner("planning")
        self._ending: threading.Thread | None = None
        self._wanted: set[str] = set()
        self._knobs, self._touched = Knobs(), False
        self._board: Board | None = None
        self._base: Question | None = None  # the question without its batch: what the curve is about
        self._question: Question | None = None
        self._answer: Answer | None = None
        self._plan: Capture | None = None
        self._curve = Curve()
        self._learnt = 0  # how much was known of boards when the question was asked
        self._token = CancelToken()
        self._refining = False
        self._missing = "model"
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.setInterval(PATIENCE_MS)
        self._late.timeout.connect(lambda: self.slow.emit(True))
        self.lessons = Lessons(session)
        self.lessons.learnt.connect(self._ask)
        session.modelChanged.connect(self._model_changed)
        session.entryChanged.connect(self._entry_changed)
        session.requestChanged.connect(self._request_changed)
        session.targetChanged.connect(lambda _: self._board_changed())
        session.boards.model.dataChanged.connect(lambda *_: self._board_changed())

    # -- what is known ---------------------------------------------------------------------------

    @property
    def knobs(self) -> Knobs:
        return self._knobs

    @property
    def target(self) -> Target:
        return resolve(self._knobs, self._board, self._run_board)

    @property
    def model(self) -> OpenModel | None:
        return self._session.model

    @property
    def answer(self) -> Answer | None:
        """To the present knobs; None while it is worked on."""
        return self._answer

    @property
    def plan(self) -> Capture | None:
        """The plan of the present knobs as the views see it; None while it is worked on."""
        return self._plan

    @property
    def curve(self) -> Curve:
        return self._curve

    @property
    def missing(self) -> str:
        """'model', 'file', 'batch' (the model has none) or '': why there can be no curve."""
        return self._missing

    @property
    def waiting(self) -> bool:
        return self._question is not None and self._answer is None

    @property
    def batch(self) -> int | None:
        """The one that the knobs mean: as set, else the file's."""
        model = self._session.model
        return self._knobs.asked.batch or file_batch(model.graph if model is not None else None)

    @property
    def board(self) -> Board | None:
        """What is known of the chosen board."""
        return self._board

    @property
    def chosen(self) -> BoardItem | None:
        return self._session.boards.model.item(self._session.target)

    @property
    def run_board(self) -> Board | None:
        """The device of the capture on show, where it is another one than the chosen board."""
        board, chosen = self._run_board, self._board
        return None if board is None or (chosen is not None and chosen.name == board.name) else board

    @property
    def as_the_run(self) -> bool:
        """Whether the knobs ask for what the capture on show ran."""
        capture, model = self._session.capture, self._session.model
        if capture is None or model is None or model.graph is None or self._question is None:
            return False
        board, q = capture.device, self._question
        ours = resolve(Knobs(where=Where.RUN), None, board)
        return (
            capture.model.sha256 == model.sha256
            and (ours.machine, ours.profile) == (q.machine, q.profile)
            and same_run(q.asked, capture, model.graph)
        )

    def measured(self) -> tuple[Capture, ...]:
        """Runs of this sitting that differ from the knobs in nothing but the batch."""
        model, base = self._session.model, self._base
        if model is None or model.graph is None or base is None:
            return ()
        captures = (entry.capture for entry in self._session.history.entries)
        device = base.board.name if base.board is not None else None
        return on_the_curve(captures, model.graph, self._knobs.asked, device)

    def dots(self) -> tuple[Dot, ...]:
        """The same as points of the curve."""
        return tuple(dot for capture in self.measured() if (dot := Dot.of(capture)) is not None)

    # -- verbs -------------------------------------------------------------------------------------

    def want(self, who: str, wanted: bool) -> None:
        """Somebody looks, or looks away."""
        if wanted:
            self._wanted.add(who)
        else:
            self._wanted.discard(who)
        if self._wanted:
            self._ask()
        else:
            self._token.cancel()

    def set_knobs(self, knobs: Knobs) -> None:
        """What a person chose. Raises UsageError where it cannot be meant."""
        check_knobs(knobs.asked)
        self._touched = True
        self._set(knobs)

    def set_asked(self, **changes: object) -> None:
        self.set_knobs(replace(self._knobs, asked=replace(self._knobs.asked, **changes)))  # type: ignore[arg-type]

    def set_batch(self, batch: int | None) -> None:
        if batch != self._knobs.asked.batch:
            self.set_asked(batch=batch)

    def start_over(self) -> None:
        """The knobs as in the options of the next run."""
        self._touched = False
        self._set(Knobs(knobs_of(self._session.request)))

    def like_the_run(self) -> None:
        """The knobs as they were in the run on show, so that its reading can be compared with its plan."""
        capture, model = self._session.capture, self._session.model
        if capture is None:
            return
        if model is None or model.graph is None:
            self._session.with_graph(lambda _: self.like_the_run())
            return
        asked = asked_of(capture, model.graph)
        here = resolve(Knobs(), self._board, None)
        there = resolve(Knobs(where=Where.RUN), None, capture.device)
        same = self.run_board is None and (here.machine, here.profile) == (there.machine, there.profile)
        self._set(Knobs(asked, Where.BOARD if same else Where.RUN))

    def to_largest(self) -> None:
        """The largest batch that is known to fit."""
        largest = self._curve.largest_fit
        if largest is not None:
            self.set_batch(largest)

    def use(self) -> None:
        """These knobs for the next run."""
        self._session.set_request(self.request())

    def measure(self) -> None:
        """Run the present point on the chosen board."""
        self._session.inspect(request=self.request())

    def learn(self) -> None:
        """Measure what a prediction for the chosen board needs to know of it."""
        if self._question is not None:
            self.lessons.measure(self._question)

    def request(self) -> InspectRequest:
        asked = self._knobs.asked
        return replace(
            self._session.request,
            batch=asked.batch,
            inputs=dict(asked.inputs),
            threads=asked.threads,
            delegate=asked.delegate,
            preserve_all=asked.preserve_all,
        )

    def leave(self) -> None:
        """Stop, and end the process that plans; returns at once."""
        self._late.stop()
        self._wanted.clear()
        self._token.cancel()
        self._runner.leave()
        if self._ending is None:
            self._ending = threading.Thread(target=self._end, name="planning-end")
            self._ending.start()

    def close(self) -> None:
        """``leave``, and wait for the end of it."""
        self.leave()
        if self._ending is not None:
            self._ending.join()

    def _end(self) -> None:
        self._runner.close()
        if self._service is not None:
            self._service.close()

    # -- following the session ---------------------------------------------------------------------

    @property
    def _run_board(self) -> Board | None:
        capture = self._session.capture
        return capture.device if capture is not None else None

    def _model_changed(self, model: OpenModel | None) -> None:
        before = self._base
        if model is None or before is None or before.graph.sha256 != model.sha256:
            self._touched = False
            self._base = None
            self._forget()
            self._curve = Curve()
            self.curveChanged.emit()
            self._set(Knobs(knobs_of(self._session.request)))
        self._ask()

    def _request_changed(self, request: InspectRequest) -> None:
        if not self._touched:
            self._set(replace(self._knobs, asked=knobs_of(request)))

    def _entry_changed(self, _entry: object) -> None:
        if self._knobs.where is Where.RUN and self._run_board is None:
            self._set(replace(self._knobs, where=Where.BOARD))
        capture = self._session.capture
        if capture is not None:
            self.lessons.take(capture)
        self.curveChanged.emit()  # a run may be a new dot
        self._ask()

    def _board_changed(self) -> None:
        item = self._session.boards.model.item(self._session.target)
        board = item.board if item is not None else None
        if not same_limits(board, self._board):
            self._board = board
            self._ask()
            self.targetChanged.emit(self.target)

    # -- asking --------------------------------------------------------------------------------------

    def _set(self, knobs: Knobs) -> None:
        if knobs != self._knobs:
            self._knobs = knobs
            if not self._wanted:  # nobody looks: what is known answers other knobs
                self._forget()
            self._ask()
            self.knobsChanged.emit(knobs)

    def _forget(self) -> None:
        self._token.cancel()
        self._question = None
        self._set_answer(None)
        self._set_plan(None)

    def _ask(self) -> None:
        """A question for the knobs, the model and the board as they are, unless it is asked already."""
        model = self._session.model
        if not self._wanted or model is None or model.path is None:
            self._tell_missing(model)
            return
        if model.graph is None:
            self._tell_missing(model)
            self._session.with_graph(lambda _: self._ask())
            return
        target = self.target
        asked = self._knobs.asked
        question = Question(model.path, model.graph, asked, target.profile, target.machine, target.board)
        question = replace(question, delegation=self.lessons.division(question))
        if self._question is not None and self._same(question, self._question):
            self._resume()
            return
        base = replace(question, asked=replace(asked, batch=None))
        if self._base is None or not self._same(base, self._base):
            self._base, self._curve = base, Curve(file_batch(model.graph))
            self.curveChanged.emit()
        self._question, self._learnt = question, self.lessons.count
        self._tell_missing(model)
        if self.batch is not None:
            self._curve.reach(self.batch)
        self._token.cancel()
        self._answer = None  # from here on the question is open: whoever hears of it may ask
        self._set_plan(None)
        known = self._known()
        self._set_answer(None if known is None else Answer(question, known, whole=False))
        if known is None:
            self._late.start()
        self._submit_question(question)

    def _same(self, a: Question, b: Question) -> bool:
        """Whether two questions have the same answer; not when something was learnt in between."""
        return key_of(a) == key_of(b) and self._learnt == self.lessons.count

    def _known(self) -> Forecast | None:
        """What the curve knows of the present batch already."""
        batch = self._knobs.asked.batch
        return self._curve.get(batch) if batch is not None else None

    def _resume(self) -> None:
        """The same question again: go on where it was left when nobody looked."""
        if self._question is None or not self._token.cancelled:
            return
        if self._plan is None and (self._answer is None or not self._answer.whole):
            self._submit_question(self._question)
        else:
            self._refine()

    def _submit_question(self, question: Question) -> None:
        self._token = token = CancelToken()
        self._refining = False

        def job() -> Forecast:
            token.raise_if_cancelled()
            return self._the_service().forecast(question, token)

        self._session.bridge.follow(
            self._runner.submit(job),
            lambda forecast: self._arrived(Answer(question, forecast)),
            lambda error: self._failed(question, error),
        )

    def _the_service(self) -> Foreteller:
        """Made on the thread that plans, when it is needed."""
        if self._service is None:
            self._service = self._foretell()
        return self._service

    def _arrived(self, answer: Answer) -> None:
        forecast, question = answer.forecast, answer.question
        assert forecast is not None
        if self._base is not None and key_of(without_batch(question)) == key_of(self._base):
            batch = question.asked.batch
            if batch is not None:
                self._curve.add(batch, forecast)
        if question is not self._question:
            return  # overtaken: nobody asks that any more
        self._answer = answer  # known to whoever hears of the plan
        refused = forecast.plan.refusal is not None
        self._set_plan(None if refused else planned_capture(forecast, question.board))
        self._set_answer(answer)
        self.curveChanged.emit()
        self._refine()

    def _failed(self, question: Question, error: BaseException) -> None:
        if question is not self._question or isinstance(error, Cancelled):
            return
        told = error if isinstance(error, ArenaScopeError) else ArenaScopeError(f"The plan failed: {error}")
        self._set_answer(Answer(question, error=told))
        self._set_plan(None)

    def _set_answer(self, answer: Answer | None) -> None:
        self._answer = answer
        if answer is not None or self._question is None:
            self._late.stop()
            self.slow.emit(False)
        self.answered.emit(answer)

    def _set_plan(self, plan: Capture | None) -> None:
        if plan is not self._plan:
            self._plan = plan
            self.planned.emit(plan)

    # -- the curve -----------------------------------------------------------------------------------

    def _refine(self) -> None:
        """Plan a few more batches of the curve, and come back for more."""
        base, token, curve = self._base, self._token, self._curve
        if token.cancelled and self._wanted:
            self._token = token = CancelToken()
        if self._refining or not self._wanted or base is None or self._missing:
            return
        first = curve.next()
        if first is None:
            return
        self._refining = True

        copy = curve.copy()

        def job() -> list[tuple[int, Forecast]]:
            return self._piece(base, copy, first, token)

        def done(points: list[tuple[int, Forecast]]) -> None:
            if token is self._token:
                self._refining = False
            if curve is not self._curve:
                return
            for batch, forecast in points:
                curve.add(batch, forecast)
            if points:
                self.curveChanged.emit()
            if token is self._token and not token.cancelled:
                self._refine()

        def failed(error: BaseException) -> None:
            if token is self._token:
                self._refining = False  # the curve stays as it is; the answer itself says what is wrong

        self._session.bridge.follow(self._runner.submit(job), done, failed)

    def _piece(
        self, base: Question, curve: Curve, first: int, token: CancelToken
    ) -> list[tuple[int, Forecast]]:
        """On the planning thread: as many batches as fit into a short time."""
        made: list[tuple[int, Forecast]] = []
        until = time.monotonic() + _PIECE_SECONDS
        batch: int | None = first
        while batch is not None and not token.cancelled and (not made or time.monotonic() < until):
            try:
                forecast = self._the_service().forecast(base.with_batch(batch), token)
            except Cancelled:
                break  # what is planned already is worth keeping
            made.append((batch, forecast))
            curve.add(batch, forecast)
            batch = curve.next()
            if token.wait(_BREATH_SECONDS):  # the window paints meanwhile: planning is Python, too
                break
        return made

    # -- inside --------------------------------------------------------------------------------------

    def _tell_missing(self, model: OpenModel | None) -> None:
        missing = ""
        if model is None:
            missing = "model"
        elif model.path is None:
            missing = "file"
        elif model.graph is not None and not has_batch(model.graph):
            missing = "batch"
        if missing != self._missing:
            self._missing = missing
            self.missingChanged.emit(missing)
