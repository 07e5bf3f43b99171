"""The pyramid shows every extreme and every gap, whatever the batches were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenascope.qtmodels.trace_buffer import SampleClock, TraceBuffer

values = st.one_of(st.integers(0, 1000).map(float), st.none())


def filled(rows: list[float | None], batches: int = 1) -> TraceBuffer:
    made = TraceBuffer()
    for part in np.array_split(np.arange(len(rows)), batches):
        made.append([i * 0.05 for i in part], [rows[i] for i in part])
    return made


@given(st.lists(values, max_size=400), st.integers(1, 60), st.integers(1, 50))
def test_batches_make_no_difference(rows: list[float | None], batches: int, points: int) -> None:
    one, many = filled(rows), filled(rows, batches)
    for view_of_one, view_of_many in zip(one.view(0, 100, points), many.view(0, 100, points), strict=True):
        np.testing.assert_array_equal(view_of_one, view_of_many)


@given(st.lists(values, min_size=1, max_size=600), st.integers(1, 80))
def test_no_extreme_is_lost_and_points_are_few(rows: list[float | None], points: int) -> None:
    t, y = filled(rows).view(-1, 1000, points)
    known = [v for v in rows if v is not None]
    if known:
        assert np.nanmin(y) == min(known)
        assert np.nanmax(y) == max(known)
    assert len(t) == len(y) <= max(12 * points, 12)
    assert (np.diff(t) >= 0).all()


@given(st.lists(values, min_size=2, max_size=600), st.integers(1, 80))
def test_a_gap_stays_a_gap_on_every_level(rows: list[float | None], points: int) -> None:
    _, y = filled(rows).view(-1, 1000, points)
    assert np.isnan(y).any() == any(v is None for v in rows)


def test_a_million_rows_answer_with_a_few_thousand_points() -> None:
    t = np.arange(1_000_000) / 20
    buffer = TraceBuffer()
    buffer.append(t, np.where(t == 12_345.0, 9.0, 1.0))
    x, y = buffer.view(0, 50_000, 1400)
    assert len(x) < 12 * 1400
    assert y.max() == 9.0
    x, y = buffer.view(100, 101, 1400)
    assert len(x) == 23  # a second of samples, and one beyond each end
    assert (x[0], x[-1]) == (99.95, 101.05)


def test_a_paused_view_does_not_see_what_came_later() -> None:
    buffer = filled([1.0] * 100)
    until = len(buffer)
    buffer.append([10.0], [50.0])
    _, y = buffer.view(0, 100, 1000, until)
    assert y.max() == 1.0
    _, y = buffer.view(0, 100, 3, until)
    assert len(y) < 100


def test_rows_that_go_back_in_time_are_dropped() -> None:
    buffer = TraceBuffer()
    buffer.append([1.0, 2.0, 1.5, 3.0], [1, 2, 99, 3])
    buffer.append([2.5, 4.0], [99, 4])
    assert buffer.t.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert buffer.y.tolist() == [1, 2, 3, 4]


def test_the_value_of_a_moment_and_none_in_a_gap() -> None:
    buffer = TraceBuffer()
    buffer.append([0.0, 0.1, 0.2], [10, 20, 30])
    buffer.add_gap(0.25)
    buffer.append([5.0, 5.1], [40, 50])
    assert buffer.value_at(0.09) == 20
    assert buffer.value_at(0.21) == 30
    assert buffer.value_at(2.5) is None
    assert buffer.value_at(4.8) is None
    assert buffer.value_at(5.0) == 40
    assert buffer.value_at(99.0) is None
    assert buffer.last() == 50
    assert TraceBuffer().value_at(0.0) is None


def test_the_latest_known_value_is_looked_for_behind_a_gap() -> None:
    assert filled([5.0, *[None] * 600]).last() == 5.0
    assert filled([None] * 600).last() is None


@pytest.mark.parametrize("rate", [20.0, 1.0])
def test_the_clock_knows_a_lost_link_from_a_slow_rate(rate: float) -> None:
    clock = SampleClock()
    times = np.arange(20) / rate
    assert clock.gaps(times).size == 0
    assert clock.gaps([times[-1] + 3 / rate]).size == 0
    lost = clock.gaps([times[-1] + 60 / rate])
    assert len(lost) == 1
    assert times[-1] + 3 / rate < lost[0] < times[-1] + 60 / rate


def test_the_clock_finds_a_gap_between_batches_and_within_one() -> None:
    clock = SampleClock()
    within = clock.gaps([0.0, 0.05, 0.10, 0.15, 2.0, 2.05])
    assert within.tolist() == [pytest.approx(0.175)]
    assert clock.gaps([]).size == 0
    assert len(clock.gaps([9.0])) == 1
