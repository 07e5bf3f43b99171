"""A card over the live chart: what a second, a range or a phase says."""

from __future__ import annotations

from PySide6.QtCore import QMargins, QRect, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from ..icons import icon
from ..labels import label
from ..theme import Theme
from .mini_table import MiniRow, MiniTable

_MARGINS = QMargins(8, 40, 8, 40)


class MomentCard(QFrame):
    """Stands at the side of the chart that was not asked about, so that it never covers what it tells of."""

    def __init__(self, theme: Theme, over: QWidget) -> None:
        super().__init__(over)
        self._over = over
        self.setProperty("role", "card")
        self.setAccessibleName("What the curve says")
        self._left = False
        self._title = label("", "title")
        self._close = QToolButton()
        self._close.setProperty("role", "flat")
        self._close.setAccessibleName("Close this card")
        self._close.clicked.connect(self.hide)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._close)
        self._note = label("", "muted", wrap=True)
        self._range = MiniTable(("", "start", "end", "difference"), (1, 2, 3), name="The chosen range")
        self._processes = MiniTable(("", "resident"), (1,), name="Who held memory, or what a phase took")
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 8, 10)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._note)
        column.addWidget(self._range)
        column.addWidget(self._processes, 1)
        self.set_theme(theme)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        self._close.setIcon(icon("close", theme))

    @property
    def words(self) -> str:
        return f"{self._title.text()}\n{self._note.text()}"

    @property
    def process_rows(self) -> tuple[MiniRow, ...]:
        return self._processes.rows

    @property
    def range_rows(self) -> tuple[MiniRow, ...]:
        return self._range.rows

    def tell(
        self,
        title: str,
        note: str,
        *,
        left: bool,
        processes: list[MiniRow] | None = None,
        span: list[MiniRow] | None = None,
    ) -> None:
        """``left``: stand at the left side."""
        self._title.setText(title)
        self._note.setText(note)
        self._processes.set_rows(processes or [])
        self._processes.setVisible(bool(processes))
        self._range.set_rows(span or [])
        self._range.setVisible(bool(span))
        if span:
            self._range.setFixedHeight(self._range.full_height())
        self._left = left
        self.place()
        self.show()
        self.raise_()

    def place(self) -> None:
        """Within what it floats over, as high as its content wants."""
        over = self._over
        room = over.rect().marginsRemoved(_MARGINS)
        unit = self.fontMetrics()
        width = min(unit.averageCharWidth() * 44, room.width())
        wanted = max(self._column.heightForWidth(width), self.sizeHint().height())
        if not self._processes.isHidden():
            wanted += max(0, self._processes.full_height() - self._processes.sizeHint().height())
        height = min(wanted, over.height() - 16)
        x = room.left() if self._left else room.right() - width
        self.setGeometry(QRect(x, 8, width, height))

    def keyPressEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)
