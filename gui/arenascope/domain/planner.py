"""Where everything of a model will lie, before it runs: the runtime's own planning, repeated to the byte.

The sizes and kinds of the tensors come from the runtime's Prepare functions (``shapes.py``); what the
arena planner makes of them is computed here, as tflite-memory.md §2 describes it:

    lifetimes.py   the first and last step of every tensor
    sharing.py     outputs that lie in their operator's input
    ordering.py    the order in which tensors are placed
    arena.py       the place of each
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from .arena import Arena as Space
from .graph import Graph
from .layout import ARENA_KINDS, Arena, Kind, MemoryLayout, PlacedOperator, Placement
from .lifetimes import NEVER, Lifetime, Step, lifetimes, of_aliases
from .ordering import placing_order
from .plan import Planned
from .profiles import RuntimeProfile
from .reading import RawNode, RawSubgraph, RawTensor, uses
from .shapes import Delegation, Shapes
from .sharing import shared


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
    delegation = delegation or Delegation({}, "")
    before = planned_with.allocated if planned_with else shapes.allocated
    nodes = [_nodes(raw, graph, delegation) for raw in shapes.allocated]
    allocated = _allocated(graph, nodes)
    placements: list[Placement] = []
    operators: list[PlacedOperator] = []
    arenas: list[Arena] = []
    for raw, earlier, its_nodes in zip(shapes.allocated, before, nodes, strict=True):
        subgraph = _Subgraph(raw, its_nodes, len(graph.subgraphs[raw.index].tensors), profile, preserve_all)
        if raw.index in allocated:
            subgraph.place(earlier)
        placements.extend(subgraph.placements())
        operators.extend(subgraph.operators())
        arenas.extend(subgraph.arenas())
    return Planned(MemoryLayout(tuple(placements), tuple(operators), tuple(arenas)))


@dataclass(frozen=True, slots=True)
class _Nodes:
    """``listed``: all that the interpreter has, the file's operators first. ``plan``: those that run."""

    listed: tuple[RawNode, ...]
    plan: tuple[RawNode, ...]


def _nodes(raw: RawSubgraph, graph: Graph, delegation: Delegation) -> _Nodes:
    """The interpreter's nodes, with the names that the file has for them; without nodes the file's."""
    operators = graph.subgraphs[raw.index].operators
    if raw.nodes is None:
        own = tuple(RawNode(o.index, o.name, o.inputs, o.outputs, None, False) for o in operators)
    else:
        names = {o.index: o.name for o in operators}
        own = tuple(n if n.name else replace(n, name=names.get(n.index, "")) for n in raw.nodes)
    divided = delegation.plans.get(raw.index)
    if divided is None:
        return _Nodes(own, own)
    by_index = {n.index: n for n in own}
    # What the delegate left to the kernels is as the kernels have it: with its scratch tensors.
    running = tuple(n if n.delegate else by_index.get(n.index, n) for n in divided)
    return _Nodes((*own, *(n for n in running if n.index not in by_index)), running)


def _allocated(graph: Graph, nodes: Iterable[_Nodes]) -> set[int]:
    """Subgraphs that get arenas: the main one, and those that its operators run."""
    nodes = list(nodes)
    found: set[int] = set()
    waiting = [0]
    while waiting:
        index = waiting.pop()
        if index in found or index >= len(nodes):
            continue
        found.add(index)
        operators = graph.subgraphs[index].operators
        for node in nodes[index].plan:
            if node.index < len(operators):
                waiting.extend(operators[node.index].subgraphs)
    return found


