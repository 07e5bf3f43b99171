"""Names from models, boards and logs, made safe to show.

They are untrusted: a name may hold line breaks, terminal escapes, zero-width characters or marks that
reverse the writing direction, and may be megabytes long.
"""

from __future__ import annotations

import unicodedata

#: Control characters, formatting marks (bidirectional overrides, zero width), surrogates, private use,
#: unassigned code points, line and paragraph separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def plain(text: str, limit: int = 200) -> str:
    """``text`` on one line, at most ``limit`` characters, with what cannot be seen made visible.

    The middle is left out, because names of tensors differ at their ends.

    >>> plain("a\\x1b[31m\\nb"), plain("model/block_12/conv2d", 11)
    ('a�[31m�b', 'model…onv2d')
    """
    if len(text) > limit:
        head = (limit - 1) // 2
        text = text[:head] + ELLIPSIS + text[len(text) - (limit - 1 - head) :]
    if text.isascii() and text.isprintable():
        return text
    return "".join(REPLACEMENT if unicodedata.category(c) in _HIDDEN else c for c in text)
