"""What an inspection sends about a model's layout and the process around it.

Runs in a copy of the measured process; ``pid`` is the measured one's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import layout
from ..layout import AFTER_ALLOCATE, AFTER_INVOKE, ARENAS, Subgraph
from ..mappings import Mapping, Residency, mapped_files, mapped_name, merged, smaps, total
from ..memory import Resident

Emit = Callable[[str, "dict[str, Any]"], None]


def after_allocate(interpreter: Any, model: str, emit: Emit) -> dict[str, Any]:
    """Send all subgraphs. Returns what the rest of the run needs of it:

    ``inputs``: (index, dtype, shape, kind, has an address) of each model input that is not optional;
    ``exact``: the types are the runtime's own words; ``homeless``: an input has bytes and no place, as
    after an allocation that failed unseen; ``sent``: [tensors placed, fingerprint] per subgraph.
    """
    subgraphs = layout.read(interpreter, AFTER_ALLOCATE, model)
    for subgraph in subgraphs:
        _send(subgraph, emit)
    main = subgraphs[0]
    wanted = set(main.inputs)
    return {
        "inputs": main.input_rows,
        "exact": main.exact,
        "homeless": any(t.kind == "none" and t.bytes for t in main.tensors if t.number in wanted),
        "sent": [(s.placed, layout.fingerprint(s)) for s in subgraphs],
    }


def with_memory(
    interpreter: Any,
    model: str,
    emit: Emit,
    step: str,
    sent: list[list[int]],
    pid: int,
    anon: dict[str, int | None],
    maps: list[bytes],
) -> Resident | None:
    """Send the event "memory", and the subgraphs that ``sent`` lacks or has otherwise.

    WHILE and IF give the arenas of their subgraphs back after each invoke (tflite-memory.md §2.10): a
    reading with fewer tensors in arenas does not replace one with more. Returns what is resident; None
    where the kernel does not say. ``anon``: anonymous bytes at the end of each step so far; ``maps``:
    the mappings before and after the runtime was imported.
    """
    mappings = smaps(pid)
    when = AFTER_INVOKE if step == "invoke_first" else AFTER_ALLOCATE
    subgraphs = layout.read(interpreter, when, model)
    resident = total(mappings) if mappings else None
    if resident is not None:
        event = _memory(subgraphs, mappings, pid, model)
        if event is not None:
            before, after = (mapped_files(text) for text in maps)
            event["when"] = step
            event["rss"], event["anon"], event["file"] = resident
            event["runtime_paths"] = sorted(after - before)
            event["anon_steps"] = {**anon, step: resident.anon}
            emit("memory", event)
    for number, subgraph in enumerate(subgraphs):
        if number < len(sent):
            placed, fingerprint = sent[number]
            if subgraph.placed < placed or layout.fingerprint(subgraph) == fingerprint:
                continue
        _send(subgraph, emit)
    return resident


def _send(subgraph: Subgraph, emit: Emit) -> None:
    for name, data in layout.events(subgraph):
        emit(name, data)


def _memory(
    subgraphs: list[Subgraph], mappings: list[Mapping], pid: int, model: str
) -> dict[str, Any] | None:
    """Whose the resident pages are; None where the kernel hides which pages there are."""
    residency = Residency(pid, mappings)
    try:
        arenas = [
            {
                "subgraph": subgraph.number,
                "kind": kind,
                "base": spans[0][0],
                "bytes": max(end for _, end in spans) - spans[0][0],
                "resident": residency.resident(spans[0][0], max(end for _, end in spans)),
            }
            for subgraph in subgraphs
            for kind in ARENAS
            for spans in [_spans(subgraph, (kind,))]
            if spans
        ]
        own = [span for s in subgraphs for span in _spans(s, ("dynamic", "persistent_ro"))]
        dynamic = [residency.resident(start, end) for start, end in merged(own)]
    finally:
        residency.close()
    if None in dynamic or any(arena["resident"] is None for arena in arenas):
        return None
    paths: dict[str, list[int]] = {}
    for mapping in mappings:
        sums = paths.setdefault(mapping.path, [0, 0])
        sums[0] += mapping.rss
        sums[1] += mapping.anon
    file = mapped_name(model)
    return {
        "mappings": [[path, *sums] for path, sums in paths.items() if sums[0]],
        "model_path": file,
        "model_resident": paths.get(file, [0])[0],
        "arenas": arenas,
        "dynamic_resident": sum(size for size in dynamic if size),
        "delegated": any(s.delegated for s in subgraphs),
    }


def _spans(subgraph: Subgraph, kinds: tuple[str, ...]) -> list[tuple[int, int]]:
    """(start, end) of the tensors of these kinds that have a place, lowest first."""
    return sorted(
        (t.address, t.address + t.bytes)
        for t in subgraph.tensors
        if t.kind in kinds and t.address is not None and t.bytes
    )
