"""Whose the resident memory is: a stacked bar and a table that add up to it exactly."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QVBoxLayout, QWidget

from ...domain.attribution import UNEXPLAINED, moment
from ...domain.capture import Capture
from ...domain.measurement import Part
from ...domain.plain_text import plain
from ...domain.units import format_bytes, format_exact
from ..labels import label, tip
from ..palette import mix
from ..theme import Theme
from .mini_table import MiniRow, MiniTable


def part_colors(parts: tuple[Part, ...], theme: Theme) -> list[QColor]:
    """A colour for each part; the unexplained one is plain, because it is nobody's."""
    colors = []
    for number, part in enumerate(parts):
        plain_color = mix(theme.border, theme.muted, 0.4)
        colors.append(plain_color if part.part == UNEXPLAINED else theme.charts[number % len(theme.charts)])
    return colors


class StackedBar(QWidget):
    """One bar, as wide as there is room, cut in proportion."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._parts: tuple[Part, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Parts of the resident memory")

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def set_parts(self, parts: tuple[Part, ...]) -> None:
        self._parts = parts
        words = ", ".join(f"{p.part} {format_bytes(p.bytes)}" for p in parts if p.bytes)
        self.setAccessibleDescription(words)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, self.fontMetrics().height() + 6)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(self.rect()), 5, 5)
        painter.setClipPath(outline)
        painter.fillRect(self.rect(), self._theme.field)
        for (box, _), color in zip(self._boxes(), part_colors(self._parts, self._theme), strict=True):
            painter.fillRect(box, color)
            painter.fillRect(QRectF(box.right() - 1, box.top(), 1, box.height()), self._theme.panel)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            for box, part in self._boxes():
                if box.contains(event.pos()):
                    words = f"{part.part}\n{format_exact(part.bytes)} ({format_bytes(part.bytes)})"
                    QToolTip.showText(event.globalPos(), tip(words), self)
            return True
        return super().event(event)

    def _boxes(self) -> list[tuple[QRectF, Part]]:
        total = sum(p.bytes for p in self._parts) or 1
        boxes, x = [], 0.0
        for part in self._parts:
            width = self.width() * part.bytes / total
            boxes.append((QRectF(x, 0, width, self.height()), part))
            x += width
        return boxes


class AttributionPanel(QWidget):
    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._capture: Capture | None = None
        self._title = label("", "title")
        self._bar = StackedBar(theme)
        self.table = MiniTable(
            ("part", "bytes", "size", "share"), (1, 2, 3), name="Parts of the resident memory", optional=(2,)
        )
        self._nothing = label("", "muted", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._title)
        column.addWidget(self._nothing)
        column.addWidget(self._bar)
        column.addWidget(self.table, 1)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._bar.set_theme(theme)
        self.set_capture(self._capture)

    def set_capture(self, capture: Capture | None) -> None:
        self._capture = capture
        parts = capture.attribution if capture is not None else ()
        self._bar.setVisible(bool(parts))
        self.table.setVisible(bool(parts))
        self._nothing.setVisible(not parts)
        self._nothing.setText("This run did not come as far as a reading of the process's memory.")
        self._bar.set_parts(parts)
        total = sum(p.bytes for p in parts)
        size = f": {format_bytes(total)}" if parts else ""
        when = f" {moment(capture.attribution_when)}" if capture is not None and parts else ""
        self._title.setText(f"Resident memory{when}{size}")
        rows = [
            MiniRow(
                (
                    plain(part.part, 80),
                    f"{part.bytes:,}",
                    format_bytes(part.bytes),
                    _share(part.bytes, total),
                ),
                color=color,
                tip=f"{part.part}\n{format_exact(part.bytes)}, {part.provenance.value}",
            )
            for part, color in zip(parts, part_colors(parts, self._theme), strict=True)
            if part.bytes or part.part == UNEXPLAINED
        ]
        if rows:
            rows.append(MiniRow(("resident (RSS)", f"{total:,}", format_bytes(total), "100 %"), strong=True))
        self.table.set_rows(rows)


def _share(size: int, total: int) -> str:
    return f"{100 * size / total:.1f} %" if total else "–"
