"""The captures of this sitting. A click shows one again."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QListView, QMenu, QVBoxLayout, QWidget

from ...domain.measurement import Status
from ...qtmodels.history_model import HistoryEntry, HistoryModel
from ..actions import Actions
from ..empty_state import EmptyState
from ..theme import Theme
from .card import Card
from .two_lines import Index, Row, TwoLines

_SIGNS = {Status.OK: ("dot", "ok"), Status.CANCELLED: ("ring", "muted")}


class HistoryRows(TwoLines):
    def row(self, index: Index) -> Row:
        entry: HistoryEntry = index.data(HistoryModel.EntryRole)
        sign, color = _SIGNS.get(entry.capture.outcome.status, ("cross", "error"))
        return Row(
            index.data(),
            index.data(HistoryModel.SubtitleRole),
            index.data(HistoryModel.TimeRole),
            sign,
            getattr(self.theme, color),
            strong=bool(index.data(HistoryModel.CurrentRole)),
        )


class HistoryPanel(Card):
    chosen = Signal(object)  #: HistoryEntry
    removed = Signal(object)  #: HistoryEntry to take off the list

    def __init__(
        self, model: HistoryModel, actions: Actions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__("History", parent)
        self._model, self._actions = model, actions
        self.list = QListView()
        self.list.setModel(model)
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName("Captures of this sitting")
        self._rows = HistoryRows(theme, self.list)
        self.list.setItemDelegate(self._rows)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._menu)
        self.list.selectionModel().currentChanged.connect(self._moved)
        self.body.addWidget(self.list, 1)
        self.body.setContentsMargins(6, 10, 6, 6)
        self.head.setContentsMargins(6, 0, 6, 0)
        self._empty = EmptyState()
        self._empty.say("No runs yet", "Runs of this sitting stand here.")
        QVBoxLayout(self.list.viewport()).addWidget(self._empty)
        for signal in (model.rowsInserted, model.rowsRemoved, model.modelReset):
            signal.connect(self._follow)
        model.dataChanged.connect(self._follow)
        self._follow()

    def set_theme(self, theme: Theme) -> None:
        self._rows.theme = theme
        self.list.viewport().update()

    def _follow(self, *_: object) -> None:
        entries = self._model.entries
        self._empty.setVisible(not entries)
        if self._model.current in entries:
            row = entries.index(self._model.current)
            if self.list.currentIndex().row() != row:
                self.list.setCurrentIndex(self._model.index(row))
        elif self.list.currentIndex().isValid():  # what is shown is none of these
            self.list.setCurrentIndex(QModelIndex())

    def _moved(self, current: QModelIndex, _previous: QModelIndex) -> None:
        entry = current.data(HistoryModel.EntryRole) if current.isValid() else None
        if entry is not None and entry is not self._model.current:
            self.chosen.emit(entry)

    def _menu(self, where: QPoint) -> None:
        index = self.list.indexAt(where)
        if not index.isValid():
            return
        entry = index.data(HistoryModel.EntryRole)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for key in ("save", "report", "inspect"):
            menu.addAction(self._actions[key])
        menu.addSeparator()
        remove = QAction("Take off This List", menu)
        remove.triggered.connect(lambda: self.removed.emit(entry))
        menu.addAction(remove)
        menu.popup(self.list.viewport().mapToGlobal(where))
