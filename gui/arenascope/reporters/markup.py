"""SVG elements as text. Everything that goes in is escaped here, and nowhere else."""

from __future__ import annotations

from html import escape

from ..domain.plain_text import ELLIPSIS, plain

#: Ids of the patterns that a document with drawings defines once.
WRONG, REST = "wrong", "rest"

#: Wider than most letters of the fonts in use: a label that fits by this rule fits.
_WIDTH_OF_A_LETTER = 0.58


def number(value: float) -> str:
    """A coordinate with at most two decimals: '12', '0.25'."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def element(tag: str, *children: str, **attributes: str | float | None) -> str:
    """``<tag …>children</tag>``. Attributes: '_' stands for '-', a trailing one is dropped (``class_``).

    Children are markup already; attributes are not and are escaped. None leaves an attribute out.
    """
    parts = [tag]
    for name, value in attributes.items():
        if value is not None:
            text = number(value) if isinstance(value, (int, float)) else escape(value, quote=True)
            parts.append(f'{name.rstrip("_").replace("_", "-")}="{text}"')
    head = " ".join(parts)
    return f"<{head}>{''.join(children)}</{tag}>" if children else f"<{head}/>"


def text(x: float, y: float, content: str, class_: str = "", anchor: str | None = None) -> str:
    """A line of text at its baseline; ``anchor`` 'middle' or 'end'. The content may be anything."""
    return element("text", words(content), class_=class_ or None, x=x, y=y, text_anchor=anchor)


def title(content: str) -> str:
    """What a pointer that rests on the parent shows. Lines stay lines."""
    return f"<title>{chr(10).join(words(line, 400) for line in content.split(chr(10)))}</title>"


def words(content: str, limit: int = 200) -> str:
    """Text made visible, short and escaped."""
    return escape(plain(content, limit), quote=True)


def width_of(content: str, size: float) -> float:
    """About how wide a text is at a font size, rather too wide than too narrow."""
    return len(content) * size * _WIDTH_OF_A_LETTER


def fits(content: str, width: float, size: float) -> bool:
    return width_of(content, size) <= width


def end_of(content: str, width: float, size: float) -> str:
    """``content`` made visible, or as much of its end as fits: names of tensors differ there.

    '' where not even eight letters would fit.
    """
    letters = int(width / (size * _WIDTH_OF_A_LETTER))
    shown = plain(content, 400)
    if len(shown) <= letters:
        return shown
    return ELLIPSIS + shown[len(shown) - letters + 1 :] if letters >= 8 else ""
