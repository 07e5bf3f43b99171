"""NumPy memory that QPainter draws as integer rectangles, without one Python object a rectangle.

``QPainter.drawRects(first, count)`` takes a pointer to the first of a C array. Integer rectangles are
filled two to three times as fast as QRectF by the raster engine (10,000 of them: 0.8 ms against 1.8 ms).
"""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt
import shiboken6
from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter


class RectArray:
    """Rectangles as rows (left, top, right, bottom), the last two inclusive as in QRect."""

    def __init__(self, capacity: int = 0) -> None:
        self._memory = np.zeros((max(1, capacity), 4), np.int32)
        self._pointers: dict[int, QRect] = {}

    def rows(self, count: int) -> npt.NDArray[np.int32]:
        """The first ``count`` rows, to be written into; the memory grows as needed and is then kept."""
        if count > len(self._memory):
            self._memory = np.zeros((max(count, 2 * len(self._memory)), 4), np.int32)
            self._pointers = {}
        return self._memory[:count]

    def draw(self, painter: QPainter, start: int, count: int) -> None:
        """Fill rows ``start`` to ``start + count`` with the painter's brush."""
        if count <= 0:
            return
        pointer = self._pointers.get(start)
        if pointer is None:
            address = self._memory.ctypes.data + start * self._memory.strides[0]
            pointer = cast(QRect, shiboken6.wrapInstance(address, QRect))
            self._pointers[start] = pointer
        painter.drawRects(pointer, count)
