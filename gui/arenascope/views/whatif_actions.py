"""What the actions of the What-if view and of plans on the arena map do, and when they can be done."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from ..domain.capture import Capture
from ..domain.shapes import ShapeRefusal
from ..qtmodels.documents import OpenModel
from ..qtmodels.next_steps import NextStep
from ..qtmodels.notices import Level, Notice
from ..qtmodels.selection import Showing
from .actions import PLANNED_FIGURES, SHOWINGS

if TYPE_CHECKING:
    from .main_window import MainWindow


class WhatIfActions(QObject):
    """``follow`` says anew what can be done with what is on show."""

    def __init__(self, window: MainWindow, follow: Callable[[Capture | None], None]) -> None:
        super().__init__(window)
        self._window, self._session, self._follow = window, window.session, follow
        self._actions = window.actions_
        whatif, selection = self._session.whatif, self._session.selection
        on = self._actions.on
        for key in PLANNED_FIGURES:
            on(f"explain_whatif_{key}", partial(self._explain, key))
        for key in SHOWINGS:
            on(f"map_{key}", partial(selection.set_showing, Showing(key)))
        on("whatif_measure", whatif.measure)
        on("whatif_learn", whatif.learn)
        on("whatif_use", self._use)
        on("whatif_reset", whatif.start_over)
        on("whatif_like_run", whatif.like_the_run)
        on("whatif_largest", whatif.to_largest)
        window.whatif.figures.operatorAsked.connect(self.show_operator)
        window.whatif.inputsAsked.connect(self._inputs)
        selection.showingChanged.connect(self._showing_changed)
        selection.captureChanged.connect(lambda _: self._follow_all())
        whatif.answered.connect(lambda _: self._follow_all())
        self._actions["map_reading"].setChecked(True)
        self._follow_planned()

    def show_operator(self, refusal: ShapeRefusal | None) -> None:
        """The operator that refuses, in every view: its step and the tensor that it does not take."""
        selection = self._session.selection
        if refusal is None or refusal.operator is None or selection.capture is None:
            return
        selection.set_scope(refusal.subgraph)
        operator = selection.capture.layout.operator(refusal.subgraph, refusal.operator)
        if operator is not None and operator.step is not None:
            selection.set_step(operator.step)
        if refusal.tensor is not None:
            selection.select((refusal.subgraph, refusal.tensor))

    def _inputs(self) -> None:
        """The shapes of the What-if, in the same dialog as those of the next run."""
        whatif = self._session.whatif

        def ask(model: OpenModel) -> None:
            from .dialogs.inputs import InputsDialog

            assert model.graph is not None
            dialog = InputsDialog(model.graph, whatif.request(), self._window, "the What-if")
            dialog.chosen.connect(lambda r: whatif.set_asked(batch=r.batch, inputs=dict(r.inputs)))
            dialog.open()

        self._session.with_graph(ask)

    def _use(self) -> None:
        self._session.whatif.use()
        words = "The next run has the knobs of the What-if."
        self._window.show_notice(Notice(Level.SUCCESS, words, steps=(NextStep(action="inspect"),)))

    def _explain(self, key: str) -> None:
        """The view is brought up: the explanation stands beside its figure."""
        self._window.tabs.setCurrentWidget(self._window.whatif)
        self._window.whatif.figures.ask(key)

    def _showing_changed(self, showing: Showing) -> None:
        self._actions[f"map_{showing.value}"].setChecked(True)
        self._follow_all()

    def _follow_all(self) -> None:
        self._follow(self._session.capture)
        self._follow_planned()

    def _follow_planned(self) -> None:
        planned = self._session.whatif.answer is not None
        for key in PLANNED_FIGURES:
            self._actions[f"explain_whatif_{key}"].setEnabled(planned)
        self._actions["whatif_like_run"].setEnabled(self._session.capture is not None)
