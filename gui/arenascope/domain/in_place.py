"""Which outputs lie in the memory of one of their operator's inputs.

An operator's inputs and outputs always live at once (tflite-memory.md §2.1), so an output at the place
of an input shares its memory: the planner lets RESHAPE, ADD and their like work in place (§2.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable


def roots(
    operators: Iterable[tuple[tuple[int, ...], tuple[int, ...]]], place: Callable[[int], int | None]
) -> dict[int, int]:
    """Shared output → the tensor in whose memory it lies, the first of a chain.

    ``operators``: (inputs, outputs) in execution order. ``place``: address or offset of a tensor in the
    arena, None for what has no bytes there.
    """
    found: dict[int, int] = {}
    for inputs, outputs in operators:
        for output in outputs:
            where = place(output)
            if where is None:
                continue
            for source in inputs:
                if source != output and place(source) == where:
                    found[output] = found.get(source, source)
                    break
    return found
