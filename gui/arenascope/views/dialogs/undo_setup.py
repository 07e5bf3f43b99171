"""Taking everything of ours away from a board, after a yes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from ...domain.plain_text import plain
from ...domain.units import format_bytes
from ...qtmodels.board_setup import BoardSetup
from ..step_buttons import WordsOf
from .board_work import BoardWorkDialog

if TYPE_CHECKING:
    from ...workflow.setup import Undone


class UndoDialog(BoardWorkDialog):
    """No is what Enter means."""

    def __init__(self, setup: BoardSetup, words_of: WordsOf, parent: QWidget | None = None) -> None:
        self._name = plain(setup.target, 40)
        about = f"ArenaScope keeps its files on {self._name} in one folder of your own. It can take it away."
        super().__init__(f"Undo the setup of {self._name}", about, setup, words_of, parent)
        setup.found.connect(self._found)
        setup.gone.connect(self._gone)
        setup.look_what_is_kept()
        self.busy("Looking what there is")

    def go(self) -> None:
        self.setup.take_away()
        self.busy("Taking it away")

    def _found(self, kept: Undone) -> None:
        if kept.bytes == 0:
            self.about.setText(f"ArenaScope keeps nothing on {self._name}: there is nothing to take away.")
            self.rest()
            return
        self.about.setText(
            f"{_how_much(kept)} lie in {plain(kept.folder, 120)} on {self._name}: the agent, models "
            "that were sent, and what was set up. All of it goes; nothing else there is touched."
        )
        self.rest(go="Take It Away", stop="Keep It", default=self.stop_button)

    def _gone(self, undone: Undone) -> None:
        self.about.setText(f"{_how_much(undone)} were taken away; {self._name} is as it was.")
        self.rest("The next check or run there puts the agent into its folder again.")


def _how_much(undone: Undone) -> str:
    """A device without ``du`` does not say how much it is."""
    return "Files" if undone.bytes is None else format_bytes(undone.bytes)
