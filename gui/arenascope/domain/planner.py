"""Where everything of a model will lie, before it runs: the runtime's own planning, repeated to the byte.

The sizes and kinds of the tensors come from the runtime's Prepare functions (``shapes.py``); what the
arena planner makes of them is computed here, as tflite-memory.md §2 to §4 describe it:

    execution.py   one subgraph: its nodes in order, sizes and kinds, the passes of its planning
    lifetimes.py   the first and last step of every tensor
    sharing.py     outputs that lie in their operator's input
    ordering.py    the order in which tensors are placed (libstdcxx.py: which of two equal ones is first)
    arena.py       the place of each
    allocation.py  all of that for one subgraph
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .allocation import Allocation, allocate
from .execution import Execution, before_the_run, execution
from .graph import Graph
from .known_sizes import Cause
from .layout import ARENA_KINDS, Arena, Kind, MemoryLayout, PlacedOperator, Placement
from .lifetimes import NEVER, Lifetime
from .plain_text import plain
from .plan import Planned, Unknown
from .profiles import RuntimeProfile
from .reading import uses
from .scratch import Kernels
from .shapes import Delegation, Shapes

_AT_THE_FIRST_RUN = "CALL_ONCE"  #: prepares its subgraph when it runs, not before


def plan(
    graph: Graph,
    shapes: Shapes,
    profile: RuntimeProfile,
    *,
    machine: str,
    threads: int | None,
    preserve_all: bool = False,
    delegation: Delegation | None = None,
    planned_with: Shapes | None = None,
) -> Planned:
    """The layout of a model with these shapes, in an interpreter of this runtime.

    ``planned_with``: the shapes at the first allocate_tensors of that interpreter, where it was resized
    later. The runtime decides then, once, what shares memory and how long it lives (§4).
    """
    kernels = Kernels(profile, machine, threads)
    executions = _executions(graph, shapes, kernels, delegation)
    first = _executions(graph, planned_with, kernels, delegation) if planned_with else executions
    decided = [before_the_run(e, graph.subgraphs[e.raw.index]) for e in first]
    existing = _existing(graph, executions)
    if delegation and profile.prepares_before_delegating:
        existing |= delegation.plans.keys()  # a delegate is asked about every subgraph, and so all are placed
    allocations = [
        allocate(now, then, profile, preserve_all=preserve_all, exists=now.raw.index in existing)
        for now, then in zip(executions, decided, strict=True)
    ]
    both = list(zip(executions, allocations, strict=True))
    layout = MemoryLayout(
        placements=tuple(
            p for e, a in both for p in _placements(e, a, len(graph.subgraphs[e.raw.index].tensors))
        ),
        operators=tuple(o for e in executions for o in _operators(e)),
        arenas=tuple(Arena(e.raw.index, k, None, size) for e, a in both for k, size in a.arenas.items()),
    )
    growth = max((a.growth for a in allocations), default=0)
    if planned_with:
        smaller = plan(
            graph, planned_with, profile, machine=machine, threads=threads, preserve_all=preserve_all,
            delegation=delegation,
        )  # fmt: skip
        growth = max(growth, _outgrown(smaller.layout, layout))
    return Planned(layout, tuple(_unknown(graph, both, existing)), growth)


def _executions(
    graph: Graph, shapes: Shapes, kernels: Kernels, delegation: Delegation | None
) -> list[Execution]:
    invoked = {raw.index: raw for raw in shapes.invoked or ()}
    plans = delegation.plans if delegation else {}
    return [
        execution(raw, invoked.get(raw.index), graph.subgraphs[raw.index], plans.get(raw.index), kernels)
        for raw in shapes.allocated
    ]


def _existing(graph: Graph, executions: Iterable[Execution]) -> set[int]:
    """Subgraphs that are allocated with the main one: those that its operators run, and theirs."""
    by_index = {e.raw.index: e for e in executions}
    found: set[int] = set()
    waiting = [0]
    while waiting:
        index = waiting.pop()
        if index in found or index not in by_index:
            continue
        found.add(index)
        operators = graph.subgraphs[index].operators
        for node in by_index[index].plan:
            if node.index < len(operators) and node.name != _AT_THE_FIRST_RUN:
                waiting.extend(operators[node.index].subgraphs)
    return found


def _outgrown(before: MemoryLayout, after: MemoryLayout) -> int:
    """The largest arena that has to be replaced by a larger one; none ever shrinks (§4)."""
    larger = {(a.subgraph, a.kind): a.bytes for a in after.arenas}
    return max((a.bytes for a in before.arenas if larger.get((a.subgraph, a.kind), 0) > a.bytes), default=0)


# ------------------------------------------------------------------------------------ the layout


def _placements(execution: Execution, allocation: Allocation, file_tensors: int) -> Iterator[Placement]:
    steps = {node.index: step for step, node in enumerate(execution.plan)}
    readers, writers, scratch = uses(execution.listed, steps)
    interior = _interior(execution, steps)
    unknown = _without_size(execution)
    subgraph, kinds = execution.raw.index, execution.kinds
    for tensor in execution.tensors:
        index = tensor.index
        kind, offset = kinds[index], allocation.offsets.get(index)
        if index in allocation.moved and index not in unknown:
            kind, offset = Kind.DYNAMIC, None
        life = allocation.lives.get(index, NEVER)
        user = scratch.get(index)
        if kind is Kind.ARENA_RW_PERSISTENT and offset is not None:
            life = Lifetime(life.first, None)
        if offset is None and index in interior and kind is not Kind.CUSTOM:
            kind = Kind.DELEGATE
        elif offset is None and kind in ARENA_KINDS:
            kind = Kind.NONE
        yield Placement(
            subgraph, index, tensor.name, tensor.dtype,
            None if index in unknown else tensor.shape,
            None if index in unknown else tensor.bytes,
            kind, None, offset, life.first, life.last,
            writers.get(index, user),
            tuple(sorted(readers.get(index, ()))) if user is None else (user,),
            index >= file_tensors,
        )  # fmt: skip


def _interior(execution: Execution, steps: dict[int, int]) -> set[int]:
    """Tensors that only nodes which a delegate has replaced make or use as scratch."""
    replaced = [node for node in execution.listed if node.index not in steps]
    return {t for node in replaced for t in (*node.outputs, *(node.temporaries or ()))}


def _operators(execution: Execution) -> Iterator[PlacedOperator]:
    steps = {node.index: step for step, node in enumerate(execution.plan)}
    for node in execution.listed:
        yield PlacedOperator(
            execution.raw.index, node.index, node.name or "", node.inputs, node.outputs, node.temporaries,
            steps.get(node.index),
        )  # fmt: skip


# -------------------------------------------------------------------- what only a run can show


def _without_size(execution: Execution) -> set[int]:
    """The runtime knows the sizes of all that it places in its first pass, and so do we."""
    if not execution.unknown:
        return set()
    first = {
        tensor
        for step in execution.steps[: execution.passes[0].stop]
        for tensor in (*step.outputs, *step.temporaries)
        if execution.kinds.get(tensor) in ARENA_KINDS
    }
    return set(execution.unknown) - first


def _unknown(
    graph: Graph, both: Iterable[tuple[Execution, Allocation]], existing: set[int]
) -> Iterator[Unknown]:
    for each, allocation in both:
        index = each.raw.index
        if index not in existing:
            if _runs_once(graph, index):
                made = tuple(t for step in each.steps for t in step.outputs if t >= 0)
                yield Unknown(index, made, "CALL_ONCE prepares and places this subgraph when it runs, once.")
            continue
        by_step = {node.index: step for node, step in zip(each.plan, each.steps, strict=True)}
        for operator, why in each.scratch.items():
            made = tuple(t for t in by_step[operator].outputs if t >= 0)
            who = plain(by_step[operator].name, 60)
            reason = f"{who} may need scratch memory beside them that is not counted: {why}."
            yield Unknown(index, made, reason)
        sizeless = _without_size(each)
        by_cause: dict[Cause, list[int]] = {}
        for tensor in sorted(sizeless):
            by_cause.setdefault(each.unknown[tensor], []).append(tensor)
        for cause, tensors in by_cause.items():
            yield Unknown(index, tuple(tensors), _sentence(cause, each))
        waiting = {
            t
            for steps in each.passes[allocation.placed :]
            for step in each.steps[steps.start : steps.stop]
            for t in (*step.outputs, *step.temporaries)
            if each.kinds.get(t) in ARENA_KINDS and each.sizes[t]
        } - sizeless
        if waiting:
            reason = "They are placed together with tensors whose size only a run shows."
            yield Unknown(index, tuple(sorted(waiting)), reason)


def _runs_once(graph: Graph, index: int) -> bool:
    operators = (o for subgraph in graph.subgraphs for o in subgraph.operators)
    return any(o.name == _AT_THE_FIRST_RUN and index in o.subgraphs for o in operators)


def _sentence(cause: Cause, execution: Execution) -> str:
    who = f"{plain(cause.operator, 60) or 'The delegate'} at step {cause.step}"
    if cause.values is None:
        return f"{who} finds the size of its output only when it runs; the others follow from it."
    name = next((t.name for t in execution.tensors if t.index == cause.values), "")
    values = f"“{plain(name, 80)}”" if name else f"tensor {cause.values}"
    return f"{who} takes the size of its output from the values of {values}, which only a run computes."
