"""Frames a second of the plots and answers of the table, on the raster engine without a display.

Every frame is counted as a paint event, not merely asked for. A time is the median of the GUI thread's own
CPU time, which paints alone and waits for nobody: on a free machine that is the time by the clock, on a busy
one it leaves out what other programs took. The clock's median stands beside it.
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
from figures import Figure, at_least, at_most, interleaved, report
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QImage, QPainter
from PySide6.QtWidgets import QApplication, QWidget

from arenascope.qtmodels.search_state import SearchState
from arenascope.qtmodels.selection import Selection
from arenascope.qtmodels.tensor_table import COLUMNS
from arenascope.views.panels.tensor_panel import TensorTable
from arenascope.views.plots.arena_item import ArenaItem
from arenascope.views.plots.arena_map import ArenaMap
from arenascope.views.plots.live_chart import LiveChart
from arenascope.views.theme import Theme, apply
from tests.support.captures import big_capture

BLOCKS, SAMPLES, ROWS = 10_000, 1_000_000, 10_000
FPS, HOVER_MS, STEP_MS, TABLE_MS = 60.0, 16.0, 50.0, 100.0


class Paints(QObject):
    """Counts paint events of a widget."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def answers(act: Callable[[int], None], times: int) -> tuple[float, str]:
    """Median milliseconds of ``times`` calls with everything that they made Qt do, and a note."""
    own, clock = [], []
    for i in range(times):
        clock_start, own_start = time.perf_counter(), time.thread_time()
        act(i)
        QApplication.processEvents()
        own.append((time.thread_time() - own_start) * 1000)
        clock.append((time.perf_counter() - clock_start) * 1000)
    most = statistics.quantiles(own, n=20)[-1]
    median = statistics.median(own)
    return median, f"{median:.1f} ms, 95 % within {most:.1f}; by the clock {statistics.median(clock):.1f}"


def frames(figure: str, act: Callable[[int], None], times: int, paints: Paints) -> Figure:
    before = paints.count
    median, note = answers(act, times)
    assert paints.count - before >= times * 0.95, f"{figure}: frames were left out"
    return at_least(figure, 1000 / median, FPS, " frames/s", note)


def within(figure: str, act: Callable[[int], None], times: int, bound: float) -> Figure:
    median, note = answers(act, times)
    return at_most(figure, median, bound, " ms", note)


def arena_map(theme: Theme) -> list[Figure]:
    view = ArenaMap(theme)
    view.resize(1400, 900)
    view.show()
    view.set_capture(big_capture(15_400))
    QApplication.processEvents()
    blocks = view.selection.blocks
    assert blocks is not None
    assert len(blocks) >= BLOCKS, len(blocks)
    name = f"arena map, {len(blocks):,} blocks"
    paints, box = Paints(view.graphics.viewport()), view.view_box
    wide = blocks.steps / 1200

    box.fit_to(0, blocks.steps / 3, 0, blocks.arena_bytes)
    QApplication.processEvents()
    made = [frames(f"{name}: pan", lambda i: box.translateBy(x=wide), 200, paints)]
    view.fit()
    QApplication.processEvents()
    made.append(
        frames(
            f"{name}: pan, everything in view",
            lambda i: box.translateBy(x=-wide if i % 2 else wide),
            100,
            paints,
        )
    )
    zoom = (0.95, 1 / 0.95)
    made.append(frames(f"{name}: zoom", lambda i: box.scaleBy([zoom[i % 80 >= 40]] * 2), 160, paints))
    view.fit()
    QApplication.processEvents()
    middle = box.sceneBoundingRect()

    def hover(i: int) -> None:
        way = (i * 37 % 101) / 101
        at = QPointF(middle.left() + way * middle.width(), middle.top() + way * middle.height())
        view.graphics.scene().sigMouseMoved.emit(at)

    made.append(within(f"{name}: hover answered with its card", hover, 150, HOVER_MS))
    made.append(within(f"{name}: a step", lambda i: view.selection.move_step(1), 100, STEP_MS))
    made.append(_against_single_rectangles(name, view))
    view.close()
    return made


