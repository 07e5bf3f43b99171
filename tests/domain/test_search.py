"""The search language: every form, and words for what cannot be read."""

from __future__ import annotations

import pytest

from arenascope.domain.layout import Kind
from arenascope.domain.search import QueryError, parse_query

from .layouts import layout_of

LAYOUT = layout_of(
    [("CONV_2D", [0, 4], [1]), ("RESHAPE", [1], [2]), ("SOFTMAX", [2], [3])],
    {0: (0, 4096), 1: (4096, 65536), 2: (4096, 65536), 3: (0, 40), 5: (70000, 128)},
    inputs=[0],
    outputs=[3],
    temporaries={0: [5]},
    kinds={5: Kind.ARENA_RW_PERSISTENT},
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {0, 1, 2, 3, 4, 5}),
        ("t1", {1}),
        ("#2", {2}),
        ("T3", {3}),
        ("/t[12]/", {1, 2}),
        ("/^t(1|3)$/", {1, 3}),
        ("size>4kB", {1, 2}),
        ("size>=4096", {0, 1, 2}),
        ("size<=40 size<1MB", {3, 4}),
        ("size=128", {5}),
        ("kind:arena_rw_p", {5}),
        ("kind:mmap", {4}),
        ("dtype:float", {0, 1, 2, 3, 4, 5}),
        ("dtype:int8", set()),
        ("op:softmax", {2, 3}),
        ("op:CONV", {0, 1, 4, 5}),
        ("alive@2", {0, 1, 2, 3, 5}),
        ("alive@1 kind:arena_rw size>1kB t2", {2}),
        ("softmax", {2, 3}),
    ],
)
def test_a_query_finds_what_it_says(query: str, expected: set[int]) -> None:
    found = {index for _, index in parse_query(query).keys(LAYOUT)}
    assert found == expected


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("/[/", "regular expression"),
        ("size>many", "not a size"),
        ("alive@now", "alive@12"),
        ("alive@²", "alive@12"),
        ("alive@" + "9" * 5000, "alive@12"),
        ("size>" + "9" * 400, "not a size"),
        ("size>²kB", "not a size"),
        ('"open', "quotation mark"),
        ("/" + "a" * 300 + "/", "longer than"),
    ],
)
def test_a_query_that_cannot_be_read_says_why(query: str, words: str) -> None:
    with pytest.raises(QueryError, match=words):
        parse_query(query)


def test_quotes_keep_spaces_together() -> None:
    assert parse_query('"t1"').keys(LAYOUT) == {(0, 1)}
    assert parse_query('"t1 x"').keys(LAYOUT) == frozenset()
