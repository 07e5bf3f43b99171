"""A small read-only table: texts at the left, figures at the right, a sum at the foot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QGuiApplication,
    QIcon,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from ..labels import tip
from ..theme import tabular

Index = QModelIndex | QPersistentModelIndex
_PADDING = 22
#: Average letters that the first column gets even where others must scroll then.
_FIRST_AT_MOST = 17
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class MiniRow:
    """``key`` is what the row stands for (a tensor, a step). ``color`` paints a swatch before the first
    cell. ``strong`` rows are sums."""

    cells: tuple[str, ...]
    key: Any = None
    color: QColor | None = None
    strong: bool = False
    tip: str = ""


class MiniModel(QAbstractTableModel):
    def __init__(self, columns: Sequence[str], right: Sequence[int], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._columns, self._right = tuple(columns), frozenset(right)
        self._rows: tuple[MiniRow, ...] = ()
        self.strong_font = QFont()

    def set_rows(self, rows: Sequence[MiniRow]) -> None:
        self.beginResetModel()
        self._rows = tuple(rows)
        self.endResetModel()

    @property
    def rows(self) -> tuple[MiniRow, ...]:
        return self._rows

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if section in self._right else _LEFT
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.cells[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if index.column() in self._right else _LEFT
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(row.tip or row.cells[index.column()])
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0 and row.color is not None:
            return _swatch(row.color)
        if role == Qt.ItemDataRole.FontRole and row.strong:
            return self.strong_font
        return None


class MiniTable(QTableView):
    """``chosen`` carries the key of a row that a person clicked or pressed Enter on."""

    chosen = Signal(object)

    def __init__(
        self,
        columns: Sequence[str],
        right: Sequence[int] = (),
        *,
        name: str = "",
        optional: Sequence[int] = (),
        parent: QWidget | None = None,
    ) -> None:
        """``optional`` columns go away, in this order, where there is no room for all."""
        super().__init__(parent)
        self._optional = tuple(optional)
        self._widths: dict[int, int] = {}
        self._data = MiniModel(columns, right, self)
        self.setModel(self._data)
        self.setAccessibleName(name)
        self.setFont(tabular(self.font()))
        self._data.strong_font = bold(self.font())
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setIconSize(QSize(10, 10))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 7)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(40)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.clicked.connect(self._choose)
        self.activated.connect(self._choose)

    def set_rows(self, rows: Sequence[MiniRow]) -> None:
        self._data.set_rows(rows)
        self._fit_columns()

    @property
    def rows(self) -> tuple[MiniRow, ...]:
        return self._data.rows

    def _fit_columns(self) -> None:
        """By the longest text of each: Qt would measure every row, and again at every change of style."""
        metrics, strong = self.fontMetrics(), QFontMetrics(bold(self.font()))
        for column in range(self._data.columnCount()):
            longest = max((row.cells[column] for row in self._data.rows), key=len, default="")
            heading = str(self._data.headerData(column, Qt.Orientation.Horizontal))
            width = max(strong.horizontalAdvance(longest), metrics.horizontalAdvance(heading))
            self._widths[column] = width + _PADDING
        swatch = self.iconSize().width() + 6 if any(r.color for r in self._data.rows) else 0
        self._widths[0] = min(self._widths[0] + swatch, metrics.averageCharWidth() * _FIRST_AT_MOST)
        self._share_room()

    def _share_room(self) -> None:
        """The first column takes what is left; where nothing is left the table scrolls."""
        room = self.viewport().width()
        shown = set(self._widths)
        for column in self._optional:
            if sum(self._widths[c] for c in shown) <= room:
                break
            shown.discard(column)
        for column, width in self._widths.items():
            self.setColumnHidden(column, column not in shown)
            if column:
                self.setColumnWidth(column, width)
        others = sum(self._widths[c] for c in shown if c)
        self.setColumnWidth(0, max(room - others, self._widths.get(0, 0)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_room()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if self._data.rows and event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit_columns()

    def mark(self, key: object) -> None:
        """Select the row of ``key`` without telling anybody; None or a stranger selects nothing."""
        for number, row in enumerate(self._data.rows):
            if key is not None and row.key == key:
                self.selectRow(number)
                return
        self.clearSelection()

    def full_height(self) -> int:
        """So that no row has to scroll."""
        rows = self._data.rowCount() * self.verticalHeader().defaultSectionSize()
        return rows + self.horizontalHeader().sizeHint().height() + 2

    def as_text(self) -> str:
        """Tab-separated, with the header."""
        head = "\t".join(
            str(self._data.headerData(c, Qt.Orientation.Horizontal)) for c in range(self._data.columnCount())
        )
        return "\n".join([head, *("\t".join(row.cells) for row in self._data.rows)])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.as_text())
            return
        super().keyPressEvent(event)

    def _choose(self, index: QModelIndex) -> None:
        key = self._data.rows[index.row()].key
        if key is not None:
            self.chosen.emit(key)


def bold(font: QFont) -> QFont:
    made = QFont(font)
    made.setWeight(QFont.Weight.DemiBold)
    return made


def _swatch(color: QColor) -> QIcon:
    picture = QPixmap(20, 20)
    picture.setDevicePixelRatio(2.0)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawRoundedRect(0, 0, 10, 10, 2, 2)
    painter.end()
    return QIcon(picture)
