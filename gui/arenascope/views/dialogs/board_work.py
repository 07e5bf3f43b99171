"""A dialog in which something is done to a board: what it would be, a yes, progress, how it ended."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QProgressBar, QPushButton, QScrollArea, QSizePolicy, QWidget

from ...domain.units import format_bytes
from ...qtmodels.board_setup import BoardSetup
from ...qtmodels.next_steps import NextStep
from ...qtmodels.notices import Notice
from ...qtmodels.tasks import Task
from ..labels import label, set_role
from ..step_buttons import StepButtons, WordsOf
from .frame import Frame

_STEPS = 1000
#: Share of the screen's height that a dialog takes at most; what is longer scrolls.
_HIGHEST = 0.9


class _Page(QScrollArea):
    """Wants to be as high as its content; gives way, and scrolls, where the screen is not."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(self.fontMetrics().height() * 5)

    def sizeHint(self) -> QSize:
        page = self.widget()
        if page is None:
            return super().sizeHint()
        wide = max(1, self.width() - self.verticalScrollBar().sizeHint().width())
        return QSize(page.sizeHint().width(), max(page.heightForWidth(wide), page.minimumSizeHint().height()))


class BoardWorkDialog(Frame):
    """``show_page`` takes what is to be read; below it stand the progress, or how it ended.

    Closing it, in whatever way, stops what can be stopped; nobody waits for it.
    """

    stepAsked = Signal(object, str)  #: NextStep, the device that it is about

    def __init__(
        self, title: str, about: str, setup: BoardSetup, words_of: WordsOf, parent: QWidget | None = None
    ) -> None:
        super().__init__(title, about, parent, wide=92)
        self.setup = setup
        self._scroll = _Page()
        self._scroll.hide()
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress")
        self.progress.setTextVisible(False)
        self.status = label("", "muted", wrap=True)
        self.problem = label("", "error", wrap=True)
        self.hint = label("", "muted", wrap=True)
        for text in (self.problem, self.hint):
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.steps = StepButtons(words_of)
        self.steps.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.steps.asked.connect(self._take)
        self.body.addWidget(self._scroll, 1)
        for part in (self.progress, self.status, self.problem, self.hint, self.steps):
            self.body.addWidget(part)
        self.stop_button = self.add_button("Cancel")
        self.stop_button.clicked.connect(self._stop)
        self.go_button = self.add_button("", primary=True)
        self.go_button.clicked.connect(self.go)
        self.go_button.hide()
        setup.progressed.connect(self._progressed)
        setup.failed.connect(self._failed)
        setup.stopped.connect(self._stopped)
        self.finished.connect(self._closed)
        self._say()

    def go(self) -> None:
        """The yes."""
        raise NotImplementedError

    # -- what is shown ----------------------------------------------------------------------------

    def show_page(self, page: QWidget) -> None:
        """In place of what stood there."""
        self._scroll.setWidget(page)
        self._scroll.show()
        self._fit()

    def hide_page(self) -> None:
        self._scroll.hide()
        self._fit()

    def _fit(self) -> None:
        """As high as everything in it, within the screen."""
        layout = self.layout()
        if layout is None:
            return
        layout.activate()
        wide = max(self.width(), self.minimumWidth())
        self.resize(wide, self.height())  # the page is asked how high it is at this width
        self._scroll.updateGeometry()
        most = round(_HIGHEST * self.screen().availableGeometry().height())
        self.resize(wide, min(most, layout.totalHeightForWidth(wide)))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()

    def busy(self, text: str) -> None:
        """Something goes on, of which nothing more is known yet."""
        self._say(text)
        self.progress.setRange(0, 0)
        self.progress.show()
        self.go_button.hide()
        self.stop_button.setText("Cancel")
        self.stop_button.setEnabled(self.setup.can_cancel or not self.setup.working)
        self._choose(self.stop_button, primary=False)
        self._fit()

    def rest(
        self, text: str = "", go: str = "", stop: str = "Close", *, default: QPushButton | None = None
    ) -> None:
        """Nothing goes on. ``go`` are the words of the yes; without them there is nothing to say yes to."""
        self._say(text)
        self.stop_button.setText(stop)
        self.stop_button.setEnabled(True)
        self.go_button.setText(go)
        self.go_button.setVisible(bool(go))
        self._choose(default or (self.go_button if go else self.stop_button))
        self._fit()

    def _choose(self, chosen: QPushButton, *, primary: bool = True) -> None:
        """What Enter does."""
        for button in (self.go_button, self.stop_button):
            button.setAutoDefault(button is chosen)
            button.setDefault(button is chosen and primary)
            set_role(button, "primary" if button is chosen and primary else "")
        chosen.setFocus()

    def _say(self, text: str = "") -> None:
        self.status.setText(text)
        self.status.setVisible(bool(text))
        for part in (self.progress, self.problem, self.hint):
            part.hide()
        self.steps.set_steps(())

    def offer(self, steps: tuple[NextStep, ...]) -> None:
        self.steps.set_steps(steps)
        self._fit()

    # -- what is told -----------------------------------------------------------------------------

    def _progressed(self, task: Task) -> None:
        text = task.said
        if task.total and not task.stopping:
            self.progress.setRange(0, _STEPS)
            self.progress.setValue(round(_STEPS * (task.done or 0) / task.total))
            figures = f"{format_bytes(task.done or 0)} of {format_bytes(task.total)}"
            text = f"{text} · {figures}" if text else figures
        else:
            self.progress.setRange(0, 0)
        if text and text != self.status.text():
            lines = self.status.heightForWidth(self.status.width())
            self.status.setText(text)
            self.status.show()
            if self.status.heightForWidth(self.status.width()) > lines:
                self._fit()
        self.stop_button.setEnabled(self.setup.can_cancel)

    def _failed(self, notice: Notice) -> None:
        """It stays open: the reason, and what can be done."""
        self.rest()
        self.problem.setText(notice.message)
        self.hint.setText(notice.hint)
        self.problem.show()
        self.hint.setVisible(bool(notice.hint))
        self.offer(notice.steps)

    def _stopped(self) -> None:
        self.rest("Stopped. Nothing was changed on the board.")

    def _stop(self) -> None:
        """Cancel what goes on; where nothing does, close."""
        if self.setup.working:
            self.setup.cancel()
        else:
            self.reject()

    def _take(self, step: NextStep) -> None:
        if step.action:
            self.accept()
        self.stepAsked.emit(step, self.setup.target)

    def _closed(self, _result: int) -> None:
        self.setup.leave()
