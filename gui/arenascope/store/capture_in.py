"""The capture in a JSON document. Nothing in the document is believed before it is checked."""

from __future__ import annotations

import re
from itertools import pairwise

from ..domain.board import AddressSpace, Board
from ..domain.capture import SCHEMA, Capture, ModelFacts, Options
from ..domain.layout import Arena, Kind, MemoryLayout, PlacedOperator, Placement
from ..domain.measurement import (
    Evidence,
    Finding,
    Outcome,
    Part,
    Phase,
    ProcessMemory,
    Samples,
    Source,
    Status,
    TopProcesses,
    Totals,
)
from ..domain.provenance import Provenance
from ..errors import StoreError
from .capture_out import PHASE_BYTES, TOTALS
from .fields import LARGEST, LARGEST_ADDRESS, LARGEST_INDEX, Fields, damaged, repeated

_BOARD_SIZES = ("bits", "page_size", "ram_total", "ram_available", "swap_total")
_BOARD_TEXTS = ("machine", "kernel", "python", "numpy", "runtime", "runtime_version")


def from_json(document: object) -> Capture:
    """The capture in a document. Unknown keys are passed over; a value that cannot be is a StoreError."""
    _check_schema(document)
    top = Fields(document)
    agent = top.maybe(top.child, "agent")
    outcome = top.child("outcome")
    return Capture(
        tool_version=top.child("tool").text("version"),
        model=_model_in(top.child("model")),
        device=_board_in(top.child("device")),
        options=_options_in(top.child("options")),
        layout=_layout_in(top),
        phases=tuple(_phase_in(f) for f in top.children("phases")),
        totals=_totals_in(top.child("totals")),
        attribution=tuple(
            # Signed: the parts add up exactly even where two readings of one moment differ.
            Part(f.text("part"), f.whole("bytes", -LARGEST), f.choice("provenance", Provenance))
            for f in top.children("attribution")
        ),
        samples=_samples_in(top.child("samples")),
        outcome=Outcome(
            status=outcome.choice("status", Status),
            phase=outcome.maybe(outcome.text, "phase"),
            message=outcome.text("message"),
            signal=outcome.maybe(outcome.text, "signal"),
            findings=tuple(
                Finding(f.text("cause"), f.text("proof"), f.text("remedy"), f.maybe(f.whole, "saves"))
                for f in outcome.children("findings")
            ),
            log=outcome.maybe(outcome.texts, "log") or (),
            evidence=_evidence_in(outcome.maybe(outcome.child, "evidence")),
        ),
        created=top.maybe(top.text, "created"),
        attribution_when=top.maybe(top.text, "attribution_when"),
        layout_source=top.maybe(top.text, "layout_source"),
        agent_rss=agent.maybe(agent.whole, "rss") if agent else None,
        agent_cpu=agent.maybe(agent.number, "cpu") if agent else None,
        notes=top.maybe(top.texts, "notes") or (),
    )


def _evidence_in(f: Fields | None) -> Evidence | None:
    """None also for captures of before there was any."""
    if f is None:
        return None
    return Evidence(f.choice("source", Source), f.text("text"), f.maybe(f.number, "t"))


def _check_schema(document: object) -> None:
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema == SCHEMA:
        return
    match = re.fullmatch(r"arenascope\.([a-z]{1,20})/(\d{1,6})", schema) if isinstance(schema, str) else None
    if match is None:
        raise StoreError(
            "The file is not a capture of ArenaScope: it does not say that its schema is " + SCHEMA,
            hint="Choose a file that ArenaScope saved (.ascope, or the output of inspect --json).",
        )
    kind, version = match.groups()
    if kind != "capture":
        raise StoreError(
            f"The file is an ArenaScope {kind} ({match[0]}), not a capture ({SCHEMA})",
            hint="Choose a file that inspect saved.",
        )
    newer = int(version) > int(SCHEMA.rpartition("/")[2])
    raise StoreError(
        f"The file is a capture of schema {match[0]}; this version of ArenaScope reads {SCHEMA}",
        hint="Install a newer ArenaScope to open it."
        if newer
        else "Inspect the model again to make a new one.",
    )


def _model_in(f: Fields) -> ModelFacts:
    return ModelFacts(
        name=f.text("name"),
        sha256=f.text("sha256"),
        bytes=f.whole("bytes"),
        subgraphs=f.whole("subgraphs"),
        operators=f.whole("operators"),
    )


