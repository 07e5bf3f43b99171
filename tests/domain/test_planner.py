"""What a plan says, in the cases that a naive one gets wrong (tflite-memory.md §9). Sizes, kinds and, where
it is asked to say so, places are the real runtime's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenascope.domain import planner, profiles
from arenascope.domain.graph import Graph, Operator, Subgraph, Tensor
from arenascope.domain.layout import ARENA_KINDS, Kind, MemoryLayout, Placement
from arenascope.domain.overlaps import find_overlaps
from arenascope.domain.plan import Planned
from arenascope.domain.reading import RawNode, RawSubgraph, RawTensor
from arenascope.domain.shapes import Delegation, Shapes
from tests.data.builder import GraphBuilder, ModelBuilder, options
from tests.support.models import own
from tests.support.planning_models import planned
from tests.support.real_runtime import RealRuntime

Node = tuple[str, list[int], list[int]]


def model_of(
    operators: list[Node],
    sizes: list[int],
    inputs: list[int],
    outputs: list[int],
    constants: tuple[int, ...] = (),
) -> tuple[Graph, Shapes]:
    """A model of float vectors with these bytes; a size of 0 is a tensor without an element."""
    tensors = tuple(
        RawTensor(
            i, f"t{i}", "float32", (size // 4,), size, Kind.MMAP_RO if i in constants else Kind.ARENA_RW, None
        )
        for i, size in enumerate(sizes)
    )
    described = Subgraph(
        0,
        "main",
        tuple(Tensor(t.index, t.name, t.dtype, t.shape or (), None, 0, 0, False) for t in tensors),
        tuple(Operator(i, name, tuple(read), tuple(made)) for i, (name, read, made) in enumerate(operators)),
        tuple(inputs),
        tuple(outputs),
    )
    nodes = tuple(RawNode(o.index, o.name, o.inputs, o.outputs, (), False) for o in described.operators)
    raw = RawSubgraph(0, "", "", described.inputs, described.outputs, (), tensors, nodes, None)
    return Graph("small", "", 1, (described,)), Shapes("", {}, (raw,))


def plan_of(model: tuple[Graph, Shapes], profile: str = "litert-2.3", **asked: bool) -> MemoryLayout:
    return planner.plan(*model, profiles.by_name(profile), machine="x86_64", threads=None, **asked).layout


def offsets(layout: MemoryLayout, subgraph: int = 0) -> dict[int, int | None]:
    return {p.index: p.offset for p in layout.placements if p.subgraph == subgraph}


def by_name(layout: MemoryLayout, name: str) -> Placement:
    return next(p for p in layout.placements if p.name == name)


def size(layout: MemoryLayout, kind: Kind = Kind.ARENA_RW, subgraph: int = 0) -> int:
    arena = layout.arena(subgraph, kind)
    return arena.bytes if arena else 0


@pytest.fixture(scope="module")
def runtime() -> Iterator[RealRuntime]:
    with RealRuntime() as process:
        yield process


@pytest.fixture
def plan_real(runtime: RealRuntime, tmp_path: Path) -> Callable[..., Planned]:
    """The plan of a model that is being built, from the shapes of the real runtime."""

    def make(model: ModelBuilder | Path, **asked: object) -> Planned:
        content = model.read_bytes() if isinstance(model, Path) else model.build()
        return planned(content, tmp_path, runtime, **asked)[1]

    return make


# ------------------------------------------------------------------------------------- the ten cases


@pytest.mark.parametrize(
    ("parts", "profile", "expected"),
    [
        (5, "tflite-2.10", [0, 1, 2, 3, 4]),  # the lowest number lies lowest
        (5, "tflite-2.11", [4, 3, 2, 1, 0]),  # the hash set turns them round
        (5, "litert-2.3", [4, 3, 2, 1, 0]),
    ],
)
def test_1_equal_outputs_of_one_operator(parts: int, profile: str, expected: list[int]) -> None:
    made = list(range(2, 2 + parts))
    split = ("SPLIT", [0, 1], made)
    model = model_of(
        [split, ("CONCATENATION", made, [2 + parts])], [4, 640, *[64] * parts, 640], [1], [2 + parts], (0,)
    )
    found = offsets(plan_of(model, profile))
    low = min(found[t] or 0 for t in made)
    assert sorted(range(parts), key=lambda i: found[made[i]] or 0) == expected
    assert [((found[made[i]] or 0) - low) // 64 for i in expected] == list(range(parts))


def chain() -> tuple[Graph, Shapes]:
    """RESHAPE, ADD, SOFTMAX, each read once; neither first nor last of the model."""
    return model_of(
        [("ABS", [0], [1]), ("RESHAPE", [1], [2]), ("ADD", [2, 5], [3]), ("SOFTMAX", [3], [4]), ("ABS", [4], [6])],
        [64, 64, 64, 64, 64, 64, 64], [0], [6], (5,),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "places"),
    [("tflite-2.11", 4), ("tflite-2.12", 3), ("tflite-2.13", 3), ("tflite-2.14", 1), ("litert-1.2", 1)],
)
def test_2_what_shares_memory_by_version(profile: str, places: int) -> None:
    layout = plan_of(chain(), profile)
    between = {t: layout.by_key[(0, t)].offset for t in (1, 2, 3, 4)}
    shared = sum(between[a] == between[b] for a, b in ((1, 2), (2, 3), (3, 4)))
    assert shared == 4 - places


@pytest.mark.parametrize(
    "operators",
    [
        [("ADD", [0, 5], [1]), ("ABS", [1], [6])],  # a graph input
        [("ABS", [0], [1]), ("ADD", [1, 5], [6])],  # a graph output
        [("ABS", [0], [1]), ("ADD", [1, 1], [2]), ("ABS", [2], [6])],  # read twice by one operator
        [("ABS", [0], [1]), ("ADD", [1, 5], [2]), ("ADD", [1, 2], [6])],  # read by another one
        [("ABS", [0], [1]), ("TANH", [1], [2]), ("ABS", [2], [6])],  # an operator that never does
    ],
)
def test_2_what_never_shares_memory(operators: list[Node]) -> None:
    layout = plan_of(model_of(operators, [64] * 7, [0], [6], (5,)))
    for name, read, made in operators:
        assert layout.by_key[(0, read[0])].offset != layout.by_key[(0, made[0])].offset, name


def test_2_four_bytes_are_not_shared_and_a_broadcast_neither() -> None:
    tiny = model_of([("ABS", [0], [1]), ("ADD", [1, 3], [2]), ("ABS", [2], [4])], [4] * 5, [0], [4], (3,))
    assert offsets(plan_of(tiny))[1] != offsets(plan_of(tiny))[2]
    wide = model_of(
        [("ABS", [0], [1]), ("ADD", [1, 3], [2]), ("ABS", [2], [4])], [64, 64, 128, 128, 128], [0], [4], (3,)
    )
    assert offsets(plan_of(wide))[1] != offsets(plan_of(wide))[2]


def test_3_the_runtimes_own_error_is_repeated_and_found() -> None:
    """Z = RESHAPE and ADD of X, U = RESHAPE and ADD of Z, in one place; Z is read once more: too late."""
    model = model_of(
        [
            ("ABS", [0], [1]), ("RESHAPE", [1], [2]), ("ADD", [2, 8], [3]),
            ("RESHAPE", [3], [4]), ("ADD", [4, 8], [5]), ("SUB", [3, 5], [6]), ("ABS", [6], [7]),
        ],
        [64] * 9, [0], [7], (8,),
    )  # fmt: skip
    found = offsets(plan_of(model))
    assert found[3] == found[5]
    assert [(o.first, o.second) for o in find_overlaps(plan_of(model))] == [((0, 3), (0, 5))]
    assert find_overlaps(plan_of(model, "tflite-2.11")) == ()


def test_4_what_is_decided_at_the_first_allocate_stays() -> None:
    """ABS, ADD with a row of 100, three times ABS: 912 bytes for a batch of one, 1,360 after another."""
    operators: list[Node] = [("ABS", [0], [1]), ("ADD", [1, 7], [2])]
    operators += [("ABS", [2 + i], [3 + i]) for i in range(3)]
    large = model_of(operators, [400] * 6 + [400, 400], [0], [5], (7,))
    small = model_of(operators, [4, 4] + [400] * 5 + [400], [0], [5], (7,))
    profile = profiles.by_name("litert-2.3")
    new = planner.plan(*small, profile, machine="x86_64", threads=None)
    again = planner.plan(*small, profile, machine="x86_64", threads=None, planned_with=large[1])
    assert (size(new.layout), size(again.layout)) == (912, 1360)
    assert new.growth == 0
    assert again.growth == size(plan_of(large)) == 1296


@pytest.mark.parametrize(
    ("profile", "shared"), [("tflite-2.11", False), ("tflite-2.14", True), ("litert-2.3", False)]
)
def test_5_what_is_preserved_is_overwritten_all_the_same(profile: str, shared: bool) -> None:
    layout = plan_of(chain(), profile, preserve_all=True)
    assert (layout.by_key[(0, 1)].offset == layout.by_key[(0, 2)].offset) == shared
    assert all(p.last_op is None for p in layout.placements)


def conv(size: int, kernel: int) -> ModelBuilder:
    model = ModelBuilder("one convolution")
    graph = model.subgraph("main")
    x = graph.input("x", [1, size, size, 4])
    weights = graph.constant("w", np.ones((8, kernel, kernel, 4), np.float32))
    bias = graph.constant("b", np.ones(8, np.float32))
    table = options("Conv2D", strideH=1, strideW=1, dilationHFactor=1, dilationWFactor=1)
    graph.output(graph.op("CONV_2D", [x, weights, bias], ("y", [1, size, size, 8]), options=table))
    return model


@pytest.mark.parametrize(
    ("profile", "threads", "kernel", "kind", "bytes_"),
    [
        ("tflite-2.14", None, 3, Kind.ARENA_RW_PERSISTENT, 3 * 3 * 4 * 8 * 4),  # the weights, transposed
        ("litert-2.3", None, 3, Kind.ARENA_RW, 16 * 16 * 3 * 3 * 4 * 4),  # the image, spread
        ("litert-2.3", 2, 3, Kind.ARENA_RW_PERSISTENT, 3 * 3 * 4 * 8 * 4),
        ("litert-2.3", 1, 1, None, 0),
    ],
)
def test_6_scratch_memory_of_a_convolution(
    profile: str,
    threads: int | None,
    kernel: int,
    kind: Kind | None,
    bytes_: int,
    plan_real: Callable[..., Planned],
) -> None:
    layout = plan_real(conv(16, kernel), profile=profile, threads=threads).layout
    scratch = [p for p in layout.placements if p.temporary and p.in_arena]
    assert [(p.kind, p.bytes) for p in scratch] == ([(kind, bytes_)] if kind else [])


def test_7_weights_of_half_precision_fill_the_persistent_arena(plan_real: Callable[..., Planned]) -> None:
    layout = plan_real(own("fp16_weights.tflite")).layout
    assert size(layout, Kind.ARENA_RW_PERSISTENT) == 2 * 32 * 32 * 4


def test_8_what_only_a_run_shows_is_not_guessed(plan_real: Callable[..., Planned]) -> None:
    found = plan_real(own("dynamic_where.tflite"))
    (unknown,) = found.unknown
    assert {found.layout.by_key[(0, t)].name for t in unknown.tensors} == {"places", "as_float", "y"}
    assert (
        unknown.reason
        == "WHERE at step 1 takes the size of its output from the values of “positive”, which only a run computes."
    )
    assert by_name(found.layout, "places").bytes is None
    assert by_name(found.layout, "y").offset is None
    assert by_name(found.layout, "positive").offset == 128


def open_batch() -> ModelBuilder:
    """A RESHAPE whose shape is computed from a shape, then more than was there before."""
    model = ModelBuilder("a batch that is left open")
    graph: GraphBuilder = model.subgraph("main")
    x = graph.input("x", [4, 2, 8])
    whole = graph.op("SHAPE", [x], ("whole", [3], "int32"), options=options("Shape", outType=2))
    zero, one = graph.shape_constant("0", [0]), graph.shape_constant("1", [1])
    batch = graph.op(
        "STRIDED_SLICE",
        [whole, zero, one, one],
        ("batch", []),
        options=options("StridedSlice", shrinkAxisMask=1),
    )
    rest = graph.constant("rest", np.array(16, np.int32))
    shape = graph.op("PACK", [batch, rest], ("shape", [2]), options=options("Pack", valuesCount=2))
    flat = graph.op("RESHAPE", [x, shape], ("flat", [1, 1]), options=options("Reshape"))
    wide = graph.op("CONCATENATION", [flat] * 4, ("wide", [1, 1]), options=options("Concatenation", axis=1))
    graph.output(wide)
    return model


def test_8_a_shape_that_follows_from_shapes_is_known(plan_real: Callable[..., Planned]) -> None:
    found = plan_real(open_batch())
    assert found.unknown == ()
    assert by_name(found.layout, "wide").shape == (4, 64)
    assert by_name(found.layout, "wide").offset is not None
    assert found.growth == 256 + 256 + 8  # the input, the place of "flat", the shape


def test_8_an_older_runtime_gives_it_memory_of_its_own(plan_real: Callable[..., Planned]) -> None:
    found = plan_real(open_batch(), profile="tflite-2.14")
    assert by_name(found.layout, "flat").kind is Kind.DYNAMIC
    assert by_name(found.layout, "wide").in_arena


def test_9_every_subgraph_that_runs_has_arenas(plan_real: Callable[..., Planned]) -> None:
    layout = plan_real(own("while_loop.tflite")).layout
    assert {a.subgraph for a in layout.arenas if a.kind is Kind.ARENA_RW} == {0, 1, 2}
    body = [p for p in layout.placements if p.subgraph == 2 and p.kind is Kind.CUSTOM]
    assert body and all(p.offset is None for p in body)  # the loop's own outputs


def test_9_both_branches_are_allocated(plan_real: Callable[..., Planned]) -> None:
    layout = plan_real(own("if_branch.tflite")).layout
    assert {a.subgraph for a in layout.arenas} == {0, 1, 2}


def test_9_another_signature_is_not(plan_real: Callable[..., Planned]) -> None:
    layout = plan_real(own("two_signatures.tflite")).layout
    assert {a.subgraph for a in layout.arenas} == {0}


def test_9_a_subgraph_that_runs_once_is_not_known_before(plan_real: Callable[..., Planned]) -> None:
    found = plan_real(own("resource_variable.tflite"))
    assert [(u.subgraph, u.reason) for u in found.unknown] == [
        (1, "CALL_ONCE prepares and places this subgraph when it runs, once.")
    ]


def test_10_unread_inputs_and_outputs_take_their_place_for_good() -> None:
    model = model_of(
        [("SPLIT", [1], [2, 3]), ("ABS", [2], [4]), ("ABS", [4], [5])], [64, 64, 64, 64, 0, 64], [0, 1], [5]
    )
    layout = plan_of(model)
    found = offsets(layout)
    assert found[0] is not None and layout.by_key[(0, 0)].last_op is None
    assert found[3] is not None and layout.by_key[(0, 3)].last_op is None
    assert layout.by_key[(0, 4)].kind is Kind.NONE  # no byte, no place


# ------------------------------------------------------------------------------------------ more


def test_a_delegates_interior_has_no_place() -> None:
    graph, shapes = chain()
    nodes = shapes.allocated[0].nodes or ()
    delegate = RawNode(5, None, (0, 5), (3,), (), True)
    delegation = Delegation({0: (delegate, nodes[3], nodes[4])}, "a test")
    layout = planner.plan(
        graph, shapes, profiles.by_name("litert-2.3"), machine="x86_64", threads=None, delegation=delegation
    ).layout
    assert {p.index for p in layout.placements if p.kind is Kind.DELEGATE} == {1, 2}
    assert [(o.name, o.step) for o in layout.plan()] == [("", 0), ("SOFTMAX", 1), ("ABS", 2)]
    assert layout.by_key[(0, 3)].offset == layout.by_key[(0, 4)].offset  # in place behind the delegate


@st.composite
def models(draw: st.DrawFn) -> tuple[Graph, Shapes]:
    """Small graphs of all the operators that share, with sizes that often agree."""
    names = st.sampled_from(["ADD", "MUL", "RESHAPE", "SOFTMAX", "ABS", "SPLIT"])
    sizes = [draw(st.sampled_from([0, 4, 60, 64, 256])) for _ in range(2)]
    operators: list[Node] = []
    for _ in range(draw(st.integers(1, 14))):
        read = [draw(st.integers(0, len(sizes) - 1)) for _ in range(draw(st.integers(1, 2)))]
        made = [len(sizes) + i for i in range(draw(st.integers(1, 3)))]
        sizes += [draw(st.sampled_from([0, 4, 60, 64, 256])) for _ in made]
        name = draw(names)
        operators.append((name, read[:1] if name == "RESHAPE" else read, made))
    outputs = draw(st.lists(st.integers(2, len(sizes) - 1), min_size=1, max_size=3, unique=True))
    return model_of(operators, sizes, [0, 1], outputs)


@given(models(), st.sampled_from(sorted(profiles.PROFILES)), st.booleans())
def test_what_holds_for_every_plan(model: tuple[Graph, Shapes], profile: str, preserve_all: bool) -> None:
    layout = plan_of(model, profile, preserve_all=preserve_all)
    placed = layout.in_arena(0)
    assert size(layout) == max(((p.offset or 0) + (p.bytes or 0) for p in placed), default=0)
    assert all((p.offset or 0) % 64 == 0 for p in placed)
    made = {0, 1, *(t for o in layout.operators for t in o.outputs)}
    assert {p.index for p in placed} == {t for t in made if layout.by_key[(0, t)].bytes}
    steps = range(len(layout.plan()))
    for i, one in enumerate(placed):
        for other in placed[:i]:
            apart = (one.offset or 0) >= (other.offset or 0) + (other.bytes or 0) or (other.offset or 0) >= (
                one.offset or 0
            ) + (one.bytes or 0)
            at_once = any(one.alive_at(step) and other.alive_at(step) for step in steps)
            assert apart or not at_once or one.offset == other.offset


@given(models())
def test_a_plan_is_the_same_every_time_and_has_no_address(model: tuple[Graph, Shapes]) -> None:
    layout = plan_of(model)
    assert layout == plan_of(model)
    assert all(p.address is None for p in layout.placements)
    assert all(p.kind in ARENA_KINDS for p in layout.placements if p.offset is not None)
