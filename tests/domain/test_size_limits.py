"""Sizes that only a 32-bit board cannot count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenascope.domain import size_limits
from arenascope.domain.layout import Kind, MemoryLayout, PlacedOperator, Placement

LIMIT = 1 << 32


def placed(index: int, size: int, producer: int | None, shape: tuple[int, ...] = (1,)) -> Placement:
    return Placement(
        0, index, f"t{index}", "float32", shape, size, Kind.ARENA_RW, None, 0, 0, None, producer, (), False
    )


def layout(*placements: Placement) -> MemoryLayout:
    operators = tuple(PlacedOperator(0, i, f"OP{i}", (), (), (), i) for i in range(4))
    return MemoryLayout(placements, operators, ())


@given(st.integers(LIMIT - 64, LIMIT + 64))
def test_bytes_end_at_4_gib_on_32_bits_and_nowhere_else(size: int) -> None:
    one = layout(placed(0, size, 1))
    assert (size_limits.refusal(one, "armv7l") is None) == (size < LIMIT)
    assert size_limits.refusal(one, "aarch64") is None
    assert size_limits.refusal(one, "x86_64") is None


def test_the_first_operator_is_named() -> None:
    found = size_limits.refusal(layout(placed(0, LIMIT, 3), placed(1, LIMIT, 2), placed(2, 1, 0)), "armv7l")
    assert found is not None
    assert (found.operator, found.operator_name, found.tensor) == (2, "OP2", 1)
    assert "4,294,967,296 bytes" in found.reason
    assert "armv7l" in found.reason


def test_an_input_comes_before_all_operators() -> None:
    found = size_limits.refusal(layout(placed(0, LIMIT, 0), placed(1, LIMIT, None)), "armv7l")
    assert found is not None
    assert (found.operator, found.tensor) == (None, 1)


def test_elements_are_counted_before_bytes() -> None:
    """Four-bit values: 4 Gi of them are 2 GiB, and the product of the dimensions is too large already."""
    found = size_limits.refusal(layout(placed(0, LIMIT // 2, 0, (LIMIT,))), "armv7l")
    assert found is not None
    assert "4,294,967,296 elements" in found.reason


@pytest.mark.parametrize("size", [None, 0])
def test_what_has_no_size_is_not_too_large(size: int | None) -> None:
    assert size_limits.refusal(layout(placed(0, size or 0, 0, ())), "armv7l") is None
