"""Predictions for this computer, held against runs on it; more models: benchmarks/bench_prediction.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from arenascope.domain.verdict import Fit
from arenascope.resources import resource_path
from arenascope.settings import places
from arenascope.workflow import baseline as workflow
from arenascope.workflow.connect import connect
from arenascope.workflow.planning import Planning
from tests.support.models import own
from tests.support.predictions import Case, Predictor, held_against_run

CNN = resource_path("examples", "cnn.tflite")
LSTM = resource_path("examples", "lstm.tflite")
CASES = [
    Case(CNN, None),
    Case(CNN, 64),
    Case(own("cnn_int8.tflite"), 5000),
    Case(own("shared_constant.tflite"), 200_000),
    Case(own("mean.tflite"), 3000),
    Case(own("while_loop.tflite"), None),
    Case(own("if_branch.tflite"), None),
    Case(own("fp16_weights.tflite"), 4),
    Case(LSTM, None),
    Case(CNN, 200, "default"),
    Case(own("shared_constant.tflite"), 100_000, "default"),
    Case(LSTM, None, "default"),
]


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Predictor]:
    with pytest.MonkeyPatch.context() as patch, connect() as device, Planning() as planning:
        kept: Path = tmp_path_factory.mktemp("kept")
        patch.setattr(workflow, "places", lambda: replace(places(), cache=kept))
        yield Predictor(device, planning)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.text)
def test_the_peak_is_what_was_predicted(predictor: Predictor, case: Case) -> None:
    comparison = held_against_run(predictor, case)
    parts = [(p.part, p.predicted.likely, p.measured) for p in comparison.parts]
    assert comparison.measured is not None
    if case.delegate == "none":
        assert comparison.close, (comparison.unexplained, parts)
    else:
        assert comparison.within, (comparison.predicted, comparison.measured, parts)
        assert comparison.predicted.width <= 0.15
    assert predictor.forecast(case).verdict.fit is Fit.FITS


def test_what_is_larger_than_everything_is_refused(predictor: Predictor) -> None:
    ram = predictor.device.board.ram_total
    assert ram is not None
    rows = ram // 128
    found = predictor.forecast(Case(own("shared_constant.tflite"), rows))
    assert (found.verdict.fit, found.verdict.limit) == (Fit.REFUSED, "RAM and swap")
    assert found.prediction is not None
    assert found.prediction.requests[0].purpose == "the arena"
