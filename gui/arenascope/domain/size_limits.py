"""Sizes that a runtime cannot count: on a 32-bit board bytes end at 4 GiB, wherever the memory comes from.

The 64-bit computer that propagates the shapes does not meet that limit, so it is checked on the plan.
"""

from __future__ import annotations

import math

from .layout import MemoryLayout, Placement
from .plain_text import plain
from .shapes import ShapeRefusal

#: Bits of size_t. Machines that are not named have 64, and there the runtime itself has looked.
SIZE_BITS = {"armv7l": 32}


def refusal(layout: MemoryLayout, machine: str) -> ShapeRefusal | None:
    """The first tensor of a plan whose elements or bytes do not fit into size_t of ``machine``.

    The runtime multiplies the dimensions first, then the bytes of one element ("BytesRequired number of
    bytes overflowed"). Inputs are resized before any operator prepares.
    """
    bits = SIZE_BITS.get(machine)
    if bits is None:
        return None
    too_large = [p for p in layout.placements if _largest_count(p) >= 1 << bits]
    if not too_large:
        return None
    return _of(min(too_large, key=lambda p: _moment(p, layout)), layout, machine, bits)


def _largest_count(placement: Placement) -> int:
    elements = math.prod(placement.shape) if placement.shape else 0
    return max(elements, placement.bytes or 0)


def _moment(placement: Placement, layout: MemoryLayout) -> tuple[int, int, int]:
    """When the runtime meets it: subgraph, step of the operator that makes it (-1: none does), index."""
    maker = None if placement.producer is None else layout.operator(placement.subgraph, placement.producer)
    step = -1 if maker is None else maker.index
    return placement.subgraph, step, placement.index


def _of(placement: Placement, layout: MemoryLayout, machine: str, bits: int) -> ShapeRefusal:
    name = plain(placement.name, 80)
    tensor = (
        f"“{name}”" if name else "a scratch tensor" if placement.temporary else f"tensor {placement.index}"
    )
    operator = None if placement.producer is None else layout.operator(placement.subgraph, placement.producer)
    who = "The input" if operator is None else f"{plain(operator.name, 60)} (operator {operator.index}) needs"
    shape = f" {list(placement.shape)}" if placement.shape is not None else ""
    size = placement.bytes or 0
    what = f"{size:,} bytes" if size >= 1 << bits else f"{_largest_count(placement):,} elements"
    return ShapeRefusal(
        reason=f"{who} {tensor}{shape} of {what}; on {machine} the runtime counts bytes in {bits} bits, "
        f"so they end at {1 << bits:,}.",
        said="BytesRequired number of bytes overflowed.",
        subgraph=placement.subgraph,
        operator=None if operator is None else operator.index,
        operator_name="" if operator is None else operator.name,
        tensor=placement.index,
        tensor_name=placement.name,
        too_large=True,
    )
