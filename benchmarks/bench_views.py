"""Frames a second of the plots and answers of the table, on the raster engine without a display.

    .venv/bin/python benchmarks/bench_views.py

Each line: what was done, the median and the 95th percentile of one answer in milliseconds, and how many
times faster that is than what is asked (16.7 ms a frame, 16 ms a hover, 100 ms a sort or filter).
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

from arenascope.qtmodels.search_state import SearchState
from arenascope.qtmodels.selection import Selection
from arenascope.qtmodels.tensor_table import COLUMNS
from arenascope.views.panels.tensor_panel import TensorTable
from arenascope.views.plots.arena_map import ArenaMap
from arenascope.views.plots.live_chart import LiveChart
from arenascope.views.theme import Theme, apply
from tests.support.captures import big_capture

FRAME_MS, HOVER_MS, TABLE_MS = 1000 / 60, 16.0, 100.0


class Paints(QObject):
    """Counts paint events, to prove that a frame was drawn and not merely asked for."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def measure(act: Callable[[int], None], times: int) -> list[float]:
    """Milliseconds of each of ``times`` calls, with everything that they made Qt do."""
    app = QApplication.instance()
    taken = []
    for i in range(times):
        start = time.perf_counter()
        act(i)
        app.processEvents()
        taken.append((time.perf_counter() - start) * 1000)
    return taken


def report(what: str, taken: list[float], limit: float, note: str = "") -> bool:
    median = statistics.median(taken)
    high = statistics.quantiles(taken, n=20)[-1] if len(taken) > 1 else taken[0]
    good = median <= limit
    print(
        f"{what:<58} {median:7.2f} ms  (95 %: {high:6.2f} ms)  {limit / median:6.1f} x "
        f"{'within' if good else 'OVER'} {limit:.1f} ms{note}"
    )
    return good


def bench_arena_map(theme: Theme) -> bool:
    capture = big_capture(15_400)
    view = ArenaMap(theme)
    view.resize(1400, 900)
    view.show()
    taken = measure(lambda i: view.set_capture(capture), 1)
    blocks = view.selection.blocks
    assert blocks is not None and len(blocks) >= 10_000, len(blocks or ())
    app = QApplication.instance()
    app.processEvents()
    title = f"arena map, {len(blocks):,} blocks, 1400x900"
    good = report(f"{title}: capture shown", taken, 1000)
    paints = Paints(view.graphics.viewport())
    box = view.view_box

    box.fit_to(0, blocks.steps / 3, 0, blocks.arena_bytes)
    app.processEvents()
    wide = blocks.steps / 1200
    good &= report(f"{title}: pan", measure(lambda i: box.translateBy(x=wide), 200), FRAME_MS)
    box.fit_to(0, blocks.steps, 0, blocks.arena_bytes)
    app.processEvents()
    good &= report(
        f"{title}: pan, everything in view",
        measure(lambda i: box.translateBy(x=wide if i % 2 else -wide), 100),
        FRAME_MS,
    )
    good &= report(
        f"{title}: zoom",
        measure(lambda i: box.scaleBy((0.95, 0.95) if i % 80 < 40 else (1 / 0.95, 1 / 0.95)), 160),
        FRAME_MS,
    )
    view.fit()
    app.processEvents()
    middle = box.sceneBoundingRect()

    def hover(i: int) -> None:
        at = middle.topLeft() + (middle.bottomRight() - middle.topLeft()) * ((i * 37 % 101) / 101)
        view.graphics.scene().sigMouseMoved.emit(at)

    good &= report(f"{title}: hover with card", measure(hover, 150), HOVER_MS)
    good &= report(f"{title}: step", measure(lambda i: view.selection.move_step(1), 100), 50.0)
    print(f"    {paints.count} frames painted")
    view.close()
    return good


def bench_live_chart(theme: Theme) -> bool:
    rows = 1_000_000
    rng = np.random.default_rng(0)
    t = np.arange(rows) / 20
    rss = 30e6 + 8e6 * np.sin(t / 3000) + rng.normal(0, 5e5, rows)
    chart = LiveChart(theme)
    chart.resize(1400, 500)
    chart.show()
    taken = measure(lambda i: chart.add_samples(t, rss, 4.4e8 - rss), 1)
    title = f"live chart, {rows:,} samples"
    good = report(f"{title}: loaded at once", taken, 1000)
    paints = Paints(chart.graphics.viewport())
    box, end = chart.view_box, rows / 20

    def arrive(i: int) -> None:
        """20 samples a second at 60 frames a second: one every third frame."""
        if i % 3 == 0:
            chart.add_samples([end + i / 60], [30_000_000], [410_000_000])

    def draw(i: int) -> None:
        arrive(i)
        chart.graphics.viewport().update()

    def pan(i: int) -> None:
        arrive(i)
        box.translateBy(x=20.0 if i % 100 < 50 else -20.0)

    def zoom(i: int) -> None:
        arrive(i)
        box.scaleBy((0.93, 1.0) if i % 160 < 80 else (1 / 0.93, 1.0))

    good &= report(f"{title}: whole run, while samples arrive", measure(draw, 180), FRAME_MS)
    box.setRange(xRange=(0, end / 4), padding=0)
    good &= report(f"{title}: pan, while samples arrive", measure(pan, 200), FRAME_MS)
    box.setRange(xRange=(0, end), padding=0)
    good &= report(f"{title}: zoom, while samples arrive", measure(zoom, 320), FRAME_MS)
    print(f"    {paints.count} frames painted")
    chart.close()
    return good


def bench_tensor_table(theme: Theme) -> bool:
    capture = big_capture(10_000)
    table, search, selection = TensorTable(theme), SearchState(), Selection()
    table.set_selection(selection)
    table.set_search(search)
    table.resize(1200, 500)
    table.show()
    search.set_capture(capture)
    taken = measure(lambda i: selection.set_capture(capture), 1)
    good = report("tensor table, 10,000 rows: shown", taken, 1000)
    assert table.model.rowCount() == 10_000
    columns = len(COLUMNS)
    good &= report(
        "tensor table, 10,000 rows: sort by each column, both ways",
        measure(lambda i: table.sort_by(i // 2 % columns), 4 * columns),
        TABLE_MS,
    )
    queries = ("out", "block_1", "size>1kB", "kind:arena", "op:CONV_2D", "/w[01]$/", "alive@100", "")
    good &= report(
        "tensor table, 10,000 rows: filter",
        measure(lambda i: search.set_text(queries[i % len(queries)]), 3 * len(queries)),
        TABLE_MS,
    )
    table.close()
    return good


def main() -> int:
    app = QApplication.instance() or QApplication(sys.argv)
    theme = apply(app, "dark").theme
    good = bench_arena_map(theme)
    good &= bench_live_chart(theme)
    good &= bench_tensor_table(theme)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
