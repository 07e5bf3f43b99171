"""A capture as the JSON document of the contract (``arenascope.capture/1``)."""

from __future__ import annotations

from ..domain.capture import SCHEMA, Capture, ModelFacts
from ..domain.layout import Arena, PlacedOperator, Placement
from ..domain.measurement import Evidence, Samples
from .fields import JsonObject

TOTALS = (
    "weights",
    "arena_rw",
    "arena_rw_persistent",
    "dynamic",
    "lower_bound",
    "sum_without_reuse",
    "process_peak",
)
PHASE_BYTES = ("rss_before", "rss_peak", "rss_after", "anon_after", "file_after")


def to_json(capture: Capture) -> JsonObject:
    """The document of the contract; what is not known is None."""
    model, device, options, outcome = capture.model, capture.device, capture.options, capture.outcome
    return {
        "schema": SCHEMA,
        "tool": {"version": capture.tool_version},
        "created": capture.created,
        "model": model_out(model),
        "device": {
            "name": device.name,
            "machine": device.machine,
            "bits": device.bits,
            "kernel": device.kernel,
            "page_size": device.page_size,
            "ram_total": device.ram_total,
            "ram_available": device.ram_available,
            "swap_total": device.swap_total,
            "python": device.python,
            "numpy": device.numpy,
            "runtime": device.runtime,
            "runtime_version": device.runtime_version,
            "address_space": {
                "ceiling": device.address_space.ceiling,
                "largest_gap": device.address_space.largest_gap,
            },
        },
        "options": {
            "threads": options.threads,
            "delegate": options.delegate,
            "preserve_all": options.preserve_all,
            "inputs": {name: list(shape) for name, shape in options.inputs.items()},
        },
        "layout_source": capture.layout_source,
        "tensors": [tensor_out(p) for p in capture.layout.placements],
        "operators": [operator_out(o) for o in capture.layout.operators],
        "arenas": [arena_out(a) for a in capture.layout.arenas],
        "phases": [
            {
                "name": p.name,
                "start": p.start,
                "seconds": p.seconds,
                **{k: getattr(p, k) for k in PHASE_BYTES},
            }
            for p in capture.phases
        ],
        "totals": {key: getattr(capture.totals, key) for key in TOTALS},
        "attribution": [
            {"part": p.part, "bytes": p.bytes, "provenance": p.provenance.value} for p in capture.attribution
        ],
        "attribution_when": capture.attribution_when,
        "samples": _samples_out(capture.samples),
        "outcome": {
            "status": outcome.status.value,
            "phase": outcome.phase,
            "message": outcome.message,
            "signal": outcome.signal,
            "findings": [
                {"cause": f.cause, "proof": f.proof, "remedy": f.remedy, "saves": f.saves}
                for f in outcome.findings
            ],
            "log": list(outcome.log),
            "evidence": _evidence_out(outcome.evidence),
        },
        "agent": {"rss": capture.agent_rss, "cpu": capture.agent_cpu},
        "notes": list(capture.notes),
    }


def model_out(model: ModelFacts) -> JsonObject:
    return {
        "name": model.name,
        "sha256": model.sha256,
        "bytes": model.bytes,
        "subgraphs": model.subgraphs,
        "operators": model.operators,
    }


def arena_out(a: Arena) -> JsonObject:
    return {"subgraph": a.subgraph, "kind": a.kind.value, "base": a.base, "bytes": a.bytes}


def tensor_out(p: Placement) -> JsonObject:
    return {
        "subgraph": p.subgraph,
        "index": p.index,
        "name": p.name,
        "dtype": p.dtype,
        "shape": None if p.shape is None else list(p.shape),
        "bytes": p.bytes,
        "kind": p.kind.value,
        "address": p.address,
        "offset": p.offset,
        "first_op": p.first_op,
        "last_op": p.last_op,
        "producer": p.producer,
        "consumers": list(p.consumers),
        "temporary": p.temporary,
    }


def operator_out(o: PlacedOperator) -> JsonObject:
    return {
        "subgraph": o.subgraph,
        "index": o.index,
        "name": o.name,
        "inputs": list(o.inputs),
        "outputs": list(o.outputs),
        "temporaries": None if o.temporaries is None else list(o.temporaries),
        "step": o.step,
    }


def _evidence_out(evidence: Evidence | None) -> JsonObject | None:
    if evidence is None:
        return None
    return {"source": evidence.source.value, "text": evidence.text, "t": evidence.t}


def _samples_out(s: Samples) -> JsonObject:
    return {
        "t": list(s.t),
        "rss": list(s.rss),
        "available": list(s.available),
        "swap_free": list(s.swap_free),
        "processes": [
            {"t": top.t, "top": [{"pid": p.pid, "name": p.name, "rss": p.rss} for p in top.processes]}
            for top in s.processes
        ],
    }
