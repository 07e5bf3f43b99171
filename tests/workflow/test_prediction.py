"""Predictions for this computer, held against runs on it; more models: benchmarks/bench_prediction.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from arenascope.domain.verdict import Fit
from arenascope.resources import resource_path
from arenascope.workflow.connect import connect
from arenascope.workflow.planning import Planning
from tests.support.models import own
from tests.support.predictions import Case, Predictor, held_against_runs

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
    store: Path = tmp_path_factory.mktemp("kept") / "baselines.json"
    with connect() as device, Planning() as planning:
        yield Predictor(device, planning, store)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.text)
def test_the_peak_is_what_was_predicted(predictor: Predictor, case: Case) -> None:
    ((predicted, comparison),) = held_against_runs(predictor, [case])
    parts = [(p.part, p.predicted.likely, p.measured) for p in comparison.parts]
    assert comparison.measured is not None
    if case.delegate == "none":
        assert comparison.close, (comparison.unexplained, parts)
    else:
        assert comparison.within, (comparison.predicted, comparison.measured, parts)
        assert comparison.predicted.width <= 0.15
    assert predicted.verdict.fit is Fit.FITS


def test_what_is_larger_than_everything_is_refused(predictor: Predictor) -> None:
    ram = predictor.device.board.ram_total
    assert ram is not None
    rows = ram // 128
    found = predictor.predict(Case(own("shared_constant.tflite"), rows))
    assert (found.verdict.fit, found.verdict.limit) == (Fit.REFUSED, "RAM and swap")
    assert found.prediction.requests[0].purpose == "the arena"
