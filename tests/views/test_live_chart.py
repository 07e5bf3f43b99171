"""The live chart: gaps stay gaps, a pause loses nothing, a range and a second can be chosen."""

from __future__ import annotations

import gc
import math
import weakref
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyqtgraph as pg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from arenascope.domain.measurement import Status
from arenascope.views.plots.axes import decimal_step
from arenascope.views.plots.live_chart import LiveChart
from arenascope.views.plots.live_words import signed
from arenascope.views.plots.phase_markers import stagger
from arenascope.views.plots.series_button import SeriesButton
from arenascope.views.theme import Theme
from tests.support.captures import ended_capture, example_capture, hostile_capture
from tests.views.probes import grabbed, mask_of, share_of

DARK = Theme.load("dark")
MIB = 2**20
WORKER, BOARD = DARK.charts[0], DARK.charts[1]


@pytest.fixture
def chart(qtbot: QtBot) -> LiveChart:
    made = LiveChart(DARK)
    qtbot.addWidget(made)
    made.resize(900, 360)
    made.show()
    QApplication.processEvents()
    return made


def steady(chart: LiveChart, start: float, end: float, rss: int = 30 * MIB) -> None:
    t = np.arange(start, end, 0.05)
    chart.add_samples(t.tolist(), [rss] * len(t), [400 * MIB] * len(t))
    QApplication.processEvents()


def at(chart: LiveChart, t: float, height: float = 0.5) -> QPoint:
    """A moment in the coordinates of the widget that draws; ``height`` 0 is the bottom, 1 the top."""
    point = chart.view_box.mapViewToScene(QPointF(t, height))
    return chart.graphics.mapFromScene(point)


def columns_with(chart: LiveChart, color: QColor, first: float, last: float) -> float:
    """Share of the pixel columns between two moments that have a pixel of a colour."""
    left, right = at(chart, first).x(), at(chart, last).x()
    return float(mask_of(grabbed(chart.graphics)[:, left:right], color, 40).any(axis=0).mean())


# -- curves and gaps ------------------------------------------------------------------------------


def test_a_lost_link_is_a_gap_in_both_curves(chart: LiveChart) -> None:
    steady(chart, 0, 2)
    steady(chart, 6, 8)
    for color in (WORKER, BOARD):
        assert columns_with(chart, color, 0.1, 1.9) == 1
        assert columns_with(chart, color, 2.3, 5.8) == 0
        assert columns_with(chart, color, 6.1, 7.9) == 1


def test_while_a_board_is_away_time_goes_on_without_a_line(chart: LiveChart) -> None:
    steady(chart, 0, 4)
    chart.set_away(8.0)
    QApplication.processEvents()
    assert chart.away == pytest.approx((3.95, 8.0))
    assert chart.view_box.viewRange()[0] == pytest.approx([0, 8.0])
    assert columns_with(chart, WORKER, 4.1, 7.9) == 0
    assert columns_with(chart, DARK.warn, 4.1, 7.9) > 0.05, "its words"
    assert "no connection" in status(chart)
    chart.set_away(9.0)
    assert chart.away == pytest.approx((3.95, 9.0))


def test_what_was_missed_fills_the_gap_and_the_region_goes(chart: LiveChart) -> None:
    steady(chart, 0, 4)
    chart.set_away(8.0)
    chart.set_away(None)
    QApplication.processEvents()
    assert chart.away is None
    assert chart.view_box.viewRange()[0] == pytest.approx([0, 8.0]), "time does not go back"
    steady(chart, 4, 9)
    assert columns_with(chart, WORKER, 0.1, 8.9) == 1
    assert "180 samples" in status(chart)


def test_samples_that_are_really_missing_stay_a_gap(chart: LiveChart) -> None:
    steady(chart, 0, 4)
    chart.set_away(8.0)
    chart.set_away(None)
    steady(chart, 6, 9)
    assert columns_with(chart, WORKER, 4.3, 5.8) == 0
    assert columns_with(chart, WORKER, 6.1, 8.9) == 1


