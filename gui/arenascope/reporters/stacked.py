"""The attribution as one bar: parts side by side, as long as they are large."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain.attribution import ARENA, DELEGATE, DYNAMIC, MODEL, PERSISTENT, PYTHON, RUNTIME, UNEXPLAINED
from ..domain.measurement import Part
from ..domain.plain_text import plain
from ..domain.units import format_bytes, format_exact
from .markup import REST, element, fits, text, title

WIDTH = 1040
HEIGHT = 46

#: The colour class of each part: what holds tensors has the colour that its tensors have elsewhere.
_SERIES = {
    ARENA: "c-0",
    RUNTIME: "c-1",
    PYTHON: "c-2",
    DYNAMIC: "c-4",
    PERSISTENT: "c-5",
    DELEGATE: "c-6",
    MODEL: "c-7",
    UNEXPLAINED: "c-rest",
}


def series_of(part: Part) -> str:
    return _SERIES.get(part.part, "c-3")


def draw(parts: Sequence[Part]) -> str:
    """The content of an SVG of WIDTH × HEIGHT; its document defines the pattern ``REST``.

    A part below zero has no length and stands in the table."""
    total = sum(max(0, p.bytes) for p in parts)
    if not total:
        return ""
    x = 0.0
    drawn = []
    for part in parts:
        series = series_of(part)
        width = WIDTH * max(0, part.bytes) / total
        if not width:
            continue
        share = 100 * part.bytes / total
        note = f"{part.part}: {format_bytes(part.bytes)} ({format_exact(part.bytes)}), {share:.1f} %"
        box = {"x": x, "y": 0.0, "width": max(width - 1, 0.5), "height": float(HEIGHT)}
        drawn.append(element("rect", title(note), class_=f"part {series}", **box))
        if series == "c-rest":
            drawn.append(element("rect", fill=f"url(#{REST})", class_="over", **box))
        drawn.append(_label(part, series, x, width))
        x += width
    return "".join(drawn)


def _label(part: Part, series: str, x: float, width: float) -> str:
    size = format_bytes(part.bytes)
    names = (plain(part.part, 60), plain(part.part.split(" and ")[0], 60))
    name = next((n for n in names if fits(n, width - 14, 11.5)), None)
    if name is None or not fits(size, width - 14, 11.5):
        return ""
    return text(x + 7, 19, name, f"on-part o{series}") + text(x + 7, 35, size, f"on-part o{series} strong")
