"""Pictures of what a view shows: an image at any scale, or an SVG."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsView, QWidget

from ...errors import FileError
from ..theme import Theme, scaled
from .legend import Legend

Paint = Callable[[QPainter], None]


def to_image(paint: Paint, size: QSize, scale: float, background: QColor) -> QImage:
    """``paint`` works in units of ``size``; the image is ``scale`` times as large, drawn at that size."""
    image = QImage(
        max(1, round(size.width() * scale)),
        max(1, round(size.height() * scale)),
        QImage.Format.Format_ARGB32_Premultiplied,
    )
    image.fill(background)
    painter = QPainter(image)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    painter.scale(scale, scale)
    paint(painter)
    painter.end()
    return image


def picture_size(widget: QWidget) -> QSize:
    """The size on the screen, unless that is too small for a legend."""
    return widget.size().expandedTo(QSize(320, 200))


def paint_plot(
    painter: QPainter, size: QSize, title: str, legend: Legend, view: QGraphicsView | str, theme: Theme
) -> None:
    """A plot as a picture of ``size``: title, legend, and the view below (or why there is none)."""
    painter.setFont(scaled(legend.font(), 1.0, bold=True))
    painter.setPen(theme.text)
    painter.drawText(QRectF(0, 0, size.width(), 22), Qt.AlignmentFlag.AlignVCenter, title)
    painter.save()
    painter.translate(0, 27)
    used = 27 + legend.paint_into(painter, size.width()) + 7
    painter.restore()
    rest = QRectF(0, used, size.width(), size.height() - used)
    if isinstance(view, str):
        painter.setPen(theme.muted)
        painter.drawText(rest, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, view)
    else:
        view.render(painter, rest, view.rect())


def settle(widget: QWidget) -> None:
    """Let the layout have its say at once: what was shown or hidden just now has its place in the picture."""
    layout = widget.layout()
    if layout is not None:
        layout.activate()


def widget_image(widget: QWidget, scale: float, background: QColor) -> QImage:
    """A whole widget, controls and all, on a ground of its own."""
    settle(widget)

    def paint(painter: QPainter) -> None:
        widget.render(painter, QPoint(), renderFlags=QWidget.RenderFlag.DrawChildren)

    return to_image(paint, widget.size(), scale, background)


def to_svg(paint: Paint, size: QSize, path: Path, background: QColor, title: str) -> None:
    """Raises FileError where ``path`` cannot be written."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(size)
    generator.setViewBox(QRect(0, 0, size.width(), size.height()))
    generator.setTitle(title)
    painter = QPainter(generator)
    painter.fillRect(QRect(0, 0, size.width(), size.height()), background)
    paint(painter)
    painter.end()
    try:
        path.write_bytes(bytes(buffer.data().data()))
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}") from error
