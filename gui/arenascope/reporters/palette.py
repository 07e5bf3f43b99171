"""The colours of theme.json as style sheets: for a page (both themes), or fixed in a picture (one)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache

from ..errors import StoreError
from ..resources import resource_text

_HEX = re.compile(r"#[0-9A-Fa-f]{6}")
INK, PAPER = "#0B0E14", "#FFFFFF"


@cache
def colours(theme: str) -> Mapping[str, str]:
    """Name → '#RRGGBB' of the theme 'light' or 'dark'.

    'panel', 'role-input' and 'on-input' (the text on it), 'from-measured', 'chart-0', … Raises StoreError
    where theme.json lacks something or holds what is no colour.
    """
    try:
        table = json.loads(resource_text("theme.json"))[theme]
        found = {name: value for name, value in table.items() if isinstance(value, str)}
        found |= {f"role-{role}": value for role, value in table["roles"].items()}
        found |= {f"on-{role}": readable_on(value) for role, value in table["roles"].items()}
        found |= {f"from-{origin}": value for origin, value in table["provenance"].items()}
        found |= {f"chart-{number}": value for number, value in enumerate(table["charts"])}
        found |= {f"on-chart-{number}": readable_on(value) for number, value in enumerate(table["charts"])}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"The theme {theme!r} in theme.json cannot be used: {error}") from error
    for name, value in found.items():
        if not _HEX.fullmatch(value):
            raise StoreError(f"theme.json: {theme}.{name} is not a colour: {value!r}")
    return found


def variables(theme: str) -> str:
    """'--panel:#FFFFFF;--text:…' for a style sheet."""
    return "".join(f"--{name}:{value};" for name, value in colours(theme).items())


def fixed(css: str, theme: str) -> str:
    """``css`` with every var(--name) replaced by the colour itself: not every viewer of SVG knows var()."""
    table = colours(theme)
    return re.sub(r"var\(--([\w-]+)\)", lambda match: table[match[1]], css)


def luminance(colour: str) -> float:
    """Relative luminance, 0 (black) to 1 (white), as WCAG 2 defines it."""

    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    """Contrast ratio of WCAG 2: 1 (none) to 21."""
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def readable_on(colour: str) -> str:
    """Near-black or white, whichever reads better on ``colour``."""
    return INK if contrast(colour, INK) >= contrast(colour, PAPER) else PAPER
