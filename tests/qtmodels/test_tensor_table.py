"""The table against Qt's own model tester, and its order against Python's."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from arenascope.domain.measurement import Status
from arenascope.qtmodels.tensor_table import COLUMNS, KeyRole, PlacementRole, TensorTableModel
from tests.support.captures import (
    big_capture,
    ended_capture,
    example_capture,
    hostile_capture,
    loop_capture,
)

NAMES = [c.title for c in COLUMNS]
UP, DOWN = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder


@pytest.fixture
def model(qapp: object) -> TensorTableModel:
    made = TensorTableModel()
    made.set_capture(example_capture())
    return made


def texts(model: TensorTableModel, title: str) -> list[str]:
    column = NAMES.index(title)
    return [model.index(row, column).data() for row in range(model.rowCount())]


def test_qt_finds_no_fault_with_it(qtbot: QtBot) -> None:
    model = TensorTableModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    for capture in (example_capture(), loop_capture(), hostile_capture(), ended_capture(Status.KILLED), None):
        model.set_capture(capture)
        for column in range(len(COLUMNS)):
            model.sort(column, DOWN)
            model.sort(column, UP)
        model.set_filter(frozenset({(0, 3), (0, 0)}))
        model.sort(4, DOWN)
        model.set_filter(frozenset())
        model.set_filter(None)
    del tester


def test_a_row_tells_what_the_placement_does(model: TensorTableModel) -> None:
    row = model.row_of((0, 18))
    assert row is not None
    assert [model.index(row, c).data() for c in range(len(COLUMNS))] == [
        "18", "doorbell/depthwise2/Relu6", "float32", "[1, 24, 24, 32]", "73,728", "arena_rw",
        "774,144", "0xb3cbe040", "3", "5", "DEPTHWISE_CONV_2D (3)", "CONV_2D (4), ADD (5)", "",
    ]  # fmt: skip
    assert model.index(row, 0).data(KeyRole) == (0, 18)
    assert model.index(row, 0).data(PlacementRole).name == "doorbell/depthwise2/Relu6"


def test_unknown_is_empty_and_comes_last_in_either_order(model: TensorTableModel) -> None:
    offset = NAMES.index("Offset")
    for order in (UP, DOWN):
        model.sort(offset, order)
        shown = texts(model, "Offset")
        known = [int(t.replace(",", "")) for t in shown if t]
        assert shown[len(known) :] == [""] * 14
        assert known == sorted(known, reverse=order == DOWN)


@pytest.mark.parametrize("title", NAMES)
def test_sorting_is_stable_and_complete(model: TensorTableModel, title: str) -> None:
    column = NAMES.index(title)
    model.sort(column, DOWN)
    keys = [model.placement(row).key for row in range(model.rowCount())]
    assert sorted(keys) == sorted(p.key for p in example_capture().layout.placements)
    shown = texts(model, title)
    for first, second, text, next_text in zip(keys, keys[1:], shown, shown[1:], strict=False):
        if text == next_text:
            assert first < second


def test_numbers_sort_as_numbers_and_names_without_case(model: TensorTableModel) -> None:
    model.sort(NAMES.index("Bytes"), DOWN)
    sizes = [int(t.replace(",", "")) for t in texts(model, "Bytes")]
    assert sizes == sorted(sizes, reverse=True)
    model.sort(NAMES.index("Name"), UP)
    names = [t.lower() for t in texts(model, "Name")]
    assert names == sorted(names)
    model.sort(NAMES.index("Last"), DOWN)
    assert texts(model, "Last")[:3] == ["end"] * 3


def test_the_filter_keeps_the_order_and_the_sums(model: TensorTableModel) -> None:
    model.sort(NAMES.index("Bytes"), DOWN)
    model.set_filter(frozenset({(0, 28), (0, 27), (0, 0), (7, 7)}))
    assert texts(model, "#") == ["28", "27", "0"]
    assert model.shown_bytes == 663_552 + 248_832 + 110_592
    assert model.row_of((0, 15)) is None
    model.set_filter(None)
    assert model.rowCount() == model.total == 31


def test_persistent_indexes_follow_their_tensor(model: TensorTableModel) -> None:
    followed = QPersistentModelIndex(model.index(18, 1))
    model.sort(NAMES.index("Bytes"), DOWN)
    assert followed.data(KeyRole) == (0, 18)
    assert followed.column() == 1


def test_other_subgraphs_are_named(qapp: object) -> None:
    model = TensorTableModel()
    model.set_capture(loop_capture())
    assert "2:5" in texts(model, "#")


def test_hostile_names_are_one_line_without_hidden_characters(qapp: object) -> None:
    model = TensorTableModel()
    model.set_capture(hostile_capture())
    for row in range(model.rowCount()):
        for column in range(len(COLUMNS)):
            text = model.index(row, column).data()
            assert text.isprintable() or "\N{REPLACEMENT CHARACTER}" in text
            assert not set("\n\r\x1b\u202e\u2028\x00") & set(text)
            assert len(text) <= 400
        tip = model.index(row, NAMES.index("Name")).data(Qt.ItemDataRole.ToolTipRole)
        assert tip is None or "<script" not in tip


def test_headers_explain_themselves_and_show_the_order(model: TensorTableModel) -> None:
    across = Qt.Orientation.Horizontal
    tips = [model.headerData(c, across, Qt.ItemDataRole.ToolTipRole) for c in range(len(COLUMNS))]
    assert all(tips)
    model.sort(NAMES.index("Bytes"), DOWN)
    assert model.headerData(NAMES.index("Bytes"), across) == "▾ Bytes"
    model.sort(NAMES.index("Name"), UP)
    assert model.headerData(NAMES.index("Name"), across) == "Name ▴"
    assert model.headerData(NAMES.index("Bytes"), across) == "Bytes"


def test_rows_as_text_are_a_table_of_their_own(model: TensorTableModel) -> None:
    lines = model.as_text([18, 0]).split("\n")
    assert [len(line.split("\t")) for line in lines] == [len(COLUMNS)] * 3
    assert lines[1].startswith("18\tdoorbell/depthwise2")


def test_ten_thousand_rows_keep_their_names(qapp: object) -> None:
    model = TensorTableModel()
    model.set_capture(big_capture(10_000))
    model.sort(NAMES.index("Name"), DOWN)
    assert model.rowCount() == 10_000
    assert len(set(texts(model, "#"))) == 10_000
