"""One subgraph as the runtime's arena planner meets it: nodes in order, sizes, kinds, and passes.

What the kernels' Prepare functions said of another runtime's interpreter (``shapes.py``) is turned here
into what this profile's kernels would have said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from .graph import Subgraph
from .known_sizes import TELLS_SHAPE, VALUES_KNOWN, Cause, unknown_sizes
from .layout import Kind
from .lifetimes import Step
from .profiles import RuntimeProfile
from .reading import RawNode, RawSubgraph, RawTensor
from .scratch import Kernels, fitted, without


@dataclass(frozen=True, slots=True)
class Execution:
    """``listed``: all nodes, the file's operators first; ``plan``: those that run, ``steps`` the same.

    ``passes``: the runtime prepares and places up to an operator with an output of unknown shape, and goes
    on behind it when that has run (§3). ``ran``: the sizes behind the first pass were seen. ``unknown``:
    tensors whose size only a run shows. ``scratch``: operators whose scratch tensors are not known, and why.
    """

    raw: RawSubgraph
    listed: tuple[RawNode, ...]
    plan: tuple[RawNode, ...]
    steps: tuple[Step, ...]
    tensors: tuple[RawTensor, ...]
    sizes: Mapping[int, int]
    kinds: Mapping[int, Kind]
    passes: tuple[range, ...]
    ran: bool
    unknown: Mapping[int, Cause]
    scratch: Mapping[int, str]


def execution(
    raw: RawSubgraph,
    later: RawSubgraph | None,
    described: Subgraph,
    divided: tuple[RawNode, ...] | None,
    kernels: Kernels,
) -> Execution:
    """``later``: the subgraph after a run, for what is prepared only then. ``divided``: the plan that a
    delegate made, None without one."""
    profile = kernels.profile
    tensors = raw.tensors
    if later is not None:
        tensors = _as_prepared(raw, later, described, profile)
    listed, plan = _nodes(later or raw, described, divided)
    fit = fitted(listed, plan, tensors, described, kernels)
    tensors, steps = fit.tensors, _steps(fit.plan)
    kinds = _kinds(raw, tensors, steps, profile)
    stops = [at for at, step in enumerate(steps) if _stops(step, kinds)]
    ran = later is not None or _all_prepared(raw)
    return Execution(
        raw=raw,
        listed=fit.listed,
        plan=fit.plan,
        steps=steps,
        tensors=tensors,
        sizes={t.index: t.bytes or 0 for t in tensors},
        kinds=kinds,
        passes=tuple(_passes(stops, len(steps))),
        ran=ran,
        unknown=unknown_sizes(steps, stops, kinds, ran=ran) if stops else {},
        scratch=fit.unknown,
    )


def before_the_run(whole: Execution, described: Subgraph) -> Execution:
    """A subgraph when the runtime decides what shares memory: behind the first pass the tensors have the
    sizes of the file, and no kernel has changed their kind."""
    if len(whole.passes) < 2:
        return whole
    waiting = {t for step in whole.steps[whole.passes[0].stop :] for t in step.outputs if t >= 0}
    file = [t for t in described.tensors if t.index in waiting]
    return replace(
        whole,
        sizes={**whole.sizes, **{t.index: t.bytes or 0 for t in file}},
        kinds={**whole.kinds, **{t.index: Kind.DYNAMIC if t.bytes is None else Kind.ARENA_RW for t in file}},
    )


def _nodes(
    raw: RawSubgraph, described: Subgraph, divided: tuple[RawNode, ...] | None
) -> tuple[tuple[RawNode, ...], tuple[RawNode, ...]]:
    """Listed nodes and plan, with the names that the file has for the operators."""
    if raw.nodes is None:
        own = tuple(RawNode(o.index, o.name, o.inputs, o.outputs, None, False) for o in described.operators)
    else:
        names = {o.index: o.name for o in described.operators}
        own = without(n if n.name else replace(n, name=names.get(n.index, "")) for n in raw.nodes)
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
    raw: RawSubgraph, tensors: Iterable[RawTensor], steps: Sequence[Step], profile: RuntimeProfile
) -> dict[int, Kind]:
    """What is made but has no place in a reading is meant for the arena. NONE is left to what nothing makes:
    it never changes, like a constant."""
    made = {*raw.inputs, *raw.variables}
    told = {t for step in steps if step.name in TELLS_SHAPE for t in step.outputs}
    for step in steps:
        made.update(step.outputs, step.temporaries)
    kinds: dict[int, Kind] = {}
    for tensor in tensors:
        kind = tensor.kind
        if kind in (Kind.NONE, Kind.DELEGATE):
            kind = Kind.ARENA_RW if tensor.index in made else Kind.NONE
        elif (kind is Kind.PERSISTENT_RO and not profile.folds_constants and tensor.index not in told) or (
            kind is Kind.CUSTOM and not profile.lends_loop_state
        ):
            kind = Kind.ARENA_RW
        kinds[tensor.index] = kind
    types = {t.index: t.dtype for t in tensors}
    empty = {t.index for t in tensors if t.bytes == 0 and t.index not in made}
    for step in steps:
        if not step.name and not profile.prepares_before_delegating:
            for output in step.outputs:  # no kernel has changed the kind of what a delegate makes
                if kinds.get(output) is Kind.ARENA_RW_PERSISTENT and types[output] != "resource":
                    kinds[output] = Kind.ARENA_RW
        elif _shape_is_computed(step, kinds) and types[step.outputs[0]] != "string":
            kinds[step.outputs[0]] = Kind.ARENA_RW if profile.reshapes_in_place else Kind.DYNAMIC
        outputs = [output for output in step.outputs if output >= 0]
        loops = step.name == "WHILE" and not profile.loops_keep_arena
        if (
            (loops and any(kinds[output] is Kind.DYNAMIC for output in outputs))
            or (step.name == "VAR_HANDLE" and not profile.keeps_handles)
            or (_makes_a_scalar(step, empty) and not profile.empty_shape_is_known)
        ):
            kinds.update(dict.fromkeys(outputs, Kind.DYNAMIC))
    return kinds


def moves_out(step: Step, kinds: Mapping[int, Kind]) -> bool:
    """Whether the output gets memory of its own when the step runs, unless it lies in its input's place:
    a RESHAPE that learns its shape only then, and had a place in the arena for as long."""
    return _shape_is_computed(step, kinds) and kinds[step.outputs[0]] is Kind.ARENA_RW


def _makes_a_scalar(step: Step, empty: Collection[int]) -> bool:
    """A RESHAPE whose shape has no elements, and so no data in the file."""
    return step.name == "RESHAPE" and len(step.inputs) > 1 and step.inputs[1] in empty


def _stops(step: Step, kinds: Mapping[int, Kind]) -> bool:
    """Whether what comes behind is prepared only when this has run."""
    return _shape_is_computed(step, kinds) or any(
        kinds[made] is Kind.DYNAMIC for made in step.outputs if made >= 0
    )


def _shape_is_computed(step: Step, kinds: Mapping[int, Kind]) -> bool:
    return step.name == "RESHAPE" and len(step.inputs) > 1 and kinds[step.inputs[1]] not in VALUES_KNOWN


def _as_prepared(
    raw: RawSubgraph, later: RawSubgraph, described: Subgraph, profile: RuntimeProfile
) -> tuple[RawTensor, ...]:
    """The tensors as they were when the operators that make them were prepared: some of them not before
    others had run."""
    _, plan = _nodes(raw, described, None)
    steps = _steps(plan)
    kinds = _kinds(raw, raw.tensors, steps, profile)
    first = next((at for at, step in enumerate(steps) if _stops(step, kinds)), len(steps))
    waited = {
        t
        for step in _steps(_nodes(later, described, None)[1])[first + 1 :]
        for t in (*step.outputs, *step.temporaries)
    }
    before = {t.index: t for t in raw.tensors if t.index not in waited}
    return tuple(before.get(t.index, t) for t in later.tensors)


def _all_prepared(raw: RawSubgraph) -> bool:
    """Whether the runtime that was asked had no reason to stop: all that it makes has a place."""
    made = {t for node in raw.nodes or () for t in node.outputs}
    return not any(t.kind is Kind.NONE and t.bytes for t in raw.tensors if t.index in made)


def _passes(stops: Iterable[int], steps: int) -> Iterator[range]:
    start = 0
    for stop in stops:
        yield range(start, stop + 1)
        start = stop + 1
    if start < steps or not start:
        yield range(start, steps)
