"""The knobs of the What-if view: what is asked of the model, and where it would run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from ..domain.board import Board
from ..domain.capture import Capture
from ..domain.graph import Graph
from ..domain.profiles import PROFILES, RuntimeProfile, by_name, nearest, of_runtime, userland
from ..domain.whatif import WhatIf, input_shapes
from ..errors import UsageError

#: Planned with where no board says what it has.
USUAL_PROFILE = "litert-2.3"
_USUAL_MACHINE = "aarch64"


class Where(StrEnum):
    """Whose machine and memory a plan is for."""

    BOARD = "board"  #: the board that is chosen for the next run
    RUN = "run"  #: the device of the capture on show
    MACHINE = "machine"  #: any device with the machine that ``Knobs.machine`` names


@dataclass(frozen=True, slots=True)
class Knobs:
    """``runtime`` '' is the one of the place, else a name of ``PROFILES``. ``machine`` counts for
    ``Where.MACHINE`` alone."""

    asked: WhatIf = field(default_factory=WhatIf)
    where: Where = Where.BOARD
    machine: str = _USUAL_MACHINE
    runtime: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What a plan is made for. ``board`` None: a machine without a memory of its own, so no limit."""

    profile: RuntimeProfile
    machine: str
    board: Board | None
    notes: tuple[str, ...] = ()


def resolve(knobs: Knobs, board: Board | None, run: Board | None) -> Target:
    """``board``: what is known of the chosen board; ``run``: of the device of the capture on show."""
    place = {Where.BOARD: board, Where.RUN: run, Where.MACHINE: None}[knobs.where]
    notes: list[str] = []
    machine = userland(place) if place is not None else None
    if knobs.where is Where.MACHINE:
        machine = knobs.machine
    if machine is None:
        machine = _USUAL_MACHINE
        if place is not None:
            notes.append(f"No rules are known for the machine {place.machine}; planned for {machine}.")
            place = None
    installed = (place.runtime or "", place.runtime_version or "") if place is not None else ("", "")
    if knobs.runtime:
        profile = by_name(knobs.runtime)
    else:
        profile = nearest(*installed) or PROFILES[USUAL_PROFILE]
        if place is not None and place.runtime_text and of_runtime(*installed) is None:
            notes.append(
                f"No rules are known for {place.runtime_text}; planned with those of {profile.name}."
            )
    return Target(profile, machine, place, tuple(notes))


def file_batch(graph: Graph | None) -> int | None:
    """The first dimension that the file gives the inputs; None where they have none or differ."""
    if graph is None:
        return None
    tensors = (graph.main.tensors[i] for i in graph.main.inputs if i >= 0)
    firsts = {max(t.shape[0], 1) for t in tensors if t.shape}
    return firsts.pop() if len(firsts) == 1 else None


def has_batch(graph: Graph) -> bool:
    return any(graph.main.tensors[i].shape for i in graph.main.inputs if i >= 0)


def full_shapes(graph: Graph, asked: WhatIf) -> dict[str, tuple[int, ...]]:
    """Every input's name → the shape that these knobs give it. Raises UsageError."""
    changed = input_shapes(graph, asked)
    tensors = graph.main.tensors
    return {tensors[i].name: changed.get(i, tensors[i].shape) for i in graph.main.inputs if i >= 0}


def asked_of(capture: Capture, graph: Graph) -> WhatIf:
    """The knobs that ran: a batch where the shapes differ from the file's in nothing else."""
    options = capture.options
    same = WhatIf(threads=options.threads, delegate=options.delegate, preserve_all=options.preserve_all)
    ran = dict(options.inputs)
    if not ran or _gives(graph, same, ran):
        return same
    firsts = {shape[0] for shape in ran.values() if shape}
    if len(firsts) == 1:
        batched = replace(same, batch=firsts.pop())
        if _gives(graph, batched, ran):
            return batched
    return replace(same, inputs=ran)


def same_run(knobs: WhatIf, capture: Capture, graph: Graph) -> bool:
    """Whether these knobs ask for what the capture ran."""
    options = capture.options
    return (
        (knobs.threads, knobs.delegate, knobs.preserve_all)
        == (options.threads, options.delegate, options.preserve_all)
    ) and (not options.inputs or _gives(graph, knobs, options.inputs))


def _gives(graph: Graph, asked: WhatIf, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    try:
        return full_shapes(graph, asked) == {n: tuple(s) for n, s in shapes.items()}
    except UsageError:
        return False