def _board_in(f: Fields) -> Board:
    space = f.maybe(f.child, "address_space")
    return Board(
        f.text("name"),
        **{key: f.maybe(f.text, key) for key in _BOARD_TEXTS},  # type: ignore[arg-type]  # by name
        **{key: f.maybe(f.whole, key) for key in _BOARD_SIZES},  # type: ignore[arg-type]
        address_space=AddressSpace(
            space.maybe(space.whole, "ceiling", 0, LARGEST_ADDRESS) if space else None,
            space.maybe(space.whole, "largest_gap", 0, LARGEST_ADDRESS) if space else None,
        ),
    )


def _options_in(f: Fields) -> Options:
    inputs = f.child("inputs")
    return Options(
        threads=f.maybe(f.index, "threads"),
        delegate=f.text("delegate"),
        preserve_all=f.flag("preserve_all"),
        inputs={name: inputs.wholes(name, 0, LARGEST_INDEX) for name in inputs},
    )


def _layout_in(top: Fields) -> MemoryLayout:
    placements = tuple(_tensor_in(f) for f in top.children("tensors"))
    operators = tuple(_operator_in(f) for f in top.children("operators"))
    arenas = tuple(
        Arena(
            f.index("subgraph"),
            f.choice("kind", Kind),
            f.maybe(f.whole, "base", 0, LARGEST_ADDRESS),
            f.whole("bytes"),
        )
        for f in top.children("arenas")
    )
    _once("tensors", [p.key for p in placements])
    _once("operators", [(o.subgraph, o.index) for o in operators])
    return MemoryLayout(placements, operators, arenas)


def _once(what: str, keys: list[tuple[int, int]]) -> None:
    twice = repeated(keys)
    if twice is not None:
        subgraph, index = twice
        raise damaged(f"{what} holds index {index} of subgraph {subgraph} twice")


def _tensor_in(f: Fields) -> Placement:
    placement = Placement(
        subgraph=f.index("subgraph"),
        index=f.index("index"),
        name=f.text("name"),
        dtype=f.text("dtype"),
        shape=f.maybe(f.wholes, "shape", -1, LARGEST_INDEX),
        bytes=f.maybe(f.whole, "bytes"),
        kind=f.choice("kind", Kind),
        address=f.maybe(f.whole, "address", 0, LARGEST_ADDRESS),
        offset=f.maybe(f.whole, "offset"),
        first_op=f.maybe(f.index, "first_op"),
        last_op=f.maybe(f.index, "last_op"),
        producer=f.maybe(f.index, "producer"),
        consumers=f.wholes("consumers", 0, LARGEST_INDEX),
        temporary=f.flag("temporary"),
    )
    if placement.last_op is not None and placement.last_op < (placement.first_op or 0):
        raise f.fail("last_op", f"first_op ({placement.first_op}) or later")
    return placement


def _operator_in(f: Fields) -> PlacedOperator:
    index = f.index("index")
    return PlacedOperator(
        subgraph=f.index("subgraph"),
        index=index,
        name=f.text("name"),
        inputs=f.wholes("inputs", -1, LARGEST_INDEX),
        outputs=f.wholes("outputs", -1, LARGEST_INDEX),
        temporaries=f.maybe(f.wholes, "temporaries", -1, LARGEST_INDEX),
        # Without the key, the operators run in the order of the file.
        step=f.maybe(f.index, "step") if f.has("step") else index,
    )


def _phase_in(f: Fields) -> Phase:
    return Phase(
        name=f.text("name"),
        seconds=f.number("seconds"),
        start=f.maybe(f.number, "start"),
        **{key: f.maybe(f.whole, key) for key in PHASE_BYTES},
    )


def _totals_in(f: Fields) -> Totals:
    return Totals(**{key: f.maybe(f.whole, key) for key in TOTALS})


def _samples_in(f: Fields) -> Samples:
    t = f.numbers("t")
    columns = {key: f.maybe(f.maybe_wholes, key) for key in ("rss", "available", "swap_free")}
    for key, column in columns.items():
        if column is not None and len(column) != len(t):
            raise damaged(f"{f.place(key)} has {len(column)} values, but {f.place('t')} has {len(t)}")
    if any(later < earlier for earlier, later in pairwise(t)):
        raise damaged(f"{f.place('t')} must not go back in time")
    nothing: tuple[int | None, ...] = (None,) * len(t)
    return Samples(
        t=t,
        **{key: nothing if column is None else column for key, column in columns.items()},
        processes=tuple(_top_in(top) for top in f.children("processes")) if f.has("processes") else (),
    )


def _top_in(f: Fields) -> TopProcesses:
    return TopProcesses(
        f.number("t"),
        tuple(ProcessMemory(p.index("pid"), p.text("name"), p.whole("rss")) for p in f.children("top")),
    )
