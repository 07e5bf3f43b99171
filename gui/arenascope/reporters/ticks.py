"""Where an axis gets its numbers."""

from __future__ import annotations

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_DECIMAL = (1, 2, 5, 10)


def byte_ticks(top: int, most: int = 8) -> list[tuple[int, str]]:
    """0 up to ``top`` in a power of two, at most ``most`` + 1 of them, each with its label.

    >>> byte_ticks(433152, 4)
    [(0, '0'), (131072, '128 KiB'), (262144, '256 KiB'), (393216, '384 KiB')]
    """
    step = 1
    while top / step > most:
        step *= 2
    return [(at, byte_label(at)) for at in range(0, top + 1, step)]


def byte_label(count: int) -> str:
    """A multiple of a power of two, exact and short: '384 KiB', '1.125 MiB', '0'."""
    if not count:
        return "0"
    power = min((count.bit_length() - 1) // 10, len(_UNITS) - 1)
    return f"{count / 1024**power:.3f}".rstrip("0").rstrip(".") + f" {_UNITS[power]}"


def step_ticks(steps: int, most: int = 14) -> list[int]:
    """Steps of a program that get a number: 0, 5, 10, …"""
    return list(range(0, steps, max(1, int(_round_step(steps / most)))))


def second_ticks(start: float, end: float, most: int = 10) -> list[tuple[float, str]]:
    """Round seconds from ``start`` to ``end`` with their labels."""
    span = end - start
    if span <= 0:
        return [(start, f"{start:g}")]
    step = _round_step(span / most)
    decimals = max(0, -_exponent(step))
    first = -(-start // step)
    return [
        (at, f"{at:.{decimals}f}") for n in range(most + 2) if (at := (first + n) * step) <= end + step * 1e-9
    ]


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5 × 10ⁿ that is not below ``least``."""
    power = 10.0 ** _exponent(least)
    return next(power * n for n in _DECIMAL if power * n >= least * (1 - 1e-9))


def _exponent(value: float) -> int:
    """The power of ten that ``value`` (above 0) begins with.

    >>> _exponent(0.05), _exponent(7), _exponent(10)
    (-2, 0, 1)
    """
    mantissa_and_power = f"{value:e}".split("e")
    return int(mantissa_and_power[1])
