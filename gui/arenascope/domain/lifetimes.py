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
    name: str = ""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """``first`` None: never planned (a constant, an unused tensor). ``last`` None: kept to the end."""

    first: int | None
    last: int | None


NEVER = Lifetime(None, None)


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

    ``aliases`` maps an in-place output to the tensor whose memory it uses: all reading is charged to that
    root, so the alias itself has no last step. Graph inputs and variables live throughout; graph outputs
    from their producer to the end; an output that nobody reads also to the end.
    """
    aliases = aliases or {}
    throughout = {t for t in (*inputs, *variables) if t >= 0}
    kept = throughout.union(outputs)
    first: dict[int, int] = dict.fromkeys(throughout, 0)
    last: dict[int, int] = {}
    for step, node in enumerate(plan):
        for tensor in node.outputs:
            if tensor >= 0:
                first.setdefault(tensor, step)
        for tensor in node.inputs:
            root = aliases.get(tensor, tensor)
            if root in first:  # a read before the producer has run does not count
                last[root] = step
    found = {
        tensor: Lifetime(start, None if preserve_all or tensor in kept else last.get(tensor))
        for tensor, start in first.items()
    }
    for step, node in enumerate(plan):
        for tensor in node.temporaries:
            found[tensor] = Lifetime(step, None if preserve_all else step)
    return found


def of_aliases(
    plan: Sequence[Step], lives: Mapping[int, Lifetime], aliases: Mapping[int, int]
) -> dict[int, Lifetime]:
    """The lifetimes of ``aliases`` as people mean them: to the last step that reads the alias itself, and
    where nobody does, as long as the root is there.

    The runtime does not keep them, for it never gives the memory of an alias back.
    """
    read = {tensor: step for step, node in enumerate(plan) for tensor in node.inputs if tensor in aliases}
    found: dict[int, Lifetime] = {}
    for alias, root in aliases.items():
        if alias in lives:
            found[alias] = Lifetime(lives[alias].first, read.get(alias, lives.get(root, NEVER).last))
    return found
