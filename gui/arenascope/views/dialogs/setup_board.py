"""Setting a board up: what it would get, a yes, progress, and what works there now."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from ...domain.board import Board
from ...domain.plain_text import plain
from ...qtmodels.board_setup import BoardSetup
from ...qtmodels.boards_model import runtime_text
from ...qtmodels.next_steps import NextStep
from ...workflow.setup import SetupPlan
from ..step_buttons import WordsOf
from .board_work import BoardWorkDialog
from .setup_pages import LacksPage, PlanPage

_ABOUT = (
    "Everything is fetched and checked on this computer and goes into your cache folder on the board. "
    "Nothing else is changed there, and nothing needs root."
)
#: What can still be done with a board on which nothing runs.
_WITHOUT = (
    NextStep("Inspect Here with CPU Kernels", "delegate_none inspect_here"),
    NextStep("Watch the Board", "watch"),
)


class SetupDialog(BoardWorkDialog):
    def __init__(self, setup: BoardSetup, words_of: WordsOf, parent: QWidget | None = None) -> None:
        super().__init__(f"Set up {plain(setup.target, 40)}", _ABOUT, setup, words_of, parent)
        self._plan: SetupPlan | None = None
        setup.planned.connect(self._planned)
        setup.ready.connect(self._ready)
        setup.look()
        self.busy("Looking what the board has and what it lacks")

    def go(self) -> None:
        if self._plan is not None:
            self.setup.set_up(self._plan)
            self.busy("Beginning")

    def _planned(self, plan: SetupPlan) -> None:
        name, lacks = plain(plan.device, 40), self.setup.lacks
        if plan.works:
            self.about.setText(f"{plain(plan.works, 60)} works on {name}: there is nothing to bring.")
            if lacks:
                self._show(LacksPage(lacks))
            self.rest()
            if self.setup.board is not None and self.setup.board.environment is not None:
                self.offer((NextStep(action="undo_setup"),))
        elif plan.none is not None:
            self.about.setText(f"{plan.none.reason}\n\n{plan.none.next}")
            if lacks:
                self._show(LacksPage(lacks))
            self.rest()
            self.offer(_WITHOUT)
        else:
            self._plan = plan
            self._show(PlanPage(plan, lacks))
            self.rest(go="Set It Up", stop="Do Nothing")

    def _ready(self, board: Board) -> None:
        name = plain(self.setup.target, 40)
        numpy = f" with NumPy {plain(board.numpy, 20)}" if board.numpy else ""
        self.about.setText(
            f"{name} has {runtime_text(board)}{numpy} now: an interpreter was built there to try it."
        )
        lacks = self.setup.lacks
        if lacks:
            self._show(LacksPage(lacks))
        else:
            self.hide_page()
        self.rest("Undo the Setup… takes everything away again.")
        self.offer((NextStep(action="inspect"),))

    def _stopped(self) -> None:
        super()._stopped()
        if self._plan is not None:
            self.rest("Stopped. Nothing of it stays on the board.", "Set It Up", "Close")

    def _show(self, page: QWidget) -> None:
        page_of = getattr(page, "stepAsked", None)
        if page_of is not None:
            page_of.connect(self._take)
        self.show_page(page)
