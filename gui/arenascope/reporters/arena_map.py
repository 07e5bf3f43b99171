"""The drawing of one arena: program order to the right, offset upwards, a block for each tensor.

Colours are classes (``r-input``); whoever places the drawing brings the style sheet.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..domain.layout import Kind
from ..domain.units import format_bytes, format_exact
from .arena_blocks import ArenaBlocks, Block, Clash
from .markup import WRONG, element, end_of, number, text, title, width_of
from .stamp import shape_text
from .ticks import byte_ticks, step_ticks

WIDTH = 1040
_LEFT, _RIGHT, _TOP = 82, 14, 22
_LABEL = 11.0  # font size of what stands on blocks and axes
_STRIP = 46  # height of the curve of bytes alive
_GAP = 40  # between map and curve: the numbers of the steps
_NUMBERS = 18  # the same where no step is marked
_BELOW = 22  # the name of the axis
_MOST_TIPS = 2000  # steps that get a text of their own


@dataclass(frozen=True)
class _Frame:
    """From steps and bytes to the paper."""

    steps: int
    top: int
    height: float

    @property
    def bottom(self) -> float:
        return _TOP + self.height

    def x(self, step: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * step / self.steps

    def y(self, offset: float) -> float:
        return self.bottom - self.height * offset / self.top


def height_of(arena: ArenaBlocks) -> float:
    """How high ``draw`` is, in the same units as WIDTH."""
    below = _GAP + _STRIP if _has_strip(arena) else _GAP if arena.kind is Kind.ARENA_RW else _NUMBERS
    return _TOP + _map_height(arena) + below + _BELOW


def draw(arena: ArenaBlocks) -> str:
    """The content of an SVG of WIDTH × ``height_of``; its document defines the pattern ``WRONG``."""
    frame = _Frame(arena.steps, max(1, arena.bytes), _map_height(arena))
    parts = [
        element(
            "rect", class_="plot", x=_LEFT, y=_TOP, width=frame.x(arena.steps) - _LEFT, height=frame.height
        ),
        _offsets(frame),
        _high_water(arena, frame),
        *(_block(arena, block, frame) for block in sorted(arena.blocks, key=lambda b: b.first)),
        *(_clash(clash, frame) for clash in arena.clashes),
        *(_name(block, end, frame) for block, end in _uncovered(arena.blocks)),
        _levels(arena, frame),
        _steps(arena, frame),
    ]
    if _has_strip(arena):
        parts.append(_alive(arena, frame))
    parts.append(
        text(
            (_LEFT + WIDTH - _RIGHT) / 2,
            height_of(arena) - 6,
            f"program order (operators 0–{arena.steps - 1}), not time"
            if arena.steps > 1
            else "program order, not time",
            "axis",
            "middle",
        )
    )
    return "".join(parts)


def tip(arena: ArenaBlocks, block: Block) -> str:
    """What is known of a tensor, for a pointer that rests on it."""
    p = block.placement
    name = p.name or ("scratch" if p.temporary else "no name")
    until = "the end" if p.last_op is None else f"step {p.last_op}"
    alive = "not planned" if p.first_op is None else f"alive from step {p.first_op} to {until}"
    return "\n".join(
        [
            f"#{p.index} {name}",
            f"{block.role} · {p.dtype} · {shape_text(p.shape)} · {both(p.bytes)}",
            f"offset {block.low:,} to {block.high:,}"
            + (f" · address 0x{p.address:x}" if p.address is not None else ""),
            alive + (f" · made by {arena_operator(arena, p.first_op)}" if p.producer is not None else ""),
        ]
    )


def both(size: int | None) -> str:
    """'423.0 KiB (433,152 B)'."""
    return f"{format_bytes(size)} ({format_exact(size)})"


def arena_operator(arena: ArenaBlocks, step: int | None) -> str:
    return arena.operators[step] if step is not None and step < len(arena.operators) else "an operator"


def _map_height(arena: ArenaBlocks) -> float:
    """Small arenas of few tensors need no large map."""
    if arena.kind is Kind.ARENA_RW and not arena.subgraph:
        return 380
    return min(260, 56 + 14 * len(arena.blocks))


def _has_strip(arena: ArenaBlocks) -> bool:
    """The curve of bytes alive says nothing where everything lives to the end."""
    return arena.kind is Kind.ARENA_RW and len(arena.sums) > 1 and arena.bound > 0


def _offsets(frame: _Frame) -> str:
    parts = []
    for offset, label in byte_ticks(frame.top, max(2, int(frame.height / 36))):
        y = frame.y(offset)
        parts.append(element("line", class_="grid", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y))
        parts.append(text(_LEFT - 8, y + 4, label, "tick", "end"))
    middle = frame.y(frame.top / 2)
    parts.append(
        element(
            "text", "offset in the arena", class_="axis", text_anchor="middle",
            transform=f"translate(14 {number(middle)}) rotate(-90)",
        )
    )  # fmt: skip
    return "".join(parts)


def _block(arena: ArenaBlocks, block: Block, frame: _Frame) -> str:
    x, y = frame.x(block.first), frame.y(block.high)
    width, height = max(0.5, frame.x(block.end) - x), max(0.8, frame.y(block.low) - y)
    inset = 0.5 if width > 4 and height > 4 else 0.0
    class_ = f"b r-{block.role}" if inset else f"b thin r-{block.role}"
    return element(
        "rect", title(tip(arena, block)), class_=class_, x=x + inset, y=y + inset,
        width=width - 2 * inset, height=height - 2 * inset, rx=2 if inset else None,
    )  # fmt: skip


def _uncovered(blocks: Sequence[Block]) -> Iterator[tuple[Block, int]]:
    """Each block with the step at which another is drawn over it: an output in its input's memory."""
    starts: dict[int, list[int]] = {}
    for block in blocks:
        starts.setdefault(block.low, []).append(block.first)
    for found in starts.values():
        found.sort()
    for block in blocks:
        same = starts[block.low]
        later = bisect_right(same, block.first)
        yield block, min(block.end, same[later]) if later < len(same) else block.end


