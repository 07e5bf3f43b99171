"""The boards: which answers, what it is, how much memory it has left. A click chooses one."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtWidgets import QListView, QMenu, QToolButton, QWidget

from ...qtmodels.boards_model import BoardItem, BoardsModel, BoardState, describe, free_text
from ..actions import Actions
from ..labels import tip
from ..theme import Theme
from .card import Card
from .two_lines import Index, Row, TwoLines

_SIGNS = {
    BoardState.UNKNOWN: ("ring", "muted"),
    BoardState.CONNECTING: ("half", "warn"),
    BoardState.READY: ("dot", "ok"),
    BoardState.BUSY: ("half", "accent"),
    BoardState.FAILED: ("cross", "error"),
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
            free_text(item),
            sign,
            getattr(self.theme, color),
        )


class _List(QListView):
    def viewportEvent(self, event) -> bool:  # type: ignore[no-untyped-def]
        if event.type() == event.Type.ToolTip:
            index = self.indexAt(event.pos())
            item = index.data(BoardsModel.ItemRole) if index.isValid() else None
            self.viewport().setToolTip(tip(_tip(item)) if item is not None else "")
        return super().viewportEvent(event)


def _tip(item: BoardItem) -> str:
    lines = [item.title, item.state.value.replace("_", " "), describe(item)]
    if item.board is not None and item.board.kernel:
        lines.append(f"kernel {item.board.kernel}")
    return "\n".join(dict.fromkeys(line for line in lines if line))


class BoardsPanel(Card):
    """``chosen`` follows the click; the context menu has the window's own actions."""

    chosen = Signal(str)  #: target

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
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName("Boards")
        self._rows = BoardRows(theme, self.list)
        self.list.setItemDelegate(self._rows)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._menu)
        self.list.selectionModel().currentChanged.connect(self._moved)
        model.modelReset.connect(self._reset)
        self.body.addWidget(self.list, 1)
        self.body.setContentsMargins(6, 10, 6, 6)
        self.head.setContentsMargins(6, 0, 0, 0)
        self._target = ""

    def set_theme(self, theme: Theme) -> None:
        self._rows.theme = theme
        self.list.viewport().update()

    def set_target(self, target: str) -> None:
        self._target = target
        row = self._model.row(target)
        if row >= 0 and self.list.currentIndex().row() != row:
            self.list.setCurrentIndex(self._model.index(row))

    def _moved(self, current: QModelIndex, _previous: QModelIndex) -> None:
        item = current.data(BoardsModel.ItemRole) if current.isValid() else None
        if item is not None and item.target != self._target:
            self._target = item.target
            self.chosen.emit(item.target)

    def _reset(self) -> None:
        self.set_target(self._target)

    def _menu(self, where: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self.list.indexAt(where).isValid():
            for key in ("inspect", "watch", "check_board", "disconnect_board", "forget_board"):
                menu.addAction(self._actions[key])
            menu.addSeparator()
        menu.addAction(self._actions["add_board"])
        menu.popup(self.list.viewport().mapToGlobal(where))
