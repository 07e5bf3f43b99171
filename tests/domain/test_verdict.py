"""Which limit decides, on boards of many kinds, around every border."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenascope.domain.address_space import limits, space_of
from arenascope.domain.board import AddressSpace, Board, Limits
from arenascope.domain.layout import MemoryLayout
from arenascope.domain.prediction import PredictedPart, Prediction
from arenascope.domain.provenance import Provenance
from arenascope.domain.ranges import Range, Request, exactly
from arenascope.domain.shapes import ShapeRefusal
from arenascope.domain.verdict import MARGIN, Fit, Verdict, judge, memory_room

from .layouts import layout_of
from .predicting import BASELINE, BOARD, GIB, MIB, plan_of

SMALL = layout_of([("RELU", [0], [1])], {0: (0, 64), 1: (64, 64)}, inputs=[0], outputs=[1])


def needs(peak: Range | int, largest: int = MIB, mapped: int | None = None, files: int = 0) -> Prediction:
    size = exactly(peak) if isinstance(peak, int) else peak
    part = PredictedPart("arena", size, Provenance.PLANNED, "So planned.")
    return Prediction(
        (part,), (Request(largest, "the arena"),), exactly(largest if mapped is None else mapped), files=files
    )


def verdict(prediction: Prediction, board: Board = BOARD, layout: MemoryLayout = SMALL) -> Verdict:
    return judge(prediction, plan_of(layout), board, BASELINE)


def on(**what: object) -> Board:
    return replace(BOARD, limits=replace(BOARD.limits, **what))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("prediction", "board", "fit", "limit"),
    [
        (needs(100 * MIB), BOARD, Fit.FITS, ""),
        (needs(100 * MIB, 994 * MIB), BOARD, Fit.FITS, ""),
        (needs(100 * MIB, 994 * MIB + 1), BOARD, Fit.REFUSED, "RAM and swap"),
        (needs(100 * MIB, 994 * MIB + 1), replace(BOARD, swap_total=GIB, swap_free=GIB), Fit.FITS, ""),
        (needs(100 * MIB, 1500 * MIB), on(overcommit=1), Fit.FITS, ""),
        (needs(100 * MIB, 2 * GIB - 1), on(overcommit=1), Fit.FITS, ""),
        (needs(100 * MIB, 2 * GIB), on(overcommit=1), Fit.REFUSED, "2 GiB"),
        (needs(100 * MIB, 2 * GIB), replace(on(overcommit=1), bits=64), Fit.FITS, ""),
        (needs(100 * MIB, GIB, 2900 * MIB), on(overcommit=1), Fit.REFUSED, "address space"),
        (
            needs(100 * MIB, 300 * MIB),
            on(overcommit=2, commit_limit=600 * MIB, committed=250 * MIB),  # and 60 are the runtime's
            Fit.REFUSED,
            "commit limit",
        ),
        (needs(100 * MIB, 300 * MIB), on(rlimit_as=390 * MIB), Fit.REFUSED, "ulimit -v"),
        (needs(100 * MIB, 290 * MIB), on(rlimit_as=390 * MIB), Fit.FITS, ""),
        (needs(100 * MIB, 300 * MIB), on(rlimit_data=350 * MIB), Fit.REFUSED, "ulimit -d"),
        (needs(1000 * MIB), BOARD, Fit.KILLED, "available memory"),
        (needs(895 * MIB), BOARD, Fit.TIGHT, "available memory"),
        (needs(Range(700 * MIB, 800 * MIB, 1000 * MIB)), BOARD, Fit.TIGHT, "available memory"),
        (needs(910 * MIB), on(kept_back=20 * MIB), Fit.TIGHT, "available memory"),
        (needs(935 * MIB), on(kept_back=20 * MIB), Fit.KILLED, "available memory"),
        (needs(1000 * MIB), replace(BOARD, swap_total=GIB, swap_free=GIB), Fit.FITS, ""),
        (needs(500 * MIB), on(group_limit=400 * MIB, group_used=0), Fit.KILLED, "control group"),
        (needs(500 * MIB), replace(BOARD, ram_available=None), Fit.UNKNOWN, ""),
    ],
)  # fmt: skip
def test_each_limit_decides_where_it_should(
    prediction: Prediction, board: Board, fit: Fit, limit: str
) -> None:
    found = verdict(prediction, board)
    assert (found.fit, found.limit) == (fit, limit), found.reason
    assert found.reason.endswith(".")
    if fit is not Fit.UNKNOWN:
        assert found.figures


def test_a_size_beyond_what_a_process_counts_is_refused_before_it_is_asked_for() -> None:
    layout = layout_of([("RELU", [0], [1])], {0: (0, 2**32), 1: (2**32, 64)}, inputs=[0], outputs=[1])
    found = verdict(needs(MIB), BOARD, layout)
    assert (found.fit, found.limit) == (Fit.REFUSED, "byte count")
    assert verdict(needs(MIB), replace(BOARD, bits=64), layout).fit is Fit.FITS


def test_an_answer_that_nobody_checks_is_a_crash_and_said_so() -> None:
    asked = needs(100 * MIB, 1000 * MIB)
    assert verdict(asked).reason.startswith("1000.0 MiB are needed in one piece for the arena, and there are")
    assert "crashes" not in verdict(asked).reason
    careless = replace(asked, requests=(replace(asked.requests[0], unchecked=True),))
    assert verdict(careless).fit is Fit.REFUSED
    assert verdict(careless).reason.endswith("does not check the answer: the process crashes.")


def test_a_model_that_refuses_its_shapes_is_refused() -> None:
    plan = plan_of(SMALL, refusal=ShapeRefusal("a RESHAPE is fixed", "num_input_elements"))
    found = judge(None, plan, BOARD)
    assert (found.fit, found.limit) == (Fit.REFUSED, "shapes")
    assert "RESHAPE" in found.reason


def test_what_is_killed_in_any_case_is_not_said_to_fit_tightly() -> None:
    """All allocations together may be refused: that alone is tight, and no comfort where the peak kills."""
    peak = exactly(100 * MIB)
    may = Prediction(needs(peak).parts, needs(peak).requests, Range(GIB, GIB, 4 * GIB))
    assert verdict(may).fit is Fit.TIGHT
    assert verdict(replace(may, parts=needs(1000 * MIB).parts)).fit is Fit.KILLED


def test_pages_of_files_can_give_way_so_that_they_alone_kill_nothing() -> None:
    assert verdict(needs(910 * MIB)).fit is Fit.KILLED
    assert verdict(needs(910 * MIB, files=20 * MIB)).fit is Fit.TIGHT


def test_swap_in_ram_gives_what_compressing_saves() -> None:
    board = replace(on(zram_free=400 * MIB), swap_total=400 * MIB, swap_free=400 * MIB)
    assert verdict(needs(1000 * MIB), board).fit is Fit.TIGHT  # nothing is known of how it compresses
    assert verdict(needs(1250 * MIB), board).fit is Fit.KILLED
    known = replace(board, limits=replace(board.limits, zram_kept=100 * MIB, zram_used=100 * MIB))
    assert verdict(needs(1000 * MIB), known).fit is Fit.KILLED


@given(st.integers(1, 3000), st.integers(1, 2000), st.integers(1, 3000))
def test_more_memory_never_makes_a_verdict_worse(peak: int, extra: int, largest: int) -> None:
    order = [Fit.REFUSED, Fit.KILLED, Fit.TIGHT, Fit.FITS]
    here = verdict(needs(peak * MIB, largest * MIB), on(overcommit=1))
    assert BOARD.ram_available is not None
    richer = replace(on(overcommit=1), ram_available=BOARD.ram_available + extra * MIB)
    there = verdict(needs(peak * MIB, largest * MIB), richer)
    assert order.index(there.fit) >= order.index(here.fit)


@given(st.integers(1, 3000 * MIB))
def test_what_fits_leaves_the_margin(peak: int) -> None:
    assert BOARD.ram_available is not None
    if verdict(needs(peak)).fit is Fit.FITS:
        assert BOARD.ram_total is not None
        assert peak + MARGIN * BOARD.ram_total <= BOARD.ram_available


@pytest.mark.parametrize(
    ("facts", "room"),
    [
        ({"ram_available": None}, None),
        ({}, ("available memory", 900 * MIB)),
        ({"swap_free": 7}, ("available memory", 900 * MIB + 7)),
        ({"swap_free": None, "swap_total": 100}, ("available memory", 900 * MIB + 100)),
        ({"limits": Limits(group_limit=64 * MIB, group_used=MIB)}, ("control group", 63 * MIB)),
    ],
)
def test_the_room_is_the_tightest_of_what_can_be_had(
    facts: dict[str, Any], room: tuple[str, int] | None
) -> None:
    found = memory_room(replace(BOARD, **facts))
    assert (found and (found[0], found[1].likely)) == room


def test_limits_come_narrowest_first_and_name_their_numbers() -> None:
    found = limits(on(rlimit_as=500 * MIB), BASELINE)
    assert [limit.room for limit in found] == sorted(limit.room for limit in found)
    assert {"RAM and swap", "2 GiB", "largest gap", "address space", "ulimit -v"} == {x.name for x in found}
    assert all(limit.facts for limit in found)
    assert limits(Board("unknown")) == ()


def test_without_a_baseline_the_runtime_s_addresses_are_guessed_on_32_bits_only() -> None:
    assert space_of(BOARD, BASELINE) == BASELINE.space
    gap = space_of(BOARD, None).largest_gap
    assert gap is not None
    assert BOARD.address_space.largest_gap is not None
    assert gap < BOARD.address_space.largest_gap
    wide = replace(BOARD, bits=64, address_space=AddressSpace(2**47, 2**46))
    assert space_of(wide, None) == wide.address_space
    assert Limits().overcommit is None
