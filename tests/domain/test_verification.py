"""A comparison of a plan with a reading: what it calls different, what it leaves out."""

from __future__ import annotations

from dataclasses import replace

from arenascope.domain.layout import Kind
from arenascope.domain.plan import Planned, Unknown
from arenascope.domain.reading import RawNode, RawSubgraph, RawTensor, assemble
from arenascope.domain.verification import AFTER_INVOKE, Difference, Verified, compare, latest
from arenascope.domain.whatif import WhatIf
from tests.domain.layouts import graph_of

GRAPH = graph_of([("ABS", [0], [1]), ("ABS", [1], [2])], 3, [0], [2])
NODES = (RawNode(0, "ABS", (0,), (1,), (), False), RawNode(1, "ABS", (1,), (2,), (), False))


def raw(*addresses: int | None, index: int = 0, when: str = "after_allocate") -> RawSubgraph:
    tensors = tuple(
        RawTensor(i, f"t{i}", "float32", (16,), 64, Kind.ARENA_RW if a is not None else Kind.NONE, a)
        for i, a in enumerate(addresses)
    )
    return RawSubgraph(index, when, "test", (0,), (2,), (), tensors, NODES, (0, 1))


def planned(reading: RawSubgraph, *unknown: Unknown) -> Planned:
    layout = assemble([reading], GRAPH)
    placements = tuple(replace(p, address=None) for p in layout.placements)
    return Planned(replace(layout, placements=placements), unknown)


def test_offsets_count_and_addresses_do_not() -> None:
    found = compare(planned(raw(64, 128, 192)), [raw(6400, 6464, 6528)])
    assert (found.exact, found.tensors, found.equal, found.unknown) == (True, 3, 3, 0)


def test_a_tensor_that_lies_elsewhere() -> None:
    found = compare(planned(raw(64, 128, 192)), [raw(64, 192, 128)])
    assert found.differences == (
        Difference(0, 1, "t1", (Kind.ARENA_RW, 64, 64), (Kind.ARENA_RW, 128, 64)),
        Difference(0, 2, "t2", (Kind.ARENA_RW, 128, 64), (Kind.ARENA_RW, 64, 64)),
    )
    assert (found.exact, found.equal) == (False, 1)


def test_a_tensor_without_a_place_on_one_side() -> None:
    (missing,) = compare(planned(raw(64, 128, 192)), [raw(64, None, 192)]).differences
    assert (missing.tensor, missing.real) == (1, None)
    (surplus,) = compare(planned(raw(64, None, 192)), [raw(64, 128, 192)]).differences
    assert (surplus.tensor, surplus.planned) == (1, None)


def test_what_is_unknown_is_counted_and_not_compared() -> None:
    found = compare(planned(raw(64, 128, 192), Unknown(0, (1,), "why")), [raw(64, 256, 192)])
    assert (found.exact, found.unknown, found.equal, found.reasons) == (True, 1, 2, ("why",))


def test_a_run_that_failed_leaves_what_it_would_have_placed() -> None:
    here, there = planned(raw(64, 128, 192)), [raw(64, None, 192)]
    found = compare(here, there, ran=False)
    assert (found.exact, found.unknown, len(found.reasons)) == (True, 1, 1)
    assert not compare(here, there).exact


def test_the_interior_of_a_partition_keeps_an_address_that_means_nothing() -> None:
    delegate = RawNode(2, "DELEGATE", (0,), (2,), (), True)
    divided = replace(raw(64, 128, 192), nodes=(*NODES, delegate), plan=(2,))
    assert compare(planned(raw(64, None, 192)), [divided]).exact


def test_an_arena_that_was_given_back_before_it_was_read() -> None:
    inner = replace(raw(64, 128, 192), index=1)
    layout = assemble([raw(64, 128, 192), inner], GRAPH)
    hidden = replace(raw(None, None, None), index=1)
    found = compare(Planned(layout), [raw(64, 128, 192), hidden])
    assert (found.exact, found.unknown) == (True, 3)
    assert not compare(
        Planned(layout), [raw(None, None, None), inner]
    ).exact  # of the main one, that is wrong


def test_the_later_reading_counts_unless_it_shows_less() -> None:
    before, after = raw(64, 128, None), raw(64, 128, 192, when=AFTER_INVOKE)
    assert latest([before, after]) == (after,)
    released = raw(None, None, None, when=AFTER_INVOKE)
    assert latest([before, released]) == (before,)


def test_the_sum_of_a_model() -> None:
    same = compare(planned(raw(64, 128, 192)), [raw(64, 128, 192)])
    other = compare(planned(raw(64, 128, 192)), [raw(64, 192, 128)])
    asked = [WhatIf(batch=n) for n in (1, 2, 3, 4)]
    verified = Verified("m", asked, (same, other, "", "planned, but refused"))
    assert (verified.tensors, verified.different, verified.refused, verified.exact) == (6, 2, 1, False)
    assert [one.batch for one, _ in verified.compared] == [1, 2]
    assert [(one.batch, why) for one, why in verified.disagreements] == [(4, "planned, but refused")]
    assert Verified("m", asked[:2], (same, "")).exact
