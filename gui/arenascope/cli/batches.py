"""The variants that the command line of a sweep spells: batches, input shapes, and all pairs of both."""

from __future__ import annotations

from dataclasses import replace

from ..domain.sweep import MOST_POINTS
from ..domain.whatif import MAX_EXTENT, WhatIf
from ..errors import UsageError
from .options import parse_inputs


def parse_batches(text: str) -> list[int]:
    """'1,2,4' or '1-8' or '1-1024/64,2000' → batches in that order, each once.

    Raises UsageError naming the part that is wrong.
    """
    found: dict[int, None] = {}
    for part in (p.strip() for p in text.split(",")):
        for batch in _part(part, text):
            found[batch] = None
    return list(found)


def _part(part: str, text: str) -> range:
    span, slash, by = part.partition("/")
    first, dash, last = span.partition("-")
    numbers = [first, last if dash else first, by if slash else "1"]
    if not all(n.isascii() and n.isdigit() for n in numbers) or (slash and not dash):
        raise UsageError(
            f"--batches {text!r}: {part!r} is not a batch.",
            hint="Write whole numbers, as in --batches 1,2,4,8, or a range as in --batches 1-1024/64.",
        )
    low, high, step = (int(n) for n in numbers)
    if not 1 <= low <= high <= MAX_EXTENT or step < 1:
        raise UsageError(
            f"--batches {text!r}: {part!r} must count upwards, from 1 to {MAX_EXTENT:,} at most.",
            hint="For example: --batches 1,2,4,8 or --batches 1-1024/64.",
        )
    if (high - low) // step >= MOST_POINTS:
        raise UsageError(
            f"--batches {text!r}: {part!r} are more than {MOST_POINTS:,} points.",
            hint="Give a step, as in --batches 1-1000000/1000.",
        )
    return range(low, high + 1, step)


def variants(base: WhatIf, batches: str | None, inputs: list[str]) -> list[WhatIf]:
    """Every batch with every set of input shapes. ``inputs``: the k-th shape of each name makes the k-th
    set; a name given once holds for all. Raises UsageError."""
    sets = _input_sets(inputs)
    numbers: list[int | None] = list(parse_batches(batches)) if batches is not None else [None]
    if batches is None and not inputs:
        raise UsageError(
            "A sweep needs something to vary.",
            hint="Give --batches 1,2,4,8 or several --input NAME=… of one input.",
        )
    return [replace(base, batch=batch, inputs=shapes) for shapes in sets for batch in numbers]


def _input_sets(texts: list[str]) -> list[dict[str, tuple[int, ...]]]:
    by_name: dict[str, list[tuple[int, ...]]] = {}
    for text in texts:
        ((name, shape),) = parse_inputs([text]).items()
        by_name.setdefault(name, []).append(shape)
    counts = {len(shapes) for shapes in by_name.values()} - {1}
    if len(counts) > 1:
        told = ", ".join(f"{name} {len(shapes)} times" for name, shapes in by_name.items())
        raise UsageError(
            f"The inputs have different numbers of shapes: {told}.",
            hint="Give as many shapes of each input, or one that holds for all.",
        )
    return [
        {name: shapes[k] if len(shapes) > 1 else shapes[0] for name, shapes in by_name.items()}
        for k in range(max(counts, default=1))
    ]
