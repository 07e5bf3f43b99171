"""Labels for text that is not ours: always plain, on one line, shortened where it does not fit."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QStyle, QStyleOption, QWidget

from ..domain.plain_text import plain


def label(text: str = "", role: str = "", *, wrap: bool = False) -> QLabel:
    """A QLabel that shows ``text`` as it is; ``role`` as in ``stylesheet.py``."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    if role:
        made.setProperty("role", role)
    return made


def set_role(widget: QWidget, role: str) -> None:
    """Change what a widget says it is, and style it anew."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def set_tip(widget: QWidget, text: str) -> None:
    """A tool tip that is never taken for HTML."""
    widget.setToolTip(tip(text))


def tip(text: str) -> str:
    """``text`` so that a tool tip shows it as it is: Qt guesses whether a text is HTML."""
    if not text:
        return ""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>")
    return f"<span>{escaped}</span>"


class ElidedLabel(QWidget):
    """One line that gives way: its middle is left out where there is no room. The tip has it whole."""

    def __init__(self, text: str = "", role: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self._mode = Qt.TextElideMode.ElideMiddle
        if role:
            self.setProperty("role", role)
        self._face = label("", role)
        self._face.setParent(self)
        self._face.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_text(text)

    def set_elide(self, mode: Qt.TextElideMode) -> None:
        self._mode = mode
        self._fit()

    def set_font(self, font: QFont) -> None:
        self._face.setFont(font)
        self._fit()

    def text(self) -> str:
        return self._text

    def set_text(self, text: str) -> None:
        self._text = plain(text, 400)
        self.setAccessibleName(self._text)
        self._fit()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        self._face.ensurePolished()
        metrics = self._face.fontMetrics()
        return QSize(metrics.horizontalAdvance(self._text) + 2, metrics.height())

    def minimumSizeHint(self) -> QSize:
        self._face.ensurePolished()
        metrics = self._face.fontMetrics()
        return QSize(metrics.horizontalAdvance("mmm…"), metrics.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOption()
        option.initFrom(self)
        self.style().drawPrimitive(QStyle.PrimitiveElement.PE_Widget, option, QPainter(self), self)

    def _fit(self) -> None:
        self._face.setGeometry(self.rect())
        shown = self._face.fontMetrics().elidedText(self._text, self._mode, self.width())
        self._face.setText(shown)
        set_tip(self, self._text if shown != self._text else "")
