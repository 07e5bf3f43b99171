"""Which pages of the arenas a run touches: only those cost memory.

A page is touched when a tensor that lies in it is written. Holes between tensors are not, nor is scratch
that a kernel asks for and does not use.
"""

from __future__ import annotations

from collections.abc import Iterable

from .layout import ARENA_KINDS, Kind, MemoryLayout, Placement

#: Kernels that ask for scratch which they need only in some cases (tflite-memory.md §2.7).
SELDOM_WRITTEN = frozenset(("BATCH_MATMUL",))


def touched(layout: MemoryLayout, kind: Kind, page: int) -> tuple[int, int]:
    """(least, most) bytes of the arenas of a kind that are resident after an invoke, over all subgraphs.

    The most counts scratch that is seldom written, and an edge page of each stretch in full.
    """
    assert kind in ARENA_KINDS
    least = most = 0
    for subgraph in layout.subgraphs:
        placed = layout.in_arena(subgraph, kind)
        surely = [p for p in placed if not _seldom(layout, p)]
        least += _pages(surely, page)
        most += _pages(placed, page)
    return least, most


def _seldom(layout: MemoryLayout, placement: Placement) -> bool:
    if not placement.temporary or placement.producer is None:
        return False
    return layout.operator_name(placement.subgraph, placement.producer) in SELDOM_WRITTEN


def _pages(placed: Iterable[Placement], page: int) -> int:
    """Bytes of all pages that any of these lies in; within its first and last page only its own share, so
    that an arena without holes counts what it has."""
    spans = sorted((p.offset or 0, (p.offset or 0) + (p.bytes or 0)) for p in placed)
    total, end = 0, 0
    for first, last in spans:
        # A hole of less than a page saves none.
        begin = end if end and first - end < page else max(first, end)
        total += max(0, last - begin)
        end = max(end, last)
    return total
