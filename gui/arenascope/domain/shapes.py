"""What a runtime made of a model's shapes: the sizes and kinds of its tensors, before anything is placed.

The planner takes it as given: shapes come from the runtime's own Prepare functions, places from the rules.
Addresses in it mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .reading import RawNode, RawSubgraph


@dataclass(frozen=True, slots=True)
class Delegation:
    """How a delegate divided the model: subgraph → its execution plan, in order. Nodes named DELEGATE
    stand for a partition; the others were left to the runtime's own kernels.

    ``source`` names the runtime that was asked, as 'ai_edge_litert 2.3.0 on this computer'.
    """

    plans: Mapping[int, tuple[RawNode, ...]]
    source: str

    @classmethod
    def of(cls, plans: Iterable[tuple[int, Iterable[RawNode]]], source: str) -> Delegation:
        """``plans``: (subgraph, its nodes in the order in which they run). A subgraph of which no delegate
        has taken a part is left out: it is planned as without one."""
        ordered = ((subgraph, tuple(nodes)) for subgraph, nodes in plans)
        return cls({s: nodes for s, nodes in ordered if any(node.delegate for node in nodes)}, source)


@dataclass(frozen=True, slots=True)
class Shapes:
    """One set of input shapes, propagated through the whole model with the CPU kernels.

    ``allocated``: all subgraphs right after the first ``allocate_tensors``, which prepares up to the first
    operator with a dynamic output. ``invoked``: the same after one invoke with zeros, made only where a
    tensor's size is not known before; None where none was needed.
    """

    runtime: str  #: 'ai_edge_litert 2.3.0'
    inputs: Mapping[str, tuple[int, ...]]  #: name → shape of every input of the main subgraph
    allocated: tuple[RawSubgraph, ...]
    invoked: tuple[RawSubgraph, ...] | None = None
    delegation: Delegation | None = None
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ShapeRefusal:
    """A model that does not take these shapes: the first operator that refuses, and why.

    ``operator`` and ``tensor`` are indices of ``subgraph``, None where the runtime does not say; ``reason``
    is for people, ``said`` the runtime's own words. ``too_large``: only for their size, not for what the
    model is made of. ``certain``: the runtime that is planned for refuses them as well.
    """

    reason: str
    said: str
    subgraph: int = 0
    operator: int | None = None
    operator_name: str = ""
    tensor: int | None = None
    tensor_name: str = ""
    too_large: bool = False
    certain: bool = True
