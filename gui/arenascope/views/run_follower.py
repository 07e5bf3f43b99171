"""A run or a watch that goes on, in the views: its curve, its phases, whether its board is away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from ..domain.measurement import BoardSample
from ..qtmodels.outcomes import PHASE_WORDS
from ..workflow.events import PhaseStarted
from .actions import TABS

if TYPE_CHECKING:
    from .main_window import MainWindow


class RunFollower(QObject):
    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        session, bridge, live = self._session, self._session.bridge, window.live
        session.runStarted.connect(self._run_started)
        session.runStopped.connect(self._run_stopped)
        session.watchChanged.connect(self._watch_changed)
        session.boardSampled.connect(self._board_sampled)
        session.tasks.changed.connect(self._tasks_changed)
        bridge.phaseStarted.connect(self._of_run(self._phase_started))
        bridge.phaseEnded.connect(self._of_run(lambda event: live.add_phase(event.phase)))
        bridge.samplesArrived.connect(self._of_run(lambda event: live.add_samples(event.samples)))
        bridge.processesSeen.connect(self._of_run(lambda event: live.add_processes(event.top)))
        bridge.linkAway.connect(lambda event, source: self._set_away(source, True))
        bridge.linkBack.connect(lambda event, source: self._set_away(source, False))

    def _of_run(self, do: Callable[[Any], None]) -> Callable[[object, object], None]:
        """``do`` with the event, if it belongs to the run that goes on."""

        def follow(event: object, source: object) -> None:
            run = self._session.running
            if run is not None and source == run.number:
                do(event)

        return follow

    def _run_started(self, _task: object) -> None:
        window = self._window
        window.banner.dismiss()
        window.live.begin()
        self._mark_live(True)
        window.does.follow_run(True)
        window.offer()

    def _run_stopped(self) -> None:
        window = self._window
        self._mark_live(False)
        window.does.follow_run(False)
        window.live.end()
        window.offer()

    def _phase_started(self, event: PhaseStarted) -> None:
        run = self._session.running
        if run is not None:
            self._window.live.add_phase_start(event.name, event.t)
            self._session.tasks.tell(run.number, text=PHASE_WORDS.get(event.name, event.name))

    def _watch_changed(self, task: object) -> None:
        window = self._window
        window.does.follow_watch(task is not None)
        self._mark_live(task is not None)
        if task is not None:
            window.live.begin(worker=False)
            window.tabs.setCurrentWidget(window.live)
        else:
            window.live.set_away(False)

    def _board_sampled(self, sample: BoardSample) -> None:
        self._window.live.add_board_sample(sample)
        self._window.say_cost(sample.agent_rss, sample.agent_cpu, "", "")

    def _set_away(self, source: object, away: bool) -> None:
        shown = (self._session.running, self._session.watching)
        if any(task is not None and task.number == source for task in shown):
            self._window.live.set_away(away)

    def _tasks_changed(self) -> None:
        tasks = self._session.tasks.running
        if self._session.running is not None:
            self._window.say_run()
        self._window.actions_["cancel"].setEnabled(any(not t.stopping for t in tasks))

    def _mark_live(self, going_on: bool) -> None:
        self._window.tabs.setTabText(TABS.index("Live"), "Live ●" if going_on else "Live")
