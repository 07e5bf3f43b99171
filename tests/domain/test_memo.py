"""What is derived from a layout is derived once, and from another layout anew."""

from __future__ import annotations

from dataclasses import replace

from arenascope.domain.alive import alive_bytes, busiest_step
from arenascope.domain.layout import Kind
from arenascope.domain.memo import once_per_layout
from tests.support.captures import example_capture


class Thing:
    """Any value that takes attributes."""


def test_the_same_arguments_are_derived_once() -> None:
    calls: list[tuple[object, ...]] = []

    @once_per_layout
    def derive(thing: Thing, number: int = 0, *, word: str = "") -> tuple[int, str]:
        calls.append((number, word))
        return number, word

    thing, other = Thing(), Thing()
    assert derive(thing, 1, word="a") is derive(thing, 1, word="a")
    assert derive(thing, 2) == (2, "")
    assert derive(other, 1, word="a") == (1, "a")
    assert calls == [(1, "a"), (2, ""), (1, "a")]


def test_a_changed_layout_is_asked_anew() -> None:
    layout = example_capture().layout
    before = alive_bytes(layout)
    larger = replace(
        layout,
        placements=tuple(replace(p, bytes=p.bytes * 2 if p.bytes else p.bytes) for p in layout.placements),
    )
    assert alive_bytes(layout) is before
    assert max(alive_bytes(larger)) == 2 * max(before)
    assert layout == example_capture().layout, "what is kept is no part of the value"


def test_arenas_do_not_share_an_answer() -> None:
    layout = example_capture().layout
    assert busiest_step(layout, 0, Kind.ARENA_RW) != busiest_step(layout, 0, Kind.ARENA_RW_PERSISTENT)
