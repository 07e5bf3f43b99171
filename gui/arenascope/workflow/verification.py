"""Holds the planner against a runtime: every model in many cases, planned here and laid out there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..domain.graph import Graph
from ..domain.layout import Kind
from ..domain.plan import Plan
from ..domain.profiles import delegates
from ..domain.shapes import Delegation
from ..domain.verification import AFTER_INVOKE, Comparison, Verified, compare, latest
from ..domain.whatif import WhatIf, input_shapes
from ..errors import FileError, InputError, UsageError
from ..tflite.reader import read_model
from .connect import Device
from .forecast import Rules, rules_of
from .jobs import CancelToken
from .layouts import Case, Laid, layouts
from .planning import Planning

_SUFFIXES = (".tflite", ".lite")


@dataclass(frozen=True, slots=True)
class Knobs:
    """What is varied. ``threads`` None: the runtime's own default."""

    batches: Sequence[int] = (1, 3, 8)
    threads: Sequence[int | None] = (1, 4)


def models_in(folder: Path) -> list[Path]:
    """Raises FileError for what is no directory, or has no models in it."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise FileError(f"{folder} {what}.", hint="Give a directory with .tflite files in it.")
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES and not p.is_dir())
    if not found:
        raise FileError(f"There is no model in {folder}.", hint="Its files should end in .tflite.")
    return found


def cases(graph: Graph, knobs: Knobs, *, delegate: bool) -> list[WhatIf]:
    """The file's own shapes and the batches, × threads × preserve-all, with the kernels; then all shapes
    once more with the default delegate."""
    batches = [None, *(batch for batch in knobs.batches if _changes(graph, batch))]
    threads = tuple(dict.fromkeys(knobs.threads))
    kernels = [
        WhatIf(batch=batch, threads=count, delegate="none", preserve_all=keep)
        for batch in batches
        for count in threads
        for keep in (False, True)
    ]
    if not delegate:
        return kernels
    return kernels + [WhatIf(batch=batch, threads=threads[0]) for batch in batches]


def _changes(graph: Graph, batch: int) -> bool:
    """Whether the batch is another than the file's, in a model that has one."""
    try:
        shapes = input_shapes(graph, WhatIf(batch=batch))
    except UsageError:
        return False
    return any(graph.main.tensors[index].shape != shape for index, shape in shapes.items())


def verify(
    device: Device,
    models: Iterable[Path],
    knobs: Knobs,
    planning: Planning,
    cancel: CancelToken | None = None,
    on_model: Callable[[Path], None] = lambda model: None,
) -> Iterator[Verified]:
    """One answer a model, in their order. Raises LinkError, BoardError and UsageError; a file that is no
    model is an answer."""
    rules = rules_of(device.board)
    for model in models:
        on_model(model)
        asked: list[WhatIf] = []
        try:
            graph = read_model(model)
            asked = cases(graph, knobs, delegate=delegates(rules.profile, rules.machine))
            plans = list(_plans(planning, model, graph, asked, rules, cancel))
        except InputError as error:
            yield Verified(model.name, asked, (), error.message)
            continue
        laid = _laid(device, model, graph, asked, plans, cancel)
        if isinstance(laid[0], str) and plans[0].refusal is None:  # of the file's own shapes
            yield Verified(model.name, asked, (), f"the runtime there does not take it: {laid[0]}")
            continue
        results = []
        for one, plan, there in zip(asked, plans, laid, strict=True):
            if not isinstance(there, str) and one.delegate == "default":
                source = f"{device.board.runtime_text} on {device.name}"
                division = Delegation.of(((raw.index, raw.running) for raw in there), source)
                plan = planning.plan(model, graph, one, rules.profile, rules.machine, division, cancel)
            results.append(_outcome(plan, there, ran=not _is_placed_by_a_run(graph, plan) or _has_run(there)))
        yield Verified(model.name, asked, tuple(results))


def _plans(
    planning: Planning,
    model: Path,
    graph: Graph,
    asked: Iterable[WhatIf],
    rules: Rules,
    cancel: CancelToken | None,
) -> Iterator[Plan]:
    """Plans with the kernels: how the delegate divides the model is told by the reading."""
    kernels = (replace(one, delegate="none") for one in asked)
    return planning.plan_many(model, graph, kernels, rules.profile, rules.machine, cancel=cancel)


def _laid(
    device: Device,
    model: Path,
    graph: Graph,
    asked: Sequence[WhatIf],
    plans: Sequence[Plan],
    cancel: CancelToken | None,
) -> list[Laid]:
    """What the runtime did. A case is run only where a run changes what is placed, or is to fail."""
    return layouts(
        device,
        model,
        graph,
        [
            Case(one, invoke=plan.refusal is not None or _is_placed_by_a_run(graph, plan))
            for one, plan in zip(asked, plans, strict=True)
        ],
        cancel,
    )


def _is_placed_by_a_run(graph: Graph, plan: Plan) -> bool:
    dynamic = any(
        p.kind is Kind.DYNAMIC and p.producer is not None and not p.temporary for p in plan.layout.placements
    )
    return dynamic or len(graph.subgraphs) > 1


def _has_run(there: Laid) -> bool:
    return not isinstance(there, str) and any(raw.when == AFTER_INVOKE for raw in there)


def _outcome(plan: Plan, there: Laid, *, ran: bool) -> Comparison | str:
    """The comparison; or why there is none: "" where the plan and the runtime both refuse."""
    if plan.refusal is not None:
        return "" if not _has_run(there) else f"planned as refused: {plan.refusal.reason}"
    if isinstance(there, str):
        return f"planned, but the runtime there refuses: {there}"
    return compare(plan.planned, latest(there), ran=ran)
