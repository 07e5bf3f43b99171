"""A calm message: what happened, why, what to do next. It stays until it is closed or overtaken."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...qtmodels.next_steps import NextStep
from ...qtmodels.notices import Level, Notice
from ..icons import icon, pixmap
from ..labels import ElidedLabel, label
from ..step_buttons import StepButtons, WordsOf
from ..theme import Theme

_COLORS = {Level.INFO: "accent", Level.SUCCESS: "ok", Level.WARNING: "warn", Level.ERROR: "error"}
_SHORT_MS = 7000


class Banner(QFrame):
    """``stepAsked`` carries the NextStep of a button and what device it is about, ``detailsAsked`` the
    notice."""

    stepAsked = Signal(object, str)
    detailsAsked = Signal(object)

    def __init__(
        self,
        theme: Theme,
        words_of: WordsOf,
        parent: QWidget | None = None,
        *,
        slim: bool = False,
    ) -> None:
        """``words_of`` names an action; ``slim``: message and hint on one line."""
        super().__init__(parent)
        self.setProperty("role", "card")
        self._theme = theme
        self._notice: Notice | None = None
        self._sign = QLabel()
        self._message = label("", "", wrap=True)
        self._message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._hint = ElidedLabel("", "muted") if slim else label("", "muted", wrap=True)
        self.steps = StepButtons(words_of)
        self.steps.asked.connect(self._act)
        self._details = QPushButton("Details")
        self._details.setProperty("role", "flat")
        self._details.clicked.connect(lambda: self.detailsAsked.emit(self._notice))
        self._close = QToolButton()
        self._close.setProperty("role", "flat")
        self._close.setAccessibleName("Close this message")
        self._close.setToolTip("Close  (Esc)")
        self._close.clicked.connect(self.dismiss)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SHORT_MS)
        self._timer.timeout.connect(self.dismiss)
        words = QHBoxLayout() if slim else QVBoxLayout()
        words.setSpacing(10 if slim else 1)
        words.addWidget(self._message)
        words.addWidget(self._hint)
        if isinstance(self._hint, ElidedLabel):
            self._message.setWordWrap(False)
            self._hint.set_elide(Qt.TextElideMode.ElideRight)
            words.setStretch(1, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 3 if slim else 8, 6, 3 if slim else 8)
        row.setSpacing(10)
        row.addWidget(self._sign)
        row.addLayout(words, 1)
        for part in (self.steps, self._details, self._close):
            row.addWidget(part)
        self.set_theme(theme)
        self.hide()

    @property
    def notice(self) -> Notice | None:
        return self._notice

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._close.setIcon(icon("close", theme))
        self._follow()

    def show_notice(self, notice: Notice, *, short: bool = False) -> None:
        """``short``: it leaves by itself after some seconds, unless the mouse rests on it."""
        self._notice = notice
        self._message.setText(notice.message)
        if isinstance(self._hint, ElidedLabel):
            self._hint.set_text(notice.hint)
        else:
            self._hint.setText(notice.hint)
            self._hint.setVisible(bool(notice.hint))
        self._details.setVisible(bool(notice.detail))
        self.steps.set_steps(notice.steps)
        self.setAccessibleName(f"{notice.level.value}: {notice.message} {notice.hint}")
        self._follow()
        self.show()
        self.raise_()
        if short:
            self._timer.start()
        else:
            self._timer.stop()

    def wanted_width(self) -> int:
        """So that a slim one says everything."""
        metrics = self.fontMetrics()
        words = metrics.horizontalAdvance(self._message.text()) + metrics.horizontalAdvance(self._hint.text())
        buttons = [b for b in (*self.steps.buttons, self._details, self._close) if not b.isHidden()]
        return words + sum(b.sizeHint().width() + 10 for b in buttons) + 80

    def dismiss(self) -> None:
        if self._timer.isSingleShot() and self.underMouse() and self.sender() is self._timer:
            self._timer.start()
            return
        self._timer.stop()
        self._notice = None
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._color())
        painter.drawRoundedRect(4, 7, 3, self.height() - 14, 1.5, 1.5)

    def _color(self) -> QColor:
        level = self._notice.level if self._notice is not None else Level.INFO
        color = getattr(self._theme, _COLORS[level])
        assert isinstance(color, QColor)
        return color

    def _follow(self) -> None:
        name = self._notice.level.value if self._notice is not None else "info"
        self._sign.setPixmap(pixmap(name, self._color(), self.devicePixelRatioF(), 18))
        self.update()

    def _act(self, step: NextStep) -> None:
        """What was copied is used elsewhere: the words about it stay."""
        target = self._notice.target if self._notice is not None else ""
        if step.action:
            self.dismiss()
        self.stepAsked.emit(step, target)
