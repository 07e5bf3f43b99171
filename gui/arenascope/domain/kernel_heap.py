"""What kernels allocate for themselves while they run, beside every arena.

Matrix products copy ("pack") their operands into an order that suits the CPU. Three libraries do that, in
three ways; which one is used depends on the machine, the type and the number of threads:

* ruy packs both matrices whole, in a scratch block that it keeps and lets grow: a product that does not fit
  gets new blocks, and the old one is replaced by one of both sizes afterwards. That is followed here.
* Eigen with threads packs blocks of the size of a cache for each thread, or, where there are few blocks,
  the whole matrix. How many blocks there are follows from the CPU's caches: a range.
* Eigen with one thread and gemmlowp pack one block of the size of a cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from .layout import Kind, MemoryLayout, PlacedOperator
from .ranges import NOTHING, Range, Request

MIB = 1024 * 1024
#: Machine → depth of a slice, and bytes of a block, as Eigen derives them from the CPU's caches. On ARM it
#: assumes 16 KiB and 512 KiB; x86 is asked, and 1 MiB of second level is taken for granted here.
SLICES = {"armv7l": (248, 124 * 1024), "aarch64": (248, 124 * 1024)}
SLICES_ELSEWHERE = (320, 248 * 1024)
#: Of a product with many blocks so many are there at a time: in one slice for each thread, in several more,
#: because a thread that is ahead packs into what all of them share.
BLOCKS_OF_A_THREAD, BLOCKS_AHEAD = 2, 28
#: Threads that the runtime's pool has where no number was asked for.
POOL = 4
#: Eigen packs a slice whole where it has fewer blocks than this for each thread.
BLOCKS_A_THREAD = 8
_EIGHT_BITS = ("int8", "uint8")
_ALIGNMENT = 64
_COLUMNS, _DEPTH = 16, 4  # of the blocks that ruy rounds up to


@dataclass(frozen=True, slots=True)
class Product:
    """A matrix product that a kernel makes: weights of rows x depth by an input of depth x columns."""

    operator: PlacedOperator
    rows: int
    depth: int
    columns: int
    dtype: str
    threaded: bool  #: by Eigen's pool of threads

    @property
    def item(self) -> int:
        return 1 if self.dtype in _EIGHT_BITS else 4

    @property
    def packed(self) -> int:
        """Bytes of both matrices, packed whole."""
        return sum(self.blocks)

    @property
    def blocks(self) -> tuple[int, ...]:
        """The blocks that ruy asks for: each matrix, and for 8 bits the sums of its columns."""
        depth = _up(self.depth, _DEPTH) * self.item
        sums = 4 if self.item == 1 else 0
        return tuple(
            _up(size, _ALIGNMENT)
            for side in (self.rows, self.columns)
            for size in (_up(side, _COLUMNS) * depth, side * sums)
            if size
        )


@dataclass(frozen=True, slots=True)
class KernelHeap:
    bytes: Range
    requests: tuple[Request, ...]
    reason: str


def products(layout: MemoryLayout) -> Iterator[Product]:
    """Those of the operators that the runtime's own kernels run, in the order of the plan."""
    for subgraph in layout.subgraphs:
        for operator in layout.plan(subgraph):
            found = _product(layout, operator)
            if found is not None:
                yield found


def multiply_adds(layout: MemoryLayout) -> int:
    """Of all matrix products of one invoke, those inside a delegate included: most of its work."""
    found = (_product(layout, operator) for operator in layout.operators if not operator.is_delegate)
    return sum(p.rows * p.depth * p.columns for p in found if p is not None)


