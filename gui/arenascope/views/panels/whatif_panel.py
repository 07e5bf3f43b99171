"""The What-if view: knobs, the curve over all batches, and what the present knobs mean."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction, QHideEvent, QImage, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSlider,
    QSpinBox,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...domain.capture import Capture
from ...domain.plain_text import plain
from ...domain.verdict import memory_room
from ...domain.whatif import MAX_EXTENT
from ...errors import UsageError
from ...qtmodels.batch_scale import LARGEST, STOPS, position
from ...qtmodels.planned_capture import planned_capture
from ...qtmodels.whatif import Answer, WhatIfModel
from ...qtmodels.whatif_knobs import Knobs, Where, file_batch
from ..actions import Actions
from ..empty_state import EmptyState
from ..grab import grab, grab_svg
from ..labels import label, set_tip
from ..plots.curve_item import CurvePoints
from ..plots.whatif_chart import WhatIfChart
from ..theme import Theme
from .whatif_figures import WhatIfFigures
from .whatif_knobs import WhatIfKnobs


class WhatIfPanel(QWidget):
    """Shows one WhatIfModel. Nothing that it shows is of other knobs than those on show."""

    inputsAsked = Signal()

    def __init__(
        self, model: WhatIfModel, actions: Actions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._model, self._actions, self._theme = model, actions, theme
        self._filling = False
        self._slow = False
        self._action: QAction | None = None
        self.knobs = WhatIfKnobs()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, len(STOPS) - 1)
        self.slider.setPageStep(10)
        self.slider.setAccessibleName(f"Batch, from 1 to {LARGEST:,}")
        self.slider.valueChanged.connect(self._slid)
        self.batch = QSpinBox()
        self.batch.setRange(0, MAX_EXTENT)
        self.batch.setSpecialValueText("auto")
        self.batch.setAccessibleName("Batch, what if")
        self.batch.setKeyboardTracking(False)
        self.batch.lineEdit().setTextMargins(5, 0, 0, 0)
        self.batch.setFixedWidth(self.batch.fontMetrics().horizontalAdvance("00000") + 40)
        set_tip(self.batch, "First dimension of every input; auto: as the file says")
        self.batch.valueChanged.connect(self._typed)
        self.chart = WhatIfChart(theme)
        self.figures = WhatIfFigures(theme)
        self._no_curve = EmptyState()
        self._board = QToolButton()
        self._board.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self._learn = _button(actions["whatif_learn"])
        self._empty = EmptyState()
        self._build()
        self._connect()
        self.set_theme(theme)
        self._show_missing(model.missing)
        self._show_knobs(model.knobs)

    # -- building ---------------------------------------------------------------------------------

    def _build(self) -> None:
        left = QVBoxLayout()
        left.setContentsMargins(0, 0, 6, 0)
        left.setSpacing(6)
        left.addWidget(self.knobs)
        left.addWidget(_button(self._actions["whatif_use"]))
        left.addStretch(1)
        knobs = _Column(left)

        top = QHBoxLayout()
        top.setSpacing(8)
        named = label("batch", "muted")
        named.setBuddy(self.slider)
        top.addWidget(named)
        top.addWidget(self.slider, 1)
        top.addWidget(self.batch)
        middle = QVBoxLayout()
        middle.setSpacing(4)
        middle.addLayout(top)
        self._curve_stack = QStackedLayout()
        self._curve_stack.addWidget(self.chart)
        self._curve_stack.addWidget(self._no_curve)
        middle.addLayout(self._curve_stack, 1)

        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(4)
        right.addWidget(self.figures)
        right.addWidget(self._board, 0, Qt.AlignmentFlag.AlignLeft)
        right.addStretch(1)
        scroll = _Column(right, self.fontMetrics().averageCharWidth() * 30)
        side = QVBoxLayout()
        side.setSpacing(6)
        side.addWidget(scroll, 1)
        self._columns = (knobs, scroll)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(_button(self._actions["whatif_measure"], "primary"))
        buttons.addWidget(self._learn)
        buttons.addStretch(1)
        side.addLayout(buttons)

        self._page = QWidget()
        row = QHBoxLayout(self._page)
        row.setContentsMargins(4, 8, 4, 4)
        row.setSpacing(12)
        row.addWidget(knobs)
        row.addLayout(middle, 1)
        row.addLayout(side)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._page)
        self._stack.addWidget(self._empty)

    def _connect(self) -> None:
        model = self._model
        model.knobsChanged.connect(self._show_knobs)
        model.targetChanged.connect(lambda _: self._show_knobs(model.knobs))
        model.answered.connect(self._show_answer)
        model.curveChanged.connect(self._show_curve)
        model.slow.connect(self._show_slow)
        model.missingChanged.connect(self._show_missing)
        model.lessons.changed.connect(self._show_actions)
        self.knobs.edited.connect(self._edited)
        self.knobs.inputsAsked.connect(self.inputsAsked.emit)
        self.chart.batchChosen.connect(self._choose)
        self.chart.largestAsked.connect(model.to_largest)

    # -- what the window tells it -----------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.chart.set_theme(theme)
        self.figures.set_theme(theme)
        self._show_answer(self._model.answer)

    def set_empty_action(self, action: QAction | None) -> None:
        """The window's own for what is missing. A plan needs no run: a model's file is enough."""
        self._action = action
        self._empty.set_action(self._actions["open"])

    @property
    def capture(self) -> Capture | None:
        """For the stamp of a picture: the plan without its tensors. None while nothing is shown."""
        answer = self._model.answer
        if answer is None or answer.forecast is None:
            return None
        return planned_capture(answer.forecast, answer.question.board)

    def render_image(self, scale: float = 1.0) -> QImage:
        return self.chart.render_image(scale) if self._has_curve else grab(self, scale)

    def render_svg(self, path: Path) -> None:
        if self._has_curve:
            self.chart.render_svg(path)
        else:
            grab_svg(self, path)

    @property
    def _has_curve(self) -> bool:
        return self._stack.currentIndex() == 0 and self._curve_stack.currentIndex() == 0

    # -- what the model tells it ------------------------------------------------------------------

    def _show_missing(self, missing: str) -> None:
        gone = missing in ("model", "file")
        self._stack.setCurrentWidget(self._empty if gone else self._page)
        if missing == "model":
            self._empty.say("No model is open", "Open a .tflite file: its memory is planned without a run.")
        elif missing == "file":
            self._empty.say(
                "The model's file is not here",
                "Only a capture of it is open. A plan is made from the file: open it as well.",
            )
        self._curve_stack.setCurrentIndex(1 if missing == "batch" else 0)
        self._no_curve.say(
            "No batch", "The inputs of this model have no batch dimension. Its plan stands beside this."
        )
        for widget in (self.slider, self.batch):
            widget.setEnabled(missing != "batch")
        self._show_actions()

    def _show_knobs(self, knobs: Knobs) -> None:
        model = self._model
        self._filling = True
        self.knobs.show_knobs(knobs, model.target, model.board, model.run_board)
        self.batch.setValue(knobs.asked.batch or 0)
        self.slider.setValue(position(model.batch or 1))
        self._filling = False
        self.chart.set_batch(model.batch, model.waiting)
        self._show_answer(model.answer)
        self._show_curve()

    def _show_answer(self, answer: Answer | None) -> None:
        model = self._model
        self.chart.set_batch(model.batch, model.waiting)
        self._show_actions()
        if answer is None:
            if self._slow or self.figures.forecast is None or not model.waiting:
                self.figures.clear(self._title())
            else:
                self.figures.fade(self._title())
            self._board.hide()
            self._learn.hide()
            return
        missing = self._missing_board()
        notes = model.target.notes
        prediction = answer.forecast.prediction if answer.forecast is not None else None
        guess = prediction is not None and prediction.guessed
        able = model.knobs.where is Where.BOARD and not missing
        self._learn.setVisible(guess and able)
        if guess:
            notes = (*notes, "The peak is a wide guess: this board was not measured yet.")
        self.figures.show_answer(answer, self._title(), missing, notes)

    def _show_slow(self, slow: bool) -> None:
        self._slow = slow
        if slow and self._model.waiting:
            self.figures.clear(self._title(), "The plan is being made.")

    def _show_curve(self) -> None:
        if not self.isVisible():
            return
        model, opened = self._model, self._model.model
        points = CurvePoints.of(
            model.curve,
            model.dots(),
            self._room(),
            file_batch(opened.graph) if opened is not None else None,
        )
        name = plain(opened.name, 60) if opened is not None else "What-if"
        self.chart.set_curve(model.curve, points, f"{name}: {self._target_words()}")
        self._show_actions()

    def _show_actions(self) -> None:
        there = self._model.missing not in ("model", "file")
        for key in ("whatif_use", "whatif_measure", "whatif_reset"):
            self._actions[key].setEnabled(there)
        idle = there and not self._model.lessons.going_on
        self._actions["whatif_learn"].setEnabled(idle and self._model.knobs.where is Where.BOARD)
        self._actions["whatif_largest"].setEnabled(there and self._model.curve.largest_fit is not None)

    def _title(self) -> str:
        batch = self._model.batch
        what = "as in the file" if batch is None else f"batch {batch:,}"
        return f"planning {what}…" if self._model.waiting else what

    def _target_words(self) -> str:
        target = self._model.target
        where = plain(target.board.name, 40) if target.board is not None else f"any {target.machine}"
        return f"memory over batches, {target.profile.name} on {where}"

    def _missing_board(self) -> str:
        """Why no limit is known, with the button that helps; '' where one is."""
        model = self._model
        board = model.target.board
        self._board.hide()
        if self._room() is not None:
            return ""
        if model.knobs.where is Where.MACHINE or (board is None and model.board is not None):
            return "A machine alone has no memory of its own. Plan for a board to see its limit."
        chosen = model.chosen
        if chosen is None or not chosen.can_inspect:
            action = self._actions["add_board"]
            said = "Connect a board to see its limit."
        else:
            action = self._actions["check_board"]
            said = f"{plain(chosen.title, 40)} was not asked yet. Check it to see its limit."
        self._board.setDefaultAction(action)
        self._board.show()
        return said

    def _room(self) -> tuple[str, int] | None:
        """What the verdict compares with, and what it is called."""
        board = self._model.target.board
        room = memory_room(board) if board is not None else None
        return None if room is None else (room[0], room[1].likely)

    # -- what a person does -----------------------------------------------------------------------

    def _slid(self, at: int) -> None:
        if not self._filling:
            self._choose(STOPS[at])

    def _typed(self, batch: int) -> None:
        if not self._filling:
            self._choose(batch or None)

    def _choose(self, batch: int | None) -> None:
        try:
            self._model.set_batch(batch)
        except UsageError:  # beyond 32 bits: the box itself allows no such number
            self._show_knobs(self._model.knobs)

    def _edited(self, knobs: Knobs) -> None:
        self._model.set_knobs(knobs)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._model.want("view", True)
        self._show_curve()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._model.want("view", False)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.FontChange and hasattr(self, "chart"):
            self.chart.set_theme(self._theme)


class _Column(QScrollArea):
    """A column that is as wide as it has to be, and scrolls where the window is low."""

    def __init__(self, layout: QVBoxLayout, at_least: int = 0) -> None:
        super().__init__()
        self._at_least = at_least
        self._content = content = QWidget()
        content.setLayout(layout)
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        content.installEventFilter(self)

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.Show):
            self._fit()
        return super().event(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        bar = self.verticalScrollBar().sizeHint().width()
        width = max(self._at_least, self._content.minimumSizeHint().width()) + bar
        if width != self.minimumWidth():
            self.setFixedWidth(width)


def _button(action: QAction, role: str = "") -> QToolButton:
    made = QToolButton()
    made.setDefaultAction(action)
    made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    if role:
        made.setProperty("role", role)
    return made
