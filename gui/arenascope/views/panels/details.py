"""Details of the one selection: the tensor, who is alive at the step, and what makes the peak."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...domain.alive import alive_set
from ...domain.figures import tensor_label, what_makes_the_peak
from ...domain.layout import Kind
from ...domain.plain_text import plain
from ...domain.roles import role_of
from ...domain.units import format_bytes, format_exact
from ...qtmodels.selection import Selection
from ...qtmodels.tensor_card import tensor_card
from ..actions import Actions
from ..labels import ElidedLabel, label
from ..theme import Theme, tabular
from .card import Card
from .mini_table import MiniRow, MiniTable

_MOST_ROWS = 500


class DetailsPanel(Card):
    """Follows the selection; a click in the list of the living selects a tensor."""

    def __init__(
        self, selection: Selection, actions: Actions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__("Details", parent)
        self._selection, self._theme = selection, theme
        for key in ("copy_tensor", "back", "forward"):
            button = QToolButton()
            button.setDefaultAction(actions[key])
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            button.setProperty("role", "flat")
            self.head.addWidget(button)

        content = QWidget()
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(0, 0, 6, 0)
        self._column.setSpacing(4)
        self._build_tensor()
        self._column.addWidget(_line())
        self._build_alive(actions)
        self._column.addStretch(1)
        self._column.addWidget(_line())
        self._peak_title = label("What makes the peak", "title")
        self._peak = label("", "muted", wrap=True)
        self._column.addWidget(self._peak_title)
        self._column.addWidget(self._peak)
        scroll = QScrollArea()
        scroll.setWidget(content)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.body.addWidget(scroll, 1)
        self.body.setContentsMargins(12, 10, 6, 10)

        # A new capture sends every signal: each part is made once, when all have been.
        self._stale: dict[str, Callable[[], None]] = {}
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.settle)
        selection.captureChanged.connect(lambda _: self._soon(tensor=True, scope=True, alive=True))
        selection.tensorChanged.connect(lambda _: self._soon(tensor=True))
        selection.hoverChanged.connect(lambda _: self._soon(tensor=True))
        selection.stepChanged.connect(lambda _: self._soon(alive=True))
        selection.scopeChanged.connect(lambda *_: self._soon(scope=True, alive=True))
        self._soon(tensor=True, scope=True, alive=True)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._soon(alive=True)

    # -- building ---------------------------------------------------------------------------------

    def _build_tensor(self) -> None:
        self._name = ElidedLabel("", "title")
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 2, 0, 2)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        self._values: list[tuple[QLabel, ElidedLabel]] = []
        self._hint = label("Click a block or a row to see everything about that tensor.", "muted", wrap=True)
        self._column.addWidget(self._name)
        self._column.addWidget(self._hint)
        self._column.addLayout(self._grid)

    def _build_alive(self, actions: Actions) -> None:
        head = QHBoxLayout()
        head.setSpacing(2)
        self._step_title = ElidedLabel("", "title")
        self._step_title.set_elide(Qt.TextElideMode.ElideRight)
        head.addWidget(self._step_title, 1)
        for key, sign in (("step_back", "back"), ("step_forward", "forward")):
            button = QToolButton()
            button.setProperty("role", "flat")
            button.setIcon(actions[sign].icon())
            button.setAccessibleName(actions[key].text())
            button.setToolTip(actions[key].toolTip())
            button.clicked.connect(actions[key].trigger)
            head.addWidget(button)
        self._step_note = ElidedLabel("", "muted")
        self._alive_table = MiniTable(("tensor", "bytes"), (1,), name="Tensors alive at the step")
        self._alive_table.chosen.connect(self._selection.select)
        self._column.addLayout(head)
        self._column.addWidget(self._step_note)
        self._column.addWidget(self._alive_table, 100)

    # -- following --------------------------------------------------------------------------------

    def _soon(self, *, tensor: bool = False, scope: bool = False, alive: bool = False) -> None:
        parts = {"scope": self._scope, "alive": self._alive, "tensor": self._tensor}
        wanted = {"scope": scope, "alive": alive, "tensor": tensor}
        self._stale.update({name: parts[name] for name, stale in wanted.items() if stale})
        self._later.start(0)

    def settle(self) -> None:
        """Make what is out of date now."""
        self._later.stop()
        stale, self._stale = self._stale, {}
        for make in stale.values():
            make()

    def _scope(self) -> None:
        selection = self._selection
        capture = selection.capture
        arena = capture is not None and bool(capture.layout.in_arena(selection.subgraph, Kind.ARENA_RW))
        self._peak_title.setVisible(arena)
        self._peak.setVisible(arena)
        if capture is not None and arena:
            self._peak.setText(_breakable(plain(what_makes_the_peak(capture, selection.subgraph), 2000)))

    def _tensor(self) -> None:
        """The selected tensor; while the mouse rests on another, that one."""
        selection = self._selection
        placement = selection.placement_of(selection.hovered) or selection.placement
        capture = selection.capture
        self._hint.setVisible(placement is None and capture is not None)
        self._alive_table.mark(selection.tensor)
        if placement is None or capture is None:
            self._name.set_text("No tensor selected" if capture is not None else "Nothing to show yet")
            self._show_rows(())
            return
        card = tensor_card(placement, capture.layout)
        self._name.set_text(card.title)
        rows = [
            (name, f"{value} · {role_of(placement)}" if name == "kind" else value)
            for name, value in card.rows
        ]
        self._show_rows((*rows, ("origin", card.provenance.value)))

    def _show_rows(self, rows: tuple[tuple[str, str], ...]) -> None:
        while len(self._values) < len(rows):
            name, value = label("", "muted"), ElidedLabel()
            value.set_font(tabular(value.font()))
            at = len(self._values)
            self._grid.addWidget(name, at, 0)
            self._grid.addWidget(value, at, 1)
            self._values.append((name, value))
        for number, (name, value) in enumerate(self._values):
            used = number < len(rows)
            name.setVisible(used)
            value.setVisible(used)
            if used:
                name.setText(rows[number][0])
                value.set_text(rows[number][1])

    def _alive(self) -> None:
        selection = self._selection
        capture, blocks, step = selection.capture, selection.blocks, selection.step
        if capture is None or blocks is None or step < 0:
            self._step_title.set_text("Alive")
            self._step_note.set_text("No step to look at.")
            self._alive_table.set_rows(())
            self._alive_table.hide()
            return
        self._alive_table.show()
        plan = capture.layout.plan(selection.subgraph)
        operator = plain(plan[step].name, 60) if step < len(plan) else "no operator"
        # The triangle is that of the map: the step at which the arena's size is reached.
        marks = ["▲"] if step == blocks.high_water else []
        marks += ["busiest"] if step == blocks.busiest else []
        self._step_title.set_text(
            " · ".join([f"Alive at step {step}", " ".join(marks)] if marks else [f"Alive at step {step}"])
        )
        self._step_note.set_text(operator)
        alive = alive_set(capture.layout, step, selection.subgraph, selection.kind)
        rows = [
            MiniRow(
                (
                    plain(tensor_label(p, capture.layout), 120),
                    "in place" if p.key in alive.shared else f"{p.bytes:,}",
                ),
                p.key,
                self._theme.role(role_of(p)),
                tip=f"{tensor_label(p, capture.layout)}\n{format_exact(p.bytes)}",
            )
            for p in alive.tensors[:_MOST_ROWS]
        ]
        if len(alive.tensors) > _MOST_ROWS:
            rest = alive.tensors[_MOST_ROWS:]
            size = sum(p.bytes or 0 for p in rest if p.key not in alive.shared)
            rows.append(MiniRow((f"{len(rest)} smaller tensors", f"{size:,}")))
        bound = " = lower bound" if step == blocks.busiest and selection.kind is Kind.ARENA_RW else ""
        rows.append(
            MiniRow(
                (f"sum{bound}", f"{alive.bytes:,}"), strong=True, tip=f"{format_bytes(alive.bytes)} together"
            )
        )
        self._alive_table.set_rows(rows)
        self._alive_table.setMinimumHeight(
            min(self._alive_table.full_height(), self._alive_table.fontMetrics().height() * 12)
        )
        self._alive_table.mark(selection.tensor)


def _line() -> QFrame:
    line = QFrame()
    line.setProperty("role", "line")
    return line


def _breakable(text: str) -> str:
    """A long name may break at its underscores and slashes: a word that fits no line would push every figure
    of this panel over its edge."""
    return text.replace("_", "_\u200b").replace("/", "/\u200b")
