"""The nodes and tensors of a reading with the scratch tensors of another runtime, or of other threads.

What the interpreter that was asked for the shapes added itself is taken out; what this profile's kernels
add takes its place, under the numbers that they would have there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from .graph import Subgraph
from .layout import Kind
from .profiles import RuntimeProfile
from .reading import RawNode, RawTensor
from .temporaries import Numbered, number


@dataclass(frozen=True, slots=True)
class Kernels:
    """Whose kernels: the planner's arguments. ``threads`` None: the runtime's own default."""

    profile: RuntimeProfile
    machine: str
    threads: int | None


@dataclass(frozen=True, slots=True)
class Fitted:
    """``unknown``: operator → why its scratch tensors are not known."""

    listed: tuple[RawNode, ...]
    plan: tuple[RawNode, ...]
    tensors: tuple[RawTensor, ...]
    unknown: Mapping[int, str]


def without(nodes: Iterable[RawNode]) -> tuple[RawNode, ...]:
    """The nodes as a file has them."""
    return tuple(replace(node, temporaries=()) for node in nodes)


def fitted(
    listed: tuple[RawNode, ...],
    plan: tuple[RawNode, ...],
    tensors: Iterable[RawTensor],
    described: Subgraph,
    kernels: Kernels,
) -> Fitted:
    """Scratch tensors for these nodes. Those of a delegate have none; those that it replaced have them,
    where the runtime prepares all operators before it asks the delegate."""
    own = tuple(t for t in tensors if t.index < len(described.tensors))
    runs = [node.index for node in plan if not node.delegate]
    every = [operator.index for operator in described.operators]
    numbered = number(
        described.operators,
        {t.index: t for t in own},
        len(described.tensors),
        kernels.profile,
        machine=kernels.machine,
        threads=kernels.threads,
        prepared=every if kernels.profile.prepares_before_delegating else runs,
    )
    return Fitted(
        _with(listed, numbered),
        _with(plan, numbered),
        (*own, *_added(len(described.tensors), numbered)),
        {index: why for index, why in numbered.unknown.items() if index in runs},
    )


def _with(nodes: Iterable[RawNode], numbered: Numbered) -> tuple[RawNode, ...]:
    return tuple(
        node
        if node.delegate
        else replace(node, temporaries=tuple(i for i, _ in numbered.scratch.get(node.index, ())))
        for node in nodes
    )


def _added(first: int, numbered: Numbered) -> Iterable[RawTensor]:
    """All tensors behind the file's own, those that stay empty as well."""
    made = {index: one for pairs in numbered.scratch.values() for index, one in pairs}
    for index in range(first, numbered.count):
        one = made.get(index)
        if one is None:
            yield RawTensor(index, "", "none", None, 0, Kind.NONE, None)
        else:
            yield RawTensor(index, one.name, one.dtype, one.shape, one.bytes, one.kind, None)
