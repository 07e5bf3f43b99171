"""The strip of figures above every view. Each says its unit and its origin, and opens its addition."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QSizePolicy, QWidget

from ...domain.capture import Capture
from ...domain.figures import Figure, header_figures
from ...domain.forecast import Forecast
from ...domain.plan_figures import planned_header
from ...domain.provenance import Provenance
from ..labels import set_tip
from ..theme import Theme, scaled, tabular

_MARGIN = 10.0
_GAP = 1.0


def origin_text(figure: Figure, capture: Capture | None) -> str:
    """'measured', 'file', and for the unexplained rest its share: 'measured · 2.9 %'."""
    if figure.provenance is None:
        return "not known"
    if figure.key == "unexplained" and capture is not None and figure.bytes is not None:
        resident = sum(part.bytes for part in capture.attribution)
        if resident:
            return f"{figure.provenance.value} · {100 * figure.bytes / resident:.1f} %"
    return figure.provenance.value


def draw_origin(painter: QPainter, box: QRectF, provenance: Provenance, color: QColor) -> None:
    """The sign of an origin; its shape tells it without its colour."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    if provenance is Provenance.MEASURED:
        painter.drawEllipse(box)
    elif provenance is Provenance.FILE:
        painter.drawRect(box)
    elif provenance is Provenance.PLANNED:
        x, y = box.center().x(), box.center().y()
        corners = ((x, box.top()), (box.right(), y), (x, box.bottom()), (box.left(), y))
        painter.drawPolygon([QPointF(*corner) for corner in corners])
    else:
        painter.drawPolygon([box.bottomLeft(), box.bottomRight(), QPointF(box.center().x(), box.top())])


class FigureTile(QAbstractButton):
    """Label, value with its unit, origin: three lines that are one button."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._figure: Figure | None = None
        self._origin = ""
        self._faded = False
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def figure(self) -> Figure | None:
        return self._figure

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def show_figure(self, figure: Figure, origin: str) -> None:
        self._figure, self._origin = figure, origin
        self.setAccessibleName(f"{figure.label}: {figure.value_text}, {origin}")
        self.setAccessibleDescription(figure.rule)
        set_tip(self, f"{figure.label}: {figure.exact_text}\n{figure.rule}\nClick for the addition.")
        self.updateGeometry()
        self.update()

    def set_faded(self, faded: bool) -> None:
        """What it says is about to be replaced."""
        if faded != self._faded:
            self._faded = faded
            self.update()

    def show_nothing(self, text: str) -> None:
        """Without a capture: the name of the figure and a dash."""
        self._figure, self._origin = None, ""
        self.setText(text)
        self.setAccessibleName(f"{text}: nothing measured yet")
        set_tip(self, "Nothing measured yet.")
        self.update()

    def sizeHint(self) -> QSize:
        small, large = self._metrics()
        label, value, origin = self._texts()
        sign = small.height() * 0.8 if origin else 0.0
        width = max(
            small.horizontalAdvance(label),
            large.horizontalAdvance(value),
            small.horizontalAdvance(origin) + sign,
        )
        return QSize(
            round(width + 2 * _MARGIN + 2), round(2 * small.height() + large.height() + 2 * _GAP + 16)
        )

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        if self.underMouse() or self.isDown():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.selection if self.isDown() else theme.hover)
            painter.drawRoundedRect(box, 6, 6)
        if self.hasFocus():
            painter.setPen(theme.accent)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 6, 6)
        small, large = self._metrics()
        label, value, origin = self._texts()
        x, y = _MARGIN, 8.0
        painter.setFont(scaled(self.font(), 0.95))
        painter.setPen(theme.muted)
        painter.drawText(QRectF(x, y, self.width(), small.height()), Qt.AlignmentFlag.AlignLeft, label)
        y += small.height() + _GAP
        painter.setFont(tabular(scaled(self.font(), 1.3, bold=True)))
        known = self._figure is not None and self._figure.provenance is not None and not self._faded
        painter.setPen(theme.text if known else theme.disabled)
        painter.drawText(QRectF(x, y, self.width(), large.height()), Qt.AlignmentFlag.AlignLeft, value)
        y += large.height() + _GAP
        painter.setFont(scaled(self.font(), 0.95))
        if self._figure is not None and self._figure.provenance is not None:
            side = small.height() * 0.42
            color = theme.provenance[self._figure.provenance.value]
            draw_origin(
                painter,
                QRectF(x, y + (small.height() - side) / 2, side, side),
                self._figure.provenance,
                color,
            )
            x += small.height() * 0.8
        painter.setPen(theme.muted)
        painter.drawText(QRectF(x, y, self.width(), small.height()), Qt.AlignmentFlag.AlignLeft, origin)
        painter.end()

    def _texts(self) -> tuple[str, str, str]:
        if self._figure is None:
            return self.text(), "–", ""
        return self._figure.label, self._figure.value_text, self._origin

    def _metrics(self) -> tuple[QFontMetricsF, QFontMetricsF]:
        font = self.font()
        return QFontMetricsF(scaled(font, 0.95)), QFontMetricsF(scaled(font, 1.3, bold=True))


class HeaderStrip(QFrame):
    """One tile a figure, in the order of ``header_figures``."""

    asked = Signal(object, object)  #: Figure, the tile to point at

    LABELS = (
        "Lower bound", "Arena", "Overhead", "Persistent",
        "Weights", "Process peak", "Headroom", "Unexplained",
    )  # fmt: skip

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setAccessibleName("Figures of this capture")
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 3, 4, 3)
        row.setSpacing(2)
        self.tiles = [FigureTile(theme) for _ in self.LABELS]
        for tile, text in zip(self.tiles, self.LABELS, strict=True):
            tile.show_nothing(text)
            tile.clicked.connect(lambda _checked=False, t=tile: self._clicked(t))
            row.addWidget(tile, 1)

    def set_theme(self, theme: Theme) -> None:
        for tile in self.tiles:
            tile.set_theme(theme)

    def set_plan(self, plan: Capture, forecast: Forecast) -> None:
        """The figures of a plan in place of those of a run."""
        for tile, figure in zip(self.tiles, planned_header(plan, forecast), strict=True):
            tile.show_figure(figure, figure.provenance.value if figure.provenance else "not known")

    def set_capture(self, capture: Capture | None) -> None:
        if capture is None:
            for tile, text in zip(self.tiles, self.LABELS, strict=True):
                tile.show_nothing(text)
            return
        for tile, figure in zip(self.tiles, header_figures(capture), strict=True):
            tile.show_figure(figure, origin_text(figure, capture))

    def ask(self, key: str) -> None:
        """As if the tile of the figure ``key`` were clicked."""
        for tile in self.tiles:
            if tile.figure is not None and tile.figure.key == key:
                self._clicked(tile)

    def _clicked(self, tile: FigureTile) -> None:
        if tile.figure is not None:
            self.asked.emit(tile.figure, tile)
