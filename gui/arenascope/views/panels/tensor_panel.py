"""The tensor table with its count of what the search found."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPersistentModelIndex, QPoint, QRect, Qt
from PySide6.QtGui import (
    QAction,
    QFontMetrics,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from ...domain.alive import Key
from ...domain.capture import Capture
from ...domain.roles import role_of
from ...domain.units import format_bytes
from ...qtmodels.search_state import SearchState
from ...qtmodels.selection import Selection
from ...qtmodels.tensor_table import COLUMNS, NAME_COLUMN, PlacementRole, TensorTableModel
from ..empty_state import EmptyState
from ..plots.picture import widget_image
from ..theme import Theme, tabular

#: Widths in characters of the columns, name excepted: it takes what is left.
_WIDTHS = {"#": 4, "Type": 7, "Shape": 11, "Bytes": 10, "Kind": 17, "Offset": 9, "Address": 12,
           "First": 6, "Last": 6, "Made by": 24, "Read by": 30, "Scratch": 8}  # fmt: skip
#: Some fonts say of themselves that their average letter is narrower than any of these.
_LETTERS = "abcdefghijklmnopqrstuvwxyz_0123456789"
#: The name gives way down to ``_NAME_LEAST`` pixels for the columns that are read most, those up to
#: "Offset"; it is wider than ``_NAME_USUAL`` only where all columns fit.
_NAME_LEAST, _NAME_USUAL = 120, 220
_READ_MOST = range(next(i for i, c in enumerate(COLUMNS) if c.title == "Offset") + 1)
_OTHER = {
    Qt.SortOrder.AscendingOrder: Qt.SortOrder.DescendingOrder,
    Qt.SortOrder.DescendingOrder: Qt.SortOrder.AscendingOrder,
}


class TensorTable(QWidget):
    """All tensors of a capture; sorted by a click on a header, filtered by the one search.

    Keys: arrows walk, Ctrl+C copies the marked rows as tab-separated text.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._model = TensorTableModel(self)
        self._selection: Selection | None = None
        self._search: SearchState | None = None
        self._following = False
        self._count = QLabel()
        self._count.setProperty("role", "small")
        self._error = QLabel()
        self._error.setProperty("role", "error")
        for label in (self._count, self._error):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._table = QTableView()
        self._delegate = _RoleDelegate(theme, self._table)
        self._empty = EmptyState()
        self._build()
        self.set_theme(theme)
        self._tell()

    # -- public -------------------------------------------------------------------------------

    @property
    def model(self) -> TensorTableModel:
        return self._model

    @property
    def table(self) -> QTableView:
        return self._table

    @property
    def count_text(self) -> str:
        return self._count.text()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._delegate.theme = theme
        self._table.viewport().update()

    def set_selection(self, selection: Selection) -> None:
        """Follow ``selection`` (its capture too) and drive it."""
        if self._selection is not None:
            self._selection.captureChanged.disconnect(self.set_capture)
            self._selection.tensorChanged.disconnect(self._follow)
        self._selection = selection
        selection.captureChanged.connect(self.set_capture)
        selection.tensorChanged.connect(self._follow)
        self.set_capture(selection.capture)

    def set_search(self, search: SearchState) -> None:
        if self._search is not None:
            self._search.changed.disconnect(self._search_changed)
        self._search = search
        search.changed.connect(self._search_changed)
        self._search_changed()

    def set_capture(self, capture: Capture | None) -> None:
        self._quietly(lambda: self._model.set_capture(capture))
        self._search_changed()

    def set_empty_action(self, action: QAction | None) -> None:
        """The button of the empty view."""
        self._empty.set_action(action)

    def sort_by(self, column: int) -> None:
        """Sort by a column; by the same again: the other way round. Numbers begin with the largest."""
        current, order = self._model.sorting
        if column == current:
            order = _OTHER[order]
        else:
            largest_first = COLUMNS[column].title in ("Bytes", "Shape", "Scratch")
            order = Qt.SortOrder.DescendingOrder if largest_first else Qt.SortOrder.AscendingOrder
        self._model.sort(column, order)
        if self._table.currentIndex().isValid():
            self._table.scrollTo(self._table.currentIndex())
        else:
            self._table.scrollToTop()

    def selected_rows(self) -> list[int]:
        return sorted(index.row() for index in self._table.selectionModel().selectedRows())

    def copy_rows(self) -> str:
        """Put the marked rows on the clipboard as tab-separated text with a header, and return it."""
        text = self._model.as_text(self.selected_rows())
        QGuiApplication.clipboard().setText(text)
        return text

    def render_image(self, scale: float = 1.0) -> QImage:
        """The table as it is scrolled now, with its count."""
        return widget_image(self, scale, self._theme.panel)

    # -- building -----------------------------------------------------------------------------

    def _build(self) -> None:
        table = self._table
        table.setModel(self._model)
        table.setItemDelegate(self._delegate)
        table.setFont(tabular(self.font()))
        table.setShowGrid(False)
        table.setAlternatingRowColors(True)
        table.setWordWrap(False)
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setTabKeyNavigation(False)
        table.setCornerButtonEnabled(False)
        table.setAccessibleName("Tensors")
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.customContextMenuRequested.connect(self._menu)
        rows = table.verticalHeader()
        rows.hide()
        metrics = QFontMetrics(self.font())
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(metrics.height() + 9)
        columns = table.horizontalHeader()
        columns.setSectionsClickable(True)
        columns.sectionClicked.connect(self.sort_by)
        columns.setHighlightSections(False)
        columns.setSectionsMovable(True)
        columns.setMinimumSectionSize(40)
        letter = metrics.horizontalAdvance(_LETTERS) / len(_LETTERS)
        for number, column in enumerate(COLUMNS):
            if column.title in _WIDTHS:
                wide = round(letter * _WIDTHS[column.title]) + 16
                table.setColumnWidth(number, max(wide, metrics.horizontalAdvance(column.title) + 28))
        table.selectionModel().currentRowChanged.connect(self._current_changed)
        header = QHBoxLayout()
        header.setContentsMargins(6, 0, 6, 0)
        header.addWidget(self._count)
        header.addWidget(self._error)
        header.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(4)
        whole.addLayout(header)
        whole.addWidget(table, 1)
        whole.addWidget(self._empty, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The name takes what the other columns leave."""
        super().resizeEvent(event)
        room, beside_most = (
            self._table.viewport().width()
            - sum(self._table.columnWidth(i) for i in columns if i != NAME_COLUMN)
            for columns in (range(len(COLUMNS)), _READ_MOST)
        )
        self._table.setColumnWidth(NAME_COLUMN, max(_NAME_LEAST, min(beside_most, _NAME_USUAL), room))

    # -- following ----------------------------------------------------------------------------

    def _search_changed(self) -> None:
        keys = None if self._search is None else self._search.keys
        self._quietly(lambda: self._model.set_filter(keys))
        self._tell()
        self._follow(None if self._selection is None else self._selection.tensor)

    def _tell(self) -> None:
        shown, total = self._model.rowCount(), self._model.total
        self._table.setVisible(total > 0)
        self._empty.setVisible(total == 0)
        self._empty.say("No tensors yet", "Inspect a model or open a capture, and they are listed here.")
        found = f"{shown:,} of {total:,} tensors found" if shown != total else f"{total:,} tensors"
        self._count.setText(f"{found} · {format_bytes(self._model.shown_bytes)} in all" if total else "")
        self._error.setText("" if self._search is None else self._search.error)
        self._error.setVisible(bool(self._error.text()))

    def _follow(self, key: Key | None) -> None:
        """Show the selected tensor: mark its row and scroll to it."""
        row = self._model.row_of(key)
        self._following = True
        if row is None:
            self._table.clearSelection()
            self._table.setCurrentIndex(QModelIndex())
        elif self._table.currentIndex().row() != row:
            index = self._model.index(row, max(0, self._table.currentIndex().column()))
            flags = QItemSelectionModel.SelectionFlag
            self._table.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            self._table.scrollTo(self._model.index(row, NAME_COLUMN))
        self._following = False

    def _current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if self._following or self._selection is None or not current.isValid():
            return
        self._selection.select(self._model.placement(current.row()).key)

    def _quietly(self, change: Callable[[], None]) -> None:
        """Change the model without telling the selection that the current row went."""
        self._following = True
        change()
        self._following = False

    # -- keys and menu ------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy) and self.selected_rows():
            self.copy_rows()
        else:
            super().keyPressEvent(event)

    def _menu(self, position: QPoint) -> None:
        menu = QMenu(self)
        copy = menu.addAction("Copy rows")
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setEnabled(bool(self.selected_rows()))
        copy.triggered.connect(self.copy_rows)
        by = menu.addMenu("Sort by")
        for number, column in enumerate(COLUMNS):
            by.addAction(column.title).triggered.connect(lambda _=False, n=number: self.sort_by(n))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self._table.viewport().mapToGlobal(position))


class _RoleDelegate(QStyledItemDelegate):
    """Paints the colour that the tensor's block has in the arena map beside its name."""

    _SWATCH, _GAP = 9, 7

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().initStyleOption(option, index)
        option.state &= ~QStyle.StateFlag.State_HasFocus

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        if index.column() != NAME_COLUMN:
            super().paint(painter, option, index)
            return
        whole = QRect(option.rect)
        QApplication.style().drawPrimitive(
            QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget
        )
        option.rect = whole.adjusted(self._SWATCH + self._GAP, 0, 0, 0)
        super().paint(painter, option, index)
        swatch = QRect(whole.left() + 6, whole.center().y() - self._SWATCH // 2, self._SWATCH, self._SWATCH)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.role(role_of(index.data(PlacementRole))))
        painter.drawRoundedRect(swatch, 2, 2)
        painter.restore()
