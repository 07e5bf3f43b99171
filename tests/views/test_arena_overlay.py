"""The words at the arena line stay inside the plot, however narrow it is."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFont, QFontMetricsF
from pytestqt.qtbot import QtBot

from arenascope.views.plots.arena_overlay import place_words, shorter

LONG = "arena 144 B · reached at step 0 · 350.0 % above the lower bound 32 B"
SHORT = "arena 423.0 KiB · reached at step 0 = lower bound"


def test_less_room_fewer_words() -> None:
    assert shorter(LONG) == (
        LONG,
        "arena 144 B · 350.0 % above the lower bound 32 B",
        "arena 144 B",
    )
    assert shorter(SHORT) == (SHORT, "arena 423.0 KiB")
    assert shorter("arena 1 B") == ("arena 1 B",)


@pytest.mark.parametrize("text", [LONG, SHORT])
@pytest.mark.parametrize("where", [None, -0.5, 0.0, 0.02, 0.3, 0.5, 0.98, 1.0, 1.5])
def test_the_words_stay_between_the_edges_and_off_the_mark(
    qtbot: QtBot, text: str, where: float | None
) -> None:
    metrics = QFontMetricsF(QFont())
    for width in range(5, 900, 7):
        left, right = 60.0, 60.0 + width
        mark = None if where is None else left + where * width
        words, start = place_words(text, metrics, left, right, mark)
        if not words:
            continue
        end = start + metrics.horizontalAdvance(words)
        assert left <= start <= end <= right, (width, words)
        if mark is not None and left <= mark <= right:
            assert end <= mark or mark <= start, (width, words)
    assert words == text, "with room enough nothing is left out"