def test_a_paused_view_stays_as_it_is_while_the_board_goes_and_comes(chart: LiveChart) -> None:
    steady(chart, 0, 4)
    chart.set_away(6.0)
    QTest.keyClick(chart, Qt.Key.Key_Space)
    QApplication.processEvents()
    before = grabbed(chart.graphics)
    chart.set_away(7.0)
    chart.set_away(None)
    steady(chart, 4, 8)
    assert (grabbed(chart.graphics) == before).all()
    QTest.keyClick(chart, Qt.Key.Key_Space)
    QApplication.processEvents()
    assert chart.away is None
    assert columns_with(chart, WORKER, 0.1, 7.9) == 1


def test_the_words_of_a_narrow_region_stand_beside_it_and_in_the_view(chart: LiveChart) -> None:
    steady(chart, 0, 4)
    for now in (4.0, 4.1, 5.0, 40.0):
        chart.set_away(now)
        QApplication.processEvents()
        card = chart._region._card
        assert card is not None
        assert chart.view_box.rect().contains(card)


def test_a_board_that_is_away_from_the_start_shows_its_time(chart: LiveChart) -> None:
    chart.set_away(1.0)
    assert chart.graphics.isVisible()
    assert chart.away == (0.0, 1.0)
    chart.clear()
    assert chart.away is None
    assert not chart.graphics.isVisible()


def status(chart: LiveChart) -> str:
    return chart._header._status.text()


def test_a_reported_loss_is_a_gap_even_if_short(chart: LiveChart) -> None:
    steady(chart, 0, 1)
    chart.add_gap(1.0)
    steady(chart, 1.3, 2.3)
    QApplication.processEvents()
    assert columns_with(chart, WORKER, 1.05, 1.25) == 0


def test_the_board_is_read_more_seldom_without_gaps(chart: LiveChart) -> None:
    t = (np.arange(100) / 20).tolist()
    available = [400 * MIB if i % 5 == 0 else None for i in range(100)]
    chart.add_samples(t, [30 * MIB] * 100, available)
    QApplication.processEvents()
    assert columns_with(chart, BOARD, 0.1, 4.6) == 1


def test_the_worker_that_could_not_be_read_is_a_gap(chart: LiveChart) -> None:
    t = (np.arange(100) / 20).tolist()
    chart.add_samples(t, [None if 40 <= i < 60 else 30 * MIB for i in range(100)], [400 * MIB] * 100)
    QApplication.processEvents()
    assert columns_with(chart, WORKER, 2.05, 2.9) == 0
    assert columns_with(chart, BOARD, 2.05, 2.9) == 1


def test_only_the_board_can_be_watched(chart: LiveChart) -> None:
    for i in range(40):
        chart.add_samples((i / 20,), (None,), (400 * MIB,))
    QApplication.processEvents()
    assert columns_with(chart, BOARD, 0.1, 1.9) == 1
    assert share_of(grabbed(chart.graphics), WORKER, 30) < 0.01
    assert values(chart) == {"worker resident": "unknown", "board available": "400.0 MiB"}


def test_a_spike_among_a_million_samples_is_seen(chart: LiveChart) -> None:
    t = np.arange(1_000_000) / 20
    rss = np.full(len(t), 30.0 * MIB)
    rss[654_321] = 60.0 * MIB
    chart.add_samples(t, rss, np.full(len(t), 400.0 * MIB))  # type: ignore[arg-type]
    QApplication.processEvents()
    assert chart.view_box.viewRange()[0] == pytest.approx([0, t[-1]])
    x = at(chart, float(t[654_321])).x()
    shown = mask_of(grabbed(chart.graphics), WORKER, 10)
    assert shown[:, x - 1 : x + 2].any(axis=1).sum() > 60
    assert shown[:, x - 40 : x - 30].any(axis=1).sum() < 10