def _against_single_rectangles(name: str, view: ArenaMap) -> Figure:
    """The same blocks in the same colours, one ``drawRect`` each: what grouping by colour saves."""
    blocks = view.selection.blocks
    assert blocks is not None
    item = next(i for i in view.graphics.scene().items() if isinstance(i, ArenaItem))
    rects = [(item.rect_of(row), QBrush(Qt.GlobalColor.blue)) for row in range(len(blocks))]
    image = QImage(1400, 900, QImage.Format.Format_RGB32)

    def ours() -> None:
        painter = QPainter(image)
        item.place()
        item.draw(painter, None)
        painter.end()

    def theirs() -> None:
        painter = QPainter(image)
        painter.setPen(Qt.PenStyle.NoPen)
        for rect, brush in rects:
            painter.setBrush(brush)
            painter.drawRect(QRectF(rect))
        painter.end()

    mine, single = interleaved(15, ours, theirs)
    return at_most(f"{name}: a frame / one drawRect a block", mine / single, 0.6, "", f"{mine * 1e3:.1f} ms")


def live_chart(theme: Theme) -> list[Figure]:
    chart, small = _chart(theme, SAMPLES), _chart(theme, 10_000)
    name = f"live chart, {SAMPLES:,} samples"
    paints, box, end = Paints(chart.graphics.viewport()), chart.view_box, SAMPLES / 20

    def arrive(i: int) -> None:
        """20 samples a second at 60 frames a second: one every third frame."""
        if i % 3 == 0:
            chart.add_samples([end + i / 60], [30_000_000], [410_000_000])

    def pan(i: int) -> None:
        arrive(i)
        box.translateBy(x=20.0 if i % 100 < 50 else -20.0)

    def zoom(i: int) -> None:
        arrive(i)
        box.scaleBy((0.93 if i % 160 < 80 else 1 / 0.93, 1.0))

    def stand(i: int) -> None:
        arrive(i)
        chart.graphics.viewport().update()

    made = [frames(f"{name}: the whole run, while samples arrive", stand, 180, paints)]
    box.setXRange(0, end / 4, padding=0)
    made.append(frames(f"{name}: pan, while samples arrive", pan, 200, paints))
    box.setXRange(0, end, padding=0)
    made.append(frames(f"{name}: zoom, while samples arrive", zoom, 320, paints))

    def frame_of(view: LiveChart) -> Callable[[], None]:
        def draw() -> None:
            view.fit()
            view.graphics.viewport().repaint()

        return draw

    many, few = interleaved(30, frame_of(chart), frame_of(small))
    made.append(
        at_most(f"{name}: a frame / a frame with 10,000", many / few, 1.5, "", f"{many * 1e3:.1f} ms")
    )
    chart.close()
    small.close()
    return made


def _chart(theme: Theme, count: int) -> LiveChart:
    made = LiveChart(theme)
    made.resize(1400, 500)
    made.show()
    t = np.arange(count) / 20
    noise = np.random.default_rng(0).normal(0, 5e5, count)
    rss = 30e6 + 8e6 * np.sin(t / (t[-1] / 16)) + noise
    made.add_samples(t, rss, 4.4e8 - rss)  # type: ignore[arg-type]
    QApplication.processEvents()
    return made


def tensor_table() -> list[Figure]:
    theme = Theme.load("dark")
    table, search, selection = TensorTable(theme), SearchState(), Selection()
    table.set_selection(selection)
    table.set_search(search)
    table.resize(1200, 500)
    table.show()
    capture = big_capture(ROWS)
    search.set_capture(capture)
    selection.set_capture(capture)
    QApplication.processEvents()
    assert table.model.rowCount() == ROWS
    name = f"tensor table, {ROWS:,} rows"
    queries = ("out", "block_1", "size>1kB", "kind:arena", "op:CONV_2D", "/w[01]$/", "alive@100", "")
    made = [
        within(
            f"{name}: sort by each column, both ways",
            lambda i: table.sort_by(i // 2 % len(COLUMNS)),
            4 * len(COLUMNS),
            TABLE_MS,
        ),
        within(
            f"{name}: filter by each kind of search",
            lambda i: search.set_text(queries[i % len(queries)]),
            4 * len(queries),
            TABLE_MS,
        ),
    ]
    table.close()
    return made


def main() -> None:
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    theme = apply(app, "dark").theme
    report(arena_map(theme) + live_chart(theme) + tensor_table())


if __name__ == "__main__":
    main()
