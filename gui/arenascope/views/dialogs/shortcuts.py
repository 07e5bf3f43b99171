"""Every key, made from the table of actions and from what the views listen to."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ..actions import ACTIONS, MENUS
from ..labels import label
from .frame import Frame

_COLUMNS = 3

#: Keys and gestures that belong to a view and are no actions of the window.
VIEW_KEYS: dict[str, tuple[tuple[str, str], ...]] = {
    "Arena map": (
        ("Left, Right", "one step"),
        ("Shift+Left, Shift+Right", "ten steps"),
        ("Home, End", "first and last step"),
        ("Up, Down", "next tensor alive at the step"),
        ("Ctrl+C", "copy the card as text"),
        ("Esc", "unpin the card"),
        ("0", "reset the view"),
        ("wheel", "zoom at the cursor"),
        ("drag", "pan"),
        ("double click", "zoom to a tensor"),
    ),
    "Search": (("Enter", "next match"), ("Shift+Enter", "match before"), ("Esc", "empty the search")),
    "Live": (
        ("click", "who held memory at that second"),
        ("drag", "a range: start, end, difference"),
        ("Space", "pause the view, not the recording"),
    ),
    "Tables": (("Ctrl+C", "copy the rows"), ("click on a header", "sort")),
}


class ShortcutsDialog(Frame):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Keys", "Everything is in Ctrl+K too, by its name.", parent, wide=136)
        content = QWidget()
        columns = QHBoxLayout(content)
        columns.setContentsMargins(0, 0, 8, 0)
        columns.setSpacing(36)
        sections = [
            (menu, [(s.key_text, s.text.rstrip("…")) for s in ACTIONS if s.menu == menu and s.key_text])
            for menu in MENUS
        ]
        sections += [(name, list(keys)) for name, keys in VIEW_KEYS.items()]
        sections = [(name, keys) for name, keys in sections if keys]
        part = sum(len(keys) + 2 for _, keys in sections) / _COLUMNS
        sides = [QVBoxLayout() for _ in range(_COLUMNS)]
        filled = 0
        for name, keys in sections:
            self._add(sides[min(int(filled / part), _COLUMNS - 1)], name, keys)
            filled += len(keys) + 2
        for side in sides:
            side.setSpacing(12)
            side.addStretch(1)
            columns.addLayout(side, 1)
        scroll = QScrollArea()
        scroll.setWidget(content)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        self.body.addWidget(scroll, 1)
        self.add_button("Close", primary=True, cancel=True)
        self.resize(self.minimumWidth(), content.sizeHint().height() + self.fontMetrics().height() * 10)

    @staticmethod
    def _add(side: QVBoxLayout, name: str, keys: list[tuple[str, str]]) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        grid.addWidget(label(name, "title"), 0, 0, 1, 2)
        for row, (key, words) in enumerate(keys, 1):
            grid.addWidget(label(key, "chip"), row, 0)
            grid.addWidget(label(words), row, 1)
        side.addLayout(grid)
