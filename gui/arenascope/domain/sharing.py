"""Which outputs the planner lets lie in the memory of their operator's input (tflite-memory.md §2.2).

Decided once, before anything is placed, with the sizes of that moment. (``in_place.py`` is the other
direction: it tells from a reading what shares memory.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from .layout import Kind
from .lifetimes import Step
from .profiles import InPlace


def shared(
    plan: Sequence[Step],
    rules: Mapping[str, InPlace],
    *,
    inputs: Collection[int],
    outputs: Collection[int],
    variables: Collection[int],
    kinds: Mapping[int, Kind],
    sizes: Mapping[int, int],
) -> dict[int, int]:
    """Output → the tensor in whose memory it lies, the first of a chain.

    An operator that changes the data may only do so where nobody else reads it. The runtime counts the
    readers of the input and of the root, not those of other outputs in the same memory: that is its bug,
    and it is repeated here (``overlaps.py`` finds what it breaks).
    """
    counted = Counter((*inputs, *outputs, *variables))
    for node in plan:
        counted.update(node.inputs)
    roots: dict[int, int] = {}
    for node in plan:
        rule = rules.get(node.name)
        if rule is None or not node.outputs:
            continue
        output = node.outputs[0]
        if output in outputs:
            continue
        for source in (node.inputs[i] for i in rule.inputs if i < len(node.inputs)):
            if source < 0 or source in inputs:
                continue
            if kinds[source] not in (kinds[output], Kind.ARENA_RW):
                continue
            in_the_way = sizes[source] != sizes[output] or sizes[source] <= _SMALL or counted[source] > 1
            if not rule.keeps_data and in_the_way:
                continue
            root = roots.get(source, source)
            if rule.keeps_data or counted[root] <= 1:
                roots[output] = root
            break
    return roots


_SMALL = 4  #: bytes up to which sharing was not thought worth it
