"""First and last step of every tensor, by the runtime's own reference counting.

The rules are those of the arena planner (tflite-memory.md §2.1). Steps are positions in the
execution plan, inclusive: an operator's inputs and outputs always live at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One node of the execution plan; -1 marks an absent optional tensor."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    temporaries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Lifetime:
    """``first`` None: never planned (a constant, an unused tensor). ``last`` None: kept to the end."""

    first: int | None
    last: int | None


_NEVER = Lifetime(None, None)


def lifetimes(
    plan: Sequence[Step],
    *,
    inputs: Iterable[int],
    outputs: Iterable[int],
    variables: Iterable[int] = (),
    aliases: Mapping[int, int] | None = None,
    preserve_all: bool = False,
) -> dict[int, Lifetime]:
    """Lifetime of every tensor that the plan produces or holds; absent tensors are not in it.

    ``aliases`` maps an in-place output to the tensor whose memory it uses: reading the alias keeps
    that root alive. Graph inputs and variables live throughout; graph outputs from their producer
    to the end; an output that nobody reads also to the end (the runtime counts no last use).
    """
    aliases = aliases or {}
    throughout = {t for t in (*inputs, *variables) if t >= 0}
    kept = throughout | {t for t in outputs if t >= 0}
    first: dict[int, int] = dict.fromkeys(throughout, 0)
    last: dict[int, int] = {}
    for step, node in enumerate(plan):
        for tensor in node.outputs:
            if tensor >= 0:
                first.setdefault(tensor, step)
        for tensor in node.inputs:
            for read in (tensor, aliases.get(tensor, tensor)):
                if read in first:  # a read before the producer has run does not count
                    last[read] = step
    found = {
        tensor: Lifetime(start, None if preserve_all or tensor in kept else last.get(tensor))
        for tensor, start in first.items()
    }
    # An alias of a graph output's memory, or one that is never read, keeps its root to the end.
    for alias, root in aliases.items():
        if root in found and found.get(alias, _NEVER).last is None and alias in found:
            found[root] = Lifetime(found[root].first, None)
    for step, node in enumerate(plan):
        for tensor in node.temporaries:
            found[tensor] = Lifetime(step, None if preserve_all else step)
    return found
