"""Where samples lie, checked with arrays in which every element knows its sample."""

from __future__ import annotations

from math import prod

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from arenascope.domain.batch_axis import Along, reduced, reshaped
from arenascope.domain.rebatch import Difference, tolerance

extents = st.integers(1, 4)


def owners(shape: tuple[int, ...], along: Along, batch: int) -> np.ndarray:
    """Each element's sample."""
    axis = np.arange(shape[along.axis]) // along.inner % batch
    tail = len(shape) - along.axis - 1
    return np.broadcast_to(axis.reshape(-1, *([1] * tail)), shape)


@st.composite
def placed(draw: st.DrawFn) -> tuple[tuple[int, ...], Along, int]:
    batch = draw(extents)
    along = Along(draw(st.integers(0, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    head = draw(st.lists(extents, min_size=along.axis, max_size=along.axis))
    return (*head, along.extent(batch), *draw(st.lists(extents, max_size=2))), along, batch


@st.composite
def factored(draw: st.DrawFn, elements: int) -> tuple[int, ...]:
    shape = []
    while elements > 1 and draw(st.booleans()):
        shape.append(draw(st.sampled_from([n for n in range(1, elements + 1) if elements % n == 0])))
        elements //= shape[-1]
    return (*shape, elements)


@given(placed(), st.data())
def test_a_reshape_keeps_every_element_with_its_sample(
    case: tuple[tuple[int, ...], Along, int], data: st.DataObject
) -> None:
    shape, along, batch = case
    out = data.draw(factored(prod(shape)))
    moved = reshaped(shape, along, batch, out)
    before = owners(shape, along, batch)
    if moved is None:
        possible = [
            Along(axis, outer, inner)
            for axis, extent in enumerate(out)
            for outer in range(1, extent + 1)
            for inner in range(1, extent + 1)
            if outer * batch * inner == extent
        ]
        assert (
            not any(np.array_equal(owners(out, one, batch), before.reshape(out)) for one in possible)
            or batch == 1
        )
        return
    assert moved.fits(out, batch)
    assert np.array_equal(owners(out, moved, batch), before.reshape(out))


@given(placed(), st.integers(1, 5))
def test_another_batch_changes_one_dimension(case: tuple[tuple[int, ...], Along, int], wanted: int) -> None:
    shape, along, batch = case
    new = along.resized(shape, wanted)
    assert along.fits(new, wanted)
    assert prod(new) * batch == prod(shape) * wanted
    assert along.resized(new, batch) == shape


@given(placed(), st.sets(st.integers(-3, 2)), st.booleans())
def test_a_reduction_drops_the_other_dimensions(
    case: tuple[tuple[int, ...], Along, int], axes: set[int], keep: bool
) -> None:
    shape, along, batch = case
    axes = {axis for axis in axes if -len(shape) <= axis < len(shape)}
    gone = {axis % len(shape) for axis in axes}
    moved = reduced(along, len(shape), axes, keep)
    if along.axis in gone:
        assert moved is None
        return
    assert moved is not None
    made = owners(shape, along, batch).max(axis=tuple(gone), keepdims=keep)
    assert np.array_equal(owners(made.shape, moved, batch), made)


def test_a_batch_of_one_stays_where_it_was() -> None:
    assert reshaped((1, 1, 6), Along(1), 1, (1, 1, 2, 3)) == Along(0)
    assert reshaped((1, 1, 6), Along(1), 1, (1, 1, 6)) == Along(1)
    assert reshaped((1, 4, 6), Along(0), 1, (4, 6)) == Along(0, 1, 4)
    assert reshaped((5, 1, 6), Along(1), 1, (5, 6)) == Along(0, 5, 1)
    assert reshaped((4, 6), Along(0), 4, (2, 12)) is None
    assert reshaped((0, 6), Along(0), 1, (6, 0)) is None


def test_integers_must_be_equal_and_nothing_unequal_to_itself_holds() -> None:
    assert tolerance("int8", 127.0) == 0
    assert 0 < tolerance("float32", 1.0) < 1e-4
    equal = Difference("y", "int8", 0.0, 127.0, 0, 0, True)
    assert equal.holds
    assert not Difference("y", "int8", 1.0, 127.0, 0, 0, True).holds
    assert not Difference("y", "float32", float("nan"), 1.0, 0, 0, True).holds
    assert not Difference("y", "float32", float("inf"), 1.0, 0, 0, True).holds
