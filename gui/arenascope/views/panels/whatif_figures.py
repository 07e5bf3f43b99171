"""What the present knobs mean: figures with their origin, the verdict, and what stands against them."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from ...domain.figures import Figure
from ...domain.forecast import Forecast
from ...domain.plain_text import plain
from ...domain.plan import Unknown
from ...domain.plan_figures import largest_figure, peak_figure, planned_header, verdict_figure
from ...domain.provenance import Provenance
from ...domain.shapes import ShapeRefusal
from ...domain.units import format_bytes
from ...domain.verdict import Fit
from ...qtmodels.planned_capture import planned_capture
from ...qtmodels.whatif import Answer
from ..labels import ElidedLabel, label, set_role, set_tip
from ..theme import Theme
from .header_strip import FigureTile

NAMES = {
    "arena": "Arena",
    "persistent": "Persistent",
    "largest": "Largest piece",
    "peak": "Process peak",
}
_ROLES = {
    Fit.FITS: "ok",
    Fit.TIGHT: "warn",
    Fit.REFUSED: "error",
    Fit.KILLED: "error",
    Fit.UNKNOWN: "muted",
}


class VerdictSign(QWidget):
    """A tick, a triangle or a cross: the word beside it says the same."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._fit = theme, Fit.UNKNOWN
        side = round(self.fontMetrics().height() * 0.9)
        self.setFixedSize(QSize(side, side))

    def show_fit(self, fit: Fit, theme: Theme) -> None:
        self._theme, self._fit = theme, fit
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        pen = painter.pen()
        pen.setWidthF(2.0)
        pen.setColor(getattr(self._theme, _ROLES[self._fit]))
        painter.setPen(pen)
        middle = box.center()
        if self._fit is Fit.FITS:
            tick = (
                QPointF(box.left(), middle.y()),
                QPointF(middle.x() - 1, box.bottom() - 1),
                box.topRight(),
            )
            painter.drawPolyline(list(tick))
        elif self._fit is Fit.TIGHT:
            top = QPointF(middle.x(), box.top())
            painter.drawPolygon([box.bottomLeft(), box.bottomRight(), top])
        elif self._fit is Fit.UNKNOWN:
            painter.drawLine(QPointF(box.left(), middle.y()), QPointF(box.right(), middle.y()))
        else:
            painter.drawLine(box.topLeft(), box.bottomRight())
            painter.drawLine(box.topRight(), box.bottomLeft())


