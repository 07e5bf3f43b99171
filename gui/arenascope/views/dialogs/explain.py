"""Explain this number: its rule, its origin, and the addition that makes it, to the byte."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ...domain.figures import Figure
from ...domain.plain_text import plain
from ...domain.provenance import Provenance
from ...domain.units import format_exact
from ..floating import Floating
from ..labels import label
from ..panels.header_strip import draw_origin
from ..panels.mini_table import MiniRow, MiniTable
from ..theme import Theme

_ORIGINS = {
    Provenance.FILE: "from the file: read from the model",
    Provenance.PLANNED: "planned: computed exactly, by the runtime's own rules",
    Provenance.ESTIMATED: "estimated: computed, with a range",
    Provenance.MEASURED: "measured on this device, in this run",
}
_MOST_ROWS = 2000


class _Sign(QWidget):
    """The sign of an origin."""

    def __init__(self, provenance: Provenance, theme: Theme) -> None:
        super().__init__()
        self._provenance, self._theme = provenance, theme
        side = self.fontMetrics().height() // 2
        self.setFixedSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        draw_origin(painter, box, self._provenance, self._theme.provenance[self._provenance.value])


class ExplainPopover(Floating):
    """Stands under the figure that was clicked; a click outside or Escape closes it."""

    chosen = Signal(object)  #: key of the tensor behind a line

    def __init__(self, figure: Figure, theme: Theme, over: QWidget) -> None:
        super().__init__(over)
        self.setAccessibleName(f"{figure.label} explained")
        unit = self.fontMetrics().averageCharWidth()
        self.setFixedWidth(unit * 72)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(6)
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(label(figure.label, "figure"))
        head.addStretch(1)
        head.addWidget(label(figure.value_text, "figure"))
        column.addLayout(head)
        if figure.provenance is not None:
            origin = QHBoxLayout()
            origin.setSpacing(8)
            origin.addWidget(_Sign(figure.provenance, theme))
            words = _ORIGINS[figure.provenance]
            origin.addWidget(label(words, "muted"))
            origin.addStretch(1)
            if figure.exact_text != figure.value_text:
                origin.addWidget(label(figure.exact_text, "muted"))
            column.addLayout(origin)
        column.addWidget(label(plain(figure.rule, 1000), wrap=True))
        self.table = MiniTable(("the addition", "bytes"), (1,), name="The addition")
        self.table.chosen.connect(self._choose)
        rows = [
            MiniRow(
                (plain(t.label, 160), _signed(t.bytes)),
                t.key,
                tip=f"{plain(t.label)}\n{format_exact(t.bytes)}",
            )
            for t in figure.terms[:_MOST_ROWS]
        ]
        rest = figure.terms[_MOST_ROWS:]
        if rest:
            rows.append(MiniRow((f"{len(rest)} smaller ones", _signed(sum(t.bytes for t in rest)))))
        if rows:
            total = sum(t.bytes for t in figure.terms)
            rows.append(MiniRow((f"= {figure.label.lower()}", _signed(total)), strong=True))
            self.table.set_rows(rows)
            self.table.setFixedHeight(min(self.table.full_height(), self.fontMetrics().height() * 18))
            column.addWidget(self.table)
            if any(t.key is not None for t in figure.terms):
                column.addWidget(label("Click a line to select its tensor.", "small"))
        else:
            column.addWidget(label("There is nothing to add up in this capture.", "muted"))

    def show_under(self, anchor: QWidget) -> None:
        over = self.over
        self.adjustSize()
        corner = anchor.mapTo(over, QPoint(0, anchor.height() + 6))
        x = max(8, min(corner.x(), over.width() - self.width() - 8))
        self.show_at(QPoint(x, corner.y()), self.table)

    def _choose(self, key: object) -> None:
        self.chosen.emit(key)
        self.dismiss()


def _signed(size: int) -> str:
    return f"{size:,}" if size >= 0 else f"−{-size:,}"
