"""The order of versions, as pip and as dpkg have it."""

from __future__ import annotations

import itertools

import pytest

from arenascope.domain.versions import at_least, compare_debian, release, satisfies


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("2.14.0", (2, 14, 0)),
        ("1.24.2rc1", (1, 24, 2)),
        ("3.13.0+", (3, 13, 0)),
        ("x", ()),
        ("2.1a.3", (2, 1)),
    ],
)
def test_numbers_of_a_release(text: str, numbers: tuple[int, ...]) -> None:
    assert release(text) == numbers


def test_at_least() -> None:
    assert at_least("1.24", "1.24.0")
    assert at_least("2.36", "2.27")
    assert at_least("2.9", "2.10") is False
    assert not at_least("1.26.4", "2")


def test_debian_versions_in_their_order() -> None:
    # From Debian's policy and dpkg's own tests; each is before the next.
    in_order = [
        "1.0~~", "1.0~~a", "1.0~", "1.0", "1.0-1", "1.0-1+deb12u1", "1.0-1.1", "1.0-2", "1.0-10", "1.0a",
        "1.0+b", "1.2", "1.10", "1:0.1", "2:0",
    ]  # fmt: skip
    for (i, left), (j, right) in itertools.product(enumerate(in_order), repeat=2):
        order = compare_debian(left, right)
        assert (order > 0) - (order < 0) == (i > j) - (i < j), (left, right)
    assert compare_debian("1.01", "1.1") == 0
    assert compare_debian("0:1", "1") == 0
    assert compare_debian("1-0", "1") == 0


def test_relations() -> None:
    assert satisfies("2.36-9", ">=", "2.34")
    assert satisfies("3.11.2-1", "<<", "3.12")
    assert satisfies("1", "", "")
    assert satisfies("1", "=", "1")
    assert not satisfies("1", ">>", "1")
    assert not satisfies("2.31", ">=", "2.34")
    assert not satisfies("1", "~", "1")
