"""What differs between a plan and a reading, and what does not count as a difference."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from arenascope.domain.layout import Kind, MemoryLayout
from arenascope.domain.layout_difference import difference
from tests.support.captures import example_capture

LAYOUT = example_capture().layout


def changed(key: tuple[int, int], **changes: object) -> MemoryLayout:
    placements = tuple(
        replace(p, **changes) if p.key == key else p  # type: ignore[arg-type]
        for p in LAYOUT.placements
    )
    return MemoryLayout(placements, LAYOUT.operators, LAYOUT.arenas)


def test_a_layout_is_equal_to_itself_wherever_it_lies() -> None:
    moved = MemoryLayout(
        tuple(replace(p, address=None) for p in LAYOUT.placements), LAYOUT.operators, LAYOUT.arenas
    )
    found = difference(moved, LAYOUT)
    assert found.equal
    assert found.tensors == len([p for p in LAYOUT.placements if p.in_arena])


@given(st.sampled_from([p.key for p in LAYOUT.placements if p.in_arena]))
def test_each_way_of_being_elsewhere_has_its_word(key: tuple[int, int]) -> None:
    place = LAYOUT.by_key[key]
    assert place.offset is not None
    assert place.bytes is not None
    cases = {
        "offset": changed(key, offset=place.offset + 64),
        "size": changed(key, bytes=place.bytes + 4),
        "offset and size": changed(key, offset=place.offset + 64, bytes=place.bytes * 2),
        "only read": changed(key, kind=Kind.DELEGATE, offset=None),
    }
    for words, planned in cases.items():
        (found,) = difference(planned, LAYOUT).differences
        assert (found.key, found.what) == (key, words)
    (turned,) = difference(LAYOUT, cases["only read"]).differences
    assert turned.what == "only planned"
    other = Kind.ARENA_RW_PERSISTENT if place.kind is Kind.ARENA_RW else Kind.ARENA_RW
    (found,) = difference(changed(key, kind=other), LAYOUT).differences
    assert found.what == "arena"
