"""Plans, boards and baselines for the tests of predictions and verdicts."""

from __future__ import annotations

from collections.abc import Mapping

from arenascope.domain.baseline import Base, Baseline, identity
from arenascope.domain.board import AddressSpace, Board, Limits
from arenascope.domain.capture import ModelFacts
from arenascope.domain.layout import MemoryLayout
from arenascope.domain.plan import Plan, Planned
from arenascope.domain.profiles import by_name
from arenascope.domain.ranges import Range
from arenascope.domain.shapes import ShapeRefusal
from arenascope.domain.totals import totals
from arenascope.domain.whatif import WhatIf

MIB = 1024 * 1024
GIB = 1024 * MIB

#: The emulated 32-bit board.
BOARD = Board(
    "pi",
    machine="armv7l",
    bits=32,
    kernel="Linux 6.1",
    page_size=4096,
    ram_total=994 * MIB,
    ram_available=900 * MIB,
    swap_total=0,
    swap_free=0,
    python="3.11.2",
    numpy="1.24.2",
    runtime="tflite_runtime",
    runtime_version="2.14.0",
    address_space=AddressSpace(3056 * MIB, 2900 * MIB),
    limits=Limits(overcommit=0),
)
BASELINE = Baseline(
    identity(BOARD),
    Base(Range(25 * MIB, 26 * MIB, 27 * MIB), 14 * MIB, Range(0, MIB // 4, MIB)),
    Base(Range(26 * MIB, 27 * MIB, 28 * MIB), 15 * MIB, Range(0, MIB // 4, MIB)),
    True,
    AddressSpace(3056 * MIB, 2880 * MIB, 96 * MIB, 60 * MIB),
)


def plan_of(
    layout: MemoryLayout,
    *,
    machine: str = "armv7l",
    asked: WhatIf | None = None,
    growth: int = 0,
    inputs: Mapping[str, tuple[int, ...]] | None = None,
    refusal: ShapeRefusal | None = None,
) -> Plan:
    return Plan(
        ModelFacts("small.tflite", "0" * 64, 1, 1, 1),
        asked or WhatIf(),
        inputs or {},
        by_name("tflite-2.14"),
        machine,
        Planned(layout, growth=growth),
        totals(layout, None, ()),
        refusal,
    )
