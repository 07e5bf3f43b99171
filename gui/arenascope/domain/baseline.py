"""What a process holds on a board before any model counts: Python, NumPy, the runtime and its code.

Measured once by inspecting small models, and kept: it belongs to a kernel, a Python, a NumPy and a runtime,
not to one board, so that two boards with the same system share it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass

from .attribution import ARENA, DELEGATE, DYNAMIC, MODEL, PERSISTENT, PYTHON, RUNTIME, UNEXPLAINED
from .board import AddressSpace, Board
from .capture import Capture
from .ranges import Range

#: Two runs of one model differ by this much: the kernel maps a library's pages in groups, and which of
#: them are in its cache changes (seen: 0.3 MiB either way on 32 bits, 0.4 MiB on 64 bits).
NOISE = 512 * 1024


@dataclass(frozen=True, slots=True)
class Identity:
    """To what a baseline belongs."""

    machine: str | None
    bits: int | None
    kernel: str | None
    page_size: int | None
    python: str | None
    numpy: str | None
    runtime: str | None
    runtime_version: str | None

    @property
    def complete(self) -> bool:
        """Whether all of it is known: a board that was not asked for its runtime has no identity."""
        return None not in astuple(self)


def identity(board: Board) -> Identity:
    return Identity(
        board.machine, board.bits, board.kernel, board.page_size,
        board.python, board.numpy, board.runtime, board.runtime_version,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Base:
    """Of runs with one delegate setting. ``rss``: Python, NumPy and the runtime, its kernels' code and its
    records of a small model in it; ``files``: what of that is pages of files, which the kernel can drop;
    ``heap``: what the kernels of a small model took for themselves beyond the arenas."""

    rss: Range
    files: int
    heap: Range


@dataclass(frozen=True, slots=True)
class Baseline:
    """``default``: with the runtime's default delegate; the same as ``none`` where it has none.
    ``delegates``: whether that delegate took any operator. ``space``: of a process with the runtime loaded.
    """

    identity: Identity
    none: Base
    default: Base
    delegates: bool
    space: AddressSpace

    def of(self, delegate: str) -> Base:
        return self.none if delegate == "none" else self.default


def base(captures: Iterable[Capture]) -> Base | None:
    """From runs of small models; None where none of them came to its end or had its memory read."""
    taken = [c for c in captures if c.outcome.ok and c.attribution and c.totals.process_peak is not None]
    if not taken:
        return None
    sizes = [_sum(c, PYTHON, RUNTIME) for c in taken]
    files = [p.file_after for c in taken for p in c.phases if p.name == "invoke_first"]
    # What a delegate or the kernels of these models took is theirs: small, and said with its range.
    heaps = [_own(c) for c in taken]
    return Base(
        rss=Range(max(0, min(sizes) - NOISE), sum(sizes) // len(sizes), max(sizes) + NOISE),
        files=min((f for f in files if f is not None), default=0),
        heap=Range(min(heaps), sum(heaps) // len(heaps), max(heaps)),
    )


def _own(capture: Capture) -> int:
    known = _sum(capture, PYTHON, RUNTIME, MODEL, ARENA, PERSISTENT, DYNAMIC)
    if any(p.part == DELEGATE and p.bytes for p in capture.attribution):
        return 0
    return max(0, min((capture.totals.process_peak or 0) - known, _sum(capture, UNEXPLAINED)))


def _sum(capture: Capture, *names: str) -> int:
    return sum(p.bytes for p in capture.attribution if p.part in names)
