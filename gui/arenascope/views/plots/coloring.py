"""The rules by which blocks get their colour, and the legend that tells each rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor

from ...domain.layout import Overlap
from ...domain.plain_text import plain
from ...domain.roles import ROLES, role_of
from ...domain.units import format_bytes
from ...qtmodels.arena_blocks import ArenaBlocks
from ..theme import Theme
from .legend import LegendEntry

Classes = npt.NDArray[np.int64]

#: Cold to warm and dark to light at once, so that the order survives colour blindness and grey print.
_RAMP = {
    "dark": ("#4d6bc4", "#2f94a6", "#45b583", "#a3c84d", "#f2cf45"),
    "light": ("#3d4f9f", "#22838f", "#3d9e63", "#8ba52c", "#d39a00"),
}
_LIFETIMES = ((1, "1 step"), (3, "2–3 steps"), (10, "4–10"), (50, "11–50"), (None, "more than 50"))


@dataclass(frozen=True, eq=False)
class Coloring:
    """``class_of[i]`` is the class of block i; ``entries[class]`` its label and colour."""

    rule: str
    title: str  #: what the colour means, for the legend
    class_of: Classes
    entries: tuple[tuple[str, QColor], ...]
    ordered: bool = False  #: the classes are a scale, not kinds

    def present(self) -> tuple[int, ...]:
        """Classes that some block has, in the order of the legend."""
        return tuple(int(c) for c in np.unique(self.class_of))


def color_by(rule: str, blocks: ArenaBlocks, theme: Theme) -> Coloring:
    """Apply one of RULES. Raises KeyError for another word."""
    return _RULES[rule][1](blocks, theme)


def legend_entries(
    coloring: Coloring, blocks: ArenaBlocks, overlaps: tuple[Overlap, ...], theme: Theme
) -> tuple[LegendEntry, ...]:
    """The classes that are there, each with its count and bytes as a tip; overlaps as an error."""
    entries = []
    for number in coloring.present():
        label, color = coloring.entries[number]
        mine = coloring.class_of == number
        count = int(mine.sum())
        tip = f"{count:,} tensor{'s' * (count != 1)}, {format_bytes(int(blocks.size[mine].sum()))} in all"
        entries.append(LegendEntry(label, color, tip=tip))
    if overlaps:
        first = overlaps[0]
        tip = (
            f"#{first.first[1]} and #{first.second[1]} share {first.bytes:,} B at step {first.step}: "
            "one overwrites the other, results are wrong"
        )
        label = f"{len(overlaps)} overlap{'s' * (len(overlaps) > 1)} of live tensors"
        entries.append(LegendEntry(label, theme.role("error"), hatched=True, tip=tip))
    return tuple(entries)


def _by_role(blocks: ArenaBlocks, theme: Theme) -> Coloring:
    number = {role: i for i, role in enumerate(ROLES)}
    classes = np.array([number[role_of(p)] for p in blocks.placements], np.int64)
    return Coloring("role", "role in the model", classes, tuple((r, theme.role(r)) for r in ROLES))


def _by_kind(blocks: ArenaBlocks, theme: Theme) -> Coloring:
    return _categories("kind", "allocation type", [p.kind.value for p in blocks.placements], theme)


def _by_dtype(blocks: ArenaBlocks, theme: Theme) -> Coloring:
    return _categories("dtype", "element type", [plain(p.dtype, 24) for p in blocks.placements], theme)


def _by_size(blocks: ArenaBlocks, theme: Theme) -> Coloring:
    """Five classes below the largest tensor, each four times the one before."""
    largest = int(blocks.size.max(initial=1))
    top = 1 << max(8, (largest - 1).bit_length())
    bounds = [top >> 8, top >> 6, top >> 4, top >> 2]
    labels = [f"≤ {_short(b)}" for b in bounds] + [f"> {_short(bounds[-1])}"]
    return _ordered("size", "bytes of the tensor", np.searchsorted(bounds, blocks.size), labels, theme)


def _by_lifetime(blocks: ArenaBlocks, theme: Theme) -> Coloring:
    bounds = [limit for limit, _ in _LIFETIMES if limit is not None]
    labels = [label for _, label in _LIFETIMES]
    lives = np.searchsorted(bounds, blocks.end - blocks.first)
    return _ordered("lifetime", "steps alive", lives, labels, theme)


_RULES: dict[str, tuple[str, Callable[[ArenaBlocks, Theme], Coloring]]] = {
    "role": ("Role", _by_role),
    "size": ("Size", _by_size),
    "lifetime": ("Lifetime", _by_lifetime),
    "dtype": ("Type", _by_dtype),
    "kind": ("Allocation", _by_kind),
}

#: Rule → its name in the chooser.
RULES: dict[str, str] = {key: title for key, (title, _) in _RULES.items()}


def _short(count: int) -> str:
    return format_bytes(count).replace(".0 ", " ")


def _ordered(rule: str, title: str, classes: Classes, labels: list[str], theme: Theme) -> Coloring:
    colors = (QColor(c) for c in _RAMP[theme.name])
    return Coloring(rule, title, classes.astype(np.int64), tuple(zip(labels, colors, strict=True)), True)


def _categories(rule: str, title: str, words: list[str], theme: Theme) -> Coloring:
    """The most frequent words get a colour each; the rest share the last one."""
    ranked = [word for word, _ in Counter(words).most_common()]
    room = len(theme.charts) - 1
    shown = ranked if len(ranked) <= room + 1 else [*ranked[:room], "other"]
    number = {word: min(i, len(shown) - 1) for i, word in enumerate(ranked)}
    classes = np.array([number[w] for w in words], np.int64)
    return Coloring(rule, title, classes, tuple(zip(shown, theme.charts, strict=False)))
