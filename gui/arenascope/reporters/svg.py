"""The arena map as one picture that stands alone: title, legend, every arena, stamp."""

from __future__ import annotations

from collections.abc import Iterable

from ..domain.capture import Capture
from ..domain.roles import ROLES
from ..domain.units import format_bytes
from ..resources import resource_text
from . import stamp
from .arena_blocks import ArenaBlocks, arenas_of
from .arena_map import WIDTH, draw, height_of
from .markup import REST, WRONG, element, end_of, text, width_of
from .palette import fixed
from .redact import redacted

_MARGIN = 24
_HEAD = 84
_TITLE = 30  # above each arena
_LINE = 16


def render(capture: Capture, *, redact: bool = True, dark: bool = False) -> str:
    """A whole SVG document. Names of hosts and users are left out unless ``redact`` is False."""
    shown = redacted(capture) if redact else capture
    arenas = arenas_of(shown.layout)
    notes = stamp.lines(capture, redact)
    parts = [_heading(shown, arenas)]
    y = float(_HEAD)
    for arena in arenas:
        parts.append(text(_MARGIN, y + 18, f"{arena.title} · {format_bytes(arena.bytes)}", "name"))
        y += _TITLE
        parts.append(element("g", draw(arena), transform=f"translate({_MARGIN} {y:g})"))
        y += height_of(arena) + 12
    if not arenas:
        parts.append(text(_MARGIN, y + 18, "No tensor lies in an arena in this capture.", "axis"))
        y += _TITLE
    y += 10
    for number, line in enumerate(notes):
        parts.append(text(_MARGIN, y + _LINE * number + 10, line, "stamp"))
    width, height = WIDTH + 2 * _MARGIN, y + _LINE * len(notes) + _MARGIN - 6
    style = fixed(resource_text("report", "drawing.css") + _PICTURE, "dark" if dark else "light")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        + element(
            "svg",
            element("style", style),
            definitions(),
            element("rect", class_="paper", width=width, height=height),
            *parts,
            xmlns="http://www.w3.org/2000/svg",
            width=width,
            height=height,
            viewBox=f"0 0 {width:g} {height:g}",
            role="img",
            aria_label="Arena map",
        )
        + "\n"
    )


def definitions() -> str:
    """The patterns: what is wrong is red and striped, because colour alone is not seen by everybody."""
    stripes = "M-2 2L2 -2M0 8L8 0M6 10L10 6"
    return element(
        "defs",
        *(
            element(
                "pattern",
                element("path", class_=f"hatch {name}", d=stripes),
                id=name,
                width=8,
                height=8,
                patternUnits="userSpaceOnUse",
            )
            for name in (WRONG, REST)
        ),
    )


def legend(roles: Iterable[str], wrong: bool, x: float, y: float) -> str:
    """What the colours mean, the rule first."""
    rule = "colour = role of the tensor:"
    parts = [text(x, y, rule, "axis")]
    x += 0.9 * width_of(rule, 11) + 4
    there = set(roles)
    for role in (r for r in ROLES if r in there):
        parts.append(element("rect", class_=f"b r-{role}", x=x, y=y - 9, width=11, height=11, rx=2))
        parts.append(text(x + 16, y, role, "key"))
        x += 16 + 0.9 * width_of(role, 11.5) + 14
    if wrong:
        parts.append(
            element("rect", class_="clash", x=x, y=y - 9, width=11, height=11, fill=f"url(#{WRONG})")
        )
        parts.append(text(x + 16, y, "two tensors overwrite each other", "key"))
    return "".join(parts)


def _heading(capture: Capture, arenas: tuple[ArenaBlocks, ...]) -> str:
    totals = capture.totals
    figures = " · ".join(
        f"{label} {format_bytes(size)}"
        for label, size in (
            ("lower bound", totals.lower_bound),
            ("arena", totals.arena_rw),
            ("persistent", totals.arena_rw_persistent),
            ("weights", totals.weights),
        )
    )
    name = end_of(capture.model.name, WIDTH - 240, 18)
    roles = [role for arena in arenas for role in arena.roles]
    return (
        text(_MARGIN, 34, name, "title")
        + text(WIDTH + _MARGIN, 34, "ArenaScope · arena map", "axis", "end")
        + text(_MARGIN, 54, figures, "key")
        + legend(roles, any(a.clashes for a in arenas), _MARGIN, 78)
    )


_PICTURE = ".paper{fill:var(--panel)}"