def _name(block: Block, end: int, frame: _Frame) -> str:
    """The name and the size where both fit before ``end``, the name alone where that fits, else nothing."""
    x, y = frame.x(block.first), frame.y(block.high)
    room, height = frame.x(end) - x - 12, frame.y(block.low) - y
    if height < 15 or room < 20:
        return ""
    name = block.placement.name or ("scratch" if block.placement.temporary else "")
    size = f"  {format_bytes(block.placement.bytes)}"
    left = room - width_of(size, _LABEL)
    shown = end_of(name, left, _LABEL) if left > 0 else ""
    label = shown + size if shown else end_of(name, room, _LABEL)
    if not label:
        return ""
    return text(x + 6, y + min(height / 2, 12) + 4, label, f"on o-{block.role}")


def _clash(clash: Clash, frame: _Frame) -> str:
    x, y = frame.x(clash.first), frame.y(clash.high)
    overlap = clash.overlap
    note = (
        f"Overlap of #{overlap.first[1]} {clash.names[0]}\nand #{overlap.second[1]} {clash.names[1]}:\n"
        f"{format_exact(overlap.bytes)} are written at step {overlap.step} while both are needed"
    )
    return element(
        "rect", title(note), class_="clash", x=x, y=y, width=frame.x(clash.end) - x,
        height=max(2.0, frame.y(clash.low) - y), fill=f"url(#{WRONG})",
    )  # fmt: skip


def _high_water(arena: ArenaBlocks, frame: _Frame) -> str:
    """A band over the step at which the top of the arena is in use."""
    if arena.high_water is None or arena.kind is not Kind.ARENA_RW:
        return ""
    x0, x1 = frame.x(arena.high_water), frame.x(arena.high_water + 1)
    return element(
        "rect", class_="water", x=x0, y=_TOP, width=max(1.5, x1 - x0), height=frame.height + _GAP - 20
    )


