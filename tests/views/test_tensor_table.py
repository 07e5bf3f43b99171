"""The table beside the other views: one selection, one search, the keyboard, the clipboard."""

from __future__ import annotations

import gc
import weakref

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from arenascope.qtmodels.search_state import SearchState
from arenascope.qtmodels.selection import Selection
from arenascope.qtmodels.tensor_table import COLUMNS
from arenascope.views.panels.tensor_panel import TensorTable
from arenascope.views.theme import Theme
from tests.support.captures import big_capture, example_capture, hostile_capture
from tests.views.probes import grabbed, pixels, share_of

LIGHT = Theme.load("light")
NAMES = [c.title for c in COLUMNS]


@pytest.fixture
def search(qapp: object) -> SearchState:
    return SearchState()


@pytest.fixture
def selection(qapp: object) -> Selection:
    return Selection()


@pytest.fixture
def panel(qtbot: QtBot, selection: Selection, search: SearchState) -> TensorTable:
    made = TensorTable(LIGHT)
    qtbot.addWidget(made)
    made.set_selection(selection)
    made.set_search(search)
    made.resize(1000, 400)
    made.show()
    capture = example_capture()
    search.set_capture(capture)
    selection.set_capture(capture)
    QApplication.processEvents()
    return made


def current(panel: TensorTable) -> object:
    index = panel.table.currentIndex()
    return panel.model.placement(index.row()).key if index.isValid() else None


def test_the_selection_of_other_views_is_shown_and_scrolled_to(
    panel: TensorTable, selection: Selection
) -> None:
    selection.select((0, 30))
    assert current(panel) == (0, 30)
    assert panel.selected_rows() == [30]
    shown = panel.table.visualRect(panel.table.currentIndex())
    assert panel.table.viewport().rect().intersects(shown)
    selection.select(None)
    assert panel.selected_rows() == []


def test_arrow_keys_select_for_every_view(panel: TensorTable, selection: Selection) -> None:
    selection.select((0, 15))
    told: list[object] = []
    selection.tensorChanged.connect(told.append)
    QTest.keyClick(panel.table, Qt.Key.Key_Down)
    QTest.keyClick(panel.table, Qt.Key.Key_Up)
    assert told == [(0, 16), (0, 15)]


def test_sorting_and_filtering_keep_the_selection(
    panel: TensorTable, selection: Selection, search: SearchState
) -> None:
    selection.select((0, 28))
    told: list[object] = []
    selection.tensorChanged.connect(told.append)
    panel.sort_by(NAMES.index("Bytes"))
    assert current(panel) == (0, 28)
    search.set_text("im2col")
    assert current(panel) == (0, 28)
    search.set_text("conv1")
    assert current(panel) is None
    search.set_text("")
    assert current(panel) == (0, 28)
    assert told == []


def test_a_click_on_a_header_sorts_and_again_the_other_way(panel: TensorTable) -> None:
    header = panel.table.horizontalHeader()
    column = NAMES.index("Bytes")
    middle = header.sectionViewportPosition(column) + header.sectionSize(column) // 2
    spot = header.viewport().rect().center()
    spot.setX(middle)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert panel.model.placement(0).key == (0, 28)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert panel.model.placement(0).bytes == 16


def test_the_count_tells_what_was_found(panel: TensorTable, search: SearchState) -> None:
    assert panel.count_text.startswith("31 tensors · ")
    search.set_text("im2col")
    assert panel.count_text == "2 of 31 tensors found · 891.0 KiB in all"
    search.set_text("size>never")
    assert panel.count_text.startswith("31 tensors")
    assert any("size>never" in label.text() for label in panel.findChildren(QLabel))


def test_copied_rows_have_a_header(panel: TensorTable) -> None:
    panel.table.selectRow(18)
    QTest.keyClick(panel, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().split("\n")
    assert lines[0].split("\t") == NAMES
    assert lines[1].split("\t")[:2] == ["18", "doorbell/depthwise2/Relu6"]


def test_names_carry_the_colour_of_their_block(panel: TensorTable) -> None:
    panel.table.scrollToBottom()
    QApplication.processEvents()
    shown = grabbed(panel.table.viewport())
    for role in ("activation", "scratch", "persistent"):
        assert share_of(shown, LIGHT.role(role), 12) > 0, role


def test_an_empty_table_says_what_is_missing(panel: TensorTable, selection: Selection) -> None:
    selection.set_capture(None)
    assert not panel.table.isVisible()
    assert any("open a capture" in label.text() for label in panel.findChildren(QLabel))


def test_a_picture_of_it_has_its_own_size(panel: TensorTable) -> None:
    one, three = panel.render_image(1), panel.render_image(3)
    assert (three.width(), three.height()) == (3 * one.width(), 3 * one.height())
    bottom = pixels(three)[-300:-60]
    assert bottom.std() > 1  # rows reach down to the end


def test_hostile_names_are_painted_as_text(qtbot: QtBot) -> None:
    panel = TensorTable(LIGHT)
    qtbot.addWidget(panel)
    panel.set_capture(hostile_capture())
    panel.resize(900, 700)
    panel.show()
    assert grabbed(panel).any()
    for label in panel.findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText


def test_ten_thousand_rows_are_there(qtbot: QtBot) -> None:
    panel = TensorTable(LIGHT)
    qtbot.addWidget(panel)
    panel.set_capture(big_capture(10_000))
    panel.sort_by(NAMES.index("Bytes"))
    assert panel.count_text.startswith("10,000 tensors")


def test_a_closed_table_is_gone(qtbot: QtBot, selection: Selection) -> None:
    panel = TensorTable(LIGHT)
    panel.set_selection(selection)
    panel.show()
    selection.set_capture(example_capture())
    watched = weakref.ref(panel)
    panel.close()
    del panel
    for _ in range(3):
        gc.collect()
        QApplication.processEvents()
    assert watched() is None
    selection.select((0, 3))
