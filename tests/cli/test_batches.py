"""Batches and shapes as the command line of a sweep spells them."""

from __future__ import annotations

import pytest

from arenascope.cli.batches import parse_batches, variants
from arenascope.domain.whatif import WhatIf
from arenascope.errors import UsageError


@pytest.mark.parametrize(
    ("text", "batches"),
    [
        ("1,2,4", [1, 2, 4]),
        (" 8 , 1,8", [8, 1]),
        ("1-4", [1, 2, 3, 4]),
        ("1-1024/512,7", [1, 513, 7]),
        ("5-5", [5]),
        ("2147483647", [2**31 - 1]),
    ],
)
def test_what_a_list_of_batches_means(text: str, batches: list[int]) -> None:
    assert parse_batches(text) == batches


@pytest.mark.parametrize(
    "text",
    ["", ",", "0", "-3", "1,,2", "1-", "-", "4-1", "1-4/0", "4/2", "1e3", "1.5", "²", "2147483648",
     "1000000000000", "1-1000000", "0-4", "one"],
)  # fmt: skip
def test_what_is_no_list_of_batches_is_said(text: str) -> None:
    with pytest.raises(UsageError, match=r"--batches") as raised:
        parse_batches(text)
    assert raised.value.hint


def test_every_batch_goes_with_every_set_of_shapes() -> None:
    base = WhatIf(threads=4, delegate="none")
    found = variants(base, "1,2", ["a=1,8", "b=1,3", "a=1,16"])
    assert [(v.batch, dict(v.inputs)) for v in found] == [
        (1, {"a": (1, 8), "b": (1, 3)}),
        (2, {"a": (1, 8), "b": (1, 3)}),
        (1, {"a": (1, 16), "b": (1, 3)}),
        (2, {"a": (1, 16), "b": (1, 3)}),
    ]
    assert {(v.threads, v.delegate) for v in found} == {(4, "none")}


def test_shapes_alone_ask_for_no_batch() -> None:
    assert [v.batch for v in variants(WhatIf(), None, ["x=1,2", "x=1,3"])] == [None, None]


def test_nothing_to_vary_and_uneven_shapes_are_said() -> None:
    with pytest.raises(UsageError, match="something to vary"):
        variants(WhatIf(), None, [])
    with pytest.raises(UsageError, match="a 2 times, b 3 times"):
        variants(WhatIf(), None, ["a=1", "a=2", "b=1", "b=2", "b=3"])
