"""A graphics item that fills its view and paints in the view's own coordinates: pixels, y down."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget


class PixelItem(QGraphicsItem):
    """``view`` is the ViewBox (or PlotItem) whose child it is. ``z``: negative lies below the others."""

    def __init__(self, view: pg.GraphicsWidget, z: float = 0.0) -> None:
        super().__init__(view)
        self._view = view
        self.setZValue(z)

    def boundingRect(self) -> QRectF:
        return self._view.rect()

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        self.draw(painter, widget)

    def draw(self, painter: QPainter, widget: QWidget | None) -> None:
        """Paint. ``widget`` is the viewport on the screen, None while a picture is made."""
        raise NotImplementedError
