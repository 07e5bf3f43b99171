"""Names inside blocks, where they fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF

from ...domain.layout import Placement
from ...domain.plain_text import plain
from ...domain.units import format_bytes
from ..palette import mix, readable_on
from ..theme import scaled

#: More labels than this are not read, they are texture.
_MOST = 120
_PAD = 6


@dataclass(frozen=True, slots=True)
class BlockLabel:
    x: float
    y: float  #: of the base line
    text: str
    color: QColor
    font: QFont


class BlockLabels:
    """Lays out name and size: on one line, on two, or the name alone.

    What does not fit loses its beginning: names of tensors are paths, and differ at the end.
    """

    def __init__(self, font: QFont) -> None:
        self._name, self._size = scaled(font, 0.92), scaled(font, 0.85)
        self._metrics, self._size_metrics = QFontMetricsF(self._name), QFontMetricsF(self._size)
        self._least = self._metrics.averageCharWidth() * 5 + 2 * _PAD

    def place(
        self,
        rows: np.ndarray,
        bounds: QRectF,
        placement: Callable[[int], Placement],
        color: Callable[[int], QColor],
        faded: Callable[[int], bool],
    ) -> list[BlockLabel]:
        """``rows`` are (left, top, right, bottom) in pixels; row i belongs to ``placement(i)``, is painted
        in ``color(i)`` and, where the search did not find it, ``faded(i)``."""
        left = np.maximum(rows[:, 0], bounds.left())
        right = np.minimum(rows[:, 2], bounds.right())
        top = np.maximum(rows[:, 1], bounds.top())
        bottom = np.minimum(rows[:, 3], bounds.bottom())
        wide, high = right - left + 1, bottom - top + 1
        fits = np.flatnonzero((wide >= self._least) & (high >= self._metrics.height()))
        if len(fits) > _MOST:
            area = (wide * high)[fits]
            fits = fits[np.argpartition(-area, _MOST)[:_MOST]]
        wide[fits] = _uncovered(left[fits], right[fits], bottom[fits]) - left[fits] + 1
        made: list[BlockLabel] = []
        for i in fits[wide[fits] >= self._least]:
            block = color(int(i))
            ink = readable_on(block)
            if faded(int(i)):
                ink = mix(ink, block, 0.6)
            soft = mix(ink, block, 0.25)
            room = float(wide[i]) - 2 * _PAD
            made += self._lay(
                placement(int(i)), ink, soft, float(left[i]) + _PAD, float(top[i]), room, float(high[i])
            )
        return made

    def _lay(
        self, p: Placement, ink: QColor, soft: QColor, x: float, top: float, room: float, high: float
    ) -> list[BlockLabel]:
        name = plain(p.name, 80) or f"#{p.index}"
        size = format_bytes(p.bytes)
        line = self._metrics.height()
        long = self._metrics.horizontalAdvance(name)
        beside = self._size_metrics.horizontalAdvance(size)
        middle = top + high / 2
        if long + 8 + beside <= room:
            y = middle + self._metrics.ascent() / 2 - 1
            return [
                BlockLabel(x, y, name, ink, self._name),
                BlockLabel(x + long + 8, y, size, soft, self._size),
            ]
        shown = name if long <= room else self._metrics.elidedText(name, Qt.TextElideMode.ElideLeft, room)
        if high >= 2 * line + 4 and beside <= room:
            return [
                BlockLabel(x, middle - 2, shown, ink, self._name),
                BlockLabel(x, middle - 1 + self._size_metrics.ascent(), size, soft, self._size),
            ]
        return [BlockLabel(x, middle + self._metrics.ascent() / 2 - 1, shown, ink, self._name)]


def _uncovered(left: np.ndarray, right: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Right edges up to where a later block begins in the same memory.

    Tensors that share memory in place cover each other, with their lower edge in common.
    """
    made = right.copy()
    order = np.lexsort((left, bottom))
    one, other = order[:-1], order[1:]
    covered = (bottom[one] == bottom[other]) & (left[one] < left[other]) & (left[other] <= right[one])
    made[one[covered]] = left[other[covered]] - 1
    return made