class WhatIfFigures(QWidget):
    """``missing`` in ``show_answer`` is what keeps the plan from being judged."""

    asked = Signal(object, object)  #: Figure, the widget to point at
    operatorAsked = Signal(object)  #: ShapeRefusal

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._forecast: Forecast | None = None
        self._refusal: ShapeRefusal | None = None
        self._title = ElidedLabel("", "muted")
        self.tiles = {key: FigureTile(theme) for key in NAMES}
        self._tiles = QWidget()
        grid = QGridLayout(self._tiles)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(2)
        for number, (key, tile) in enumerate(self.tiles.items()):
            tile.show_nothing(NAMES[key])
            tile.clicked.connect(lambda _checked=False, t=tile: self._clicked(t))
            grid.addWidget(tile, number // 2, number % 2)
        self._sign = VerdictSign(theme)
        self.verdict = QToolButton()
        self.verdict.setProperty("role", "flat")
        self.verdict.setAccessibleName("Verdict, explained")
        self.verdict.clicked.connect(lambda _checked=False: self._explain_verdict())
        set_tip(self.verdict, "What the verdict is made of")
        self._head = QWidget()
        row = QHBoxLayout(self._head)
        row.setContentsMargins(2, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self._sign)
        row.addWidget(self.verdict)
        row.addStretch(1)
        self._reason = label("", "muted", wrap=True)
        self.operator = QToolButton()
        self.operator.setAccessibleName("Select the operator that refuses")
        self.operator.clicked.connect(lambda _checked=False: self.operatorAsked.emit(self._refusal))
        self._notes = label("", "small", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(3)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._head)
        top.addWidget(self._title, 1)
        column.addLayout(top)
        column.addWidget(self._reason)
        column.addWidget(self.operator, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._tiles)
        column.addWidget(self._notes)
        column.addStretch(1)

    @property
    def title(self) -> str:
        return self._title.text()

    @property
    def reason(self) -> str:
        return self._reason.text()

    @property
    def forecast(self) -> Forecast | None:
        """What is shown; None while nothing is."""
        return self._forecast

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for tile in self.tiles.values():
            tile.set_theme(theme)
        self._sign.show_fit(self._sign._fit, theme)

    def fade(self, title: str) -> None:
        """The knobs changed: what stands here is of others, and about to be replaced."""
        self._title.set_text(title)
        for tile in self.tiles.values():
            tile.set_faded(True)
        set_role(self._reason, "muted")
        self.setEnabled(False)

    def clear(self, title: str, why: str = "") -> None:
        self._forecast = self._refusal = None
        self.setEnabled(True)
        self._title.set_text(title)
        for key, tile in self.tiles.items():
            tile.set_faded(False)
            tile.show_nothing(NAMES[key])
        self._head.hide()
        self._show_refusal(None)
        self._reason.setText(why)
        self._notes.setText("")

    def show_answer(self, answer: Answer, title: str, missing: str, notes: tuple[str, ...]) -> None:
        forecast = answer.forecast
        if forecast is None:
            error = answer.error
            told = f"{error.message} {error.hint}".strip() if error is not None else ""
            self.clear(title, plain(told, 1000))
            set_role(self._reason, "error")
            return
        self.setEnabled(True)
        self._forecast = forecast
        self._title.set_text(title)
        refusal = forecast.plan.refusal
        if refusal is not None:
            self.clear(title)
            self._forecast = forecast
        else:
            self._show_figures(forecast, answer)
        self._show_verdict(forecast, missing)
        self._show_refusal(refusal)
        unknown = [_unknown(one) for one in forecast.plan.planned.unknown]
        self._notes.setText(plain_lines([*notes, *unknown, *forecast.plan.notes]))
        self._notes.setVisible(bool(self._notes.text()))

    def _show_figures(self, forecast: Forecast, answer: Answer) -> None:
        header = {
            f.key: f for f in planned_header(planned_capture(forecast, answer.question.board), forecast)
        }
        figures = {
            "arena": header["arena"],
            "persistent": header["persistent"],
            "largest": largest_figure(forecast.plan, forecast.prediction),
            "peak": peak_figure(forecast.prediction),
        }
        for key, figure in figures.items():
            tile = self.tiles[key]
            tile.set_faded(False)
            tile.show_figure(_named(figure, NAMES[key]), origin_of(key, figure, forecast))

    def _show_verdict(self, forecast: Forecast, missing: str) -> None:
        verdict = forecast.verdict
        fit = Fit.REFUSED if forecast.plan.refusal is not None else verdict.fit
        word = "refused by the model" if forecast.plan.refusal is not None else fit.value
        self._head.setVisible(not missing or fit is Fit.REFUSED)
        self._sign.show_fit(fit, self._theme)
        self.verdict.setText(word[0].upper() + word[1:])
        self.verdict.setStyleSheet(f"color: {getattr(self._theme, _ROLES[fit]).name()}; font-weight: 600;")
        set_role(self._reason, "")
        refusal = forecast.plan.refusal
        said = refusal.reason if refusal is not None else missing or verdict.reason
        said = plain(said, 1000)
        self._reason.setText(said[:1].upper() + said[1:])

    def _show_refusal(self, refusal: ShapeRefusal | None) -> None:
        self._refusal = refusal
        self._tiles.setVisible(refusal is None)
        known = refusal is not None and refusal.operator is not None
        self.operator.setVisible(known)
        if refusal is None or not known:
            return
        name = plain(refusal.operator_name, 40) or "operator"
        where = f" of subgraph {refusal.subgraph}" if refusal.subgraph else ""
        words = f"{name} ({refusal.operator}){where}"
        room = self.fontMetrics().averageCharWidth() * 27
        elided = self.operator.fontMetrics().elidedText(words, Qt.TextElideMode.ElideMiddle, room)
        self.operator.setText(elided)
        tensor = f"tensor {plain(refusal.tensor_name, 80)}\n" if refusal.tensor_name else ""
        set_tip(
            self.operator,
            f"Select {words} in every view.\n{tensor}The runtime says: {plain(refusal.said, 400)}",
        )

    def _clicked(self, tile: FigureTile) -> None:
        if tile.figure is not None:
            self.asked.emit(tile.figure, tile)

    def ask(self, key: str) -> None:
        """As if the figure ``key`` were clicked."""
        if key == "verdict":
            self._explain_verdict()
        else:
            self._clicked(self.tiles[key])

    def _explain_verdict(self) -> None:
        if self._forecast is not None:
            self.asked.emit(verdict_figure(self._forecast), self.verdict)


def origin_of(key: str, figure: Figure, forecast: Forecast) -> str:
    """'planned', and for the peak its range."""
    if figure.provenance is None:
        return "not known"
    if key == "peak" and forecast.prediction is not None:
        peak = forecast.prediction.peak
        if peak.low != peak.high:
            low, high = format_bytes(peak.low).split(), format_bytes(peak.high)
            unit = "" if high.endswith(low[1]) else f" {low[1]}"
            return f"{low[0]}{unit} – {high}"
        return Provenance.ESTIMATED.value
    return figure.provenance.value


def _unknown(one: Unknown) -> str:
    count = len(one.tensors)
    what = "One tensor is" if count == 1 else f"{count} tensors are"
    return f"{what} not known before a run: {one.reason}"


def plain_lines(lines: list[str]) -> str:
    return "\n".join(plain(line, 400) for line in dict.fromkeys(lines))


def _named(figure: Figure, name: str) -> Figure:
    return replace(figure, label=name)
