"""What a drop would do, said while the file is still in the air."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ...domain.plain_text import plain
from ...qtmodels.documents import CAPTURE_SUFFIX, MODEL_SUFFIXES
from ..palette import with_alpha
from ..theme import Theme, scaled


def dropped_file(data: QMimeData) -> Path | None:
    """The first local file of a drop."""
    for url in data.urls():
        if url.isLocalFile():
            return Path(url.toLocalFile())
    return None


def what_happens(path: Path | None) -> tuple[str, str]:
    """Headline and second line; ('', '') where nothing would happen."""
    if path is None:
        return "", ""
    name = plain(path.name, 80)
    suffix = path.suffix.lower()
    if suffix in MODEL_SUFFIXES:
        return f"Open the model {name}", "Then press Inspect to see where its memory lies."
    if suffix == CAPTURE_SUFFIX:
        return f"Open the capture {name}", "Every view shows that run; it joins the history."
    return f"Try to open {name}", "ArenaScope reads .tflite models and .ascope captures."


class DropOverlay(QWidget):
    """Covers the window while a file hovers over it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._words = ("", "")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme

    def announce(self, path: Path) -> None:
        self._words = what_happens(path)
        self.setAccessibleName(" ".join(self._words))
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.show()
        self.raise_()
        self.update()

    @property
    def words(self) -> tuple[str, str]:
        return self._words

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), with_alpha(theme.background, 0.86))
        box = QRectF(self.rect()).adjusted(24, 24, -24, -24)
        pen = QPen(theme.accent, 2, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(with_alpha(theme.accent, 0.06))
        painter.drawRoundedRect(box, 14, 14)
        middle = box.center().y()
        painter.setPen(theme.text)
        painter.setFont(scaled(self.font(), 1.7, bold=True))
        line = painter.fontMetrics().height()
        centre = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(box.left(), middle - line, box.width(), line), centre, self._words[0])
        painter.setPen(theme.muted)
        painter.setFont(scaled(self.font(), 1.1))
        painter.drawText(QRectF(box.left(), middle + 6, box.width(), line), centre, self._words[1])