def _levels(arena: ArenaBlocks, frame: _Frame) -> str:
    """The size of the arena, and the least that any placement needs; their names stand above the map."""
    reached = "" if arena.high_water is None else f" · reached at step {arena.high_water}"
    if arena.kind is not Kind.ARENA_RW:
        levels = [("arena", arena.bytes, format_bytes(arena.bytes))]
    elif arena.bound == arena.bytes:
        label = f"arena {format_bytes(arena.bytes)}{reached} · equals the lower bound"
        levels = [("arena", arena.bytes, label)]
    else:
        levels = [("arena", arena.bytes, f"arena {format_bytes(arena.bytes)}{reached}")]
        if arena.bound:
            label = f"lower bound {format_bytes(arena.bound)} · step {arena.busiest}"
            levels.append(("bound", arena.bound, label))
    parts = []
    x = float(_LEFT)
    for class_, size, label in levels:
        y = frame.y(size)
        parts.append(element("line", class_=f"level {class_}", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y))
        parts.append(element("line", class_=f"level {class_}", x1=x, x2=x + 21, y1=8, y2=8))
        parts.append(text(x + 27, 12, label, f"level-name {class_}"))
        x += 27 + width_of(label, _LABEL) + 12
    return "".join(parts)


def _steps(arena: ArenaBlocks, frame: _Frame) -> str:
    parts = []
    marked = arena.high_water if arena.kind is Kind.ARENA_RW else None
    column = frame.x(1) - frame.x(0)
    for step in step_ticks(arena.steps):
        if marked is None or abs(step - marked) * column > 64 or step == marked:
            parts.append(text(frame.x(step + 0.5), frame.bottom + 15, str(step), "tick", "middle"))
    if marked is not None:
        label = f"high water: step {marked}"
        half = width_of(label, _LABEL) / 2 + 7
        middle = min(max(frame.x(marked + 0.5), _LEFT + half), WIDTH - _RIGHT - half)
        parts.append(
            element(
                "rect", class_="pill", x=middle - half, y=frame.bottom + 20, width=2 * half, height=16, rx=8
            )
        )
        parts.append(text(middle, frame.bottom + 32, label, "pill-name", "middle"))
    return "".join(parts)


def _alive(arena: ArenaBlocks, frame: _Frame) -> str:
    """The sum of bytes alive, step by step, on the scale of the arena."""
    base = frame.bottom + _GAP + _STRIP
    scale = (_STRIP - 4) / max(arena.bound, 1)
    path = [f"M{number(frame.x(0))} {number(base)}"]
    for step, alive in enumerate(arena.sums):
        path.append(f"V{number(base - alive * scale)}H{number(frame.x(step + 1))}")
    path.append(f"V{number(base)}Z")
    parts = [
        element("path", class_="alive" if len(arena.sums) <= _MOST_TIPS else "alive thin", d="".join(path)),
        element("line", class_="base", x1=_LEFT, x2=WIDTH - _RIGHT, y1=base, y2=base),
        text(_LEFT - 8, base - _STRIP + 12, format_bytes(arena.bound), "tick", "end"),
        text(_LEFT - 8, base - _STRIP / 2 + 8, "alive at", "tick", "end"),
        text(_LEFT - 8, base - 1, "each step", "tick", "end"),
    ]
    if len(arena.sums) <= _MOST_TIPS:
        for step, alive in enumerate(arena.sums):
            x = frame.x(step)
            note = f"step {step} · {arena_operator(arena, step)}\n{both(alive)} alive"
            right = frame.x(step + 1)
            parts.append(
                element(
                    "rect",
                    title(note),
                    class_="tip",
                    x=x,
                    y=base - _STRIP,
                    width=right - x,
                    height=_STRIP,
                )
            )
    return "".join(parts)