def values(chart: LiveChart) -> dict[str, str]:
    return {b.text(): b.value for b in chart.findChildren(SeriesButton)}


def test_hidden_data_leaves_the_legend_and_the_axes_in_true_units(chart: LiveChart) -> None:
    chart.set_capture(example_capture())
    QApplication.processEvents()
    assert values(chart) == {"worker resident": "30.3 MiB", "board available": "420.7 MiB"}
    axes = chart.plot.axes
    assert axes["bottom"]["item"].labelString() == "seconds since start"
    assert axes["left"]["item"].labelString() == "worker resident"
    assert axes["right"]["item"].labelString() == "board available"
    chart.set_visible("available", False)
    QApplication.processEvents()
    assert share_of(grabbed(chart.graphics), BOARD, 20) == 0
    assert "board available" in values(chart)


def test_alt_click_leaves_one_series_and_again_all(chart: LiveChart) -> None:
    chart.set_capture(example_capture())
    worker, board = sorted(chart.findChildren(SeriesButton), key=lambda b: b.text(), reverse=True)
    QTest.mouseClick(worker, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier)
    assert (worker.isChecked(), board.isChecked()) == (True, False)
    QTest.mouseClick(worker, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier)
    assert (worker.isChecked(), board.isChecked()) == (True, True)


# -- following and pausing ------------------------------------------------------------------------


def test_the_view_follows_until_it_is_moved_and_again_after_fit(chart: LiveChart) -> None:
    steady(chart, 0, 10)
    assert chart.view_box.viewRange()[0] == pytest.approx([0, 9.95])
    steady(chart, 10, 20)
    assert chart.view_box.viewRange()[0] == pytest.approx([0, 19.95])
    chart.view_box.setXRange(2, 6, padding=0)
    chart.view_box.sigRangeChangedManually.emit([True, False])
    steady(chart, 20, 30)
    assert chart.view_box.viewRange()[0] == pytest.approx([2, 6])
    QTest.keyClick(chart, Qt.Key.Key_F)
    steady(chart, 30, 40)
    assert chart.view_box.viewRange()[0] == pytest.approx([0, 39.95])


def test_a_zoomed_view_that_reaches_the_end_scrolls_along(chart: LiveChart) -> None:
    steady(chart, 0, 20)
    chart.view_box.setXRange(15, 19.95, padding=0)
    chart.view_box.sigRangeChangedManually.emit([True, False])
    steady(chart, 20, 30)
    low, high = chart.view_box.viewRange()[0]
    assert high == pytest.approx(29.95)
    assert high - low == pytest.approx(4.95)


def test_space_pauses_the_view_and_not_the_recording(chart: LiveChart, qtbot: QtBot) -> None:
    steady(chart, 0, 5)
    with qtbot.waitSignal(chart.pausedChanged) as told:
        QTest.keyClick(chart, Qt.Key.Key_Space)
    assert told.args == [True]
    QApplication.processEvents()
    before = grabbed(chart.graphics)
    steady(chart, 5, 8, rss=90 * MIB)
    assert (grabbed(chart.graphics) == before).all()
    assert len(chart.curves["rss"]) == 160
    QTest.keyClick(chart, Qt.Key.Key_Space)
    QApplication.processEvents()
    assert not chart.paused
    assert chart.view_box.viewRange()[0] == pytest.approx([0, 7.95])
    assert not (grabbed(chart.graphics) == before).all()


def test_a_new_run_starts_with_nothing(chart: LiveChart) -> None:
    chart.set_capture(example_capture())
    chart.set_range(1, 2)
    chart.set_paused(True)
    chart.clear()
    assert (len(chart.curves["rss"]), chart.markers, chart.selected_range) == (0, (), None)
    assert not chart.paused
    assert not chart.graphics.isVisible()
    steady(chart, 0, 1)
    assert chart.graphics.isVisible()


