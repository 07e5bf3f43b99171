"""Sweeps and fits on this computer, with the real runtime; the search itself with runs that are scripted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from arenascope.domain.forecast import Forecast
from arenascope.domain.measurement import RAN_OUT, Outcome, Status
from arenascope.domain.sweep import (
    MOST_NOTES,
    Point,
    PointMeasured,
    Sweep,
    largest_fit,
    notes,
    why_not,
)
from arenascope.domain.verdict import Fit, Verdict
from arenascope.domain.whatif import WhatIf
from arenascope.errors import LinkError, UsageError
from arenascope.store.sweep_out import sweep_json
from arenascope.workflow import fit as fit_module
from arenascope.workflow import sweep as sweep_module
from arenascope.workflow.connect import Device, connect
from arenascope.workflow.events import PointDone, PointStarted, SweepEvent
from arenascope.workflow.fit import fit
from arenascope.workflow.jobs import CancelToken
from arenascope.workflow.rebatch import rebatch
from arenascope.workflow.sweep import Runs, sweep
from tests.support.models import own, shared


@pytest.fixture(scope="module")
def device() -> Iterator[Device]:
    with connect(probe_runtime=True) as connected:
        yield connected


def batches(*numbers: int, delegate: str = "none") -> list[WhatIf]:
    return [WhatIf(batch=number, delegate=delegate) for number in numbers]


@pytest.mark.parametrize("delegate", ["none", "default"])
def test_what_is_planned_is_what_is_measured(device: Device, delegate: str) -> None:
    found = sweep([device], own("cnn_float.tflite"), batches(1, 3, 8, delegate=delegate), runs=Runs())
    assert [point.asked.batch for point in found.points] == [1, 3, 8]
    for point in found.points:
        planned, measured = point.forecast.plan.totals, point.measured
        assert measured is not None and measured.outcome.ok
        assert planned.arena_rw == measured.arena_rw
        assert planned.arena_rw_persistent == measured.arena_rw_persistent
        assert point.forecast.verdict.fits
    (fits,) = found.largest_fit
    assert (fits.batch, fits.planned, fits.confirmed, fits.runs) == (8, 8, 8, 3)
    assert found.refused is None


def test_what_the_plans_note_is_told_once(device: Device) -> None:
    model = own("transpose_conv.tflite")
    found = sweep([device], model, batches(1, 2, 3))
    (note,) = [note for note in found.notes if "stays" in note]
    assert note in sweep_json(found)["notes"]
    assert note in fit([device], model, WhatIf(delegate="none"), limit=3).notes


def test_many_different_notes_are_counted(point: Point) -> None:
    plans = [replace(point.forecast.plan, notes=(f"note {n}", "the same")) for n in range(20)]
    told = notes([replace(point, forecast=replace(point.forecast, plan=plan)) for plan in plans])
    assert told[:3] == ("note 0", "the same", "note 1")
    assert told[-1] == "11 more notes are in the plans of single points."
    assert len(told) == MOST_NOTES + 1


def test_points_hold_no_tensors(device: Device) -> None:
    point = sweep([device], own("cnn_float.tflite"), batches(2)).points[0]
    assert not point.forecast.plan.layout.placements
    assert point.forecast.plan.totals.arena_rw


def test_without_runs_nothing_is_measured(device: Device) -> None:
    told: list[SweepEvent] = []
    found = sweep([device], own("cnn_float.tflite"), batches(1, 2), tell=told.append)
    assert all(point.measured is None for point in found.points)
    assert not [event for event in told if isinstance(event, PointStarted)]
    assert [e.number for e in told if isinstance(e, PointDone)] == [1, 2]
    assert found.largest_fit[0].confirmed is None


def test_a_model_of_fixed_batch_says_what_pins_it(device: Device) -> None:
    found = sweep([device], own("lstm_fused.tflite"), batches(1, 2, 4), runs=Runs())
    assert [point.measured is not None for point in found.points] == [True, False, False]
    assert found.refused is not None and found.refused.operator_name == "UNIDIRECTIONAL_SEQUENCE_LSTM"
    pinned = fit([device], own("lstm_fused.tflite"), runs=Runs())
    (answer,) = pinned.largest_fit
    assert (answer.batch, answer.confirmed, answer.runs) == (1, 1, 1)
    assert "variable of the fixed shape" in answer.reason
    assert pinned.refused is not None and not pinned.refused.too_large


def test_the_limit_of_a_fit_is_kept_and_confirmed_by_one_run(device: Device) -> None:
    found = fit([device], own("cnn_float.tflite"), WhatIf(delegate="none"), limit=12, runs=Runs())
    (answer,) = found.largest_fit
    assert (answer.planned, answer.confirmed, answer.runs) == (12, 12, 1)
    assert "largest that was to be thought of" in answer.reason


def test_a_pinned_batch_above_the_limit_is_no_answer(device: Device, tmp_path: Path) -> None:
    eight = Path(rebatch(own("lstm_fused.tflite"), 8, tmp_path / "eight.tflite").path)
    (answer,) = fit([device], eight, limit=4, runs=Runs()).largest_fit
    assert (answer.batch, answer.runs) == (None, 0)
    assert answer.reason == "The model takes batch 8 alone, and the limit is 4."
    (answer,) = fit([device], eight, runs=Runs()).largest_fit
    assert (answer.batch, answer.runs) == (8, 1)


def test_a_batch_that_nothing_can_hold_is_found_by_plans_alone(device: Device) -> None:
    found = fit([device], shared("vww_96_float.tflite"), WhatIf(delegate="none"))
    (answer,) = found.largest_fit
    assert answer.planned is not None and answer.planned > 1000 and answer.confirmed is None
    border = {p.asked.batch: p.forecast.verdict.fits for p in found.points}
    assert border[answer.planned] is True
    assert border[answer.planned + 1] is not True


def test_a_sweep_of_nothing_and_a_limit_of_nothing_are_said(device: Device) -> None:
    with pytest.raises(UsageError, match="No variant"):
        sweep([device], own("cnn_float.tflite"), [])
    with pytest.raises(UsageError, match="from 1 to"):
        fit([device], own("cnn_float.tflite"), limit=0)
    with pytest.raises(UsageError, match="no input whose batch"):
        fit([device], own("scalar.tflite"))


def test_a_cancel_leaves_the_rest_planned(device: Device) -> None:
    cancel = CancelToken()

    def tell(event: SweepEvent) -> None:
        if isinstance(event, PointDone) and event.point.measured is not None:
            cancel.cancel()

    found = sweep([device], own("cnn_float.tflite"), batches(1, 2, 3), runs=Runs(), tell=tell, cancel=cancel)
    assert [point.measured is not None for point in found.points] == [True, False, False]


def test_the_document_has_the_keys_of_the_contract(device: Device) -> None:
    document = sweep_json(sweep([device], own("cnn_float.tflite"), batches(2), runs=Runs()))
    assert document["schema"] == "arenascope.sweep/1"
    (point,) = document["points"]
    assert {"device", "batch", "inputs", "planned", "measured", "verdict"} <= point.keys()
    assert set(point["planned"]["peak"]) == {"low", "likely", "high"}
    assert {"arena_rw", "process_peak", "seconds", "outcome"} <= point["measured"].keys()
    assert {"fits", "reason"} <= point["verdict"].keys()
    assert document["largest_fit"]["this computer"]["batch"] == 2
    assert document["refused"] is None


# ------------------------------------------------------------------------------- the search by runs


class Board:
    """Runs that are scripted: they end well up to ``border``. The plans are of a real sweep's point."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        point: Point,
        border: int,
        planned: int,
        beyond: Status,
        said: str = "so it went",
    ) -> None:
        self._said = said
        self.ran: list[int] = []
        self._point, self._border, self._planned, self._beyond = point, border, planned, beyond
        monkeypatch.setattr(fit_module, "Forecaster", lambda *_, **__: self)
        monkeypatch.setattr(fit_module, "run_point", self._run)

    def forecast(self, asked: WhatIf) -> Forecast:
        assert asked.batch is not None
        fits = Fit.FITS if asked.batch <= self._planned else Fit.KILLED
        plan = replace(self._point.forecast.plan, asked=asked)
        return replace(self._point.forecast, plan=plan, verdict=Verdict(fits, "It is said so."))

    def _run(self, device: Device, model: Path, point: Point, *_: object) -> Point:
        batch = point.asked.batch
        assert batch is not None
        self.ran.append(batch)
        status = Status.OK if batch <= self._border else self._beyond
        return replace(point, measured=PointMeasured(1, 1, 1, 0.1, Outcome(status, message=self._said)))


