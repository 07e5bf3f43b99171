"""A plan as the JSON document of the contract (``arenascope.plan/1``): a capture's fields, before any run."""

from __future__ import annotations

from .. import __version__
from ..domain.plan import SCHEMA, Plan
from ..domain.shapes import ShapeRefusal
from .capture_out import TOTALS, arena_out, model_out, operator_out, tensor_out
from .fields import JsonObject


def plan_json(plan: Plan) -> JsonObject:
    """The document of the contract; what is not known is None. All addresses and bases are."""
    return {
        "schema": SCHEMA,
        "tool": {"version": __version__},
        "model": model_out(plan.model),
        "profile": {
            "name": plan.profile.name,
            "runtime": plan.profile.package,
            "version": ".".join(map(str, plan.profile.version)),
            "machine": plan.machine,
        },
        "options": {
            "threads": plan.asked.threads,
            "delegate": plan.asked.delegate,
            "preserve_all": plan.asked.preserve_all,
            "inputs": {name: list(shape) for name, shape in plan.inputs.items()},
        },
        "tensors": [tensor_out(p) for p in plan.layout.placements],
        "operators": [operator_out(o) for o in plan.layout.operators],
        "arenas": [arena_out(a) for a in plan.layout.arenas],
        "totals": {key: getattr(plan.totals, key) for key in TOTALS},
        "growth": plan.planned.growth,
        "exact": plan.exact,
        "unknown": [
            {"subgraph": u.subgraph, "tensors": list(u.tensors), "reason": u.reason}
            for u in plan.planned.unknown
        ],
        "refusal": None if plan.refusal is None else refusal_json(plan.refusal),
        "shapes_from": plan.shapes_from,
        "delegation": plan.delegation or None,
        "notes": list(plan.notes),
    }


def refusal_json(refusal: ShapeRefusal) -> JsonObject:
    """Operator and tensor are indices with their names; None where the runtime does not say."""
    return {
        "reason": refusal.reason,
        "said": refusal.said,
        "subgraph": refusal.subgraph,
        "operator": refusal.operator,
        "operator_name": refusal.operator_name or None,
        "tensor": refusal.tensor,
        "tensor_name": refusal.tensor_name or None,
        "too_large": refusal.too_large,
        "certain": refusal.certain,
    }