# -- phases ---------------------------------------------------------------------------------------


def test_phases_and_a_bad_end_are_marked(chart: LiveChart) -> None:
    chart.set_capture(ended_capture(Status.KILLED))
    assert [(m.name, m.failed) for m in chart.markers] == [
        ("runtime_import", False), ("load", False), ("allocate", False), ("killed", True),
    ]  # fmt: skip
    QApplication.processEvents()
    assert share_of(grabbed(chart.graphics), DARK.error, 12) > 0


def test_a_click_on_a_marker_opens_its_phase(chart: LiveChart, qtbot: QtBot) -> None:
    steady(chart, 0, 10)
    chart.add_phase("allocate", 4.0)
    QApplication.processEvents()
    spot = at(chart, 4.0, 1.0) + QPoint(0, 10)
    with qtbot.waitSignal(chart.markerClicked) as told:
        QTest.mouseClick(chart.graphics.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert told.args == ["allocate"]


@given(st.lists(st.tuples(st.floats(0, 900), st.floats(10, 200)), max_size=30))
def test_labels_of_phases_never_overlap(labels: list[tuple[float, float]]) -> None:
    labels.sort()
    rows = stagger([x for x, _ in labels], [w for _, w in labels])
    placed = [(row, x, x + w) for row, (x, w) in zip(rows, labels, strict=True) if row is not None]
    for i, (row, start, end) in enumerate(placed):
        for other_row, other_start, other_end in placed[:i]:
            assert row != other_row or start >= other_end or end <= other_start
    if labels:
        assert rows[0] == 0


# -- range and second -----------------------------------------------------------------------------


def drag(chart: LiveChart, first: float, last: float, modifier: Qt.KeyboardModifier) -> None:
    viewport = chart.graphics.viewport()
    start, end = at(chart, first), at(chart, last)
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, modifier, start)
    for share in (0.3, 0.6, 1.0):
        event_moved(chart, start + (end - start) * share, modifier)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, modifier, end)


def event_moved(chart: LiveChart, to: QPoint, modifier: Qt.KeyboardModifier) -> None:
    """A move with the button and the modifier down; QTest.mouseMove holds neither."""
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    viewport = chart.graphics.viewport()
    event = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(to), QPointF(viewport.mapToGlobal(to)),
        Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton, modifier,
    )  # fmt: skip
    QApplication.sendEvent(viewport, event)


def test_dragging_chooses_a_range_with_start_end_and_difference(chart: LiveChart, qtbot: QtBot) -> None:
    steady(chart, 0, 5, rss=20 * MIB)
    steady(chart, 5, 10, rss=50 * MIB)
    before = chart.view_box.viewRange()[0]
    with qtbot.waitSignal(chart.rangeSelected) as told:
        drag(chart, 2.0, 8.0, Qt.KeyboardModifier.NoModifier)
    assert told.args == pytest.approx([2.0, 8.0], abs=0.05)
    assert "worker 20.0 MiB → 50.0 MiB (Δ +30.0 MiB)" in chart.range_text
    assert "board 400.0 MiB → 400.0 MiB (Δ ±0 B)" in chart.range_text
    assert chart.view_box.viewRange()[0] == pytest.approx(before)
    with qtbot.waitSignal(chart.rangeCleared):
        QTest.keyClick(chart, Qt.Key.Key_Escape)
    assert chart.selected_range is None
    assert chart.range_text == ""


def test_shift_dragging_pans(chart: LiveChart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pg.CONFIG_OPTIONS, "mouseRateLimit", 0)  # the test moves faster than a hand
    steady(chart, 0, 10)
    chart.view_box.setXRange(4, 6, padding=0)
    drag(chart, 5.0, 5.5, Qt.KeyboardModifier.ShiftModifier)
    assert chart.view_box.viewRange()[0] == pytest.approx([3.5, 5.5], abs=0.06)
    assert chart.selected_range is None


