"""The largest number that passes, and how few tests it takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from arenascope.domain.bisection import largest


@given(
    border=st.integers(0, 5000),
    limit=st.integers(1, 5000),
    first=st.integers(0, 6000),
    step=st.integers(1, 90),
)
def test_it_is_the_border_wherever_the_search_begins(border: int, limit: int, first: int, step: int) -> None:
    asked: list[int] = []

    def passes(number: int) -> bool:
        asked.append(number)
        return number <= border

    assert largest(passes, limit, first=first, step=step) == min(border, limit)
    assert all(1 <= number <= limit for number in asked)
    assert len(asked) == len(set(asked)), "nothing is run twice"


def test_a_border_that_was_expected_takes_two_tests() -> None:
    asked: list[int] = []

    def passes(number: int) -> bool:
        asked.append(number)
        return number <= 2500

    assert largest(passes, 2**31 - 1, first=2500) == 2500
    assert asked == [2500, 2501]


@given(border=st.integers(1, 2**31 - 1))
def test_a_border_of_which_nothing_is_known_takes_few(border: int) -> None:
    asked: list[int] = []

    def passes(number: int) -> bool:
        asked.append(number)
        return number <= border

    assert largest(passes, 2**31 - 1) == border
    assert len(asked) <= 2 * border.bit_length() + 2
