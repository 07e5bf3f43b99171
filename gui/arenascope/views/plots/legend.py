"""The legend: what the colours mean, in words and swatches, wrapped to the width there is."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ..theme import Theme, scaled

_SWATCH, _GAP, _SPACE = 11, 6, 16


@dataclass(frozen=True, slots=True)
class LegendEntry:
    label: str
    color: QColor
    hatched: bool = False
    tip: str = ""


class Legend(QWidget):
    """``title`` says the rule; ``note`` closes the line."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._title, self._note = "", ""
        self._entries: tuple[LegendEntry, ...] = ()
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def set_entries(self, title: str, entries: tuple[LegendEntry, ...], note: str = "") -> None:
        self._title, self._entries, self._note = title, entries, note
        self.setAccessibleName("Legend")
        self.setAccessibleDescription(f"{title}: {', '.join(e.label for e in entries)}. {note}")
        self._fit_height()
        self.update()

    @property
    def entries(self) -> tuple[LegendEntry, ...]:
        return self._entries

    @property
    def title(self) -> str:
        return self._title

    # -- layout -------------------------------------------------------------------------------

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return int(self._lines(width) * self._line_height())

    def sizeHint(self) -> QSize:
        return QSize(200, self.heightForWidth(max(200, self.width())))

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self._line_height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()

    def _fit_height(self) -> None:
        wanted = self.heightForWidth(max(80, self.width()))
        if wanted != self.minimumHeight():
            self.setFixedHeight(wanted)

    def _metrics(self) -> QFontMetricsF:
        return QFontMetricsF(scaled(self.font(), 0.92))

    def _line_height(self) -> int:
        return int(self._metrics().height()) + 6

    def _lines(self, width: int) -> int:
        places = self._places(width)
        return 1 + int(max((rect.top() for rect, _ in places), default=0) // self._line_height())

    def _places(self, width: float) -> list[tuple[QRectF, LegendEntry | str]]:
        """Rectangles of the title, the entries and the note."""
        metrics, high = self._metrics(), self._line_height()
        items: list[LegendEntry | str] = [f"{self._title}:"] if self._title else []
        items += self._entries
        items += [self._note] if self._note else []
        made: list[tuple[QRectF, LegendEntry | str]] = []
        x, y = 0.0, 0.0
        for item in items:
            text = item if isinstance(item, str) else item.label
            wide = metrics.horizontalAdvance(text) + (0 if isinstance(item, str) else _SWATCH + _GAP)
            if x > 0 and x + wide > width:
                x, y = 0.0, y + high
            made.append((QRectF(x, y, wide, high), item))
            x += wide + _SPACE
        return made

    # -- painting -----------------------------------------------------------------------------

    def paint_into(self, painter: QPainter, width: float) -> float:
        """Paint at the origin, wrapped to ``width``; returns the height used. Also for exports."""
        painter.setFont(scaled(self.font(), 0.92))
        places = self._places(width)
        for rect, item in places:
            if isinstance(item, str):
                painter.setPen(self._theme.muted)
                painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, item)
                continue
            swatch = QRectF(rect.left(), rect.center().y() - _SWATCH / 2, _SWATCH, _SWATCH)
            painter.setPen(Qt.PenStyle.NoPen)
            if item.hatched:
                painter.setPen(item.color)
                painter.setBrush(QBrush(item.color, Qt.BrushStyle.BDiagPattern))
            else:
                painter.setBrush(item.color)
            painter.drawRoundedRect(swatch, 2, 2)
            painter.setPen(item.color if item.hatched else self._theme.text)
            painter.drawText(
                rect.adjusted(_SWATCH + _GAP, 0, 2, 0), Qt.AlignmentFlag.AlignVCenter, item.label
            )
        return (max((r.bottom() for r, _ in places), default=0.0)) if places else 0.0

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.paint_into(painter, self.width())
        painter.end()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            for rect, item in self._places(self.width()):
                if isinstance(item, LegendEntry) and item.tip and rect.contains(event.pos()):
                    QToolTip.showText(event.globalPos(), item.tip, self, rect.toRect())
                    return True
            QToolTip.hideText()
            return True
        return super().event(event)
