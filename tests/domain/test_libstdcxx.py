"""The order of a ``std::unordered_set<int>`` and of ``std::sort`` with ties.

The expected orders were printed by a program compiled with g++ 12 and its libstdc++.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from arenascope.domain.libstdcxx import set_order, sort_order


def test_few_numbers_come_out_in_the_opposite_order() -> None:
    assert set_order(range(5, 10)) == [9, 8, 7, 6, 5]


def test_what_shares_a_bucket_stands_together() -> None:
    assert set_order([1, 2, 14, 15, 3]) == EXPECTED_COLLISIONS


def test_a_set_that_is_full_takes_more_buckets() -> None:
    assert set_order(range(100, 114)) == EXPECTED_14
    assert set_order(range(31)) == EXPECTED_31


def test_a_number_that_is_put_in_twice_is_there_once() -> None:
    assert set_order([4, 7, 4]) == [7, 4]


def test_up_to_sixteen_equal_keys_stay_in_order() -> None:
    assert sort_order([1] * 16) == list(range(16))


def test_more_equal_keys_are_shuffled_by_the_partitions() -> None:
    assert sort_order([1] * 20) == EXPECTED_EQUAL_20
    assert sort_order([i % 3 for i in range(40)]) == EXPECTED_MOD_40


def test_uneven_partitions_end_in_a_heap_sort() -> None:
    """The keys that make every median of three a bad one, with ties."""
    half = 38
    keys = [0] * (2 * half)
    for i in range(1, half + 1):
        if i & 1:
            keys[i - 1], keys[i] = i, half + i
        keys[half + i - 1] = 2 * i
    assert sort_order([key // 2 for key in keys]) == EXPECTED_KILLER


@given(st.lists(st.integers(0, 5), max_size=400))
def test_a_sort_sorts(keys: list[int]) -> None:
    order = sort_order(keys)
    assert sorted(order) == list(range(len(keys)))
    assert [keys[i] for i in order] == sorted(keys)


@given(st.lists(st.integers(0, 10_000), max_size=400, unique=True))
def test_a_set_holds_what_was_put_in(numbers: list[int]) -> None:
    assert sorted(set_order(numbers)) == sorted(numbers)


EXPECTED_COLLISIONS = [
    3, 15, 2, 14, 1,
]  # fmt: skip
EXPECTED_14 = [
    113, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112,
]  # fmt: skip
EXPECTED_31 = [
    30, 29, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
    24, 25, 26, 27, 28,
]  # fmt: skip
EXPECTED_EQUAL_20 = [
    10, 19, 18, 17, 16, 15, 14, 13, 12, 11, 0, 9, 8, 7, 6, 5, 4, 3, 2, 1,
]  # fmt: skip
EXPECTED_MOD_40 = [
    0, 21, 18, 24, 15, 27, 12, 30, 9, 33, 6, 36, 3, 39, 31, 34, 28, 37, 25, 22, 1, 19, 16, 4, 13, 7,
    10, 2, 20, 38, 5, 35, 8, 32, 11, 29, 14, 26, 17, 23,
]  # fmt: skip

EXPECTED_KILLER = [
    0, 38, 2, 39, 4, 40, 6, 41, 8, 42, 10, 43, 12, 14, 44, 45, 16, 46, 18, 20, 47, 48, 22, 49, 24,
    50, 26, 51, 28, 52, 30, 53, 32, 54, 34, 55, 36, 1, 56, 57, 3, 58, 5, 59, 7, 60, 9, 61, 11, 62,
    13, 63, 15, 17, 64, 19, 65, 21, 66, 23, 67, 25, 68, 69, 27, 29, 70, 31, 71, 72, 33, 73, 35, 37,
    74, 75,
]  # fmt: skip
