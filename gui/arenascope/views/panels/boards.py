"""The boards: which answers, what it is, how much memory it has left. A click chooses one."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QListView, QMenu, QToolButton, QWidget

from ...qtmodels.boards_model import (
    BoardItem,
    BoardsModel,
    BoardState,
    facts,
    free_text,
    link_bars,
    link_text,
    trouble,
)
from ...qtmodels.next_steps import NextStep
from ..actions import Actions
from ..labels import label, tip
from ..step_buttons import StepButtons
from ..theme import Theme
from .card import Card
from .two_lines import Index, Row, TwoLines

_MOST_STEPS = 2
_SIGNS = {
    BoardState.UNKNOWN: ("ring", "muted"),
    BoardState.CONNECTING: ("half", "warn"),
    BoardState.READY: ("dot", "ok"),
    BoardState.BUSY: ("half", "accent"),
    BoardState.FAILED: ("cross", "error"),
    BoardState.AWAY: ("gap", "warn"),
    BoardState.LOST: ("cross", "warn"),
    BoardState.PLANS_ONLY: ("ring", "warn"),
}


class BoardRows(TwoLines):
    def row(self, index: Index) -> Row:
        item: BoardItem = index.data(BoardsModel.ItemRole)
        sign, color = _SIGNS[item.state]
        return Row(
            index.data(),
            index.data(BoardsModel.SubtitleRole),
            sign=sign,
            color=getattr(self.theme, color),
            foot=free_text(item),
            foot_aside=link_text(item),
            bars=link_bars(item),
        )


class _List(QListView):
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scrollTo(self.currentIndex())

    def viewportEvent(self, event) -> bool:  # type: ignore[no-untyped-def]
        if event.type() == event.Type.ToolTip:
            index = self.indexAt(event.pos())
            item = index.data(BoardsModel.ItemRole) if index.isValid() else None
            self.viewport().setToolTip(tip("\n".join(facts(item))) if item is not None else "")
        return super().viewportEvent(event)


class BoardsPanel(Card):
    """``chosen`` follows the click; the context menu has the window's own actions. Where something is the
    matter with the chosen board, that and its next steps stand below the list."""

    chosen = Signal(str)  #: target
    stepAsked = Signal(object, str)  #: NextStep, target

    def __init__(
        self, model: BoardsModel, actions: Actions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__("Boards", parent)
        self._model, self._actions = model, actions
        add = QToolButton()
        add.setDefaultAction(actions["add_board"])
        add.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        add.setProperty("role", "flat")
        add.setAccessibleName("Add a board")
        self.head.addWidget(add)
        self.list = _List()
        self.list.setModel(model)
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName("Boards")
        self._rows = BoardRows(theme, self.list)
        self.list.setItemDelegate(self._rows)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._menu)
        self.list.selectionModel().currentChanged.connect(self._moved)
        model.modelReset.connect(self._reset)
        self.trouble = label("", "small", wrap=True)
        self.trouble.setAccessibleName("What is the matter with the chosen board")
        self.trouble.setContentsMargins(6, 0, 6, 0)
        self.steps = StepButtons(lambda key: actions[key].text(), upright=True)
        self.steps.setContentsMargins(6, 0, 6, 4)
        self.steps.asked.connect(self._take)
        model.dataChanged.connect(self._show_trouble)
        self.body.addWidget(self.list, 1)
        self.body.addWidget(self.trouble)
        self.body.addWidget(self.steps)
        self.body.setContentsMargins(6, 10, 6, 6)
        self.head.setContentsMargins(6, 0, 0, 0)
        self._target = ""
        self._shown: tuple[str, tuple[NextStep, ...]] = ("", ())
        self._show_trouble()

    def set_theme(self, theme: Theme) -> None:
        self._rows.theme = theme
        self.list.viewport().update()

    def set_target(self, target: str) -> None:
        self._target = target
        row = self._model.row(target)
        if row >= 0 and self.list.currentIndex().row() != row:
            self.list.setCurrentIndex(self._model.index(row))
        self._show_trouble()

    def _show_trouble(self, *_: object) -> None:
        item = self._model.item(self._target)
        found = trouble(item) if item is not None else ("", ())
        self.trouble.setVisible(bool(found[0]))
        if found != self._shown:
            self._shown = found
            self.trouble.setText(found[0])
            self.steps.set_steps(found[1][:_MOST_STEPS])

    def _take(self, step: NextStep) -> None:
        self.stepAsked.emit(step, self._target)

    def _moved(self, current: QModelIndex, _previous: QModelIndex) -> None:
        item = current.data(BoardsModel.ItemRole) if current.isValid() else None
        if item is not None and item.target != self._target:
            self._target = item.target
            self._show_trouble()
            self.chosen.emit(item.target)

    def _reset(self) -> None:
        self.set_target(self._target)

    def _menu(self, where: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self.list.indexAt(where).isValid():
            for key in (
                "inspect",
                "watch",
                "check_board",
                "setup_board",
                "undo_setup",
                "disconnect_board",
                "forget_board",
            ):
                menu.addAction(self._actions[key])
            menu.addSeparator()
        menu.addAction(self._actions["add_board"])
        menu.popup(self.list.viewport().mapToGlobal(where))
