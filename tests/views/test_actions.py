"""Every action is in a menu, in the palette, and does something."""

from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtCore import SIGNAL, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from arenascope.views.actions import ACTIONS, MENUS, Actions
from arenascope.views.command_palette import CommandPalette, score
from arenascope.views.main_window import MainWindow
from arenascope.views.theme import Theme
from tests.support.window import filled_window, make_window


def in_menus(menus: list[QMenu]) -> list[str]:
    """Object names of all actions in them, submenus included."""
    names: list[str] = []
    for menu in menus:
        for action in menu.actions():
            if isinstance(action.menu(), QMenu):
                names += in_menus([action.menu()])
            elif not action.isSeparator():
                names.append(action.objectName())
    return names


def palette_of(window: MainWindow) -> CommandPalette:
    window.actions_["palette"].trigger()
    found = [c for c in window.findChildren(CommandPalette) if c.isVisible()]
    assert len(found) == 1
    return found[0]


def test_every_action_is_in_one_menu(qtbot: QtBot) -> None:
    window = make_window(qtbot)
    names = Counter(in_menus(window.menus))
    assert names == Counter(spec.key for spec in ACTIONS)
    assert [m.title().replace("&", "") for m in window.menus] == list(MENUS)


def test_every_action_is_in_the_palette(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    texts = set(palette_of(window).texts())
    missing = [
        spec.key
        for spec in ACTIONS
        if spec.key != "palette" and window.actions_[spec.key].text().rstrip("…") not in texts
    ]
    assert not missing


def test_every_action_is_bound(qtbot: QtBot) -> None:
    window = make_window(qtbot)
    unbound = [
        spec.key for spec, action in window.actions_ if action.receivers(SIGNAL("triggered(bool)")) == 0
    ]
    assert not unbound


def test_no_key_means_two_things() -> None:
    keys = Counter(QKeySequence(key).toString() for spec in ACTIONS for key in spec.keys)
    assert [key for key, count in keys.items() if count > 1] == []
    assert "" not in keys, "Qt knows every key"


def test_texts_are_distinct_and_icons_exist(qtbot: QtBot) -> None:
    window = make_window(qtbot)
    actions = Actions(window, Theme.load("dark"))
    texts = Counter(action.text() for _, action in actions)
    assert max(texts.values()) == 1
    assert all(not actions[spec.key].icon().isNull() for spec in ACTIONS if spec.icon)


def test_what_needs_a_capture_waits_for_one(qtbot: QtBot) -> None:
    window = make_window(qtbot)
    for key in ("save", "report", "export", "copy_image", "explain_arena"):
        assert not window.actions_[key].isEnabled(), key
    filled = filled_window(qtbot)
    for key in ("save", "report", "export", "copy_image", "explain_arena"):
        assert filled.actions_[key].isEnabled(), key


def test_the_palette_finds_and_runs(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    palette = palette_of(window)
    qtbot.keyClicks(palette.edit, "show memory")
    assert palette.texts()[0] == "Show Memory"
    qtbot.keyClick(palette.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.tabs.currentWidget() is window.memory)
    assert not [c for c in window.findChildren(CommandPalette) if c.isVisible()]


def test_the_palette_closes_and_walks_by_keys(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    palette = palette_of(window)
    qtbot.keyClick(palette.edit, Qt.Key.Key_Up)
    assert palette.list.currentRow() == palette.list.count() - 1, "round the end"
    qtbot.keyClick(palette.edit, Qt.Key.Key_Down)
    assert palette.list.currentRow() == 0
    qtbot.keyClick(palette.edit, Qt.Key.Key_PageDown)
    assert palette.list.currentRow() > 1
    qtbot.keyClick(palette.edit, Qt.Key.Key_Escape)
    assert not palette.isVisible()


def test_the_palette_closes_on_a_click_elsewhere(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    palette = palette_of(window)
    qtbot.mouseClick(window.boards, Qt.MouseButton.LeftButton)
    assert not palette.isVisible()


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [("map", "Fit the Map", "Make a Report"), ("ld", "Open", "Light Theme"), ("zzz", "", "Open")],
)
def test_closer_matches_come_first(query: str, better: str, worse: str) -> None:
    good, bad = score(query, better), score(query, worse)
    if query == "zzz":
        assert bad is None
    elif query == "ld":
        assert good is None
    else:
        assert good is not None
        assert bad is None or good < bad
