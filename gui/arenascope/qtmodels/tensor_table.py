"""The tensors of a capture as a table that sorts and filters itself.

A QSortFilterProxyModel would call back into Python for every comparison. Here each column has an array of
sort keys, made once a capture; a sort is one ``argsort``, a filter one mask, and texts are made for the
cells that are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from ..domain.alive import Key
from ..domain.capture import Capture
from ..domain.figures import tensor_label
from ..domain.layout import MemoryLayout, Placement
from ..domain.plain_text import plain
from ..domain.units import format_bytes, format_exact
from .tensor_card import consumers_text, producer_text, shape_text

_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
Order = Qt.SortOrder

#: Roles beside Qt's own.
KeyRole = int(Qt.ItemDataRole.UserRole)
PlacementRole = KeyRole + 1


@dataclass(frozen=True)
class Column:
    """``text`` of a cell, ``number`` to sort by (None sorts as unknown, last in either order)."""

    title: str
    tip: str
    text: Callable[[Placement, MemoryLayout], str]
    number: Callable[[Placement], float | None] | None = None
    mono: bool = False  #: right-aligned, digits of one width


def _known(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _last(p: Placement) -> str:
    return "end" if p.last_op is None and p.first_op is not None else _known(p.last_op)


def _last_number(p: Placement) -> float | None:
    return np.inf if p.last_op is None and p.first_op is not None else p.last_op


def _elements(p: Placement) -> float | None:
    return None if p.shape is None else float(np.prod(p.shape, dtype=float))


def _name(p: Placement, layout: MemoryLayout) -> str:
    if p.name.strip():
        return plain(p.name)
    return plain(tensor_label(p, layout).partition(" ")[2]) or "(no name)"


COLUMNS: tuple[Column, ...] = (
    Column("#", "Index of the tensor; subgraph:index outside the main subgraph",
           lambda p, _: f"{p.subgraph}:{p.index}" if p.subgraph else str(p.index),
           lambda p: p.subgraph * 1e9 + p.index, True),
    Column("Name", "Name in the model; scratch without a name is called after its operator", _name),
    Column("Type", "Element type", lambda p, _: plain(p.dtype, 40)),
    Column("Shape", "Shape at this run; sorted by the number of elements",
           lambda p, _: shape_text(p.shape), _elements),
    Column("Bytes", "Size in bytes, exact", lambda p, _: _known(p.bytes), lambda p: p.bytes, True),
    Column("Kind", "Allocation type, as the runtime calls it", lambda p, _: p.kind.value),
    Column("Offset", "First byte in its arena, from the arena's base",
           lambda p, _: _known(p.offset), lambda p: p.offset, True),
    Column("Address", "Address that was read on the device, in this run",
           lambda p, _: "" if p.address is None else f"{p.address:#x}", lambda p: p.address, True),
    Column("First", "Step at which it is made (position in the program)",
           lambda p, _: _known(p.first_op), lambda p: p.first_op, True),
    Column("Last", "Last step at which it is needed; end: kept to the end of the program",
           lambda p, _: _last(p), _last_number, True),
    Column("Made by", "Operator that makes it, with its index",
           lambda p, layout: "" if p.producer is None else producer_text(p, layout), lambda p: p.producer),
    Column("Read by", "Operators that read it, with their indices",
           lambda p, layout: consumers_text(p, layout) if p.consumers else "",
           lambda p: p.consumers[0] if p.consumers else None),
    Column("Scratch", "Temporary memory of one operator", lambda p, _: "yes" if p.temporary else "",
           lambda p: float(p.temporary)),
)  # fmt: skip

NAME_COLUMN = next(i for i, c in enumerate(COLUMNS) if c.title == "Name")


class TensorTableModel(QAbstractTableModel):
    """Rows are tensors in the order of the model until ``sort``; ``set_filter`` leaves some of them out."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._layout = MemoryLayout((), (), ())
        self._placements: tuple[Placement, ...] = ()
        self._sizes: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._keys: dict[int, npt.NDArray[np.float64]] = {}
        self._sort: tuple[int, Order] = (0, Order.AscendingOrder)
        self._mask: npt.NDArray[np.bool_] | None = None
        self._order: npt.NDArray[np.int64] = np.zeros(0, np.int64)  # all rows, sorted
        self._shown: npt.NDArray[np.int64] = np.zeros(0, np.int64)  # those that the filter leaves
        self._row_of: dict[Key, int] = {}

    # -- what is shown ------------------------------------------------------------------------

    @property
    def sorting(self) -> tuple[int, Order]:
        return self._sort

    @property
    def total(self) -> int:
        return len(self._placements)

    @property
    def shown_bytes(self) -> int:
        """Bytes of the rows that are shown, as far as they are known."""
        return int(self._sizes[self._shown].sum())

    def set_capture(self, capture: Capture | None) -> None:
        """Show another capture, in the same order of columns, unfiltered."""
        self.beginResetModel()
        self._layout = capture.layout if capture is not None else MemoryLayout((), (), ())
        self._placements = self._layout.placements
        self._keys, self._mask = {}, None
        self._sizes = np.array([p.bytes or 0 for p in self._placements], np.int64)
        self._arrange(sort=True)
        self.endResetModel()

    def set_filter(self, keys: frozenset[Key] | None) -> None:
        """Show only these tensors; None shows all."""
        self.beginResetModel()
        self._mask = None if keys is None else np.array([p.key in keys for p in self._placements], bool)
        self._arrange(sort=False)
        self.endResetModel()

    def sort(self, column: int, order: Order = Order.AscendingOrder) -> None:
        """Stable: what is equal stays in the order of the model. Unknown comes last."""
        if not 0 <= column < len(COLUMNS) or (column, order) == self._sort:
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        kept = [(int(self._shown[i.row()]), i.column()) for i in before]
        self._sort = (column, order)
        self._arrange(sort=True)
        after = [self.index(self._row_of[self._placements[row].key], col) for row, col in kept]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)

    def placement(self, row: int) -> Placement:
        return self._placements[self._shown[row]]

    def row_of(self, key: Key | None) -> int | None:
        """The row of a tensor; None where it is not shown."""
        return None if key is None else self._row_of.get(key)

    def as_text(self, rows: Iterable[int]) -> str:
        """Rows as tab-separated text with a header, for the clipboard and spreadsheets."""
        lines = ["\t".join(c.title for c in COLUMNS)]
        lines += ["\t".join(c.text(self.placement(r), self._layout) for c in COLUMNS) for r in rows]
        return "\n".join(lines)

    def _arrange(self, *, sort: bool) -> None:
        if sort:
            column, order = self._sort
            keys = self._sort_keys(column)
            known = np.flatnonzero(~np.isnan(keys))
            sign = 1 if order == Order.AscendingOrder else -1
            ranked = known[np.argsort(sign * keys[known], kind="stable")]
            self._order = np.concatenate((ranked, np.flatnonzero(np.isnan(keys))))
        self._shown = self._order if self._mask is None else self._order[self._mask[self._order]]
        self._row_of = {self._placements[row].key: i for i, row in enumerate(self._shown)}

    def _sort_keys(self, column: int) -> npt.NDArray[np.float64]:
        """Numbers in whose order the column is sorted, NaN for unknown; texts by their rank."""
        if column not in self._keys:
            number = COLUMNS[column].number
            if number is not None:
                values = [number(p) for p in self._placements]
                self._keys[column] = np.array([np.nan if v is None else v for v in values], np.float64)
            else:
                texts = [COLUMNS[column].text(p, self._layout).lower() for p in self._placements]
                rank = {text: i for i, text in enumerate(sorted(set(texts)))}
                self._keys[column] = np.array([rank[t] if t else np.nan for t in texts], np.float64)
        return self._keys[column]

    # -- Qt's questions -----------------------------------------------------------------------

    def rowCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._shown):
            return None
        column = COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(self.placement(index.row()), self._layout)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.mono else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(self.placement(index.row()), index.column())
        if role == KeyRole:
            return self.placement(index.row()).key
        if role == PlacementRole:
            return self.placement(index.row())
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(COLUMNS):
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            arrow = "▴" if self._sort[1] == Order.AscendingOrder else "▾"
            if section != self._sort[0]:
                return column.title
            return f"{arrow} {column.title}" if column.mono else f"{column.title} {arrow}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.tip
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.mono else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def _tip(self, p: Placement, column: int) -> str | None:
        """The same figure in its other form, or the whole of a text that may be cut off.

        Qt shows a tip as rich text where it looks like markup, so names are escaped.
        """
        title = COLUMNS[column].title
        if title == "Bytes" and p.bytes is not None:
            return f"{format_exact(p.bytes)} = {format_bytes(p.bytes)}"
        if title == "Offset" and p.offset is not None:
            return f"{p.offset:#x} = {p.offset:,}"
        text = COLUMNS[column].text(p, self._layout)
        return f"<span>{escape(text)}</span>" if text else None
