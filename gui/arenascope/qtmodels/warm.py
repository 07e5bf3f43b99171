"""Derives from a capture what the views will ask for, on the thread that brings it.

The results are kept with the layout (``domain.memo``), so that showing ten thousand tensors does not hold
the window up.
"""

from __future__ import annotations

from ..domain.capture import Capture
from ..domain.figures import header_figures, what_makes_the_peak
from ..domain.overlaps import find_overlaps
from .arena_blocks import ArenaBlocks


def warmed(capture: Capture) -> Capture:
    """The same capture."""
    layout = capture.layout
    header_figures(capture)
    find_overlaps(layout)
    for arena in layout.arenas:
        ArenaBlocks.of(layout, arena.subgraph, arena.kind)
    for subgraph in layout.subgraphs:
        what_makes_the_peak(capture, subgraph)
    return capture
