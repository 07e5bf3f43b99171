"""The plan of the What-if knobs in the views that show readings: map, table, details and header strip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from ..domain.capture import Capture
from ..domain.plain_text import plain
from ..qtmodels.selection import Showing

if TYPE_CHECKING:
    from .main_window import MainWindow


class PlanOnMap(QObject):
    """A plan that is being replaced stays, under its own name, until it is known to take long."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        selection, whatif = self._session.selection, self._session.whatif
        selection.showingChanged.connect(self._showing_changed)
        selection.differenceChanged.connect(self._compare)
        whatif.planned.connect(self._planned)
        whatif.answered.connect(lambda _: self._answered())
        whatif.slow.connect(self._slow)
        window.map.showingChosen.connect(selection.set_showing)
        window.map.planAsked.connect(whatif.like_the_run)
        self._showing_changed(selection.showing)

    def show_figures(self) -> None:
        """The strip says what is on show: a plan's figures are planned."""
        selection, answer = self._session.selection, self._session.whatif.answer
        plan = selection.plan
        if selection.showing is not Showing.PLAN:
            self._window.strip.set_capture(self._session.capture)
        elif plan is None:
            self._window.strip.set_capture(None)
        elif answer is not None and answer.forecast is not None:
            self._window.strip.set_plan(plan, answer.forecast)

    def _showing_changed(self, showing: Showing) -> None:
        self._session.whatif.want("map", showing is not Showing.READING)
        self._window.map.show_showing(showing)
        if showing is Showing.READING:
            self._session.selection.set_plan(None)
        else:
            self._planned(self._session.whatif.plan)
        self._window.offer()
        self.show_figures()
        self._compare()

    def _planned(self, plan: Capture | None) -> None:
        selection, whatif = self._session.selection, self._session.whatif
        if selection.showing is Showing.READING or (plan is None and whatif.waiting):
            return
        selection.set_plan(plan)
        self.show_figures()
        self._compare()

    def _answered(self) -> None:
        if self._session.whatif.plan is None and not self._session.whatif.waiting:
            answer = self._session.whatif.answer
            if answer is None or answer.whole:  # refused, or gone wrong: there is no plan
                self._planned(None)
        self._compare()

    def _slow(self, slow: bool) -> None:
        if slow and self._session.whatif.waiting:
            self._session.selection.set_plan(None)
            self.show_figures()
            self._compare()

    # -- words -------------------------------------------------------------------------------------

    def _compare(self) -> None:
        selection, whatif = self._session.selection, self._session.whatif
        if selection.showing is Showing.READING:
            self._window.map.say_plan("", False)
            return
        plan = selection.plan
        if plan is None:
            self._window.map.say_plan(self._why_none(), False)
            return
        words = f"Plan: {describe(plan)}"
        if selection.showing is Showing.BOTH:
            words = self._difference_words(plan)
        offered = self._session.capture is not None and not whatif.as_the_run
        self._window.map.say_plan(words, offered)

    def _difference_words(self, plan: Capture) -> str:
        found = self._session.selection.difference
        if found is None:
            return f"No reading to compare with. Plan: {describe(plan)}"
        if found.equal:
            return f"Equal: all {found.tensors} tensors in arenas lie where they were planned."
        count = len(found.differences)
        words = f"{count} of {found.tensors} tensors differ"
        if not self._session.whatif.as_the_run:
            return f"{words}. The plan is of other knobs: {describe(plan)}"
        return f"{words} from the plan: outlined."

    def _why_none(self) -> str:
        whatif = self._session.whatif
        if whatif.missing == "file":
            return "No plan: the model's file is not here, only a capture of it. Open the .tflite file."
        if whatif.missing == "model":
            return "No plan: no model is open."
        answer = whatif.answer
        if answer is None:
            return "The plan is being made."
        if answer.error is not None:
            return f"No plan: {plain(answer.error.message, 300)}"
        if answer.forecast is not None and answer.forecast.plan.refusal is not None:
            return f"The model refuses: {plain(answer.forecast.plan.refusal.reason, 300)}"
        return "The plan is being made."


def describe(plan: Capture) -> str:
    """'image 8 × 96 × 96 × 3 · default delegate · tflite_runtime 2.14 on armv7l'."""
    options, device = plan.options, plan.device
    shapes = [f"{plain(n, 30)} {' × '.join(map(str, s))}" for n, s in list(options.inputs.items())[:2]]
    if len(options.inputs) > 2:
        shapes.append(f"and {len(options.inputs) - 2} more")
    delegate = "default delegate" if options.delegate == "default" else "CPU kernels"
    threads = "" if options.threads is None else f"{options.threads} thread{'s' * (options.threads != 1)}"
    every = "every tensor preserved" if options.preserve_all else ""
    where = f"{plain(device.runtime_text, 40)} on {plain(device.machine or device.name, 40)}"
    return " · ".join(part for part in (", ".join(shapes), delegate, threads, every, where) if part)
