"""The operators in the order they run, with what is alive at each. A click goes to that step."""

from __future__ import annotations

from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ...domain.layout import PlacedOperator
from ...domain.plain_text import plain
from ...domain.units import format_bytes, format_exact
from ...qtmodels.search_state import SearchState
from ...qtmodels.selection import Selection
from ..empty_state import EmptyState
from ..grab import grab
from .mini_table import MiniRow, MiniTable

_COLUMNS = ("operator", "step", "alive", "share of the arena", "tensors in", "tensors out", "scratch")


class OperatorsPanel(QWidget):
    """Shows the plan of the subgraph in view; a search leaves the operators that touch what it found."""

    def __init__(self, selection: Selection, search: SearchState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection, self._search = selection, search
        self._stale = True
        self._action: QAction | None = None
        self.table = MiniTable(
            _COLUMNS, (1, 2, 3, 4, 5, 6), name="Operators in the order they run", optional=(3, 6, 5, 4)
        )
        self.table.chosen.connect(selection.set_step)
        self._empty = EmptyState()
        QVBoxLayout(self.table.viewport()).addWidget(self._empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 8, 4, 4)
        column.addWidget(self.table)
        selection.captureChanged.connect(lambda _: self._outdated())
        selection.scopeChanged.connect(lambda *_: self._outdated())
        search.changed.connect(self._outdated)
        selection.stepChanged.connect(self._follow_step)

    def set_empty_action(self, action: QAction | None) -> None:
        self._action = action
        self._empty.set_action(action)

    def render_image(self, scale: float = 1.0) -> QImage:
        return grab(self, scale)

    def showEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().showEvent(event)
        if self._stale:
            self._fill()

    def _outdated(self) -> None:
        """A view that nobody sees is filled when it is looked at."""
        self._stale = True
        if self.isVisible():
            self._fill()

    def _fill(self) -> None:
        self._stale = False
        capture, blocks = self._selection.capture, self._selection.blocks
        rows: list[MiniRow] = []
        if capture is not None and blocks is not None:
            for step, operator in enumerate(capture.layout.plan(self._selection.subgraph)):
                if self._found(operator):
                    rows.append(
                        self._row(step, operator, blocks.sum_at(step), blocks.arena_bytes, blocks.busiest)
                    )
        self.table.set_rows(rows)
        self._empty.setVisible(not rows)
        searched = self._search.active and capture is not None
        self._empty.set_action(None if searched else self._action)
        if searched:
            self._empty.say("No operator found", "None touches a tensor that the search finds.")
        else:
            self._empty.say("No operators", "A run that comes as far as a plan fills this view.")
        self.table.mark(self._selection.step)

    def _row(
        self, step: int, operator: PlacedOperator, alive: int | None, arena: int, busiest: int | None
    ) -> MiniRow:
        share = f"{100 * alive / arena:.0f} %" if alive is not None and arena else "–"
        scratch = "–" if operator.temporaries is None else str(len(operator.temporaries))
        return MiniRow(
            (
                plain(operator.name, 80),
                str(step),
                ("▲ " if step == busiest else "") + format_bytes(alive),
                share,
                str(sum(1 for t in operator.inputs if t >= 0)),
                str(len(operator.outputs)),
                scratch,
            ),
            step,
            strong=step == busiest,
            tip=f"{plain(operator.name, 80)} ({operator.index})\n{format_exact(alive)} alive",
        )

    def _found(self, operator: PlacedOperator) -> bool:
        keys = self._search.keys
        if keys is None:
            return True
        tensors = (*operator.inputs, *operator.outputs, *(operator.temporaries or ()))
        return any((operator.subgraph, t) in keys for t in tensors)

    def _follow_step(self, step: int) -> None:
        if not self._stale:
            self.table.mark(step)
