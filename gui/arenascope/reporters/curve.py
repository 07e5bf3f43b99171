"""The live curve as a drawing: the worker above, the device below, phases as marks, gaps as gaps."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ..domain.measurement import Phase, Samples
from ..domain.plain_text import plain
from ..domain.units import format_bytes, format_exact, format_seconds
from .markup import element, number, text, title, width_of
from .ticks import byte_ticks, second_ticks

WIDTH = 1040
_LEFT, _RIGHT = 82, 14
_PLOT = WIDTH - _LEFT - _RIGHT
_ROW = 15  # height of a row of phase names
_WORKER, _DEVICE = 190.0, 84.0
_BETWEEN, _BELOW = 30.0, 40.0
_LABEL = 11.0

#: A pause this many times the usual distance of two samples is a gap: nobody looked.
GAP = 5.0

Point = tuple[float, float]


@dataclass(frozen=True)
class _Panel:
    """Seconds and bytes to the paper; ``y0`` is the line of 0 bytes."""

    start: float
    end: float
    top: int
    y0: float
    height: float

    def x(self, t: float) -> float:
        return _LEFT + _PLOT * (t - self.start) / (self.end - self.start)

    def y(self, size: float) -> float:
        return self.y0 - self.height * size / self.top


def height_of(samples: Samples, phases: Sequence[Phase]) -> float:
    """How high ``draw`` is, in the units of WIDTH; 0 where nothing was sampled."""
    if not _known(samples.rss):
        return 0.0
    lower = _BETWEEN + _DEVICE if _known(samples.available) else 0.0
    return _head(samples, phases) + _WORKER + lower + _BELOW


def draw(samples: Samples, phases: Sequence[Phase]) -> str:
    """The content of an SVG of WIDTH × ``height_of``."""
    if not _known(samples.rss):
        return ""
    start, end = _span(samples, phases)
    head = _head(samples, phases)
    peaks = [p.rss_peak for p in phases if p.rss_peak is not None]
    top = max(1, *_known(samples.rss), *peaks)
    worker = _Panel(start, end, int(top * 1.08), head + _WORKER, _WORKER)
    panels = [worker]
    parts = [_axes(worker, "worker, resident", 5)]
    if _known(samples.available):
        top = max(1, *_known(samples.available), *(_known(samples.swap_free) or [0]))
        device = _Panel(start, end, int(top * 1.1), worker.y0 + _BETWEEN + _DEVICE, _DEVICE)
        panels.append(device)
        parts.append(_axes(device, "device", 3))
        parts.append(_series(device, samples.t, samples.available, "second"))
        parts.append(_name(device, samples.t, samples.available, "available"))
        if any(_known(samples.swap_free)):
            parts.append(_series(device, samples.t, samples.swap_free, "third", area=False))
            parts.append(_name(device, samples.t, samples.swap_free, "free swap"))
    parts += [_gaps(panels, samples.t)]
    parts.insert(0, _bands(panels, phases, head))
    parts.append(_series(worker, samples.t, samples.rss, ""))
    parts.append(_peaks(worker, phases))
    parts.append(_markers(panels, phases, samples))
    bottom = panels[-1].y0
    for at, label in second_ticks(start, end):
        parts.append(text(panels[-1].x(at), bottom + 16, label, "tick", "middle"))
    parts.append(text(_LEFT + _PLOT / 2, bottom + 33, "seconds since the start of the run", "axis", "middle"))
    return "".join(parts)


def pieces(t: Sequence[float], values: Sequence[int | None]) -> Iterator[list[Point]]:
    """The curve cut where nothing is known: at a value that could not be read, and at a pause.

    A column that is known at fewer than half of the times was asked for less often than the others:
    what is missing there was not looked for, and only a pause by its own measure cuts it.
    """
    known = [(at, float(value)) for at, value in zip(t, values, strict=True) if value is not None]
    sparse = 2 * len(known) < len(t)
    longest = _longest_pause([at for at, _ in known] if sparse else t)
    holes = [] if sparse else [at for at, value in zip(t, values, strict=True) if value is None]
    piece: list[Point] = []
    for at, value in known:
        if piece:
            before = piece[-1][0]
            hole = bisect_left(holes, before)
            cut = hole < len(holes) and holes[hole] < at
            if cut or at - before > longest:
                yield piece
                piece = []
        piece.append((at, value))
    if piece:
        yield piece


def thinned(piece: Sequence[Point], width: float, columns: int) -> list[Point]:
    """``piece`` with at most four points for each of ``columns`` of ``width`` seconds: no peak is lost."""
    if len(piece) <= 4 * columns or width <= 0:
        return list(piece)
    found: list[Point] = []
    first = piece[0][0]
    bucket: list[Point] = []
    column = 0
    for point in piece:
        here = int((point[0] - first) / width)
        if here != column and bucket:
            found += _corners(bucket)
            bucket, column = [], here
        bucket.append(point)
    return found + _corners(bucket)


def _corners(bucket: list[Point]) -> list[Point]:
    ends = [bucket[0], bucket[-1], min(bucket, key=lambda p: p[1]), max(bucket, key=lambda p: p[1])]
    return sorted(dict.fromkeys(ends))


def _longest_pause(t: Sequence[float]) -> float:
    distances = [b - a for a, b in pairwise(t)]
    return GAP * median(distances) if distances else 0.0


def _known(column: Sequence[int | None]) -> list[int]:
    return [value for value in column if value is not None]


def _span(samples: Samples, phases: Sequence[Phase]) -> Point:
    ends = [p.start + p.seconds for p in phases if p.start is not None]
    start = min(0.0, samples.t[0])
    return start, max(samples.t[-1], start + 1e-3, *ends) if ends else max(samples.t[-1], start + 1e-3)


def _axes(panel: _Panel, name: str, most: int) -> str:
    parts = []
    for size, label in byte_ticks(panel.top, most):
        y = panel.y(size)
        parts.append(
            element("line", class_="grid" if size else "base", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y)
        )
        parts.append(text(_LEFT - 8, y + 4, label, "tick", "end"))
    middle = f"translate(14 {number(panel.y0 - panel.height / 2)}) rotate(-90)"
    parts.append(element("text", name, class_="axis", text_anchor="middle", transform=middle))
    return "".join(parts)


def _series(
    panel: _Panel, t: Sequence[float], values: Sequence[int | None], class_: str, area: bool = True
) -> str:
    columns = int(_PLOT)
    parts = []
    for piece in pieces(t, values):
        points = thinned(piece, (panel.end - panel.start) / columns, columns)
        line = "L".join(f"{number(panel.x(at))} {number(panel.y(size))}" for at, size in points)
        if len(points) == 1:
            line += "h.01"  # a lone sample is a dot, by the round ends of the stroke
        if area:
            first, last = number(panel.x(points[0][0])), number(panel.x(points[-1][0]))
            floor = number(panel.y0)
            path = f"M{first} {floor}L{line}L{last} {floor}Z"
            parts.append(element("path", class_=f"under {class_}".strip(), d=path))
        parts.append(element("path", class_=f"curve {class_}".strip(), d=f"M{line}"))
    return "".join(parts)


def _name(panel: _Panel, t: Sequence[float], values: Sequence[int | None], name: str) -> str:
    """The name and the last value, where the curve ends."""
    at, last = next((at, v) for at, v in zip(reversed(t), reversed(values), strict=True) if v is not None)
    label = f"{name} {format_bytes(last)}"
    x = max(panel.x(at) - 4, _LEFT + 6 + width_of(label, _LABEL))
    return text(x, panel.y(last) - 5, label, "level-name curve-name", "end")


def _gaps(panels: Sequence[_Panel], t: Sequence[float]) -> str:
    longest = _longest_pause(t)
    parts = []
    for before, after in pairwise(t):
        if after - before > longest > 0:
            note = f"no samples from {before:.2f} s to {after:.2f} s"
            for panel in panels:
                x, width = panel.x(before), panel.x(after) - panel.x(before)
                parts.append(
                    element(
                        "rect", title(note), class_="gap", x=x, width=width, y=panel.y0 - panel.height,
                        height=panel.height,
                    )
                )  # fmt: skip
            if width_of("no samples", _LABEL) < width:
                parts.append(text(x + width / 2, panels[0].y0 - 8, "no samples", "axis", "middle"))
    return "".join(parts)


@dataclass(frozen=True)
class _Mark:
    """The name of a phase beside its mark: in which row, and whether to the left of it."""

    phase: Phase
    label: str
    x: float
    row: int
    left: bool


def _marks(samples: Samples, phases: Sequence[Phase]) -> list[_Mark]:
    """Names in as many rows as it takes for none to run into another or over the edge."""
    start, end = _span(samples, phases)
    ends: list[float] = []
    placed = []
    for phase in sorted((p for p in phases if p.start is not None), key=lambda p: p.start or 0.0):
        x = _LEFT + _PLOT * ((phase.start or 0.0) - start) / (end - start)
        label = f"{plain(phase.name, 32)} {format_seconds(phase.seconds)}"
        width = 14 + width_of(label, _LABEL)
        left = x + width > WIDTH
        first = x - width if left else x - 5
        row = next((n for n, taken in enumerate(ends) if taken <= first), len(ends))
        if row == len(ends):
            ends.append(0.0)
        ends[row] = x + (5 if left else width)
        placed.append(_Mark(phase, label, x, row, left))
    return placed


def _head(samples: Samples, phases: Sequence[Phase]) -> float:
    """Room for the names of the phases above the curve."""
    return 8.0 + _ROW * (1 + max((mark.row for mark in _marks(samples, phases)), default=-1))


def _bands(panels: Sequence[_Panel], phases: Sequence[Phase], head: float) -> str:
    """How long each phase took, behind everything else."""
    panel = panels[0]
    parts = []
    for phase in phases:
        if phase.start is not None:
            x = panel.x(phase.start)
            width = max(1.0, panel.x(phase.start + phase.seconds) - x)
            parts.append(
                element("rect", class_="band", x=x, y=head, width=width, height=panels[-1].y0 - head)
            )
    return "".join(parts)


def _markers(panels: Sequence[_Panel], phases: Sequence[Phase], samples: Samples) -> str:
    lines, names = [], []
    for mark in _marks(samples, phases):
        phase, x, y = mark.phase, mark.x, 12 + mark.row * _ROW
        note = (
            f"{phase.name}: {format_seconds(phase.seconds)}\n"
            f"resident before {format_bytes(phase.rss_before)}, "
            f"peak {format_bytes(phase.rss_peak)}, after {format_bytes(phase.rss_after)}"
        )
        lines.append(element("line", class_="marker-line", x1=x, x2=x, y1=y + 5, y2=panels[-1].y0))
        diamond = f"M{number(x)} {number(y - 9)}l5 5l-5 5l-5 -5Z"
        names.append(element("path", title(note), class_="marker", d=diamond))
        at, anchor = (x - 9, "end") if mark.left else (x + 9, None)
        names.append(text(at, y, mark.label, "level-name curve-name", anchor))
    return "".join(lines + names)


def _peaks(panel: _Panel, phases: Sequence[Phase]) -> str:
    """The peak of each phase as the kernel counted it: the samples may have missed it."""
    parts = []
    for phase in phases:
        if phase.start is None or phase.rss_peak is None:
            continue
        y = panel.y(phase.rss_peak)
        x0 = panel.x(phase.start)
        x1 = max(x0 + 6, panel.x(phase.start + phase.seconds))
        note = f"peak of {phase.name}: {format_bytes(phase.rss_peak)} ({format_exact(phase.rss_peak)})"
        parts.append(element("line", title(note), class_="peak", x1=x0, x2=x1, y1=y, y2=y))
    return "".join(parts)
