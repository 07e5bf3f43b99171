"""The captures of a sitting as a list."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from arenascope.domain.measurement import Status
from arenascope.qtmodels.history_model import HistoryEntry, HistoryModel, batch_of, summary, time_text
from tests.support.captures import ended_capture, example_capture, hostile_capture


def test_the_newest_is_first_and_the_current_is_known(qtbot: QtBot) -> None:
    model = HistoryModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    first, second = HistoryEntry(example_capture()), HistoryEntry(ended_capture(Status.KILLED))
    model.add(first)
    model.add(second)
    assert model.entries == (second, first)
    with qtbot.waitSignal(model.dataChanged):
        model.set_current(first)
    assert model.index(1).data(HistoryModel.CurrentRole) is True
    assert model.index(0).data(HistoryModel.CurrentRole) is False
    assert model.find(second.capture) is second
    model.remove(second)
    model.remove(second)
    assert model.entries == (first,)


def test_saving_keeps_the_place_and_the_choice(qtbot: QtBot) -> None:
    model = HistoryModel()
    entry = HistoryEntry(example_capture())
    model.add(entry)
    model.set_current(entry)
    saved = model.mark_saved(entry, Path("/x/run.ascope"))
    assert saved.saved
    assert not entry.saved
    assert model.entries == (saved,)
    assert model.current is saved


def test_the_second_line_says_the_result() -> None:
    assert summary(HistoryEntry(example_capture())) == "batch 1 · 900.0 KiB · pi4-lab"
    assert "killed" in summary(HistoryEntry(ended_capture(Status.KILLED)))


def test_what_is_not_known_is_left_out() -> None:
    capture = example_capture()
    assert time_text(replace(capture, created=None)) == ""
    assert time_text(replace(capture, created="yesterday")) == ""
    two = {"a": (1, 3), "b": (2, 3)}
    assert batch_of(replace(capture, options=replace(capture.options, inputs=two))) is None
    assert batch_of(replace(capture, options=replace(capture.options, inputs={}))) is None


def test_names_that_want_to_be_more_stay_names() -> None:
    model = HistoryModel()
    model.add(HistoryEntry(hostile_capture()))
    index = model.index(0)
    texts = (index.data(), index.data(HistoryModel.SubtitleRole))
    assert all(text.isprintable() for text in texts)
