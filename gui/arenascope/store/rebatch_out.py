"""A changed model as the JSON document ``arenascope.rebatch/1``."""

from __future__ import annotations

from math import isfinite

from ..domain.rebatch import TOLERANCE_REASON, Change, Difference, Proof, Rebatched
from .capture_out import model_out
from .fields import JsonObject

SCHEMA = "arenascope.rebatch/1"


def to_json(made: Rebatched) -> JsonObject:
    """Names are as in the model."""
    return {
        "schema": SCHEMA,
        "model": {**model_out(made.model), "batch": made.batch},
        "batch": made.wanted,
        "output": {"path": made.path, "sha256": made.sha256, "bytes": made.bytes},
        "pinned": made.pinned,
        "changes": [_change(one) for one in made.changes],
        "tensors_resized": made.resized,
        "runtime": made.runtime,
        "proof": [_proof(one) for one in made.proofs],
        "notes": list(made.notes),
    }


def _change(change: Change) -> JsonObject:
    return {
        "kind": change.kind,
        "subgraph": change.subgraph,
        "name": change.name,
        "operator": change.operator or None,
        "before": list(change.before),
        "after": list(change.after),
        "note": change.note or None,
    }


def _proof(proof: Proof) -> JsonObject:
    worst = proof.worst
    return {
        "delegate": proof.delegate,
        "signature": proof.signature,
        "samples": proof.samples,
        "steps": proof.steps,
        "largest_difference": _finite(worst.largest),
        "tolerance": worst.tolerance,
        "reason": TOLERANCE_REASON if worst.tolerance else None,
        "outputs": [_difference(one) for one in proof.outputs],
    }


def _difference(one: Difference) -> JsonObject:
    return {
        "name": one.name,
        "dtype": one.dtype,
        "largest_difference": _finite(one.largest),
        "tolerance": one.tolerance,
        "largest_value": one.scale,
        "sample": one.sample,
        "step": one.step,
        "samples_differ": one.unlike,
    }


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
