"""Where the samples of a batch lie in a tensor, and how an operator that keeps them apart moves them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Along:
    """Dimension ``axis`` counts outer × batch × inner, in this order.

    A batch of images has 1 × batch × 1 in dimension 0; with its rows counted in the same dimension,
    1 × batch × rows; behind SPACE_TO_BATCH_ND, blocks × batch × 1.
    """

    axis: int
    outer: int = 1
    inner: int = 1

    def extent(self, batch: int) -> int:
        return self.outer * batch * self.inner

    def fits(self, shape: Shape, batch: int) -> bool:
        """Whether a tensor of this shape can hold ``batch`` samples so."""
        return self.axis < len(shape) and shape[self.axis] == self.extent(batch)

    def resized(self, shape: Shape, batch: int) -> Shape:
        """The same tensor for ``batch`` samples."""
        return (*shape[: self.axis], self.extent(batch), *shape[self.axis + 1 :])

    def moved(self, axis: int) -> Along:
        return replace(self, axis=axis)


def reshaped(shape: Shape, along: Along, batch: int, out: Shape) -> Along | None:
    """Where the samples are after a reshape from ``shape`` to ``out``; None where it tears them apart.

    With a batch of 1 several dimensions may be the one. The same dimension is taken where it can be,
    else the one in which a sample is in one piece; all of them are the same bytes.
    """
    if 0 in shape:
        return None
    before = prod(shape[: along.axis]) * along.outer  # elements of the outer part
    found: list[Along] = []
    passed = 1
    for axis, extent in enumerate(out):
        if before % passed:
            break
        outer = before // passed
        if extent % (outer * batch) == 0 and extent:
            found.append(Along(axis, outer, extent // (outer * batch)))
        passed *= extent
        if not passed:
            break
    same = [one for one in found if len(out) == len(shape) and one.axis == along.axis]
    return same[0] if same else min(found, key=lambda a: (a.inner, a.outer, a.axis), default=None)


def reduced(along: Along, rank: int, axes: Iterable[int], keep: bool) -> Along | None:
    """Where the samples are after ``axes`` are summed up; None where they are summed up themselves."""
    gone = {axis % rank for axis in axes} if rank else set()
    if along.axis in gone:
        return None
    return along if keep else along.moved(along.axis - sum(axis < along.axis for axis in gone))
