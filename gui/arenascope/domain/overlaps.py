"""Tensors that overwrite each other while both are still needed.

The planner never does that on purpose, but a chain of in-place operators can (tflite-memory.md §2.2:
wrong results on tflite-runtime 2.14 and LiteRT), so it is looked for in every reading.
"""

from __future__ import annotations

from .layout import Kind, MemoryLayout, Overlap, Placement
from .memo import once_per_layout

#: Operators that only rename the shape: sharing with their input is harmless however long both are read.
_KEEPS_DATA = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS", "BITCAST"})


@once_per_layout
def find_overlaps(layout: MemoryLayout) -> tuple[Overlap, ...]:
    """All pairs, by subgraph and arena, in the order of their steps."""
    found: list[Overlap] = []
    for subgraph in layout.subgraphs:
        for kind in (Kind.ARENA_RW, Kind.ARENA_RW_PERSISTENT):
            found.extend(_in_arena(layout, subgraph, kind))
    return tuple(sorted(found, key=lambda o: (o.first[0], o.step, o.first, o.second)))


def _in_arena(layout: MemoryLayout, subgraph: int, kind: Kind) -> list[Overlap]:
    import numpy as np  # only here: a reading without a window does not pay for it

    plan = layout.plan(subgraph)
    end = len(plan)
    tensors = sorted(
        (p for p in layout.in_arena(subgraph, kind) if p.first_op is not None),
        key=lambda p: p.first_op or 0,
    )
    if len(tensors) < 2:
        return []
    needed = _needed_until(layout, subgraph, end)
    first = np.array([p.first_op or 0 for p in tensors])
    last = np.array([needed.get(p.index, end) if p.last_op is not None else end for p in tensors])
    low = np.array([p.offset or 0 for p in tensors])
    high = low + np.array([p.bytes or 0 for p in tensors])
    same_data = _same_data(layout, subgraph)
    found: list[Overlap] = []
    for i in range(1, len(tensors)):
        clash = (low[:i] < high[i]) & (high[:i] > low[i]) & (last[:i] >= first[i])
        for j in np.flatnonzero(clash):
            earlier, later = tensors[int(j)], tensors[i]
            if _allowed(layout, earlier, later, int(last[j]), same_data):
                continue
            common = int(min(high[j], high[i]) - max(low[j], low[i]))
            found.append(Overlap(earlier.key, later.key, int(first[i]), common))
    return found


def _needed_until(layout: MemoryLayout, subgraph: int, end: int) -> dict[int, int]:
    """The last step at which a tensor itself is read."""
    last: dict[int, int] = {}
    for node in layout.plan(subgraph):
        for tensor in (*node.inputs, *(node.temporaries or ())):
            last[tensor] = node.step if node.step is not None else end
    return last


def _same_data(layout: MemoryLayout, subgraph: int) -> dict[int, int]:
    """Tensors that hold the same data under another shape → the first of them."""
    roots: dict[int, int] = {}
    for node in layout.plan(subgraph):
        if node.name in _KEEPS_DATA and node.inputs and node.outputs:
            roots[node.outputs[0]] = roots.get(node.inputs[0], node.inputs[0])
    return roots


def _allowed(
    layout: MemoryLayout, earlier: Placement, later: Placement, needed: int, same_data: dict[int, int]
) -> bool:
    """The same data under two shapes, or an in-place operator that was the last to read its input."""
    if same_data.get(earlier.index, earlier.index) == same_data.get(later.index, later.index):
        return True
    producer = None if later.producer is None else layout.operator(later.subgraph, later.producer)
    in_place = (
        producer is not None
        and not later.temporary
        and earlier.index in producer.inputs
        and earlier.offset == later.offset
    )
    return in_place and needed == later.first_op