@pytest.fixture(scope="module")
def point(device: Device) -> Point:
    return sweep([device], own("cnn_float.tflite"), batches(1)).points[0]


def searched(device: Device) -> Sweep:
    return fit([device], own("cnn_float.tflite"), runs=Runs())


@pytest.mark.parametrize("border", [1, 2, 1900, 2400, 2499, 2500, 2501, 2600, 9000])
def test_runs_find_the_border_wherever_the_plan_put_it(
    device: Device, point: Point, monkeypatch: pytest.MonkeyPatch, border: int
) -> None:
    board = Board(monkeypatch, point, border, 2500, Status.KILLED)
    (answer,) = searched(device).largest_fit
    assert (answer.batch, answer.planned, answer.confirmed) == (border, 2500, border)
    assert answer.reason == f"Batch {border + 1:,} was run and killed: so it went."
    assert answer.runs == len(board.ran) == len(set(board.ran)) <= 24


def test_nothing_fits_where_not_even_one_does(
    device: Device, point: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    Board(monkeypatch, point, 0, 0, Status.REFUSED)
    (answer,) = searched(device).largest_fit
    assert (answer.batch, answer.planned, answer.confirmed) == (None, None, None)
    assert answer.reason == "Batch 1 was run and refused: so it went."


def test_a_run_that_says_nothing_of_memory_ends_the_search(
    device: Device, point: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    Board(monkeypatch, point, 2600, 2500, Status.TIMED_OUT)
    (answer,) = searched(device).largest_fit
    assert answer.confirmed is not None and 2500 <= answer.confirmed <= 2600
    assert "timed out" in answer.reason and answer.reason.endswith("so the search ended there.")


def test_a_board_that_had_no_memory_left_and_came_to_no_end_is_over_its_border(
    device: Device, point: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    thrashed = f"{RAN_OUT}, and the device was busy reading pages back from its disk"
    Board(monkeypatch, point, 2450, 2500, Status.TIMED_OUT, thrashed)
    (answer,) = searched(device).largest_fit
    assert answer.confirmed == 2450


def test_a_first_run_that_crashes_leaves_no_answer(
    device: Device, point: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    Board(monkeypatch, point, 0, 2500, Status.CRASHED)
    (answer,) = searched(device).largest_fit
    assert (answer.batch, answer.planned, answer.runs) == (None, 2500, 1)
    assert answer.reason.startswith("Batch 2,500 was run and crashed: so it went. ")


def test_a_device_that_is_lost_leaves_what_was_measured(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(device: Device, model: Path, point: Point, *_: object) -> Point:
        if point.asked.batch == 2:
            raise LinkError("The board is gone.", hint="Look at it.")
        return replace(point, measured=PointMeasured(1, 1, 1, 0.1, Outcome(Status.OK)))

    monkeypatch.setattr(sweep_module, "run_point", run)
    found = sweep([device], own("cnn_float.tflite"), batches(1, 2, 3), runs=Runs())
    assert found.stopped == "The board is gone."
    assert [p.measured is not None for p in found.points] == [True, False, False]


# -------------------------------------------------------------------------------- what a point says


def test_the_largest_among_points_and_what_stands_against_more(point: Point) -> None:
    def at(batch: int, fits: Fit, status: Status | None = None) -> Point:
        plan = replace(point.forecast.plan, asked=WhatIf(batch=batch))
        forecast = replace(point.forecast, plan=plan, verdict=Verdict(fits, f"{batch} is {fits}."))
        measured = None if status is None else PointMeasured(1, 1, 1, 0.1, Outcome(status))
        return Point("pi", forecast, measured)

    planned = largest_fit("pi", [at(4, Fit.KILLED), at(1, Fit.FITS), at(2, Fit.TIGHT)])
    assert planned is not None
    assert (planned.batch, planned.confirmed, planned.runs) == (2, None, 0)
    assert planned.reason == "Batch 4: 4 is killed later."
    ran = largest_fit("pi", [at(1, Fit.FITS, Status.OK), at(2, Fit.FITS, Status.KILLED)])
    assert ran is not None
    assert (ran.batch, ran.planned, ran.confirmed) == (1, 2, 1)
    assert ran.reason == "Batch 2 was run and killed."
    assert largest_fit("pi", []) is None
    assert why_not(replace(at(3, Fit.FITS), forecast=point.forecast)).startswith("Batch 1: ")
