"""Bytes and times in words, and sizes back from words."""

from __future__ import annotations

import re

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB")
_FACTORS = {
    "": 1, "b": 1,
    "k": 1024, "kb": 1024, "kib": 1024,
    "m": 1024**2, "mb": 1024**2, "mib": 1024**2,
    "g": 1024**3, "gb": 1024**3, "gib": 1024**3,
}  # fmt: skip
_MAX_DIGITS = 24
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]*)\s*")


def format_bytes(count: float | None) -> str:
    """'423.0 KiB'. Unknown is 'unknown', never 0.

    >>> format_bytes(433152), format_bytes(17), format_bytes(None)
    ('423.0 KiB', '17 B', 'unknown')
    """
    if count is None:
        return "unknown"
    value = float(count)
    for unit in _BINARY:
        if abs(value) < 1024 or unit == _BINARY[-1]:
            return f"{int(value)} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError("unreachable")


def format_exact(count: int | None) -> str:
    """'433,152 B'."""
    return "unknown" if count is None else f"{count:,} B"


def format_seconds(seconds: float | None) -> str:
    """'12 ms', '1.24 s'."""
    if seconds is None:
        return "unknown"
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def format_span(seconds: float) -> str:
    """A long time in its largest unit.

    >>> format_span(90), format_span(7200), format_span(3e6), format_span(2e9)
    ('90 seconds', '2 hours', '35 days', '63 years')
    """
    for name, size in (("years", 365.25 * 86400), ("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{round(seconds / size)} {name}"
    return f"{round(seconds)} seconds"


def parse_size(text: str) -> int:
    """Bytes of '64kB', '1 MiB', '4096'. Both kB and KiB are 1024: memory is counted in powers of two.

    Raises ValueError with the text when it is not a size.
    """
    match = _SIZE.fullmatch(text)
    if match is None or match[2].lower() not in _FACTORS or len(match[1]) > _MAX_DIGITS:
        raise ValueError(f"not a size: {text[:40]!r} (write 4096, 64kB or 1.5MB)")
    return int(float(match[1]) * _FACTORS[match[2].lower()])