def test_a_range_that_begins_in_a_gap_says_so(chart: LiveChart) -> None:
    steady(chart, 0, 2)
    steady(chart, 6, 8)
    chart.set_range(4.0, 7.0)
    assert "worker unknown at one end" in chart.range_text


def test_a_click_chooses_a_second(chart: LiveChart, qtbot: QtBot) -> None:
    steady(chart, 0, 10)
    with qtbot.waitSignal(chart.secondClicked) as told:
        QTest.mouseClick(chart.graphics.viewport(), Qt.MouseButton.LeftButton, pos=at(chart, 7.0, 0.3))
    assert told.args == pytest.approx([7.0], abs=0.03)
    assert chart.selected_second == pytest.approx(7.0, abs=0.03)


def test_keys_reach_every_moment(chart: LiveChart, qtbot: QtBot) -> None:
    chart.set_capture(example_capture())
    QTest.keyClick(chart, Qt.Key.Key_BracketRight)
    assert chart.selected_second == pytest.approx(0.35)
    QTest.keyClick(chart, Qt.Key.Key_BracketRight)
    assert chart.selected_second == pytest.approx(1.9)
    QTest.keyClick(chart, Qt.Key.Key_BracketLeft)
    assert chart.selected_second == pytest.approx(0.35)
    QTest.keyClick(chart, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    later = chart.selected_second
    assert later is not None
    assert later > 0.4
    QTest.keyClick(chart, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(chart, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert chart.selected_range == pytest.approx((later, later + 0.04), abs=0.01)
    with qtbot.waitSignal(chart.secondClicked):
        QTest.keyClick(chart, Qt.Key.Key_Return)
    before = np.ptp(chart.view_box.viewRange()[0])
    QTest.keyClick(chart, Qt.Key.Key_Plus)
    assert np.ptp(chart.view_box.viewRange()[0]) < before


def test_differences_carry_their_sign() -> None:
    assert (signed(7.5 * MIB), signed(-MIB), signed(0)) == ("+7.5 MiB", "−1.0 MiB", "±0 B")


@given(st.floats(1e-3, 1e6), st.floats(1, 30))
def test_seconds_have_round_steps(span: float, count: float) -> None:
    step = decimal_step(span, count)
    lead = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(lead - f) for f in (1, 2, 5, 10)) < 1e-6
    assert span / step <= count * (1 + 1e-6)


# -- pictures and leftovers -----------------------------------------------------------------------


def test_pictures_hold_legend_title_and_phases(chart: LiveChart, tmp_path: Path) -> None:
    chart.set_capture(example_capture())
    QApplication.processEvents()
    image = chart.render_image(2)
    assert (image.width(), image.height()) == (2 * chart.width(), 2 * chart.height())
    chart.render_svg(tmp_path / "live.svg")
    texts = "".join(ET.fromstring((tmp_path / "live.svg").read_text()).itertext())
    for words in ("doorbell_cnn.tflite", "worker resident 30.3 MiB", "invoke_first", "seconds since start"):
        assert words in texts, words


def test_hostile_names_of_phases_are_harmless(chart: LiveChart, tmp_path: Path) -> None:
    chart.set_capture(replace(hostile_capture(), outcome=example_capture().outcome))
    QApplication.processEvents()
    grabbed(chart)
    chart.render_svg(tmp_path / "live.svg")
    tags = {e.tag.rpartition("}")[2] for e in ET.fromstring((tmp_path / "live.svg").read_text()).iter()}
    assert tags.isdisjoint({"script", "img", "style"})


def test_a_closed_chart_is_gone(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    chart = LiveChart(DARK)
    column.addWidget(chart)
    window.show()
    chart.set_capture(example_capture())
    watched = weakref.ref(chart)
    column.removeWidget(chart)
    chart.setParent(None)
    del chart
    for _ in range(3):
        gc.collect()
        QApplication.processEvents()
    assert watched() is None
