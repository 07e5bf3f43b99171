"""The search box: searching while one types, walking what was found."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from arenascope.qtmodels.search_state import SearchState
from arenascope.qtmodels.selection import Selection
from arenascope.views.search_box import SearchBox
from tests.support.captures import example_capture


@pytest.fixture
def box(qtbot: QtBot) -> SearchBox:
    search, selection = SearchState(), Selection()
    made = SearchBox(search, selection)
    search.setParent(made)
    selection.setParent(made)
    qtbot.addWidget(made)
    capture = example_capture()
    search.set_capture(capture)
    selection.set_capture(capture)
    made.show()
    return made


def test_typing_searches_after_a_moment(box: SearchBox, qtbot: QtBot) -> None:
    with qtbot.waitSignal(box.search.changed):
        QTest.keyClicks(box, "im2col")
    assert box.search.text == "im2col"


def test_enter_searches_at_once_and_walks_the_matches(box: SearchBox) -> None:
    QTest.keyClicks(box, "im2col")
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert box.selection.tensor == (0, 27)
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert box.selection.tensor == (0, 28)
    QTest.keyClick(box, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert box.selection.tensor == (0, 27)


def test_escape_and_the_clear_button_end_the_search(box: SearchBox) -> None:
    QTest.keyClicks(box, "im2col")
    QTest.keyClick(box, Qt.Key.Key_Return)
    QTest.keyClick(box, Qt.Key.Key_Escape)
    assert (box.text(), box.search.active) == ("", False)
    QTest.keyClicks(box, "x")
    QTest.keyClick(box, Qt.Key.Key_Return)
    box.clear()
    assert box.search.text == ""


def test_a_query_that_cannot_be_read_is_marked_and_explained(box: SearchBox) -> None:
    QTest.keyClicks(box, "alive@soon")
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert box.property("invalid") is True
    assert "alive@soon" in box.toolTip()
    QTest.keyClick(box, Qt.Key.Key_Escape)
    assert box.property("invalid") is False
    assert "size>64kB" in box.toolTip()


def test_what_was_typed_is_no_markup_in_the_tip(box: SearchBox) -> None:
    QTest.keyClicks(box, "alive@<b>soon</b>")
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert "<b>" not in box.toolTip()
    assert "&lt;b&gt;" in box.toolTip()


def test_a_search_from_elsewhere_is_shown(box: SearchBox) -> None:
    box.clearFocus()
    box.search.set_text("conv1")
    assert box.text() == "conv1"
