"""What a board would get, and what it lacks besides, as pages of a dialog."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from ...domain.lacks import Lack
from ...domain.plain_text import plain
from ...domain.units import format_bytes, format_exact
from ...qtmodels.next_steps import NextStep, copies_in
from ...workflow.setup import SetupPlan
from ..labels import ElidedLabel, label, set_tip
from ..step_buttons import StepButtons
from ..theme import tabular

_TOP = Qt.AlignmentFlag.AlignTop
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class LacksPage(QWidget):
    """Each lack with why it matters and its next step, which can be copied where it is a command."""

    stepAsked = Signal(object)  #: NextStep

    def __init__(self, lacks: Sequence[Lack], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 8, 0)
        self.column.setSpacing(4)
        if lacks:
            self.column.addWidget(label("What it lacks besides", "title"))
        for lack in lacks:
            self._add(lack)
        self.column.addStretch(1)

    def _add(self, lack: Lack) -> None:
        words = label(f"{lack.what[:1].upper()}{lack.what[1:]}: {plain(lack.why, 300)}", wrap=True)
        then = label(plain(lack.next, 400), "muted", wrap=True)
        then.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        buttons = StepButtons(lambda key: key)
        buttons.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        buttons.set_steps(copies_in(lack.next) or (NextStep("Copy the Instruction", copies=lack.next),))
        buttons.asked.connect(self.stepAsked)
        row = QGridLayout()
        row.setHorizontalSpacing(14)
        row.setVerticalSpacing(1)
        row.setColumnStretch(0, 1)
        row.addWidget(words, 0, 0)
        row.addWidget(then, 1, 0)
        row.addWidget(buttons, 0, 1, 2, 1, _TOP | Qt.AlignmentFlag.AlignRight)
        self.column.addLayout(row)
        self.column.addSpacing(8)


class PlanPage(LacksPage):
    """What is brought, from where and how much; where it goes; how it is undone."""

    def __init__(self, plan: SetupPlan, lacks: Sequence[Lack], parent: QWidget | None = None) -> None:
        super().__init__(lacks, parent)
        self.column.insertLayout(0, _items(plan))
        self.column.insertSpacing(1, 6)
        self.column.insertLayout(2, _facts(plan))
        self.column.insertSpacing(3, 8)


def _items(plan: SetupPlan) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(18)
    grid.setVerticalSpacing(3)
    grid.setColumnStretch(0, 1)
    for column, words in enumerate(("what is brought", "version", "size", "from")):
        grid.addWidget(label(words, "muted"), 0, column, _RIGHT if column == 2 else Qt.AlignmentFlag(0))
    for row, item in enumerate(plan.items, 1):
        size = _figure(format_bytes(item.bytes))
        set_tip(size, format_exact(item.bytes))
        grid.addWidget(ElidedLabel(item.name), row, 0)
        grid.addWidget(label(plain(item.version, 40)), row, 1)
        grid.addWidget(size, row, 2, _RIGHT)
        grid.addWidget(label(plain(item.source, 40), "muted"), row, 3)
    return grid


def _facts(plan: SetupPlan) -> QGridLayout:
    free = f", of {format_bytes(plan.disk_free)} free there" if plan.disk_free is not None else ""
    why = f"{plan.recipe.why}" if plan.recipe is not None else ""
    rows = (
        ("to be sent", f"about {format_bytes(plan.bytes)} over the connection"),
        (
            "goes into",
            f"{plan.folder} on {plain(plan.device, 60)}: about {format_bytes(plan.unpacked)}{free}",
        ),
        ("why this one", why),
        ("then", "an interpreter is built there; if that does not work, everything is taken away again"),
        ("undone by", f"Undo the Setup… here, or: {plain(plan.undo, 120)}"),
    )
    grid = QGridLayout()
    grid.setHorizontalSpacing(18)
    grid.setVerticalSpacing(3)
    grid.setColumnStretch(1, 1)
    for row, (name, value) in enumerate(r for r in rows if r[1]):
        grid.addWidget(label(name, "muted"), row, 0, _TOP)
        grid.addWidget(label(value, wrap=True), row, 1, _TOP)
    return grid


def _figure(text: str) -> QLabel:
    made = label(text)
    made.setFont(tabular(made.font()))
    return made
