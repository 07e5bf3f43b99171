"""What if, at the window, with the real planning service: drag, compare with the run, measure."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arenascope.qtmodels.batch_scale import STOPS
from arenascope.qtmodels.whatif import Answer
from arenascope.resources import resource_path
from arenascope.views.main_window import MainWindow
from tests.support.models import shared

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measuring this computer needs Linux")
LONG = 60_000


def open_model(window: MainWindow, qtbot: QtBot, path: Path) -> None:
    with qtbot.waitSignal(window.session.modelChanged, timeout=LONG):
        window.session.open(path)
    window.actions_["tab_what-if"].trigger()
    QApplication.processEvents()


def answered(window: MainWindow, qtbot: QtBot) -> Answer:
    whatif = window.session.whatif
    qtbot.waitUntil(lambda: whatif.answer is not None and whatif.answer.whole, timeout=LONG)
    assert whatif.answer is not None
    return whatif.answer


def inspected(window: MainWindow, qtbot: QtBot, action: str) -> None:
    with qtbot.waitSignal(window.session.runStopped, timeout=LONG):
        window.actions_[action].trigger()


def test_a_drag_is_never_answered_with_another_batch(window: MainWindow, qtbot: QtBot) -> None:
    open_model(window, qtbot, resource_path("examples", "cnn.tflite"))
    whatif, figures = window.session.whatif, window.whatif.figures

    def check(_: object = None) -> None:
        if figures.isEnabled() and figures.forecast is not None:
            assert figures.forecast.plan.asked == whatif.knobs.asked
            assert figures.title == f"batch {whatif.batch}"

    whatif.answered.connect(check)
    for at in [*range(0, 60, 3), *range(60, 4, -4)]:
        window.whatif.slider.setValue(at)
        QApplication.processEvents()
        check()
    assert window.whatif.batch.value() == STOPS[8]
    answer = answered(window, qtbot)
    assert answer.question.asked.batch == STOPS[8]
    assert figures.forecast is answer.forecast


def test_a_run_lies_where_it_was_planned_and_becomes_a_dot(window: MainWindow, qtbot: QtBot) -> None:
    session, whatif = window.session, window.session.whatif
    session.set_request(replace(session.request, delegate="none"))
    open_model(window, qtbot, resource_path("examples", "cnn.tflite"))
    inspected(window, qtbot, "inspect")
    window.actions_["map_both"].trigger()
    window.actions_["whatif_like_run"].trigger()
    qtbot.waitUntil(lambda: whatif.as_the_run and session.selection.difference is not None, timeout=LONG)
    assert session.selection.difference is not None
    assert session.selection.difference.equal
    assert window.map.plan_text.startswith("Equal: all ")

    whatif.set_batch(4)
    forecast = answered(window, qtbot).forecast
    inspected(window, qtbot, "whatif_measure")
    assert {dot.batch for dot in whatif.dots()} >= {4}
    dot = next(dot for dot in whatif.dots() if dot.batch == 4)
    assert forecast is not None
    assert dot.arena == forecast.plan.totals.arena_rw, "measured where it was planned, to the byte"
    assert session.request.batch is None, "the options of the next run are as they were"
    points = window.whatif.chart.points
    assert points is not None
    assert dot in points.dots


def test_a_fixed_batch_names_its_operator(window: MainWindow, qtbot: QtBot) -> None:
    open_model(window, qtbot, shared("mnist_lstm_float.tflite"))
    window.whatif.batch.setValue(8)
    answered(window, qtbot)
    figures = window.whatif.figures
    assert figures.verdict.text() == "Refused by the model"
    assert "UNIDIRECTIONAL_SEQUENCE_LSTM" in figures.reason
    assert figures.operator.isVisible()
    qtbot.waitUntil(lambda: window.session.whatif.curve.next() is None, timeout=LONG)
    assert window.session.whatif.curve.first_refusal is not None
    assert window.session.whatif.curve.first_refusal[0] == 2


def test_calibrating_makes_the_prediction_narrow(window: MainWindow, qtbot: QtBot) -> None:
    session, whatif = window.session, window.session.whatif
    session.set_request(replace(session.request, delegate="none"))
    with qtbot.waitSignal(session.boards.answered, timeout=LONG):
        window.actions_["check_board"].trigger()
    open_model(window, qtbot, resource_path("examples", "cnn.tflite"))
    before = answered(window, qtbot).forecast
    assert before is not None
    assert before.prediction is not None
    assert window.whatif._learn.isVisible()
    with qtbot.waitSignal(whatif.lessons.learnt, timeout=2 * LONG):
        window.actions_["whatif_learn"].trigger()
    after = answered(window, qtbot).forecast
    assert after is not None
    assert after.prediction is not None
    assert after.prediction.peak.width < before.prediction.peak.width / 2
    assert not window.whatif._learn.isVisible()
