"""What a delegate takes for itself, learned from two small runs on the device.

A delegate keeps packed weights, which do not change with the input, and a workspace that grows with the
tensors inside its partitions. So what it holds is a line over the bytes of those tensors, through the two
points that were measured. Both are of the same model, runtime, threads and delegate.
"""

from __future__ import annotations

from dataclasses import dataclass

from .layout import Kind, MemoryLayout
from .ranges import Range

#: What a measured peak may be off, by the kernel's own way of counting and by the pages of libraries.
NOISE = 512 * 1024
#: A workspace is cut into blocks that are rounded up; seen to stay within a hundredth of the line.
SLOPE = 0.03


@dataclass(frozen=True, slots=True)
class Point:
    """``interior``: bytes of all tensors inside partitions; ``taken``: what the process held at its peak
    beyond what is known without a delegate."""

    interior: int
    taken: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """``first`` is the smaller one. ``source``: 'runs with batch 1 and 16 on pi4'."""

    first: Point
    second: Point
    source: str

    def at(self, interior: int) -> Range:
        """What the delegate will hold with so many bytes inside its partitions."""
        rise, run = self.second.taken - self.first.taken, self.second.interior - self.first.interior
        if run <= 0:  # two runs of one size tell only the level
            likely = max(self.first.taken, self.second.taken)
            return Range(max(0, likely - NOISE), likely, likely + NOISE)
        slope = max(0.0, rise / run)
        beyond = interior - self.second.interior
        likely = max(0, round(self.second.taken + slope * beyond))
        # The error of the slope is that of the two points, spread over the distance between them.
        spread = NOISE + abs(beyond) * (NOISE / run / 4 + SLOPE * slope)
        return Range(max(0, round(likely - spread)), likely, round(likely + spread))

    def workspace(self, interior: int) -> int:
        """What of it is at least one piece: what grows with the tensors inside. Packed weights are many."""
        rise, run = self.second.taken - self.first.taken, self.second.interior - self.first.interior
        return round(max(0.0, rise / run) * (1 - SLOPE) * interior) if run > 0 else 0


def interior_bytes(layout: MemoryLayout) -> int:
    """Bytes of all tensors that only a delegate sees; of one whose size is not known nothing."""
    return sum(p.bytes or 0 for p in layout.placements if p.kind is Kind.DELEGATE)
