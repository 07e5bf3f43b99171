"""Captures for tests: realistic values without a device, a runtime or a model file.

``example_capture``  a small convolutional network on a 32-bit board, everything filled in
``big_capture``      as many tensors as asked for
``loop_capture``     three subgraphs with an arena each, a delegate's partition, dynamic tensors
``overlap_capture``  two pairs of tensors that overwrite each other
``ended_capture``    a run that ended early, with the status asked for
``bare_capture``     only what a capture must have: everything that may be unknown is
``hostile_capture``  every text in it tries to be something else than text
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from arenascope.domain.board import AddressSpace, Board
from arenascope.domain.capture import Capture, ModelFacts, Options
from arenascope.domain.layout import Kind, MemoryLayout, PlacedOperator, Placement
from arenascope.domain.measurement import (
    Evidence,
    Finding,
    Outcome,
    Part,
    Phase,
    ProcessMemory,
    Samples,
    Source,
    Status,
    TopProcesses,
    Totals,
)
from arenascope.domain.provenance import Provenance
from tests.support.placing import ARENA_BASE, PERSISTENT_BASE, Slot, place

KIB, MIB = 1024, 1024**2

HOSTILE_NAMES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]><script>alert(2)</script><![CDATA[",
    "--><svg onload=alert(3)>",
    "{{ 7 * 7 }}{% raw %}",
    "' onmouseover='alert(4)",
    "control \x00\x01\x08\x0b\x1b[31m\x7f\x85",
    "right-to-left \u202egnp.tfosnap\u202c \u2066isolate\u2069 \u200fmark",
    "line one\nline two\r\n\ttabbed\u2028separated",
    "𝛼 🧨 👩‍👩‍👧 e\u0301 \ufeffbom \ufffe",
    "&lt;already&gt; &amp; &#x3c;",
    "javascript:alert(5)",
    "</style><style>*{display:none}",
    "long " + "x" * 10_000,
    "",
    " ",
)


def example_capture() -> Capture:
    """A network of 12 operators and 31 tensors on a 32-bit board; all figures belong together."""
    operators = (
        _op(0, "CONV_2D", (0, 1, 2), (15,), (27,)),
        _op(1, "DEPTHWISE_CONV_2D", (15, 3, 4), (16,), ()),
        _op(2, "CONV_2D", (16, 5, 6), (17,), ()),
        _op(3, "DEPTHWISE_CONV_2D", (17, 7, 8), (18,), ()),
        _op(4, "CONV_2D", (18, 9, 10), (19,), (28,)),
        _op(5, "ADD", (19, 18), (20,), ()),
        _op(6, "MAX_POOL_2D", (20,), (21,), ()),
        _op(7, "MEAN", (21,), (22,), (29,)),
        _op(8, "RESHAPE", (22,), (23,), ()),
        _op(9, "SVDF", (23, 11, 12, -1, 30), (24,), ()),
        _op(10, "FULLY_CONNECTED", (24, 13, 14), (25,), ()),
        _op(11, "SOFTMAX", (25,), (26,), ()),
    )
    rw, keep, const = Kind.ARENA_RW, Kind.ARENA_RW_PERSISTENT, Kind.MMAP_RO
    weights = (
        ("conv1/kernel", (16, 3, 3, 3), 0), ("conv1/bias", (16,), 0),
        ("depthwise1/kernel", (1, 3, 3, 16), 1), ("depthwise1/bias", (16,), 1),
        ("conv2/kernel", (32, 1, 1, 16), 2), ("conv2/bias", (32,), 2),
        ("depthwise2/kernel", (1, 3, 3, 32), 3), ("depthwise2/bias", (32,), 3),
        ("conv3/kernel", (32, 3, 3, 32), 4), ("conv3/bias", (32,), 4),
        ("svdf/weights_feature", (64, 32), 9), ("svdf/weights_time", (64, 10), 9),
        ("logits/kernel", (4, 64), 10), ("logits/bias", (4,), 10),
    )  # fmt: skip
    slots = [Slot(0, "serving_default_image:0", "float32", (1, 96, 96, 3), rw, 0, None, None, (0,))]
    slots += [
        Slot(1 + n, f"doorbell/{name}", "float32", shape, const, None, None, None, (op,))
        for n, (name, shape, op) in enumerate(weights)
    ]
    slots += [
        Slot(15, "doorbell/conv1/Relu6", "float32", (1, 48, 48, 16), rw, 0, 1, 0, (1,)),
        Slot(16, "doorbell/depthwise1/Relu6", "float32", (1, 48, 48, 16), rw, 1, 2, 1, (2,)),
        Slot(17, "doorbell/conv2/Relu6", "float32", (1, 48, 48, 32), rw, 2, 3, 2, (3,)),
        Slot(18, "doorbell/depthwise2/Relu6", "float32", (1, 24, 24, 32), rw, 3, 5, 3, (4, 5)),
        Slot(19, "doorbell/conv3/BiasAdd", "float32", (1, 24, 24, 32), rw, 4, 5, 4, (5,)),
        Slot(20, "doorbell/residual/add", "float32", (1, 24, 24, 32), rw, 5, 6, 5, (6,)),
        Slot(21, "doorbell/pool/MaxPool", "float32", (1, 12, 12, 32), rw, 6, 7, 6, (7,)),
        Slot(22, "doorbell/mean", "float32", (1, 1, 1, 32), rw, 7, 8, 7, (8,)),
        Slot(23, "doorbell/flatten", "float32", (1, 32), rw, 8, 9, 8, (9,)),
        Slot(24, "doorbell/svdf", "float32", (1, 64), rw, 9, 10, 9, (10,)),
        Slot(25, "doorbell/logits", "float32", (1, 4), rw, 10, 11, 10, (11,)),
        Slot(26, "StatefulPartitionedCall:0", "float32", (1, 4), rw, 11, None, 11, ()),
        Slot(27, "conv1 im2col", "float32", (1, 48, 48, 27), rw, 0, 0, 0, (), True),
        Slot(28, "conv3 im2col", "float32", (1, 24, 24, 288), rw, 4, 4, 4, (), True),
        Slot(29, "mean axis sums", "float32", (1, 32), rw, 7, 7, 7, (), True),
        Slot(30, "doorbell/svdf/state", "float32", (1, 640), keep, 0, None, None, (9,)),
    ]
    placements, arenas = place(0, slots, ARENA_BASE, PERSISTENT_BASE)
    layout = MemoryLayout(placements, operators, arenas)
    totals = _totals(layout, peak=32_518_144)
    return Capture(
        tool_version="0.1.0",
        model=ModelFacts(
            "doorbell_cnn.tflite",
            "4be1a0c7d5f2963e8b07a4419cd25e60f3381b9a7c54d2e0a6f81e93b20c7d15",
            61_208,
            1,
            12,
        ),
        device=Board(
            name="pi4-lab",
            machine="armv7l",
            bits=32,
            kernel="6.6.51+rpt-rpi-v7l",
            page_size=4096,
            ram_total=968_884_224,
            ram_available=464_519_168,
            swap_total=104_853_504,
            python="3.9.2",
            numpy="1.19.5",
            runtime="tflite_runtime",
            runtime_version="2.14.0",
            address_space=AddressSpace(0xC000_0000, 1_610_612_736),
        ),
        options=Options(threads=1, delegate="none", inputs={"serving_default_image:0": (1, 96, 96, 3)}),
        layout=layout,
        phases=_PHASES,
        totals=totals,
        attribution=_attribution(totals, rss=31_784_960),
        samples=_samples(),
        outcome=Outcome(Status.OK, log=("INFO: Created TensorFlow Lite interpreter.",)),
        created="2026-11-20T14:03:12Z",
        layout_source="runtime structures",
        agent_rss=8_912_896,
        agent_cpu=0.0031,
        notes=("Inputs were written with random values (seed 0) before the first invoke.",),
    )


def big_capture(n_tensors: int) -> Capture:
    """A chain of operators with ``n_tensors`` tensors: two in ten constant, one in ten scratch."""
    operators: list[PlacedOperator] = []
    slots: list[Slot] = [Slot(0, "input", "int8", (1, 64, 64, 8), Kind.ARENA_RW, 0, 0, None, (0,))]
    current, index = 0, 1
    while index < n_tensors:
        step = len(operators)
        extent = 8 + (step * 37) % 57
        constants = [i for i in (index, index + 1) if i < n_tensors - 1 and step % 3 == 0]
        for i in constants:
            slots.append(
                Slot(
                    i,
                    f"block_{step}/w{i - index}",
                    "int8",
                    (3, 3, 8, 8),
                    Kind.MMAP_RO,
                    None,
                    None,
                    None,
                    (step,),
                )
            )
        index += len(constants)
        scratch: tuple[int, ...] = ()
        if step % 4 == 1 and index < n_tensors - 1:
            slots.append(
                Slot(
                    index,
                    f"block_{step} scratch",
                    "int8",
                    (extent * 96,),
                    Kind.ARENA_RW,
                    step,
                    step,
                    step,
                    (),
                    True,
                )
            )
            scratch = (index,)
            index += 1
        skip = 1 + (step % 11 == 0) * 6
        slots.append(
            Slot(
                index,
                f"block_{step}/out",
                "int8",
                (1, extent, extent, 8),
                Kind.ARENA_RW,
                step,
                step + skip,
                step,
                (step + 1,),
            )
        )
        operators.append(
            _op(step, ("CONV_2D", "ADD", "RELU")[step % 3], (current, *constants), (index,), scratch)
        )
        current, index = index, index + 1
    last = len(operators) - 1
    slots = [
        replace(s, last=None if s.index == current else min(s.last, last)) if s.last is not None else s
        for s in slots
    ]
    placements, arenas = place(0, slots, ARENA_BASE, PERSISTENT_BASE)
    example = example_capture()
    layout = MemoryLayout(placements, tuple(operators), arenas)
    totals = _totals(layout, peak=96 * MIB)
    return replace(
        example,
        model=replace(example.model, name=f"chain_{n_tensors}.tflite", operators=len(operators)),
        options=replace(example.options, inputs={}),
        layout=layout,
        totals=totals,
        attribution=_attribution(totals, rss=90 * MIB),
    )


def loop_capture() -> Capture:
    """WHILE with two more subgraphs; a delegate took part of the main one; one tensor is dynamic."""
    rw = Kind.ARENA_RW
    main = [
        Slot(0, "count", "int32", (1,), rw, 0, None, None, (0,)),
        Slot(1, "state", "float32", (1, 256), rw, 0, None, None, (0,)),
        Slot(2, "while:0", "int32", (1,), rw, 0, None, 0, ()),
        Slot(3, "while:1", "float32", (1, 256), rw, 0, 1, 0, (2,)),
        Slot(4, "inside the delegate", "float32", (1, 512), Kind.DELEGATE, None, None, 1, (2,)),
        Slot(5, "logits", "float32", (1, 10), rw, 1, None, 3, ()),
    ]
    body = [
        Slot(0, "count", "int32", (1,), rw, 0, None, None, (0,)),
        Slot(1, "state", "float32", (1, 256), rw, 0, None, None, (1,)),
        Slot(2, "next count", "int32", (1,), rw, 0, None, 0, ()),
        Slot(3, "next state", "float32", (1, 256), rw, 1, None, 1, ()),
        Slot(4, "gate cache", "float32", (4, 256), Kind.ARENA_RW_PERSISTENT, 1, None, 1, (), True),
    ]
    condition = [
        Slot(0, "count", "int32", (1,), rw, 0, None, None, (0,)),
        Slot(1, "less", "bool", (1,), rw, 0, None, 0, ()),
    ]
    dynamic = Placement(
        2, 5, "beam", "float32", (7, 33), 924, Kind.DYNAMIC, 0xB2F0_4010, None, 1, None, 1, (), False
    )
    placed = [
        place(n, s, ARENA_BASE + n * MIB, PERSISTENT_BASE + n * MIB)
        for n, s in enumerate((main, condition, body))
    ]
    operators = (
        _op(0, "WHILE", (0, 1), (2, 3), ()),
        PlacedOperator(0, 1, "FULLY_CONNECTED", (3,), (4,), (), None),
        PlacedOperator(0, 2, "FULLY_CONNECTED", (4,), (5,), (), None),
        PlacedOperator(0, 3, "DELEGATE", (3,), (5,), None, 1),
        replace(_op(0, "LESS", (0,), (1,), ()), subgraph=1),
        replace(_op(0, "ADD", (0,), (2,), ()), subgraph=2),
        replace(_op(1, "FULLY_CONNECTED", (1,), (3,), (4,)), subgraph=2),
    )
    layout = MemoryLayout(
        (*(p for places, _ in placed for p in places), dynamic),
        operators,
        tuple(a for _, arenas in placed for a in arenas),
    )
    example = example_capture()
    return replace(
        example,
        model=replace(example.model, name="multi_subgraphs_while.tflite", subgraphs=3, operators=6),
        options=Options(threads=None, delegate="default"),
        layout=layout,
        totals=_totals(layout, peak=30 * MIB),
    )


def overlap_capture() -> Capture:
    """``example_capture`` as a faulty planner would lay it out: two tensors lie on others still needed."""
    example = example_capture()
    moved = {21: 1024, 17: 131_072}
    placements = tuple(
        replace(p, offset=moved[p.index], address=ARENA_BASE + moved[p.index]) if p.index in moved else p
        for p in example.layout.placements
    )
    return replace(example, layout=replace(example.layout, placements=placements))


def ended_capture(status: Status) -> Capture:
    """A run that ended while it allocated: no layout, no totals of the arena, samples up to the end."""
    example = example_capture()
    signal = {Status.KILLED: "SIGKILL", Status.CRASHED: "SIGABRT", Status.TIMED_OUT: "SIGKILL"}.get(status)
    return replace(
        example,
        layout=MemoryLayout((), (), ()),
        phases=(*example.phases[:2], Phase("allocate", 0.41, 24_797_184, None, None, None, None, 1.93)),
        totals=Totals(61_208, None, None, None, None, None, None),
        attribution=(),
        samples=Samples(*(column[:48] for column in (
            example.samples.t, example.samples.rss, example.samples.available, example.samples.swap_free
        )), example.samples.processes),
        outcome=Outcome(
            status,
            "allocate",
            "The worker ended while the tensors were being allocated.",
            signal,
            (Finding("The arena does not fit", "1.2 GiB asked, 443 MiB available", "Use batch 8", 3 * MIB),),
            ("INFO: Created TensorFlow Lite interpreter.", "terminate called: std::bad_alloc"),
            Evidence(Source.KERNEL_LOG, "Out of memory: Killed process 812 (python3)", 2.41)
            if status is Status.KILLED else None,
        ),
    )  # fmt: skip


def bare_capture() -> Capture:
    """Everything that may be unknown is unknown."""
    return Capture(
        tool_version="0.1.0",
        model=ModelFacts("model.tflite", "0" * 64, 1, 1, 0),
        device=Board("local"),
        options=Options(),
        layout=MemoryLayout((), (), ()),
        phases=(),
        totals=Totals(None, None, None, None, None, None, None),
        attribution=(),
        samples=Samples(),
        outcome=Outcome(Status.CANCELLED),
    )


def hostile_capture() -> Capture:
    """``example_capture`` with a hostile text wherever a device or a file may put one."""
    example = example_capture()
    bad = HOSTILE_NAMES
    script = bad[0]
    placements = tuple(
        replace(p, name=bad[n % len(bad)], dtype=script if n == 15 else p.dtype)
        for n, p in enumerate(example.layout.placements)
    )
    operators = tuple(replace(o, name=bad[n % len(bad)]) for n, o in enumerate(example.layout.operators))
    return replace(
        example,
        model=replace(example.model, name=script + bad[7]),
        device=replace(
            example.device, name=bad[1], machine=script, kernel=bad[2], python=bad[3], numpy=bad[4],
            runtime=bad[5], runtime_version=bad[6],
        ),
        options=replace(example.options, inputs={bad[0]: (1, 96, 96, 3), bad[8]: (2,)}),
        layout=MemoryLayout(placements, operators, example.layout.arenas),
        phases=tuple(replace(p, name=bad[n]) for n, p in enumerate(example.phases)),
        attribution=tuple(replace(p, part=bad[n]) for n, p in enumerate(example.attribution)),
        outcome=Outcome(
            Status.CRASHED, script, bad[1], bad[2], (Finding(bad[0], bad[1], bad[2], 1),), tuple(bad)
        ),
        samples=replace(
            example.samples,
            processes=(TopProcesses(1.0, tuple(ProcessMemory(n, name, n) for n, name in enumerate(bad))),),
        ),
        created=script,
        layout_source=bad[3],
        notes=tuple(bad),
    )  # fmt: skip


def _op(
    index: int, name: str, inputs: tuple[int, ...], outputs: tuple[int, ...], temporaries: tuple[int, ...]
) -> PlacedOperator:
    return PlacedOperator(0, index, name, inputs, outputs, temporaries, index)


def _totals(layout: MemoryLayout, peak: int) -> Totals:
    """Sums over the layout. Persistent tensors do not count in the lower bound of the arena."""

    def total(kind: Kind) -> int:
        return sum(a.bytes for a in layout.arenas if a.kind is kind)

    def size(kind: Kind) -> int:
        return sum(p.bytes or 0 for p in layout.placements if p.kind is kind)

    bound = 0
    for subgraph in layout.subgraphs:
        inside = layout.in_arena(subgraph)
        changes: dict[int, int] = {}
        for p in inside:
            changes[p.first_op or 0] = changes.get(p.first_op or 0, 0) + (p.bytes or 0)
            if p.last_op is not None:
                changes[p.last_op + 1] = changes.get(p.last_op + 1, 0) - (p.bytes or 0)
        alive = most = 0
        for step in sorted(changes):
            alive += changes[step]
            most = max(most, alive)
        bound += most
    return Totals(
        weights=size(Kind.MMAP_RO) or None,
        arena_rw=total(Kind.ARENA_RW),
        arena_rw_persistent=total(Kind.ARENA_RW_PERSISTENT),
        dynamic=size(Kind.DYNAMIC),
        lower_bound=bound,
        sum_without_reuse=size(Kind.ARENA_RW),
        process_peak=peak,
    )


def _attribution(totals: Totals, rss: int) -> tuple[Part, ...]:
    measured = Provenance.MEASURED
    known = [
        Part("runtime and its libraries", 11_223_040, measured),
        Part("Python and NumPy", 16_924_672, measured),
        Part("model file", 57_344, measured),
        Part("arena", totals.arena_rw or 0, measured),
        Part("persistent arena", totals.arena_rw_persistent or 0, measured),
        Part("dynamic tensors", totals.dynamic or 0, measured),
        Part("delegate", 0, measured),
    ]
    return (*known, Part("unexplained", rss - sum(p.bytes for p in known), measured))


_PHASES = (
    Phase("runtime_import", 1.273, 8_126_464, 24_698_880, 24_514_560, 16_101_376, 8_413_184, 0.35),
    Phase("load", 0.0042, 24_514_560, 24_797_184, 24_797_184, 16_203_776, 8_593_408, 1.9),
    Phase("allocate", 0.0117, 24_797_184, 25_391_104, 25_264_128, 16_613_376, 8_650_752, 1.93),
    Phase("invoke_first", 0.0364, 25_264_128, 32_518_144, 31_784_960, 22_396_928, 9_388_032, 2.3),
    Phase("invoke", 0.0312, 31_784_960, 31_797_248, 31_784_960, 22_396_928, 9_388_032, 3.35),
)


def _samples() -> Samples:
    """20 a second for four seconds; the link was down from 2.6 to 3.1 s; one value was not readable."""
    times = [n / 20 for n in range(81) if not 52 < n < 62]

    def rss(t: float) -> int:
        ramp = ((0.0, 7.8), (0.35, 7.8), (1.6, 23.4), (2.3, 24.1), (2.35, 30.9), (3.6, 30.3), (4.1, 30.3))
        for (t0, y0), (t1, y1) in pairwise(ramp):
            if t <= t1:
                share = (t - t0) / (t1 - t0)
                return int((y0 + (y1 - y0) * share) * MIB) // 4096 * 4096
        return 0

    values: list[int | None] = [rss(t) for t in times]
    values[30] = None
    return Samples(
        t=tuple(times),
        rss=tuple(values),
        # The device is asked four times a second, between two samples of the worker.
        available=tuple(
            464_519_168 - (rss(t) - 8 * MIB) // 4096 * 4096 if n % 5 == 0 else None
            for n, t in enumerate(times)
        ),
        swap_free=tuple(104_853_504 if n % 5 == 0 else None for n in range(len(times))),
        processes=(
            TopProcesses(
                0.5, (ProcessMemory(611, "Xorg", 61_440_000), ProcessMemory(2041, "python3", 12_288_000))
            ),
            TopProcesses(
                2.5, (ProcessMemory(611, "Xorg", 61_440_000), ProcessMemory(2041, "python3", 31_784_960))
            ),
        ),
    )
