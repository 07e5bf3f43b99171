"""One subgraph as the runtime's arena planner meets it: nodes in order, sizes, kinds, and passes.

What the kernels' Prepare functions said of another runtime's interpreter (``shapes.py``) is turned here
into what this profile's kernels would have said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from .graph import Subgraph
from .known_sizes import VALUES_KNOWN, Cause, unknown_sizes
from .layout import Kind
from .lifetimes import Step
from .profiles import RuntimeProfile
from .reading import RawNode, RawSubgraph, RawTensor

_MADE_ONCE = (Kind.ARENA_RW_PERSISTENT, Kind.PERSISTENT_RO)


@dataclass(frozen=True, slots=True)
class Execution:
    """``listed``: all nodes, the file's operators first; ``plan``: those that run, ``steps`` the same.

    ``passes``: the runtime prepares and places up to an operator with an output of unknown shape, and goes
    on behind it when that has run (§3). ``unknown``: tensors whose size only that shows.
    """

    raw: RawSubgraph
    listed: tuple[RawNode, ...]
    plan: tuple[RawNode, ...]
    steps: tuple[Step, ...]
    tensors: tuple[RawTensor, ...]
    sizes: Mapping[int, int]
    kinds: Mapping[int, Kind]
    passes: tuple[range, ...]
    unknown: Mapping[int, Cause]


def execution(
    raw: RawSubgraph,
    later: RawSubgraph | None,
    described: Subgraph,
    divided: tuple[RawNode, ...] | None,
    profile: RuntimeProfile,
) -> Execution:
    """``later``: the subgraph after a run, for what is prepared only then. ``divided``: the plan that a
    delegate made, None without one."""
    listed, plan = _nodes(raw, described, divided)
    steps = _steps(plan)
    kinds = _kinds(raw, raw.tensors, steps, profile)
    first = next((at for at, step in enumerate(steps) if _stops(step, kinds)), None)
    tensors = raw.tensors
    if first is not None and later is not None and first + 1 < len(steps):
        listed, plan = _nodes(later, described, divided)
        steps = _steps(plan)
        tensors = _prepared_later(raw, later, steps[first + 1 :])
        kinds = _kinds(raw, tensors, steps, profile)
    stops = [at for at, step in enumerate(steps) if _stops(step, kinds)] if first is not None else []
    return Execution(
        raw=raw,
        listed=listed,
        plan=plan,
        steps=steps,
        tensors=tensors,
        sizes={t.index: t.bytes or 0 for t in tensors},
        kinds=kinds,
        passes=tuple(_passes(stops, len(steps))),
        unknown=unknown_sizes(steps, stops, kinds) if stops else {},
    )


def _nodes(
    raw: RawSubgraph, described: Subgraph, divided: tuple[RawNode, ...] | None
) -> tuple[tuple[RawNode, ...], tuple[RawNode, ...]]:
    """Listed nodes and plan, with the names that the file has for the operators."""
    if raw.nodes is None:
        own = tuple(RawNode(o.index, o.name, o.inputs, o.outputs, None, False) for o in described.operators)
    else:
        names = {o.index: o.name for o in described.operators}
        own = tuple(n if n.name else replace(n, name=names.get(n.index, "")) for n in raw.nodes)
    if divided is None:
        return own, own
    by_index = {n.index: n for n in own}
    # What the delegate left to the kernels is as the kernels have it, with scratch tensors.
    plan = tuple(n if n.delegate else by_index.get(n.index, n) for n in divided)
    return (*own, *(n for n in plan if n.index not in by_index)), plan


def _steps(plan: Iterable[RawNode]) -> tuple[Step, ...]:
    return tuple(
        Step(n.inputs, n.outputs, n.temporaries or (), "" if n.delegate else n.name or "") for n in plan
    )


def _kinds(
    raw: RawSubgraph, tensors: Iterable[RawTensor], steps: Iterable[Step], profile: RuntimeProfile
) -> dict[int, Kind]:
    """What is made but has no place in a reading is meant for the arena. NONE is left to what nothing makes:
    it never changes, like a constant."""
    made = {*raw.inputs, *raw.variables}
    for step in steps:
        made.update(step.outputs, step.temporaries)
    kinds: dict[int, Kind] = {}
    for tensor in tensors:
        kind = tensor.kind
        if kind in (Kind.NONE, Kind.DELEGATE):
            kind = Kind.ARENA_RW if tensor.index in made else Kind.NONE
        elif (kind is Kind.PERSISTENT_RO and not profile.folds_constants) or (
            kind is Kind.CUSTOM and not profile.lends_loop_state
        ):
            kind = Kind.ARENA_RW
        kinds[tensor.index] = kind
    types = {t.index: t.dtype for t in tensors}
    for step in steps:
        if not step.name and not profile.prepares_before_delegating:
            for output in step.outputs:  # no kernel has changed the kind of what a delegate makes
                if kinds.get(output) in _MADE_ONCE and types[output] != "resource":
                    kinds[output] = Kind.ARENA_RW
        elif _shape_is_computed(step, kinds) and not profile.reshapes_in_place:
            kinds[step.outputs[0]] = Kind.DYNAMIC
    return kinds


def _stops(step: Step, kinds: Mapping[int, Kind]) -> bool:
    """Whether what comes behind is prepared only when this has run."""
    return _shape_is_computed(step, kinds) or any(
        kinds[made] is Kind.DYNAMIC for made in step.outputs if made >= 0
    )


def _shape_is_computed(step: Step, kinds: Mapping[int, Kind]) -> bool:
    return step.name == "RESHAPE" and len(step.inputs) > 1 and kinds[step.inputs[1]] not in VALUES_KNOWN


def _prepared_later(raw: RawSubgraph, later: RawSubgraph, steps: Sequence[Step]) -> tuple[RawTensor, ...]:
    """The tensors as they were when the operators that make them were prepared."""
    made = {t for step in steps for t in (*step.outputs, *step.temporaries)}
    before = {t.index: t for t in raw.tensors}
    return tuple(t if t.index in made else before.get(t.index, t) for t in later.tensors)


def _passes(stops: Iterable[int], steps: int) -> Iterator[range]:
    start = 0
    for stop in stops:
        yield range(start, stop + 1)
        start = stop + 1
    if start < steps or not start:
        yield range(start, steps)
