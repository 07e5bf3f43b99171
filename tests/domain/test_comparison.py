"""A prediction beside a recorded run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from arenascope.domain.attribution import ARENA, KERNELS, PYTHON, RUNTIME
from arenascope.domain.baseline import Base, Baseline, base, identity
from arenascope.domain.capture import Capture
from arenascope.domain.comparison import LEAST, compare
from arenascope.domain.measurement import Outcome, Status
from arenascope.domain.plan import Plan, Planned
from arenascope.domain.prediction import BASE, Prediction, predict
from arenascope.domain.profiles import by_name
from arenascope.domain.whatif import WhatIf
from arenascope.resources import resource_path
from arenascope.store.capture import load
from arenascope.tflite.reader import read_model


@pytest.fixture(scope="module")
def run() -> Capture:
    return load(Path(resource_path("examples", "cnn.ascope")))


@pytest.fixture(scope="module")
def prediction(run: Capture) -> Prediction:
    """As if the layout that was read had been planned."""
    graph = read_model(resource_path("examples", "cnn.tflite"))
    found = base([run])
    assert found is not None
    one: Base = found
    baseline = Baseline(identity(run.device), one, one, False, run.device.address_space)
    plan = Plan(
        run.model,
        WhatIf(delegate=run.options.delegate),
        run.options.inputs,
        by_name("tflite-2.14"),
        run.device.machine or "",
        Planned(run.layout),
        run.totals,
    )
    return predict(plan, graph, run.device, baseline)


def test_parts_stand_beside_what_was_read(prediction: Prediction, run: Capture) -> None:
    found = compare(prediction, run)
    rows = {row.part: row for row in found.parts}
    read = {part.part: part.bytes for part in run.attribution}
    assert rows[ARENA].measured == read[ARENA]
    assert rows[BASE].measured == read[PYTHON] + read[RUNTIME]
    assert rows[BASE].difference == 0  # the baseline is of this very run
    assert found.measured == run.totals.process_peak
    assert sum(row.measured or 0 for row in found.parts) == found.measured
    assert rows[KERNELS].reason


def test_the_difference_is_said_and_judged(prediction: Prediction, run: Capture) -> None:
    found = compare(prediction, run)
    assert found.measured is not None
    assert found.unexplained == found.measured - prediction.peak.likely
    assert found.close is True
    far = replace(run, totals=replace(run.totals, process_peak=prediction.peak.likely * 2 + 2 * LEAST))
    assert compare(prediction, far).close is False
    assert compare(prediction, far).within is False


def test_a_run_that_was_killed_has_no_peak_to_compare_with(prediction: Prediction, run: Capture) -> None:
    found = compare(prediction, replace(run, outcome=Outcome(Status.KILLED)))
    assert (found.measured, found.close, found.within, found.unexplained) == (None,) * 4


def test_what_was_not_predicted_has_a_row_of_its_own(prediction: Prediction, run: Capture) -> None:
    less = replace(prediction, parts=tuple(p for p in prediction.parts if p.part != ARENA))
    row = next(row for row in compare(less, run).parts if row.part == ARENA)
    assert (row.predicted.high, row.reason) == (0, "Not predicted.")
