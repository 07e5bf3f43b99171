"""What a process will need: parts that add up, ranges that hold, reasons for all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenascope.domain.attribution import ARENA, DELEGATE, KERNELS, MODEL, PERSISTENT
from arenascope.domain.calibration import Calibration, Point, interior_bytes
from arenascope.domain.kernel_heap import (
    BLOCKS_A_THREAD,
    BLOCKS_AHEAD,
    POOL,
    SLICES,
    estimate,
    library,
    products,
)
from arenascope.domain.layout import Kind, MemoryLayout
from arenascope.domain.plan import Unknown
from arenascope.domain.prediction import Prediction, predict
from arenascope.domain.profiles import by_name
from arenascope.domain.provenance import Provenance
from arenascope.domain.ranges import Range, exactly, total
from arenascope.domain.touched import touched

from .layouts import graph_of, layout_of
from .predicting import BASELINE, BOARD, MIB, plan_of

CHAIN = [("RELU", [0], [1]), ("RELU", [1], [2])]
GRAPH = replace(graph_of(CHAIN, 3, [0], [2]), file_bytes=3 * MIB)
PAGE = 4096


def chain(size: int, gap: int = 0) -> MemoryLayout:
    return layout_of(
        CHAIN, {0: (0, size), 1: (size + gap, size), 2: (2 * (size + gap), size)}, inputs=[0], outputs=[2]
    )


sizes = st.integers(0, 2**40)
ranges = st.tuples(sizes, sizes, sizes).map(lambda three: Range(*sorted(three)))


@given(ranges, ranges)
def test_ranges_add_up_in_each_of_their_three_figures(one: Range, other: Range) -> None:
    both = one + other
    assert (both.low, both.likely, both.high) == (
        one.low + other.low,
        one.likely + other.likely,
        one.high + other.high,
    )
    assert total([one, other]) == both
    assert one.likely in one
    assert exactly(one.likely).width == 0


def test_a_range_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not a range"):
        Range(3, 2, 4)


def predicted(layout: MemoryLayout, **how: object) -> Prediction:
    return predict(plan_of(layout), GRAPH, BOARD, BASELINE, **how)  # type: ignore[arg-type]


@given(st.integers(1, 2**24).map(lambda n: 64 * n))
def test_the_peak_is_the_sum_of_its_parts_and_grows_with_the_arena(size: int) -> None:
    found = predicted(chain(size))
    assert found.peak == total(part.bytes for part in found.parts)
    arena = next(part for part in found.parts if part.part == ARENA)
    assert arena.bytes == exactly(3 * size)
    assert arena.provenance is Provenance.PLANNED
    assert all(part.reason.endswith(".") for part in found.parts)
    assert found.requests[0].bytes == max(3 * size + 128, GRAPH.file_bytes)
    assert found.mapped.low <= found.mapped.likely <= found.mapped.high
    assert found.peak.likely >= BASELINE.none.rss.likely + 3 * size


def test_without_a_baseline_the_guess_is_wide_and_says_so() -> None:
    guess = predict(plan_of(chain(4096)), GRAPH, BOARD)
    assert guess.parts[0].provenance is Provenance.ESTIMATED
    assert guess.peak.width > predicted(chain(4096)).peak.width
    assert BASELINE.none.rss.likely in guess.parts[0].bytes


def test_the_model_file_counts_between_its_constants_and_its_length() -> None:
    model = next(part for part in predicted(chain(64)).parts if part.part == MODEL)
    assert model.bytes.low == 0  # this graph has no constants
    assert model.bytes.likely == 3 * MIB


def test_pages_in_holes_are_not_counted() -> None:
    layout = chain(64 * PAGE, gap=10 * PAGE)
    assert layout.arenas[0].bytes == 3 * 64 * PAGE + 2 * 10 * PAGE
    assert touched(layout, Kind.ARENA_RW, PAGE) == (3 * 64 * PAGE, 3 * 64 * PAGE)
    close = chain(64 * PAGE, gap=64)  # a hole within a page saves none
    assert touched(close, Kind.ARENA_RW, PAGE) == (3 * 64 * PAGE + 128,) * 2


@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.integers(1, 500)).map(lambda p: (64 * p[0], 64 * p[1])),
        min_size=3,
        max_size=3,
    )
)
def test_touched_bytes_lie_between_the_largest_tensor_and_the_arena(places: list[tuple[int, int]]) -> None:
    layout = layout_of(CHAIN, dict(enumerate(places)), inputs=[0], outputs=[2])
    least, most = touched(layout, Kind.ARENA_RW, PAGE)
    assert least == most
    assert max(size for _, size in places) <= most <= layout.arenas[0].bytes


def test_scratch_that_a_kernel_may_leave_alone_makes_a_range() -> None:
    layout = layout_of(
        [("BATCH_MATMUL", [0, 1], [2])],
        {0: (0, 64), 1: (64, 64), 2: (128, 64), 3: (192, 6400)},
        inputs=[0, 1],
        outputs=[2],
        temporaries={0: [3]},
    )
    assert touched(layout, Kind.ARENA_RW, PAGE) == (192, 192 + 6400)


def test_an_arena_that_grows_is_there_twice_for_a_moment() -> None:
    once = predict(plan_of(chain(MIB)), GRAPH, BOARD, BASELINE)
    twice = predict(plan_of(chain(MIB), growth=2 * MIB), GRAPH, BOARD, BASELINE)
    assert twice.peak.likely - once.peak.likely == 2 * MIB
    assert any("replaced" in request.purpose for request in twice.requests)


def test_what_cannot_be_counted_is_said() -> None:
    plan = plan_of(chain(MIB))
    assert predict(plan, GRAPH, BOARD, BASELINE).notes == ()
    open_ = replace(plan, planned=replace(plan.planned, unknown=(Unknown(0, (1, 2), "values decide"),)))
    (note,) = predict(open_, GRAPH, BOARD, BASELINE).notes
    assert note.startswith("2 tensors are not counted")


def test_copies_of_a_program_stand_beside_the_peak() -> None:
    found = predicted(chain(MIB))
    assert [(p.part, p.bytes.likely) for p in found.beside] == [
        ("copy of the inputs", MIB),
        ("copy of the outputs", MIB),
    ]
    assert not {p.part for p in found.beside} & {p.part for p in found.parts}


def test_an_output_that_an_operator_reads_as_well_is_copied_too() -> None:
    both = replace(GRAPH, subgraphs=(replace(GRAPH.main, outputs=(1, 2)),))
    (_, outputs) = predict(plan_of(chain(MIB)), both, BOARD, BASELINE).beside
    assert outputs.bytes == Range(0, 2 * MIB, 2 * MIB)


def test_the_arena_is_asked_for_as_the_runtime_does_it() -> None:
    plan = replace(plan_of(chain(4 * MIB)), profile=by_name("litert-2.3"))
    assert predict(plan, GRAPH, BOARD, BASELINE).requests[0].bytes == 12 * MIB + 64


# ------------------------------------------------------------------------------------ kernels


def convolution(columns: int, dtype: str, *, threaded: bool = False) -> MemoryLayout:
    operators = [("CONV_2D", [0, 1, 2], [3])]
    layout = layout_of(
        operators,
        {0: (0, columns * 64), 3: (columns * 64, columns * 64), 4: (0, 4096)},
        inputs=[0],
        outputs=[3],
        temporaries={0: [4] if threaded else []},
        kinds={4: Kind.ARENA_RW_PERSISTENT} if threaded else {},
    )
    shapes = {0: (columns, 1, 1, 64), 1: (64, 3, 3, 64), 3: (columns, 1, 1, 64)}
    placements = tuple(
        replace(p, shape=shapes.get(p.index, p.shape), dtype="float32" if p.index == 4 else dtype)
        for p in layout.placements
        if p.index != 4 or threaded
    )
    return replace(layout, placements=placements)


def test_ruy_packs_both_operands_whole() -> None:
    layout = convolution(10_000, "int8")
    (product,) = products(layout)
    assert (product.rows, product.depth, product.columns) == (64, 576, 10_000)
    assert product.packed == 64 * 576 + 64 * 4 + 10_000 * 576 + 40_000
    heap = estimate(layout, "x86_64", None)
    assert heap.bytes.likely == product.packed
    assert heap.requests[0].bytes == product.packed  # kept as one block


@pytest.mark.parametrize(
    ("dtype", "machine", "threaded", "expected"),
    [
        ("int8", "x86_64", False, "ruy"),
        ("uint8", "armv7l", False, "block"),
        ("int8", "armv7l", False, "block"),
        ("int8", "aarch64", False, "ruy"),
        ("float32", "x86_64", False, "block"),
        ("float32", "aarch64", False, "ruy"),
        ("float32", "aarch64", True, "threads"),
    ],
)
def test_which_library_multiplies(dtype: str, machine: str, threaded: bool, expected: str) -> None:
    (product,) = products(convolution(10, dtype, threaded=threaded))
    assert library(product, machine) == expected


def test_threads_pack_a_small_product_whole_and_of_a_large_one_some_blocks() -> None:
    depth, block = SLICES["armv7l"]

    def taken(columns: int, threads: int | None = None) -> Range:
        return estimate(convolution(columns, "float32", threaded=True), "armv7l", threads).bytes

    few = POOL * BLOCKS_A_THREAD * block // (4 * depth)  # columns; the depth of 576 makes three slices
    assert taken(few // 2).likely == few // 2 * 4 * 2 * depth
    assert taken(few - 1).likely > taken(few + 1).likely
    asked = estimate(convolution(10**6, "float32", threaded=True), "armv7l", None).requests
    assert asked[0].bytes == (64 + 10**6) * 4 * 2 * depth
    assert taken(10**6).likely == BLOCKS_AHEAD * block == taken(10**7).likely
    assert taken(few - 1, 2).likely < taken(few - 1).likely
    whole = estimate(convolution(few + 1, "float32", threaded=True), "x86_64", None).bytes
    assert whole.likely > taken(few + 1).likely  # its caches are larger


@given(st.integers(1, 10**6), st.sampled_from(["int8", "uint8", "float32"]), st.booleans())
def test_what_kernels_take_is_a_range_on_every_machine(columns: int, dtype: str, threaded: bool) -> None:
    for machine in ("armv7l", "aarch64", "x86_64"):
        heap = estimate(convolution(columns, dtype, threaded=threaded), machine, None)
        assert heap.bytes.low <= heap.bytes.likely <= heap.bytes.high
        assert heap.reason


# ------------------------------------------------------------------------------------ delegates


def delegated(size: int) -> MemoryLayout:
    layout = chain(size)
    return replace(
        layout,
        placements=tuple(
            replace(p, kind=Kind.DELEGATE, offset=None) if p.index == 1 else p for p in layout.placements
        ),
    )


CALIBRATION = Calibration(Point(MIB, 5 * MIB), Point(11 * MIB, 25 * MIB), "two runs")


def test_a_calibration_is_a_line_through_its_points() -> None:
    for point in (CALIBRATION.first, CALIBRATION.second):
        assert CALIBRATION.at(point.interior).likely == point.taken
    assert CALIBRATION.at(21 * MIB).likely == 45 * MIB


@given(st.integers(0, 2**33), st.integers(0, 2**33))
def test_farther_from_its_points_a_calibration_is_less_sure(one: int, other: int) -> None:
    near, far = sorted((one, other))
    near, far = near + CALIBRATION.second.interior, far + CALIBRATION.second.interior
    assert CALIBRATION.at(near).likely <= CALIBRATION.at(far).likely
    assert (
        CALIBRATION.at(near).high - CALIBRATION.at(near).low
        <= CALIBRATION.at(far).high - CALIBRATION.at(far).low + 2
    )


def test_with_a_calibration_the_delegate_is_known_closely_and_without_widely() -> None:
    layout = delegated(11 * MIB)
    assert interior_bytes(layout) == 11 * MIB
    close, wide = predicted(layout, calibration=CALIBRATION), predicted(layout)
    assert wide.guessed and not close.guessed

    def part(found: Prediction) -> Range:
        return next(p.bytes for p in found.parts if p.part == DELEGATE)

    assert part(close).likely == 25 * MIB
    assert part(wide).width > part(close).width
    # What the runtime's own kernels took is in the measured points.
    assert KERNELS not in {p.part for p in close.parts}
    assert KERNELS in {p.part for p in wide.parts}
    assert PERSISTENT not in {p.part for p in close.parts}


def test_what_a_delegate_asks_for_in_one_piece_leaves_its_packed_weights_out() -> None:
    inside = 100 * MIB
    assert CALIBRATION.workspace(inside) < 2 * inside <= CALIBRATION.at(inside).likely
    assert CALIBRATION.workspace(inside) >= 1.9 * inside
    assert Calibration(Point(MIB, 5), Point(MIB, 7), "one run").workspace(inside) == 0
