"""Which questions are the same one: a limit that somebody sets asks for another verdict."""

from __future__ import annotations

from dataclasses import replace

from arenascope.domain.board import Board, Limits
from arenascope.qtmodels.whatif_keys import same_limits

BOARD = Board("pi", ram_total=1 << 30, ram_available=1 << 29, limits=Limits(overcommit=0, committed=1))


def test_a_limit_that_is_set_counts_and_what_is_in_use_does_not() -> None:
    assert same_limits(BOARD, replace(BOARD, limits=Limits(overcommit=0, committed=2, group_used=7)))
    for changed in (
        Limits(overcommit=1),
        Limits(overcommit=0, rlimit_as=1 << 28),
        Limits(overcommit=0, rlimit_data=1 << 28),
        Limits(overcommit=0, group_limit=1 << 28),
        Limits(overcommit=0, commit_limit=1 << 28),
    ):
        assert not same_limits(BOARD, replace(BOARD, limits=changed))


def test_a_little_memory_more_or_less_is_no_other_board() -> None:
    assert same_limits(BOARD, replace(BOARD, ram_available=(1 << 29) + 4096))
    assert not same_limits(BOARD, replace(BOARD, ram_available=1 << 28))
    assert same_limits(None, None) and not same_limits(BOARD, None)
