"""One arena of the runtime: where the next tensor goes, beside those that are alive at the same time.

The rule is the runtime's (tflite-memory.md §2.4): the best-fitting gap between tensors whose steps overlap
with those of the new one, else behind the last of them. Only tensors that overlap in time are ever looked
at, so placing many tensors with short lives takes n log n.
"""

from __future__ import annotations

from bisect import insort

ALIGNMENT = 64  #: of every offset, and of the arena itself

Block = tuple[int, int]  #: offset, end


def aligned(offset: int) -> int:
    return (offset + ALIGNMENT - 1) & -ALIGNMENT


class Arena:
    """An arena in the making, for a plan of ``steps`` steps. ``bytes`` is its high-water mark."""

    def __init__(self, steps: int) -> None:
        self._steps = max(steps, 1)
        #: A segment tree over the steps: a block is in the few nodes that cover its steps exactly, and
        #: whatever is alive at a step is on the way from its leaf to the root.
        self._alive: list[list[Block]] = [[] for _ in range(2 * self._steps)]
        self._starting: list[list[Block]] = [[] for _ in range(self._steps)]
        self._kept: list[tuple[int, Block]] = []  #: (first step, block) of what is never given up
        self._kept_solid: list[Block] = []  #: the same, with neighbours joined
        self.bytes = 0

    def place(self, size: int, first: int, last: int | None) -> int:
        """The offset of a tensor of ``size`` bytes from step ``first`` to ``last``; None: to the end."""
        blocks = self._overlapping(first, last)
        blocks.sort()
        offset = _best_gap(blocks, size)
        self._add((offset, offset + size), first, last)
        self.bytes = max(self.bytes, offset + size)
        return offset

    def _overlapping(self, first: int, last: int | None) -> list[Block]:
        if last is None:
            blocks = self._kept_solid.copy()
            last = self._steps - 1
        else:
            blocks = [block for start, block in self._kept if start <= last]
        node = first + self._steps
        while node:
            blocks += self._alive[node]
            node >>= 1
        for starting in self._starting[first + 1 : last + 1]:
            blocks += starting
        return blocks

    def _add(self, block: Block, first: int, last: int | None) -> None:
        if last is None:
            self._kept.append((first, block))
            self._join(block)
            return
        self._starting[first].append(block)
        low, high = first + self._steps, last + 1 + self._steps
        while low < high:
            if low & 1:
                self._alive[low].append(block)
                low += 1
            if high & 1:
                high -= 1
                self._alive[high].append(block)
            low >>= 1
            high >>= 1

    def _join(self, block: Block) -> None:
        """No tensor fits between blocks that only alignment keeps apart."""
        solid = self._kept_solid
        insort(solid, block)
        at = solid.index(block)
        for left in (at, at - 1):
            if 0 <= left < len(solid) - 1 and aligned(solid[left][1]) >= solid[left + 1][0]:
                solid[left : left + 2] = [(solid[left][0], max(solid[left][1], solid[left + 1][1]))]


def _best_gap(blocks: list[Block], size: int) -> int:
    best: int | None = None
    fit = 0
    end = 0
    for offset, block_end in blocks:
        start = (end + ALIGNMENT - 1) & -ALIGNMENT  # aligned(), which would be called for every block
        # What is compared is the gap behind the alignment, what is kept is the whole gap: the runtime's way.
        if start + size <= offset and (best is None or offset - start < fit):
            best, fit = start, offset - end
            if not fit:
                break
        if block_end > end:
            end = block_end
    return aligned(end) if best is None else best
