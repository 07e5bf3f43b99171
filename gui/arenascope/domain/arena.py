"""One arena of the runtime: where the next tensor goes, beside those that are alive at the same time.

The rule is the runtime's (tflite-memory.md §2.4): the best-fitting gap between tensors whose steps overlap
with those of the new one, else behind the last of them. Only tensors that overlap in time are ever looked
at, so placing many tensors with short lives takes n log n.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

ALIGNMENT = 64  #: of every offset, and of the arena itself

Block = tuple[int, int]  #: offset, end


class Arena:
    """An arena in the making, for a plan of ``steps`` steps. ``bytes`` is its high-water mark."""

    def __init__(self, steps: int) -> None:
        self._end = max(steps, 1) - 1
        self._passing = _Passing(self._end + 1)
        self._kept = _Kept(self._end + 1)
        self.bytes = 0

    def place(self, size: int, first: int, last: int | None) -> int:
        """The offset of a tensor of ``size`` bytes from step ``first`` to ``last``; None: to the end."""
        until = self._end if last is None else last
        blocks = self._kept.until(until)
        blocks += self._passing.between(first, until)
        blocks.sort()
        offset = _best_gap(blocks, size)
        block = (offset, offset + size)
        if last is None:
            self._kept.add(block, first)
        else:
            self._passing.add(block, first, last)
        self.bytes = max(self.bytes, offset + size)
        return offset


class _Passing:
    """Blocks that are given up: found by a segment tree over the steps, and by the step they start at."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        #: Node i covers the steps of 2i and 2i + 1, the leaves are the steps. A block lies in the few nodes
        #: that cover its steps exactly; what is alive at a step lies between its leaf and the root.
        self._alive: list[list[Block]] = [[] for _ in range(2 * steps)]
        self._starts: list[int] = []
        self._started: list[Block] = []  #: in the order of ``_starts``

    def between(self, first: int, last: int) -> list[Block]:
        begin = bisect_right(self._starts, first)
        blocks = self._started[begin : bisect_right(self._starts, last, begin)]
        node = first + self._steps
        while node:
            blocks += self._alive[node]
            node >>= 1
        return blocks

    def add(self, block: Block, first: int, last: int) -> None:
        at = bisect_right(self._starts, first)
        self._starts.insert(at, first)
        self._started.insert(at, block)
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


class _Kept:
    """Blocks that are never given up. No tensor fits between two that only alignment keeps apart, so for
    every few steps there is one list of all that have begun by then, with such neighbours joined."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._span = max(16, steps // 32)
        groups = -(-steps // self._span)
        self._begun: list[list[tuple[int, Block]]] = [[] for _ in range(groups)]
        self._joined: list[list[Block]] = [[] for _ in range(groups)]

    def until(self, last: int) -> list[Block]:
        if last + 1 >= self._steps:
            return self._joined[-1].copy()
        group = (last + 1) // self._span
        blocks = self._joined[group - 1].copy() if group else []
        blocks += [block for first, block in self._begun[group] if first <= last]
        return blocks

    def add(self, block: Block, first: int) -> None:
        group = first // self._span
        self._begun[group].append((first, block))
        for joined in self._joined[group:]:
            _join(joined, block)


def _join(blocks: list[Block], block: Block) -> None:
    start, end = block
    at = after = bisect_left(blocks, block)
    if at and aligned(blocks[at - 1][1]) >= start:
        at -= 1
        start, end = blocks[at][0], max(end, blocks[at][1])
    if after < len(blocks) and aligned(end) >= blocks[after][0]:
        end = max(end, blocks[after][1])
        after += 1
    blocks[at:after] = [(start, end)]


def aligned(offset: int) -> int:
    return (offset + ALIGNMENT - 1) & -ALIGNMENT


def _best_gap(blocks: list[Block], size: int) -> int:
    best: int | None = None
    fit = 0
    end = 0
    for offset, block_end in blocks:
        start = (end + ALIGNMENT - 1) & -ALIGNMENT  # aligned(); a call for every block is what takes time
        # What is compared is the gap behind the alignment, what is kept is the whole gap: the runtime's way.
        if start + size <= offset and (best is None or offset - start < fit):
            best, fit = start, offset - end
            if not fit:
                break
        if block_end > end:
            end = block_end
    return aligned(end) if best is None else best
