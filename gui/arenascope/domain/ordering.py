"""The order in which the runtime places tensors (tflite-memory.md §2.3): the largest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .layout import ARENA_KINDS, Kind
from .libstdcxx import set_order, sort_order
from .lifetimes import Lifetime, Step


def placing_order(
    plan: Sequence[Step],
    steps: range,
    inputs: Sequence[int],
    variables: Sequence[int],
    lives: Mapping[int, Lifetime],
    sizes: Mapping[int, int],
    kinds: Mapping[int, Kind],
    *,
    hash_sets: bool,
) -> Iterable[int]:
    """Tensors of both arenas that ``steps`` of the plan make, in the order of their placing.

    First what lives from the first step to the end, by its number; then by size, the larger first, and
    among equals by the first step. What is still equal falls as the runtime's sort happens to leave it.
    """
    if hash_sets:
        made = _from_sets(plan, steps, inputs, variables)
        tensors = [t for t in made if kinds[t] in ARENA_KINDS and sizes[t]]
    else:
        tensors = sorted(t for t, life in lives.items() if life.first in steps)
    largest = max((sizes[t] for t in tensors), default=0)
    above = max(tensors, default=0) + 1

    def key(tensor: int) -> int:
        life = lives[tensor]
        if life.first == 0 and life.last is None:
            return tensor
        return above + (largest - sizes[tensor]) * len(plan) + (life.first or 0)

    order = [tensors[at] for at in sort_order([key(t) for t in tensors])]
    return [t for t in order if kinds[t] in ARENA_KINDS and sizes[t]]


def _from_sets(
    plan: Sequence[Step], steps: range, inputs: Iterable[int], variables: Iterable[int]
) -> list[int]:
    """What each step makes, as the hash set of that step iterates over it; the first also holds what is
    there from the beginning."""
    found: dict[int, None] = {}
    if not plan:
        return set_order(t for t in (*variables, *inputs) if t >= 0)
    for step in steps:
        node = plan[step]
        there = (*variables, *inputs) if step == 0 else ()
        made = [t for t in (*there, *node.outputs, *node.temporaries) if t >= 0]
        found.update(dict.fromkeys(made if len(made) < 2 else set_order(made)))
    return list(found)
