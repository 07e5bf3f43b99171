"""What a benchmark hands over: figures with their bounds.

Every ``bench_*.py`` is a program of its own, measures what its docstring says and ends with ``report``.
Bounds are ratios of things measured in the same run wherever that is possible, so that they hold on any
machine; interleaving the two sides keeps the noise of the machine out of the ratio.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """``bound`` and ``measured`` in words with units; ``ok`` says whether the bound holds."""

    figure: str
    bound: str
    measured: str
    ok: bool


def at_most(figure: str, measured: float, bound: float, unit: str = "", note: str = "") -> Figure:
    return Figure(figure, f"≤ {bound:g}{unit}", _words(measured, unit, note), measured <= bound)


def at_least(figure: str, measured: float, bound: float, unit: str = "", note: str = "") -> Figure:
    return Figure(figure, f"≥ {bound:g}{unit}", _words(measured, unit, note), measured >= bound)


def _words(measured: float, unit: str, note: str) -> str:
    return f"{measured:.3g}{unit}" + (f"  ({note})" if note else "")


def report(figures: list[Figure]) -> None:
    """One JSON object a line on stdout, for ``run.py``."""
    for figure in figures:
        print(json.dumps(asdict(figure), ensure_ascii=False), flush=True)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved(rounds: int, *works: Callable[[], object]) -> list[float]:
    """Median seconds of each work; the works take turns, and the first round only warms up."""
    times: list[list[float]] = [[] for _ in works]
    for number in range(rounds + 1):
        for work, kept in zip(works, times, strict=True):
            taken = seconds(work)
            if number:
                kept.append(taken)
    return [statistics.median(kept) for kept in times]