def estimate(layout: MemoryLayout, machine: str, threads: int | None) -> KernelHeap:
    """``threads`` None: the runtime's own default."""
    by_library: dict[str, list[Product]] = {"ruy": [], "threads": [], "block": []}
    for product in products(layout):
        by_library[library(product, machine)].append(product)
    parts, requests, words = [], [], []
    if by_library["ruy"]:
        resident, size, largest = _ruy([p for p in by_library["ruy"] if p.columns > 1])
        # A product with one column is a vector: most kernels for it read the weights where they lie.
        with_vectors = max(resident, _ruy(by_library["ruy"])[0])
        # A block that was given back may still be the process's: glibc keeps what it thinks it needs again.
        high = max(with_vectors, min(size, int(1.25 * resident)))
        parts.append(Range(int(0.9 * resident), resident, high))
        if largest:
            requests.append(Request(largest, "the packed operands of a matrix product"))
        words.append(f"ruy packs the operands of {len(by_library['ruy'])} matrix products whole")
    if by_library["threads"]:
        pool = threads if threads is not None and threads > 1 else POOL
        depth, block = SLICES.get(machine, SLICES_ELSEWHERE)
        parts.append(_threaded(by_library["threads"], pool, depth, block))
        # All blocks of two slices are asked for in one piece, whether or not they are used.
        whole = max((p.rows + p.columns) * p.item * min(p.depth, 2 * depth) for p in by_library["threads"])
        requests.append(Request(whole, "the packed operands of a convolution", unchecked=True))
        words.append(f"convolutions on {pool} threads pack blocks for each")
    if by_library["block"]:
        whole = max(p.packed for p in by_library["block"])
        parts.append(Range(0, min(whole, MIB // 2), min(2 * whole, 2 * MIB)))
        words.append("matrix products pack a block at a time")
    total = NOTHING
    for part in parts:
        total = total + part
    return KernelHeap(total, tuple(requests), "; ".join(words))


def library(product: Product, machine: str) -> str:
    """'ruy', 'threads' (Eigen's pool) or 'block' (Eigen on one thread, gemmlowp)."""
    if product.threaded:
        return "threads"
    if product.item == 1:
        return "block" if machine == "armv7l" else "ruy"  # wheels for 32-bit ARM are built without ruy
    return "ruy" if machine == "aarch64" else "block"


def _product(layout: MemoryLayout, operator: PlacedOperator) -> Product | None:
    if operator.name not in ("CONV_2D", "FULLY_CONNECTED") or len(operator.inputs) < 2:
        return None
    place = layout.by_key
    source, weights, result = (
        place.get((operator.subgraph, index)) for index in (*operator.inputs[:2], *operator.outputs[:1])
    )
    if not (source and weights and result and weights.shape and result.shape):
        return None
    rows = weights.shape[0]
    count = prod(result.shape)
    if not rows or not count:
        return None
    threaded = operator.name == "CONV_2D" and any(
        scratch is not None and scratch.kind is Kind.ARENA_RW_PERSISTENT and scratch.dtype == "float32"
        for index in operator.temporaries or ()
        for scratch in [place.get((operator.subgraph, index))]
    )
    return Product(
        operator, rows, prod(weights.shape[1:]), count // rows, source.dtype,
        threaded and source.dtype == "float32",
    )  # fmt: skip


def _threaded(found: list[Product], pool: int, depth: int, block: int) -> Range:
    """The depth is cut into slices, of which two are there at a time, and each into blocks. A slice of few
    blocks is packed whole; of one with more, some blocks are there at a time."""
    likely = largest = 0
    for product in found:
        row = product.columns * product.item
        one = row * min(product.depth, depth)
        if one < pool * BLOCKS_A_THREAD * block:
            taken = row * min(product.depth, 2 * depth)
        elif product.depth <= depth:
            taken = BLOCKS_OF_A_THREAD * pool * block
        else:
            taken = min(one, BLOCKS_AHEAD * block)
        likely = max(likely, taken)
        largest = max(largest, product.packed)
    return Range(likely // 2, likely, max(likely, min(2 * largest, likely + BLOCKS_AHEAD * block)))


def _ruy(found: list[Product]) -> tuple[int, int, int]:
    """(most bytes resident at once, bytes of the block kept at the end, largest single block)."""
    size = written = most = largest = 0
    for product in found:
        used = beside = 0
        for block in product.blocks:
            if used + block <= size:
                used += block
                written = max(written, used)
            else:
                beside += block
                largest = max(largest, block)
        most = max(most, written + beside)
        if beside:  # replaced by a block of both sizes, of which nothing is written yet
            size += beside
            written = 0
            largest = max(largest, size)
    return most, size, largest


def _up(count: int, step: int) -> int:
    return -(-count // step) * step
