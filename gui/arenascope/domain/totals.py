"""The sums of a capture. What each is made of is told by ``figures``."""

from __future__ import annotations

from collections.abc import Iterable

from .alive import lower_bound
from .graph import Graph
from .layout import Kind, MemoryLayout
from .measurement import Phase, Totals


def totals(
    layout: MemoryLayout, graph: Graph | None, phases: Iterable[Phase], sampled: Iterable[int | None] = ()
) -> Totals:
    """Arenas, bounds and sums run over all subgraphs: while control flow runs, theirs exist too.

    ``process_peak`` is the highest peak of any phase, None where no peak could be read. The phase that a
    run did not come out of has none: ``sampled``, what was resident at moments of it, says how much it was
    at least.
    """
    read = bool(layout.placements)
    peaks = [p.rss_peak for p in phases if p.rss_peak is not None]
    peaks += [rss for rss in sampled if rss is not None]
    return Totals(
        weights=graph.weight_bytes if graph is not None else None,
        arena_rw=_arenas(layout, Kind.ARENA_RW) if read else None,
        arena_rw_persistent=_arenas(layout, Kind.ARENA_RW_PERSISTENT) if read else None,
        dynamic=_sum(layout, Kind.DYNAMIC) if read else None,
        lower_bound=sum(lower_bound(layout, s) for s in layout.subgraphs) if read else None,
        sum_without_reuse=_sum(layout, Kind.ARENA_RW) if read else None,
        process_peak=max(peaks, default=None),
    )


def _arenas(layout: MemoryLayout, kind: Kind) -> int:
    return sum(a.bytes for a in layout.arenas if a.kind is kind)


def _sum(layout: MemoryLayout, kind: Kind) -> int:
    return sum(p.bytes or 0 for p in layout.placements if p.kind is kind and p.address is not None)


def planned_totals(layout: MemoryLayout, graph: Graph) -> Totals:
    """The sums of a plan. A sum with a part that only a run can tell is None; so is the process's peak."""
    planned = bool(layout.placements)
    dynamic = [p.bytes for p in layout.placements if p.kind is Kind.DYNAMIC]
    return Totals(
        weights=graph.weight_bytes,
        arena_rw=_arenas(layout, Kind.ARENA_RW) if planned else None,
        arena_rw_persistent=_arenas(layout, Kind.ARENA_RW_PERSISTENT) if planned else None,
        dynamic=sum(size or 0 for size in dynamic) if planned and None not in dynamic else None,
        lower_bound=sum(lower_bound(layout, s) for s in layout.subgraphs) if planned else None,
        sum_without_reuse=(
            sum(p.bytes or 0 for p in layout.placements if p.kind is Kind.ARENA_RW and p.in_arena)
            if planned
            else None
        ),
        process_peak=None,
    )
