"""The one search: what it finds, and what it says where it cannot be read."""

from __future__ import annotations

import pytest

from arenascope.qtmodels.search_state import SearchState
from tests.support.captures import example_capture


@pytest.fixture
def search(qapp: object) -> SearchState:
    made = SearchState()
    made.set_capture(example_capture())
    return made


def test_without_words_everything_is_found(search: SearchState) -> None:
    assert (search.keys, search.active, search.count, search.total) == (None, False, 31, 31)
    search.set_text("   ")
    assert not search.active


def test_words_find_and_tell_once(search: SearchState) -> None:
    told: list[str] = []
    search.changed.connect(lambda: told.append(search.text))
    search.set_text("im2col")
    search.set_text("im2col")
    assert search.keys == {(0, 27), (0, 28)}
    assert told == ["im2col"]
    assert search.matches((0, 27))
    assert not search.matches((0, 0))


def test_a_query_that_cannot_be_read_says_why_and_hides_nothing(search: SearchState) -> None:
    search.set_text("size>huge")
    assert "size>huge" in search.error
    assert search.count == search.total
    search.set_text("size>100kB")
    assert search.error == ""


def test_a_new_capture_is_searched_for_the_same_words(search: SearchState) -> None:
    search.set_text("conv2")
    search.set_capture(None)
    assert search.keys is None
    search.set_capture(example_capture())
    assert search.count == 3


def test_matches_follow_each_other_round_the_end(search: SearchState) -> None:
    search.set_text("im2col")
    assert search.neighbour(None) == (0, 27)
    assert search.neighbour((0, 27)) == (0, 28)
    assert search.neighbour((0, 28)) == (0, 27)
    assert search.neighbour((0, 27), -1) == (0, 28)
    search.set_text("no such thing")
    assert search.neighbour(None) is None
