"""The sentences of the arena map."""

from __future__ import annotations

from ...domain.capture import Capture
from ...domain.layout import Kind, MemoryLayout
from ...domain.plain_text import plain
from ...domain.units import format_bytes
from ...qtmodels.arena_blocks import ArenaBlocks

_KINDS = {Kind.ARENA_RW: "arena", Kind.ARENA_RW_PERSISTENT: "persistent arena"}


def scope_title(subgraph: int, kind: Kind, named: bool) -> str:
    """'arena', or 'subgraph 1 · persistent arena' where there is more than one subgraph."""
    return f"subgraph {subgraph} · {_KINDS[kind]}" if named else _KINDS[kind]


def arena_line(blocks: ArenaBlocks) -> str:
    """'arena 423.0 KiB · reached at step 0 = lower bound'."""
    text = f"{_KINDS[blocks.kind]} {format_bytes(blocks.arena_bytes)}"
    if blocks.high_water is not None:
        text += f" · reached at step {blocks.high_water}"
    bound = blocks.lower_bound
    if not bound:
        return text
    if blocks.arena_bytes <= bound:
        return f"{text} = lower bound"
    over = 100 * (blocks.arena_bytes - bound) / bound
    return f"{text} · {over:.1f} % above the lower bound {format_bytes(bound)}"


def chip_text(blocks: ArenaBlocks, layout: MemoryLayout, step: int) -> str:
    """'step 3 · CONV_2D · 4 alive, 423.0 KiB'."""
    if step < 0:
        return ""
    plan = layout.plan(blocks.subgraph)
    words = [f"step {step}"]
    if step < len(plan):
        words.append(plain(plan[step].name, 32))
    total = blocks.sum_at(step)
    alive = int(blocks.alive(step).sum())
    words.append(f"{alive} alive" + ("" if total is None else f", {format_bytes(total)}"))
    return " · ".join(words)


def nothing_to_show(capture: Capture | None) -> tuple[str, str]:
    """Why the map is empty, and what to do: title and sentence."""
    if capture is None:
        return (
            "No arena to show yet",
            "Open a model and press Inspect, or drop a .tflite or .ascope file on the window.",
        )
    if not capture.outcome.ok and not capture.layout.placements:
        phase = f" during {plain(capture.outcome.phase, 40)}" if capture.outcome.phase else ""
        return (
            "The layout could not be read",
            f"The run ended early ({capture.outcome.status.value}{phase}), "
            "before the tensors had their places.",
        )
    if not capture.layout.placements:
        return ("The layout was not read", "This capture holds no tensors.")
    return (
        "Nothing lies in an arena",
        "No tensor that can be read has a place in an arena: a delegate may have taken the whole model. "
        "Inspect again with the delegate off to see them.",
    )