class _Subgraph:
    """One subgraph on its way from sizes to places."""

    def __init__(
        self, raw: RawSubgraph, nodes: _Nodes, file_tensors: int, profile: RuntimeProfile, preserve_all: bool
    ) -> None:
        self._raw = raw
        self._nodes = nodes
        self._file_tensors = file_tensors
        self._profile = profile
        self._preserve_all = preserve_all
        self._walk = [
            Step(n.inputs, n.outputs, n.temporaries or (), "" if n.delegate else n.name or "")
            for n in nodes.plan
        ]
        self._sizes = _sizes(raw.tensors)
        self._kinds = _kinds(raw.tensors)
        self._lives: dict[int, Lifetime] = {}
        self._offsets: dict[int, int] = {}
        self._spaces: dict[Kind, Space] = {}

    def place(self, earlier: RawSubgraph) -> None:
        """``earlier``: the subgraph when the runtime decided on lifetimes and sharing."""
        raw, walk = self._raw, self._walk
        inputs, outputs, variables = set(raw.inputs), set(raw.outputs), set(raw.variables)
        aliases: dict[int, int] = {}
        if self._profile.shares_when_preserving or not self._preserve_all:
            aliases = shared(
                walk, self._profile.in_place, inputs=inputs, outputs=outputs, variables=variables,
                kinds=_kinds(earlier.tensors), sizes=_sizes(earlier.tensors),
            )  # fmt: skip
        self._lives = lifetimes(
            walk, inputs=inputs, outputs=outputs, variables=variables, aliases=aliases,
            preserve_all=self._preserve_all,
        )  # fmt: skip
        self._spaces = {kind: Space(len(walk)) for kind in ARENA_KINDS}
        self._place(range(len(walk)), aliases)
        if not self._preserve_all:
            self._lives |= of_aliases(walk, self._lives, aliases)

    def _place(self, steps: range, aliases: dict[int, int]) -> None:
        """Places what these steps make; a sharing that its sizes no longer allow is dropped."""
        for tensor in placing_order(
            self._walk, steps, self._raw.inputs, self._raw.variables, self._lives, self._sizes, self._kinds,
            hash_sets=self._profile.hash_sets,
        ):  # fmt: skip
            kind, size, life = self._kinds[tensor], self._sizes[tensor], self._lives[tensor]
            root = aliases.get(tensor)
            if root is not None:
                if self._kinds[root] is Kind.ARENA_RW and self._sizes[root] == size:
                    continue
                del aliases[tensor]
            last = life.last if kind is Kind.ARENA_RW else None  # a persistent arena reuses nothing
            self._offsets[tensor] = self._spaces[kind].place(size, life.first or 0, last)
        for tensor, root in aliases.items():
            if root in self._offsets and self._kinds[tensor] is Kind.ARENA_RW:
                self._offsets[tensor] = self._offsets[root]

    def placements(self) -> Iterable[Placement]:
        steps = {node.index: step for step, node in enumerate(self._nodes.plan)}
        readers, writers, scratch = uses(self._nodes.listed, steps)
        replaced = [n for n in self._nodes.listed if n.index not in steps]
        interior = {t for n in replaced for t in (*n.outputs, *(n.temporaries or ()))}
        for tensor in self._raw.tensors:
            index = tensor.index
            life = self._lives.get(index, NEVER)
            offset = self._offsets.get(index)
            user = scratch.get(index)
            kind = self._kinds[index]
            if kind is Kind.ARENA_RW_PERSISTENT:
                life = Lifetime(life.first, None)
            if kind in ARENA_KINDS and offset is None:
                kind = Kind.DELEGATE if index in interior else Kind.NONE
            yield Placement(
                self._raw.index, index, tensor.name, tensor.dtype, tensor.shape, tensor.bytes, kind, None,
                offset, life.first, life.last, writers.get(index, user),
                tuple(sorted(readers.get(index, ()))) if user is None else (user,),
                index >= self._file_tensors,
            )  # fmt: skip

    def operators(self) -> Iterable[PlacedOperator]:
        steps = {node.index: step for step, node in enumerate(self._nodes.plan)}
        for node in self._nodes.listed:
            yield PlacedOperator(
                self._raw.index, node.index, node.name or "", node.inputs, node.outputs, node.temporaries,
                steps.get(node.index),
            )  # fmt: skip

    def arenas(self) -> Iterable[Arena]:
        for kind, space in self._spaces.items():
            if space.bytes:
                yield Arena(self._raw.index, kind, None, space.bytes)


def _sizes(tensors: Iterable[RawTensor]) -> dict[int, int]:
    return {t.index: t.bytes or 0 for t in tensors}


def _kinds(tensors: Iterable[RawTensor]) -> Mapping[int, Kind]:
    """As the runtime keeps them: what has no place in a reading is meant for the arena all the same."""
    return {t.index: Kind.ARENA_RW if t.kind is Kind.NONE else t.kind for t in tensors}
