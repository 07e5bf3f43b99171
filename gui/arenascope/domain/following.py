"""Where a model stops following its inputs: it takes a larger batch and still gives one result.

People find out by the shape of the output (peers.md: outputs stay at batch 1). The operator at which it
happens is the first that reads a tensor which changed and makes none that did.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from .graph import Graph, Operator
from .layout import Kind
from .plain_text import plain
from .reading import RawSubgraph

_MAY_FOLLOW = (
    " So does the kernel of the runtime; the delegate, which takes this operator, may follow and need more."
)
#: Operators whose outputs speak about a shape and do not have it.
_ABOUT_SHAPES = frozenset(("SHAPE", "RANK"))


def note(
    graph: Graph,
    main: RawSubgraph,
    inputs: Mapping[int, tuple[int, ...]],
    left: Collection[int] | None = None,
) -> str | None:
    """A sentence on the first operator behind which an output keeps the file's shape; None where all follow.

    ``inputs``: the shapes that were asked for; ``main``: the main subgraph as propagated. Shapes that only
    a run can tell are left out. ``left``: the operators that a delegate leaves to the kernels; None without
    one. A delegate has shapes of its own: XNNPACK's TRANSPOSE_CONV follows where the kernel does not.
    """
    late = _first_dynamic(graph.main.operators, main)
    now = {t.index: t.shape for t in main.tensors}
    file = {t.index: t.shape for t in graph.main.tensors}
    changed = {i for i, shape in now.items() if i in file and shape is not None and shape != file[i]}
    if not changed.intersection(inputs):
        return None
    for output in graph.main.outputs:
        if output in changed or not file.get(output):
            continue
        operator = _stop(graph.main.operators, output, changed)
        if operator is not None and operator.index < late:
            made = graph.main.tensors[operator.outputs[0]]
            name = plain(graph.main.tensors[output].name, 60)
            return (
                f"The model takes these shapes, but its output “{name}” stays {list(file[output])}: "
                f"{plain(operator.name, 60)} (operator {operator.index}) makes “{plain(made.name, 60)}” "
                f"{list(made.shape)} whatever it gets."
            ) + ("" if left is None or operator.index in left else _MAY_FOLLOW)
    return None


def _first_dynamic(operators: Sequence[Operator], main: RawSubgraph) -> int:
    """The first operator whose output a run sizes: behind it, shapes are the file's until then."""
    dynamic = {t.index for t in main.tensors if t.kind is Kind.DYNAMIC}
    found = (o.index for o in operators if dynamic.intersection(o.outputs))
    return min(found, default=len(operators))


def _stop(operators: Iterable[Operator], output: int, changed: set[int]) -> Operator | None:
    """The first operator that an output depends on, which reads something changed and makes nothing so."""
    needed = {output}
    stops: list[Operator] = []
    for operator in reversed(tuple(operators)):
        if not needed.intersection(operator.outputs):
            continue
        needed.update(operator.inputs)
        if operator.name in _ABOUT_SHAPES or not operator.outputs:
            continue
        if changed.intersection(operator.inputs) and not changed.intersection(operator.outputs):
            stops.append(operator)
    return stops[-1] if stops else None
