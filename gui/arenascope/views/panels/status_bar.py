"""The line at the foot: the link, what goes on and how to stop it, and what measuring costs."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QToolButton, QWidget

from ...domain.plain_text import plain
from ...qtmodels.boards_model import BoardItem, BoardState, facts, link_text
from ...qtmodels.tasks import Task, Tasks
from ..actions import Actions
from ..labels import ElidedLabel, label, set_role, set_tip

#: Work that is over sooner is not announced.
_PATIENCE_MS = 300
_LINK_WORDS = {
    BoardState.UNKNOWN: "not connected",
    BoardState.CONNECTING: "connecting",
    BoardState.READY: "connected",
    BoardState.BUSY: "at work",
    BoardState.FAILED: "not reached",
    BoardState.AWAY: "connection lost, trying again",
    BoardState.LOST: "link lost",
    BoardState.PLANS_ONLY: "plans only",
}


class StatusBar(QWidget):
    def __init__(self, tasks: Tasks, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._link = label("", "muted")
        self._words = ElidedLabel("", "muted")
        self._words.set_elide(Qt.TextElideMode.ElideRight)
        self._progress = QProgressBar()
        self._progress.setFixedWidth(140)
        self._progress.setAccessibleName("Progress")
        self._cancel = QPushButton("Cancel")
        self._cancel.setProperty("role", "flat")
        self._cancel.clicked.connect(actions["cancel"].trigger)
        self._cost = label("", "muted")
        every = QToolButton()
        every.setProperty("role", "flat")
        every.setText(f"{actions['palette'].shortcuts()[0].toString()}  every action")
        every.clicked.connect(actions["palette"].trigger)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(self._link)
        row.addWidget(self._progress)
        row.addWidget(self._words, 1)
        row.addWidget(self._cancel)
        row.addWidget(self._cost)
        row.addWidget(every)
        self._every = every
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE_MS)
        self._patience.timeout.connect(self._show)
        self._said = ""
        tasks.changed.connect(self._follow)
        self._show()

    def changeEvent(self, event: QEvent) -> None:
        """The row keeps its height while buttons come and go."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.StyleChange:
            self.setFixedHeight(max(b.sizeHint().height() for b in (self._cancel, self._every)))

    def set_link(self, item: BoardItem | None) -> None:
        if item is None:
            self._link.setText("")
            return
        words = " · ".join(part for part in (_LINK_WORDS[item.state], link_text(item)) if part)
        self._link.setText(f"{plain(item.title, 40)}: {words}")
        set_tip(self._link, "\n".join(facts(item)))
        bad = item.state in (BoardState.FAILED, BoardState.LOST, BoardState.AWAY)
        set_role(self._link, "warn" if bad else "muted")

    def set_cost(self, text: str, words: str) -> None:
        """What the agent costs on the device, measured by itself."""
        self._cost.setText(text)
        set_tip(self._cost, words)

    def say(self, text: str) -> None:
        """Something of the moment, for example the phase of a run; '' takes it back."""
        self._said = text
        if not self._patience.isActive():
            self._show()

    def _follow(self) -> None:
        if not self._tasks.running:
            self._patience.stop()
            self._said = ""
            self._show()
        elif self._cancel.isVisible():
            self._show()
        elif not self._patience.isActive():
            self._patience.start()

    def _show(self) -> None:
        task = self._current()
        self._progress.setVisible(task is not None and not task.endless)
        self._cancel.setVisible(task is not None)
        self._cancel.setText("Stop" if task is not None and task.endless else "Cancel")
        if task is None:
            self._words.set_text(self._said)
            return
        if task.total:
            self._progress.setRange(0, 1000)
            self._progress.setValue(round(1000 * (task.done or 0) / task.total))
        else:
            self._progress.setRange(0, 0)
        said = task.said or self._said
        self._words.set_text(f"{task.label} · {said}" if said else task.label)

    def _current(self) -> Task | None:
        """The latest one that will end by itself, else a watch."""
        running = self._tasks.running
        return next((t for t in reversed(running) if not t.endless), running[-1] if running else None)
