"""What an interpreter said about itself on the device, joined with the model file.

The agent reports raw tensors and nodes; here they become placements with offsets and lifetimes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from . import in_place
from .graph import Graph, Subgraph
from .layout import ARENA_KINDS, Arena, Kind, MemoryLayout, PlacedOperator, Placement
from .lifetimes import NEVER, Lifetime, Step, lifetimes, of_aliases


@dataclass(frozen=True, slots=True)
class RawTensor:
    """A tensor as the interpreter holds it. ``address`` None: it has no memory of its own now."""

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...] | None
    bytes: int | None
    kind: Kind
    address: int | None


@dataclass(frozen=True, slots=True)
class RawNode:
    """A node as the interpreter holds it. ``temporaries`` None: they could not be read."""

    index: int
    name: str | None
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    temporaries: tuple[int, ...] | None
    delegate: bool


@dataclass(frozen=True, slots=True)
class RawSubgraph:
    """One subgraph. ``nodes`` and ``plan`` are None where only the public interface could be used."""

    index: int
    when: str
    source: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    variables: tuple[int, ...]
    tensors: tuple[RawTensor, ...]
    nodes: tuple[RawNode, ...] | None
    plan: tuple[int, ...] | None

    @property
    def running(self) -> tuple[RawNode, ...]:
        """The nodes of the execution plan, in its order; none where they could not be read."""
        by_index = {node.index: node for node in self.nodes or ()}
        return tuple(by_index[index] for index in self.plan or () if index in by_index)


def assemble(subgraphs: Iterable[RawSubgraph], graph: Graph, *, preserve_all: bool = False) -> MemoryLayout:
    """The layout of a whole model.

    An arena's base is the lowest address of its tensors: offset 0 is always in use (tflite-memory.md §1).
    """
    placements: list[Placement] = []
    operators: list[PlacedOperator] = []
    arenas: list[Arena] = []
    for raw in subgraphs:
        described = graph.subgraphs[raw.index] if raw.index < len(graph.subgraphs) else None
        nodes, plan = _nodes_and_plan(raw, described)
        found = bases(raw.tensors)
        steps = {node: step for step, node in enumerate(plan)}
        by_index = {t.index: t for t in raw.tensors}
        aliases = _aliases(nodes, plan, by_index)
        walk = [Step(nodes[n].inputs, nodes[n].outputs, nodes[n].temporaries or ()) for n in plan]
        lives = lifetimes(
            walk,
            inputs=raw.inputs,
            outputs=raw.outputs,
            variables=raw.variables,
            aliases=aliases,
            preserve_all=preserve_all,
        )
        if not preserve_all:
            lives |= of_aliases(walk, lives, aliases)
        readers, writers, scratch = uses(nodes.values(), steps)
        file_tensors = len(described.tensors) if described else len(raw.tensors)
        for tensor in raw.tensors:
            placements.append(
                _placement(raw.index, tensor, found, lives, readers, writers, scratch, file_tensors)
            )
        for node in nodes.values():
            operators.append(
                PlacedOperator(
                    raw.index, node.index, node.name or "", node.inputs, node.outputs,
                    node.temporaries, steps.get(node.index),
                )
            )  # fmt: skip
        arenas.extend(_arenas(raw, found))
    return MemoryLayout(tuple(placements), tuple(operators), tuple(arenas))


def _nodes_and_plan(
    raw: RawSubgraph, described: Subgraph | None
) -> tuple[dict[int, RawNode], tuple[int, ...]]:
    """The interpreter's nodes; the file's operators where it could not be asked for them."""
    names = {o.index: o.name for o in described.operators} if described else {}
    if raw.nodes is not None:
        nodes = {
            n.index: n
            if n.name
            else RawNode(n.index, names.get(n.index), n.inputs, n.outputs, n.temporaries, n.delegate)
            for n in raw.nodes
        }
    else:
        nodes = {
            o.index: RawNode(o.index, o.name, o.inputs, o.outputs, None, False)
            for o in (described.operators if described else ())
        }
    plan = raw.plan if raw.plan is not None else tuple(nodes)
    return nodes, tuple(n for n in plan if n in nodes)


def bases(tensors: Iterable[RawTensor]) -> dict[Kind, int]:
    """Where the arenas of these tensors begin: at the lowest address of each kind."""
    found: dict[Kind, int] = {}
    for tensor in tensors:
        if tensor.kind in ARENA_KINDS and tensor.address is not None and tensor.bytes:
            found[tensor.kind] = min(tensor.address, found.get(tensor.kind, tensor.address))
    return found


def _arenas(raw: RawSubgraph, bases: Mapping[Kind, int]) -> Iterable[Arena]:
    for kind in ARENA_KINDS:
        if kind in bases:
            ends = (
                t.address + t.bytes
                for t in raw.tensors
                if t.kind is kind and t.address is not None and t.bytes
            )
            yield Arena(raw.index, kind, bases[kind], max(ends) - bases[kind])


def _aliases(
    nodes: Mapping[int, RawNode], plan: Iterable[int], tensors: Mapping[int, RawTensor]
) -> dict[int, int]:
    def address(index: int) -> int | None:
        tensor = tensors.get(index)
        return tensor.address if tensor and tensor.kind is Kind.ARENA_RW and tensor.bytes else None

    return in_place.roots(((nodes[n].inputs, nodes[n].outputs) for n in plan), address)


def uses(
    nodes: Iterable[RawNode], steps: Mapping[int, int]
) -> tuple[dict[int, list[int]], dict[int, int], dict[int, int]]:
    """Readers and writer of every tensor, and the operator whose scratch it is.

    A node that is in the plan wins over one that a delegate has replaced.
    """
    readers: dict[int, list[int]] = {}
    writers: dict[int, int] = {}
    scratch: dict[int, int] = {}
    for node in sorted(nodes, key=lambda n: (n.index not in steps, n.index)):
        in_plan = node.index in steps
        for tensor in dict.fromkeys(node.inputs):
            if tensor >= 0 and (in_plan or not any(r in steps for r in readers.get(tensor, ()))):
                readers.setdefault(tensor, []).append(node.index)
        for tensor in node.outputs:
            if tensor >= 0:
                writers.setdefault(tensor, node.index)
        for tensor in node.temporaries or ():
            scratch.setdefault(tensor, node.index)
    return readers, writers, scratch


def _placement(
    subgraph: int,
    tensor: RawTensor,
    bases: Mapping[Kind, int],
    lives: Mapping[int, Lifetime],
    readers: Mapping[int, list[int]],
    writers: Mapping[int, int],
    scratch: Mapping[int, int],
    file_tensors: int,
) -> Placement:
    life = lives.get(tensor.index, NEVER)
    if tensor.kind is Kind.ARENA_RW_PERSISTENT:
        life = Lifetime(life.first, None)  # a persistent arena never reuses a place (§2.5)
    base = bases.get(tensor.kind)
    offset = None
    if base is not None and tensor.address is not None and tensor.bytes:
        offset = tensor.address - base
    user = scratch.get(tensor.index)
    return Placement(
        subgraph=subgraph,
        index=tensor.index,
        name=tensor.name,
        dtype=tensor.dtype,
        shape=tensor.shape,
        bytes=tensor.bytes,
        kind=tensor.kind,
        address=tensor.address,
        offset=offset,
        first_op=life.first,
        last_op=life.last,
        producer=writers.get(tensor.index, user),
        consumers=tuple(sorted(readers.get(tensor.index, ()))) if user is None else (user,),
        temporary=tensor.index >= file_tensors,
    )
