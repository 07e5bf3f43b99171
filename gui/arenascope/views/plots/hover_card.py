"""The card of one tensor, beside its block and never on it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ...qtmodels.tensor_card import TensorCard
from ..theme import Theme, tabular

_GAP = 10
_WIDEST, _VALUE = 400, 300  # pixels, of the card and of a value before it wraps


def place_card(block: QRect, card: QSize, near: QRect, far: QRect, cursor: QPoint) -> QPoint:
    """Top left of a card of size ``card`` that shows ``block`` and does not cover it.

    First inside ``near`` (the map), then inside ``far`` (the window); right, left, below, above. Only a
    block that fills the window is covered at all, and then where the cursor is not.
    """
    for bounds in (near, far):
        visible = block & bounds
        if visible.isEmpty():
            visible = QRect(cursor, QSize(1, 1))
        left, right = bounds.left(), bounds.right() - card.width() + 1
        top, bottom = bounds.top(), bounds.bottom() - card.height() + 1
        if right < left or bottom < top:
            continue
        y = min(max(cursor.y() - card.height() // 3, top), bottom)
        x = min(max(cursor.x() - card.width() // 3, left), right)
        for corner in (
            QPoint(visible.right() + _GAP, y),
            QPoint(visible.left() - _GAP - card.width(), y),
            QPoint(x, visible.bottom() + _GAP),
            QPoint(x, visible.top() - _GAP - card.height()),
        ):
            if left <= corner.x() <= right and top <= corner.y() <= bottom:
                return corner
    corners = [
        QPoint(x, y)
        for x in (far.left(), far.right() - card.width() + 1)
        for y in (far.top(), far.bottom() - card.height() + 1)
    ]
    return max(corners, key=lambda c: (QRect(c, card).center() - cursor).manhattanLength())


class HoverCard(QFrame):
    """Transparent to the mouse. Texts are plain; nothing in a name can become markup."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._theme = theme
        self._title = _label("title")
        self._title.setWordWrap(True)
        self._badge = _label("chip")
        self._hint = _label("small")
        self._cells: list[tuple[QLabel, QLabel]] = []
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        foot = QHBoxLayout()
        foot.addWidget(self._badge)
        foot.addStretch(1)
        foot.addWidget(self._hint)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 9, 12, 9)
        column.setSpacing(6)
        column.addWidget(self._title)
        column.addLayout(self._grid)
        column.addLayout(foot)
        self.setMaximumWidth(_WIDEST)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme

    def show_card(self, card: TensorCard, *, pinned: bool) -> None:
        self._title.setText(card.title)
        for row, (label, value) in enumerate(card.rows):
            if row == len(self._cells):
                self._add_row(row)
            cell = self._cells[row][1]
            self._cells[row][0].setText(label)
            cell.setText(value)
            cell.setMinimumWidth(min(_VALUE, cell.fontMetrics().horizontalAdvance(value) + 2))
        for row, cells in enumerate(self._cells):
            for cell in cells:
                cell.setVisible(row < len(card.rows))
        self._badge.setText(card.provenance.value)
        color = self._theme.provenance.get(card.provenance.value, self._theme.muted)
        self._badge.setStyleSheet(f"color: {color.name()};")
        self._hint.setText("pinned · Esc unpins · Ctrl+C copies" if pinned else "click pins")
        self.adjustSize()

    def show_beside(self, view: QWidget, block: QRect, cursor: QPoint) -> None:
        """Show the card in ``view``'s window, beside ``block`` (both it and ``cursor`` in ``view``)."""
        window = view.window()
        if self.parentWidget() is not window:
            self.setParent(window)

        def to_window(point: QPoint) -> QPoint:
            return view.mapTo(window, point)

        place = place_card(
            QRect(to_window(block.topLeft()), block.size()),
            self.size(),
            QRect(to_window(QPoint(0, 0)), view.size()),
            window.rect(),
            to_window(cursor),
        )
        self.move(place)
        self.raise_()
        self.show()

    def _add_row(self, row: int) -> None:
        label, value = _label("muted"), _label("")
        value.setWordWrap(True)
        value.setFont(tabular(self.font()))
        self._grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(value, row, 1)
        self._cells.append((label, value))


def _label(role: str) -> QLabel:
    made = QLabel()
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        made.setProperty("role", role)
    return made
