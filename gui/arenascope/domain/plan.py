"""A plan: where everything of a model will lie, and what could not be known before a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .capture import ModelFacts
from .layout import MemoryLayout
from .measurement import Totals
from .profiles import RuntimeProfile
from .shapes import ShapeRefusal
from .whatif import WhatIf

SCHEMA = "arenascope.plan/1"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Tensors whose place or size cannot be known before a run, and why not."""

    subgraph: int
    tensors: tuple[int, ...]
    reason: str


@dataclass(frozen=True)
class Planned:
    """What the planner says of one set of shapes. All addresses are None, all figures planned.

    ``growth``: bytes of an arena that is replaced by a larger one, which exists beside it for a moment
    (an arena that grows during the first invoke, or by resizing after allocate); 0 where none is.
    """

    layout: MemoryLayout
    unknown: tuple[Unknown, ...] = ()
    growth: int = 0


@dataclass(frozen=True)
class Plan:
    """One answer to one WhatIf. ``machine``: armv7l, aarch64 or x86_64.

    ``totals.process_peak`` is None: a plan knows no process. ``delegation``: who divided the model for the
    delegate, '' without one. ``refusal``: the model does not take these shapes; the layout is empty then.
    """

    model: ModelFacts
    asked: WhatIf
    inputs: Mapping[str, tuple[int, ...]]
    profile: RuntimeProfile
    machine: str
    planned: Planned
    totals: Totals
    refusal: ShapeRefusal | None = None
    shapes_from: str = ""
    delegation: str = ""
    #: False: some sizes are unknown, or were taken from a run with zeros; others may need more.
    exact: bool = True
    notes: tuple[str, ...] = ()

    @property
    def layout(self) -> MemoryLayout:
        return self.planned.layout

    def without_tensors(self) -> Plan:
        """Totals and arenas alone."""
        return replace(self, planned=replace(self.planned, layout=MemoryLayout((), (), self.layout.arenas)))
