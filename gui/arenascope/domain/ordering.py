"""The order in which the runtime places tensors (tflite-memory.md §2.3): the largest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .execution import Execution
from .layout import ARENA_KINDS
from .libstdcxx import set_order, sort_order
from .lifetimes import Lifetime


def placing_order(
    execution: Execution, steps: range, lives: Mapping[int, Lifetime], *, hash_sets: bool
) -> Iterable[int]:
    """Tensors of both arenas that ``steps`` make, in the order of their placing.

    First what lives from the first step to the end, by its number; then by size, the larger first, and
    among equals by the first step. What is still equal falls as the runtime's sort happens to leave it.
    """
    kinds, sizes = execution.kinds, execution.sizes
    if hash_sets:
        tensors = [t for t in _from_sets(execution, steps) if kinds[t] in ARENA_KINDS and sizes[t]]
    else:
        tensors = sorted(t for t, life in lives.items() if life.first in steps)
    largest = max((sizes[t] for t in tensors), default=0)
    above = max(tensors, default=0) + 1
    count = len(execution.steps)

    def key(tensor: int) -> int:
        life = lives[tensor]
        if life.first == 0 and life.last is None:
            return tensor
        return above + (largest - sizes[tensor]) * count + (life.first or 0)

    order = [tensors[at] for at in sort_order([key(t) for t in tensors])]
    return order if hash_sets else [t for t in order if kinds[t] in ARENA_KINDS and sizes[t]]


def _from_sets(execution: Execution, steps: range) -> list[int]:
    """What each step makes, as the hash set of that step iterates over it; the first one also holds what is
    there from the beginning."""
    there = (*execution.raw.variables, *execution.raw.inputs)
    found: dict[int, None] = {}
    if not execution.steps:
        return set_order(t for t in there if t >= 0)
    for step in steps:
        node = execution.steps[step]
        made = [t for t in (*(() if step else there), *node.outputs, *node.temporaries) if t >= 0]
        found.update(dict.fromkeys(made if len(made) < 2 else set_order(made)))
    return list(found)
