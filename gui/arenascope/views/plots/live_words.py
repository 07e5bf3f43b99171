"""The words of the live chart: a moment, and a range with its difference."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QColor

from ...domain.units import format_bytes
from ...qtmodels.trace_buffer import TraceBuffer


def seconds(t: float) -> str:
    return f"{t:.2f} s"


def _bytes(value: float | None) -> str:
    return format_bytes(None if value is None else int(value))


def signed(change: float) -> str:
    """'+7.5 MiB', '−22.1 MiB', '±0 B'."""
    if round(change) == 0:
        return "±0 B"
    return f"{'+' if change > 0 else '−'}{format_bytes(abs(int(change)))}"


def moment_words(
    curves: Mapping[str, TraceBuffer],
    t: float,
    names: Mapping[str, str],
    colors: Mapping[str, QColor],
    ink: QColor,
) -> list[tuple[str, QColor]]:
    """Lines for the moment ``t``, each with its colour."""
    lines = [(seconds(t), ink)]
    for key, curve in curves.items():
        value = curve.value_at(t)
        lines.append((f"{names[key]}  {'no sample' if value is None else _bytes(value)}", colors[key]))
    return lines


def range_words(curves: Mapping[str, TraceBuffer], t0: float, t1: float) -> str:
    """Start, end and difference: of time, of the worker and of the board."""
    parts = [f"{seconds(t0)} → {seconds(t1)} (Δ {seconds(t1 - t0)})"]
    for key, name in (("rss", "worker"), ("available", "board")):
        start, end = curves[key].value_at(t0), curves[key].value_at(t1)
        if start is None or end is None:
            parts.append(f"{name} unknown at one end")
        else:
            parts.append(f"{name} {_bytes(start)} → {_bytes(end)} (Δ {signed(end - start)})")
    return "  ·  ".join(parts)


def range_deltas(curves: Mapping[str, TraceBuffer], t0: float, t1: float) -> str:
    """'Δ 3.00 s · worker +17.3 MiB · board −8.3 MiB'."""
    parts = [f"Δ {seconds(t1 - t0)}"]
    for key, name in (("rss", "worker"), ("available", "board")):
        start, end = curves[key].value_at(t0), curves[key].value_at(t1)
        if start is not None and end is not None:
            parts.append(f"{name} {signed(end - start)}")
    return " · ".join(parts)
