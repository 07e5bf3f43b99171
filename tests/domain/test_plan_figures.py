"""Figures of a plan: their origin, and sums that are right to the byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from arenascope.domain.board import Board
from arenascope.domain.forecast import Forecast
from arenascope.domain.plan_figures import (
    largest_allocation,
    largest_figure,
    peak_figure,
    planned_header,
    verdict_figure,
)
from arenascope.domain.prediction import BASE, PredictedPart
from arenascope.domain.profiles import PROFILES
from arenascope.domain.provenance import Provenance
from arenascope.domain.ranges import Range, exactly
from arenascope.domain.whatif import WhatIf
from arenascope.qtmodels.planned_capture import planned_capture
from arenascope.workflow.whatif import Question
from tests.support.foretelling import forecast_of, planned, small_graph

BOARD = Board("pi", machine="armv7l", bits=32, ram_available=400 * 1024**2, swap_total=0)


def forecast(batch: int = 2, board: Board | None = BOARD, refuses: bool = False) -> Forecast:
    question = Question(
        Path("m"), small_graph(), WhatIf(batch=batch), PROFILES["tflite-2.14"], "armv7l", board
    )
    return forecast_of(planned(question, lambda b: refuses), board)


def test_every_sum_is_its_figure() -> None:
    made = forecast()
    header = planned_header(planned_capture(made, BOARD), made)
    for figure in (*header, peak_figure(made.prediction), largest_figure(made.plan, made.prediction)):
        if figure.terms:
            assert sum(t.bytes for t in figure.terms) == figure.bytes, figure.key


def test_the_strip_of_a_plan_measures_nothing() -> None:
    made = forecast()
    header = {f.key: f for f in planned_header(planned_capture(made, BOARD), made)}
    assert Provenance.MEASURED not in {f.provenance for f in header.values()}
    assert header["arena"].provenance is Provenance.PLANNED
    assert "planned" in header["arena"].rule or "rules" in header["arena"].rule
    assert "device" not in header["arena"].rule
    assert header["process_peak"].provenance is Provenance.ESTIMATED
    assert made.prediction is not None
    assert header["headroom"].bytes == 400 * 1024**2 - made.prediction.peak.likely
    assert header["unexplained"].provenance is None


def test_without_a_board_nothing_is_predicted() -> None:
    made = forecast(board=None)
    assert peak_figure(made.prediction).provenance is None
    header = {f.key: f for f in planned_header(planned_capture(made, None), made)}
    assert header["headroom"].bytes is None
    found = largest_allocation(made.plan, None)
    assert found is not None
    assert (found.bytes, found.purpose) == (made.plan.totals.arena_rw, "the arena")


def test_a_refused_plan_allocates_nothing() -> None:
    made = forecast(refuses=True)
    assert largest_allocation(made.plan, None) is None
    assert largest_figure(made.plan, None).bytes is None
    assert "refuses" in verdict_figure(made).rule


def test_the_verdict_shows_the_numbers_that_make_it() -> None:
    figure = verdict_figure(forecast())
    assert "available memory 400.0 MiB (measured)" in figure.rule


def test_copies_of_a_program_are_told_beside_the_peak() -> None:
    prediction = forecast().prediction
    assert prediction is not None
    copy = PredictedPart("copy of the inputs", Range(0, 2048, 2048), Provenance.PLANNED, "Its array.")
    figure = peak_figure(replace(prediction, beside=(copy,)))
    assert "A program adds up to 2.0 KiB: copy of the inputs. Its array." in figure.rule
    assert figure.bytes == prediction.peak.likely


def test_a_guess_is_told_from_a_measured_base() -> None:
    prediction = forecast().prediction
    assert prediction is not None
    assert not prediction.guessed, "its delegate is estimated, but from runs"
    guess = PredictedPart(BASE, exactly(1), Provenance.ESTIMATED, "seen elsewhere", guessed=True)
    assert replace(prediction, parts=(guess, *prediction.parts)).guessed


def test_a_forecast_without_tensors_keeps_totals_and_arenas() -> None:
    plan = forecast().plan
    bare = forecast().without_tensors().plan
    assert bare.layout.placements == ()
    assert (bare.totals, bare.layout.arenas) == (plan.totals, plan.layout.arenas)
    assert largest_allocation(bare, None) == largest_allocation(plan, None)
