"""Alive sets, bounds, overlaps and sums on layouts whose numbers can be added by hand."""

from __future__ import annotations

from arenascope.domain.alive import (
    alive_bytes,
    alive_set,
    busiest_step,
    high_water_step,
    lower_bound,
    shared_in_place,
)
from arenascope.domain.layout import Kind
from arenascope.domain.measurement import Phase
from arenascope.domain.overlaps import find_overlaps
from arenascope.domain.totals import totals

from .layouts import layout_of

CHAIN = [("CONV_2D", [0], [1]), ("RESHAPE", [1], [2]), ("ADD", [2], [3]), ("CONV_2D", [3], [4])]
#: 1, 2 and 3 share one place: RESHAPE and ADD work in place.
PLACES = {0: (0, 64), 1: (64, 256), 2: (64, 256), 3: (64, 256), 4: (320, 32)}


def test_tensors_that_share_memory_in_place_count_once() -> None:
    layout = layout_of(CHAIN, PLACES, inputs=[0], outputs=[4])
    assert shared_in_place(layout) == {(0, 2): (0, 1), (0, 3): (0, 1)}
    assert alive_bytes(layout) == [320, 320, 320, 352]
    assert lower_bound(layout) == 352
    assert busiest_step(layout) == 3


def test_the_alive_set_lists_shared_members_and_sums_without_them() -> None:
    layout = layout_of(CHAIN, PLACES, inputs=[0], outputs=[4])
    alive = alive_set(layout, 1)
    assert [p.index for p in alive.tensors] == [1, 2, 0]
    assert alive.shared == {(0, 2)}
    assert alive.bytes == 320


def test_the_high_water_mark_is_where_the_top_tensor_begins() -> None:
    layout = layout_of(CHAIN, PLACES, inputs=[0], outputs=[4])
    assert high_water_step(layout) == 3
    assert high_water_step(layout, kind=Kind.ARENA_RW_PERSISTENT) is None


def test_the_sum_at_every_step_is_the_sum_of_the_alive_set() -> None:
    layout = layout_of(CHAIN, PLACES, inputs=[0], outputs=[4])
    assert alive_bytes(layout) == [alive_set(layout, step).bytes for step in range(4)]


def test_in_place_operators_that_read_last_are_no_overlap() -> None:
    assert find_overlaps(layout_of(CHAIN, PLACES, inputs=[0], outputs=[4])) == ()


def test_a_write_into_memory_that_is_read_later_is_found() -> None:
    # X → RESHAPE → Y; ADD writes Z into X's place; SUB still reads Y.
    plan = [("CONV_2D", [0], [1]), ("RESHAPE", [1], [2]), ("ADD", [1], [3]), ("SUB", [3, 2], [4])]
    places = {0: (0, 64), 1: (64, 64), 2: (64, 64), 3: (64, 64), 4: (128, 64)}
    found = find_overlaps(layout_of(plan, places, inputs=[0], outputs=[4]))
    assert [(o.first, o.second, o.step, o.bytes) for o in found] == [((0, 2), (0, 3), 2, 64)]


def test_two_live_tensors_in_one_place_are_found_with_their_common_bytes() -> None:
    plan = [("SPLIT", [0], [1, 2]), ("ADD", [1, 2], [3])]
    places = {0: (0, 64), 1: (64, 64), 2: (96, 64), 3: (192, 64)}
    found = find_overlaps(layout_of(plan, places, inputs=[0], outputs=[3]))
    assert [(o.first, o.second, o.bytes) for o in found] == [((0, 1), (0, 2), 32)]


def test_reuse_after_the_last_reader_is_no_overlap() -> None:
    plan = [("A", [0], [1]), ("B", [1], [2]), ("C", [2], [3])]
    places = {0: (0, 64), 1: (64, 64), 2: (128, 64), 3: (64, 64)}
    assert find_overlaps(layout_of(plan, places, inputs=[0], outputs=[3])) == ()


def test_scratch_over_its_operators_input_is_found() -> None:
    plan = [("A", [0], [1]), ("B", [1], [2])]
    places = {0: (0, 64), 1: (64, 64), 2: (128, 64), 3: (64, 32)}
    found = find_overlaps(layout_of(plan, places, inputs=[0], outputs=[2], temporaries={1: [3]}))
    assert [(o.first, o.second, o.step) for o in found] == [((0, 1), (0, 3), 1)]


def test_totals_say_what_they_are() -> None:
    layout = layout_of(CHAIN, PLACES, inputs=[0], outputs=[4])
    phases = [Phase("load", 0.1, 10, 40, 30, 1, 2), Phase("invoke", 0.1, 30, None, 30, 1, 2)]
    found = totals(layout, None, phases)
    assert (found.arena_rw, found.lower_bound, found.sum_without_reuse) == (352, 352, 864)
    assert (found.weights, found.arena_rw_persistent, found.process_peak) == (None, 0, 40)


def test_nothing_read_is_unknown_and_not_zero() -> None:
    from arenascope.domain.layout import MemoryLayout

    found = totals(MemoryLayout((), (), ()), None, [])
    assert found.arena_rw is None and found.lower_bound is None and found.process_peak is None
