"""Sizes with a range, and allocations that must be had in one piece. Bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes, ``low <= likely <= high``. An exact figure has all three the same."""

    low: int
    likely: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.likely <= self.high:
            raise ValueError(f"not a range: {self.low}, {self.likely}, {self.high}")

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.likely + other.likely, self.high + other.high)

    def __contains__(self, measured: int) -> bool:
        return self.low <= measured <= self.high

    @property
    def width(self) -> float:
        """(high - low) / likely; 0 for an exact figure."""
        return (self.high - self.low) / self.likely if self.likely else 0.0


NOTHING = Range(0, 0, 0)


def exactly(size: int) -> Range:
    return Range(size, size, size)


def total(ranges: Iterable[Range]) -> Range:
    return sum(ranges, NOTHING)


@dataclass(frozen=True, slots=True)
class Request:
    """One allocation that must be had in one piece, and what it is for ('the arena of 1.1 GiB')."""

    bytes: int
    purpose: str
    unchecked: bool = False  #: whoever asks takes for granted that it gets it, and crashes otherwise
