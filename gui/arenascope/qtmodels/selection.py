"""One selection for all views: which capture, which arena, which tensor, which step, what is hovered.

A plan can be shown in place of the reading, or beside it: both are captures to the views.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from PySide6.QtCore import QObject, Signal

from ..domain.alive import Key
from ..domain.capture import Capture
from ..domain.layout import ARENA_KINDS, Kind, Placement
from ..domain.layout_difference import LayoutDifference, difference
from .arena_blocks import ArenaBlocks

_HISTORY = 200


class Showing(StrEnum):
    READING = "reading"  #: what was read on the device
    PLAN = "plan"
    BOTH = "both"  #: the reading, with what the plan says otherwise marked


#: Tensor, step, arena, and the history of tensors with the place in it.
_Parked = tuple[Key | None, int, tuple[int, Kind], list[Key | None], int]


class Selection(QObject):
    """Views call the verbs and follow the signals; none of them knows another.

    ``step`` is a position in the plan of ``subgraph``, -1 where nothing is planned. The history holds
    tensors only: walking steps with the arrow keys would flood it.
    """

    captureChanged = Signal(object)  #: Capture | None; sent before the others
    scopeChanged = Signal(int, object)  #: subgraph, Kind of the arena
    tensorChanged = Signal(object)  #: Key | None
    stepChanged = Signal(int)
    hoverChanged = Signal(object)  #: Key | None
    historyChanged = Signal()  #: can_back or can_forward may differ
    showingChanged = Signal(object)  #: Showing
    differenceChanged = Signal()  #: between plan and reading, where both are shown

    #: True while another telling of the same model takes the place of the one on show: zoom stays.
    swapping = False

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._capture: Capture | None = None
        self._reading: Capture | None = None
        self._plan: Capture | None = None
        self._showing = Showing.READING
        self._difference: LayoutDifference | None = None
        self._parked: _Parked | None = None
        self._blocks: dict[tuple[int, Kind], ArenaBlocks] = {}
        self._scope: tuple[int, Kind] = (0, Kind.ARENA_RW)
        self._tensor: Key | None = None
        self._hover: Key | None = None
        self._step = -1
        self._past: list[Key | None] = [None]
        self._at = 0

    # -- what is selected ---------------------------------------------------------------------

    @property
    def capture(self) -> Capture | None:
        """What is on show: the reading, or the plan as if it had been read."""
        return self._capture

    @property
    def reading(self) -> Capture | None:
        return self._reading

    @property
    def plan(self) -> Capture | None:
        return self._plan

    @property
    def showing(self) -> Showing:
        return self._showing

    @property
    def difference(self) -> LayoutDifference | None:
        """Of plan and reading; None unless both are shown and both are there."""
        if self._showing is not Showing.BOTH or self._plan is None or self._reading is None:
            return None
        if self._difference is None:
            self._difference = difference(self._plan.layout, self._reading.layout)
        return self._difference

    @property
    def subgraph(self) -> int:
        return self._scope[0]

    @property
    def kind(self) -> Kind:
        return self._scope[1]

    @property
    def tensor(self) -> Key | None:
        return self._tensor

    @property
    def hovered(self) -> Key | None:
        return self._hover

    @property
    def step(self) -> int:
        return self._step

    @property
    def step_count(self) -> int:
        return self.blocks.steps if self.blocks is not None else 0

    @property
    def blocks(self) -> ArenaBlocks | None:
        """The arena in view; None without a capture. Built once per arena."""
        if self._capture is None:
            return None
        if self._scope not in self._blocks:
            self._blocks[self._scope] = ArenaBlocks.of(self._capture.layout, *self._scope)
        return self._blocks[self._scope]

    @property
    def placement(self) -> Placement | None:
        """The selected tensor."""
        return self.placement_of(self._tensor)

    def placement_of(self, key: Key | None) -> Placement | None:
        if self._capture is None or key is None:
            return None
        return self._capture.layout.by_key.get(key)

    def scopes(self) -> tuple[tuple[int, Kind], ...]:
        """Arenas that can be looked at, as (subgraph, kind)."""
        if self._capture is None:
            return ()
        return tuple(
            (s, k)
            for s in self._capture.layout.subgraphs
            for k in ARENA_KINDS
            if self._capture.layout.in_arena(s, k)
        )

    # -- verbs --------------------------------------------------------------------------------

    def set_capture(self, capture: Capture | None) -> None:
        """Another reading. The tensor stays selected where the new one has it under the same name.

        A plan that was on show for want of a reading gives way to it.
        """
        if capture is self._reading:
            return
        first = self._reading is None and capture is not None
        self._parked = None
        self._reading, self._difference = capture, None
        if first and self._showing is Showing.PLAN:
            self._showing = Showing.READING
            self.showingChanged.emit(self._showing)
        if self._showing is not Showing.PLAN:
            self._show_capture(capture)
        self.differenceChanged.emit()

    def set_plan(self, plan: Capture | None) -> None:
        """Another plan; it takes the place of the one on show, if one is."""
        if plan is self._plan:
            return
        self._plan, self._difference = plan, None
        if self._showing is Showing.PLAN:
            self._swap(plan)
        self.differenceChanged.emit()

    def set_showing(self, showing: Showing) -> None:
        """Reading, plan or both; tensor, step and arena stay where both have them."""
        if showing is self._showing:
            return
        self._showing = showing
        self._swap(self._plan if showing is Showing.PLAN else self._reading)
        self.showingChanged.emit(showing)
        self.differenceChanged.emit()

    def _swap(self, capture: Capture | None) -> None:
        if capture is self._capture:
            return
        if capture is None:  # for a moment: what was looked at is not forgotten
            self._parked = (self._tensor, self._step, self._scope, self._past, self._at)
        elif self._capture is None and self._parked is not None:
            self._tensor, self._step, self._scope, self._past, self._at = self._parked
        self.swapping = capture is not None and (self._capture is not None or self._parked is not None)
        self._show_capture(capture)
        self.swapping = False
        if capture is not None:
            self._parked = None

    def _show_capture(self, capture: Capture | None) -> None:
        kept, step = self._kept_in(capture), self._step
        past, at = self._past, self._at
        self._capture = capture
        self._blocks = {}
        self._hover = None
        self._tensor = kept
        self._past, self._at = (past, at) if self.swapping else ([kept], 0)
        scopes = self.scopes()
        moved = self._scope not in scopes
        if moved:
            self._scope = scopes[0] if scopes else (0, Kind.ARENA_RW)
        stays = self.swapping and not moved and 0 <= step < self.step_count
        self._step = step if stays else self._first_step()
        self.captureChanged.emit(capture)
        self.scopeChanged.emit(*self._scope)
        self.tensorChanged.emit(kept)
        self.hoverChanged.emit(None)
        self.stepChanged.emit(self._step)
        self.historyChanged.emit()

    def set_scope(self, subgraph: int, kind: Kind = Kind.ARENA_RW) -> None:
        """Look at another arena; its busiest step becomes the step."""
        if (subgraph, kind) == self._scope:
            return
        other_plan = subgraph != self._scope[0]
        self._scope = (subgraph, kind)
        self.scopeChanged.emit(subgraph, kind)
        if other_plan:
            self._move_to(self._first_step())

    def select(self, key: Key | None) -> None:
        """Select a tensor and remember it; the arena in view follows it."""
        if key == self._tensor or (key is not None and self.placement_of(key) is None):
            return
        del self._past[self._at + 1 :]
        self._past = [*self._past, key][-_HISTORY:]
        self._at = len(self._past) - 1
        self._show(key)

    def hover(self, key: Key | None) -> None:
        if key != self._hover:
            self._hover = key
            self.hoverChanged.emit(key)

    def set_step(self, step: int) -> None:
        """Go to a step; beyond the ends means the end."""
        if self.step_count:
            self._move_to(min(max(step, 0), self.step_count - 1))

    def move_step(self, by: int) -> None:
        self.set_step(self._step + by)

    def to_busiest_step(self) -> None:
        self._move_to(self._first_step())

    @property
    def can_back(self) -> bool:
        return self._at > 0

    @property
    def can_forward(self) -> bool:
        return self._at < len(self._past) - 1

    def back(self) -> None:
        if self.can_back:
            self._at -= 1
            self._show(self._past[self._at])

    def forward(self) -> None:
        if self.can_forward:
            self._at += 1
            self._show(self._past[self._at])

    def neighbour_alive(self, by: int) -> Key | None:
        """The tensor above (1) or below (-1) the selected one in the arena, of those alive at the step."""
        blocks = self.blocks
        if blocks is None or not (rows := np.flatnonzero(blocks.alive(self._step))).size:
            return None
        rows = rows[np.argsort(blocks.offset[rows], kind="stable")]
        current = blocks.rows.get(self._tensor) if self._tensor is not None else None
        at = np.flatnonzero(rows == (-1 if current is None else current))
        place = (int(at[0]) + by) % len(rows) if len(at) else (0 if by > 0 else len(rows) - 1)
        return blocks.placements[int(rows[place])].key

    # -- inside -------------------------------------------------------------------------------

    def _show(self, key: Key | None) -> None:
        self._tensor = key
        placement = self.placement
        if placement is not None and placement.in_arena:
            self.set_scope(placement.subgraph, placement.kind)
        self.tensorChanged.emit(key)
        self.historyChanged.emit()

    def _move_to(self, step: int) -> None:
        if step != self._step:
            self._step = step
            self.stepChanged.emit(step)

    def _first_step(self) -> int:
        blocks = self.blocks
        if blocks is None or not blocks.steps:
            return -1
        return blocks.busiest if blocks.busiest is not None else 0

    def _kept_in(self, capture: Capture | None) -> Key | None:
        if capture is None or self._tensor is None:
            return None
        after, before = capture.layout.by_key.get(self._tensor), self.placement
        if after is None or (before is not None and after.name != before.name):
            return None
        return self._tensor if before is not None or self.swapping else None
