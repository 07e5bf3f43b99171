"""Every action by its name: type a few letters, press Enter."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QAction, QFontMetricsF, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from .actions import Actions, ActionSpec
from .floating import Floating
from .theme import Theme, scaled

_PAGE = 12
_ENTRY = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True, eq=False)
class Entry:
    spec: ActionSpec
    action: QAction

    @property
    def text(self) -> str:
        return self.action.text().rstrip("…").replace("&", "")

    @property
    def path(self) -> str:
        return f"{self.spec.menu} › {self.spec.submenu}" if self.spec.submenu else self.spec.menu


def score(query: str, text: str) -> int | None:
    """How well ``query`` fits: smaller is better, None not at all. Its letters must come in order."""
    query, text = query.lower().strip(), text.lower()
    if not query:
        return 0
    at = text.find(query)
    if at >= 0:
        return at if at == 0 or text[at - 1] == " " else 20 + at
    position, gaps = -1, 0
    for letter in query:
        if letter == " ":
            continue
        found = text.find(letter, position + 1)
        if found < 0:
            return None
        gaps += found - position - 1
        position = found
    return 100 + gaps


class _Rows(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: object) -> QSize:
        height = QFontMetricsF(option.font).height()
        return QSize(100, round(height + 12))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index) -> None:  # type: ignore[no-untyped-def]
        entry: Entry = index.data(_ENTRY)
        theme = self._theme
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = option.rect.adjusted(2, 1, -2, -1)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.selection)
            painter.drawRoundedRect(box, 6, 6)
        inner = box.adjusted(10, 0, -10, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        able = entry.action.isEnabled()
        icon = entry.action.icon()
        if not icon.isNull():
            icon.paint(painter, inner.left(), inner.center().y() - 8, 16, 16)
        inner.setLeft(inner.left() + 26)
        painter.setFont(option.font)
        painter.setPen(theme.text if able else theme.disabled)
        mark = "✓ " if entry.action.isCheckable() and entry.action.isChecked() else ""
        painter.drawText(inner, middle, mark + entry.text)
        used = painter.fontMetrics().horizontalAdvance(mark + entry.text)
        painter.setFont(scaled(option.font, 0.92))
        painter.setPen(theme.muted if able else theme.disabled)
        painter.drawText(inner.adjusted(used + 12, 0, 0, 0), middle, entry.path)
        painter.drawText(inner, middle | Qt.AlignmentFlag.AlignRight, entry.spec.key_text)
        painter.restore()


class CommandPalette(Floating):
    """A card at the top of the window. An action that cannot be done now is shown and does nothing."""

    def __init__(self, actions: Actions, theme: Theme, over: QWidget) -> None:
        super().__init__(over)
        self.setAccessibleName("Every action")
        self._entries = [Entry(spec, action) for spec, action in actions if spec.key != "palette"]
        self.edit = QLineEdit()
        self.edit.setPlaceholderText("What do you want to do?")
        self.edit.setAccessibleName("Search the actions")
        self.list = QListWidget()
        self.list.setAccessibleName("Actions")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setItemDelegate(_Rows(theme, self.list))
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._run)
        self.list.itemEntered.connect(self.list.setCurrentItem)
        self.edit.textChanged.connect(self._fill)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 8)
        column.addWidget(self.edit)
        column.addWidget(self.list)
        self._fill("")

    def texts(self) -> list[str]:
        return [self.list.item(n).data(_ENTRY).text for n in range(self.list.count())]

    def show_over(self) -> None:
        over, unit = self.over, self.fontMetrics()
        width = min(unit.averageCharWidth() * 84, over.width() - 40)
        height = min(unit.height() * 26, over.height() - 120)
        self.setFixedSize(width, height)
        self.show_at(QPoint((over.width() - width) // 2, 56), self.edit)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that the field has no use for."""
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._run(self.list.currentItem())
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            row = self.list.currentRow() + (1 if key == Qt.Key.Key_Down else -1)
            self.list.setCurrentRow(row % max(1, self.list.count()))
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            row = self.list.currentRow() + (_PAGE if key == Qt.Key.Key_PageDown else -_PAGE)
            self.list.setCurrentRow(max(0, min(row, self.list.count() - 1)))
        else:
            super().keyPressEvent(event)

    def _fill(self, query: str) -> None:
        ranked = []
        for number, entry in enumerate(self._entries):
            fits = score(query, entry.text)
            if fits is None:
                fits = score(query, f"{entry.path} {entry.text}")
                fits = None if fits is None else fits + 200
            if fits is not None:
                ranked.append((fits, number, entry))
        self.list.clear()
        for _, _, entry in sorted(ranked, key=lambda r: r[:2]):
            item = QListWidgetItem(entry.text)
            item.setData(_ENTRY, entry)
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _run(self, item: QListWidgetItem | None) -> None:
        if item is None:
            return
        action = item.data(_ENTRY).action
        if not action.isEnabled():
            return
        self.dismiss()
        # After the card is gone: the action may open one of its own.
        QTimer.singleShot(0, action.trigger)
