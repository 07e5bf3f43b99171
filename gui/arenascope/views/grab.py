"""A widget as a picture, at any scale."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtGui import QImage, QPalette
from PySide6.QtWidgets import QWidget

from .plots.picture import to_image, to_svg


def grab(widget: QWidget, scale: float = 1.0) -> QImage:
    """The widget as it stands, ``scale`` pixels to each of its logical ones."""
    background = widget.palette().color(QPalette.ColorRole.Base)
    return to_image(lambda painter: widget.render(painter, QPoint(0, 0)), widget.size(), scale, background)


def grab_svg(widget: QWidget, path: Path) -> None:
    """The widget as an SVG file; text stays text. Raises FileError."""
    background = widget.palette().color(QPalette.ColorRole.Base)
    title = widget.accessibleName() or "ArenaScope"
    to_svg(lambda painter: widget.render(painter, QPoint(0, 0)), widget.size(), path, background, title)
