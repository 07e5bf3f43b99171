"""A sweep as the JSON document of the contract (``arenascope.sweep/1``)."""

from __future__ import annotations

from ..domain.sweep import Point, PointMeasured, Sweep
from .capture_out import model_out
from .fields import JsonObject
from .plan_out import refusal_json

SCHEMA = "arenascope.sweep/1"


def sweep_json(sweep: Sweep) -> JsonObject:
    """What is not known is None."""
    asked = sweep.asked
    return {
        "schema": SCHEMA,
        "model": model_out(sweep.model),
        "options": {
            "threads": asked.threads,
            "delegate": asked.delegate,
            "preserve_all": asked.preserve_all,
        },
        "points": [_point_out(point) for point in sweep.points],
        "largest_fit": {
            fit.device: {
                "batch": fit.batch,
                "planned": fit.planned,
                "confirmed": fit.confirmed,
                "reason": fit.reason,
                "runs": fit.runs,
            }
            for fit in sweep.largest_fit
        },
        "refused": None if sweep.refused is None else refusal_json(sweep.refused),
        "notes": list(sweep.notes),
        "stopped": sweep.stopped or None,
    }


def _point_out(point: Point) -> JsonObject:
    forecast = point.forecast
    totals, peak, verdict = forecast.plan.totals, None, forecast.verdict
    if forecast.prediction is not None:
        found = forecast.prediction.peak
        peak = {"low": found.low, "likely": found.likely, "high": found.high}
    return {
        "device": point.device,
        "batch": point.asked.batch,
        "inputs": {name: list(shape) for name, shape in point.inputs.items()},
        "planned": {
            "arena_rw": totals.arena_rw,
            "arena_rw_persistent": totals.arena_rw_persistent,
            "peak": peak,
            "exact": forecast.plan.exact,
        },
        "measured": None if point.measured is None else _measured_out(point.measured),
        "verdict": {
            "fits": verdict.fits,
            "kind": verdict.fit.value,
            "reason": verdict.reason,
            "limit": verdict.limit,
            "figures": [
                {"name": f.name, "bytes": f.bytes, "provenance": f.provenance.value} for f in verdict.figures
            ],
        },
    }


def _measured_out(measured: PointMeasured) -> JsonObject:
    outcome = measured.outcome
    return {
        "arena_rw": measured.arena_rw,
        "arena_rw_persistent": measured.arena_rw_persistent,
        "process_peak": measured.process_peak,
        "seconds": measured.seconds,
        "outcome": outcome.status.value,
        "phase": outcome.phase,
        "message": outcome.message,
    }
