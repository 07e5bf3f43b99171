"""Looking at what was painted, pixel by pixel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QWidget

Pixels = npt.NDArray[np.uint8]


def pixels(image: QImage) -> Pixels:
    """(height, width, 3) of red, green, blue."""
    made = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(made.constBits(), np.uint8).reshape(made.height(), made.bytesPerLine())
    return rows[:, : made.width() * 3].reshape(made.height(), made.width(), 3).copy()


def grabbed(widget: QWidget) -> Pixels:
    return pixels(widget.grab().toImage())


def share_of(shown: Pixels, color: QColor, tolerance: int = 6) -> float:
    """Which share of the pixels has about this colour."""
    return float(mask_of(shown, color, tolerance).mean())


def mask_of(shown: Pixels, color: QColor, tolerance: int = 6) -> npt.NDArray[np.bool_]:
    wanted = np.array([color.red(), color.green(), color.blue()])
    return (np.abs(shown.astype(int) - wanted) <= tolerance).all(axis=2)
