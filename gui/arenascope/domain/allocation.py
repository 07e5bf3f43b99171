"""What the runtime's arena planner makes of one subgraph: lifetimes, sharing, an offset for each tensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .arena import Arena
from .execution import Execution, moves_out
from .layout import ARENA_KINDS, Kind
from .lifetimes import Lifetime, lifetimes, of_aliases
from .ordering import placing_order
from .profiles import RuntimeProfile
from .sharing import shared


@dataclass(frozen=True, slots=True)
class Allocation:
    """``arenas``: bytes of each arena that has any. ``growth``: of one that a later pass had to replace.

    ``placed``: passes that could be placed; behind them is a size that is not known. ``moved``: tensors
    that have left the arena for memory of their own when the next pass is planned; nothing takes their place.
    """

    lives: Mapping[int, Lifetime]
    offsets: Mapping[int, int]
    arenas: Mapping[Kind, int]
    growth: int
    placed: int
    moved: frozenset[int]


def allocate(
    execution: Execution, decided: Execution, profile: RuntimeProfile, *, preserve_all: bool, exists: bool
) -> Allocation:
    """``decided``: the subgraph when the runtime decided on lifetimes and sharing, which it does once.

    A subgraph that nothing has allocated (``exists`` False) has lifetimes, but no places.
    """
    raw, steps = execution.raw, execution.steps
    inputs, outputs, variables = set(raw.inputs), set(raw.outputs), set(raw.variables)
    aliases: dict[int, int] = {}
    if profile.shares_when_preserving or not preserve_all:
        aliases = shared(
            steps, profile.in_place, inputs=inputs, outputs=outputs, variables=variables,
            kinds=decided.kinds, sizes=decided.sizes,
        )  # fmt: skip
    lives = lifetimes(
        steps, inputs=inputs, outputs=outputs, variables=variables, aliases=aliases,
        preserve_all=preserve_all,
    )  # fmt: skip
    places = _Places(execution, lives, aliases, profile)
    placed = growth = 0
    for steps_of_pass in execution.passes if exists else ():
        if not places.known(steps_of_pass, first=not placed):
            break
        growth = max(growth, places.place(steps_of_pass))
        if execution.ran:
            places.run(steps_of_pass)
        placed += 1
    if not preserve_all:
        lives |= of_aliases(steps, lives, aliases)
    arenas = {kind: arena.bytes for kind, arena in places.arenas.items() if arena.bytes}
    return Allocation(lives, places.offsets, arenas, growth, placed, frozenset(places.moved))


class _Places:
    """The arenas of a subgraph while they fill, pass after pass."""

    def __init__(
        self,
        execution: Execution,
        lives: Mapping[int, Lifetime],
        aliases: dict[int, int],
        profile: RuntimeProfile,
    ) -> None:
        self._execution = execution
        self._lives = lives
        self._aliases = aliases
        self._hash_sets = profile.hash_sets
        self._kinds = dict(execution.kinds)
        self.moved: set[int] = set()
        self.offsets: dict[int, int] = {}
        self.arenas = {kind: Arena(len(execution.steps)) for kind in ARENA_KINDS}

    def known(self, steps: range, *, first: bool) -> bool:
        """Whether all sizes of a pass are known; the runtime itself knows those of the first."""
        kinds, unknown = self._execution.kinds, self._execution.unknown
        return first or not any(
            tensor in unknown and kinds[tensor] in ARENA_KINDS
            for step in self._execution.steps[steps.start : steps.stop]
            for tensor in (*step.outputs, *step.temporaries)
        )

    def place(self, steps: range) -> int:
        """Returns the bytes of the largest arena that grew, as it was before."""
        before = {kind: arena.bytes for kind, arena in self.arenas.items()}
        kinds, sizes = self._kinds, self._execution.sizes
        sharing: list[int] = []
        for tensor in placing_order(self._execution, steps, self._lives, hash_sets=self._hash_sets):
            if tensor in self.offsets:
                continue
            root = self._aliases.get(tensor)
            if root is not None:
                if kinds[root] is Kind.ARENA_RW and sizes[root] == sizes[tensor]:
                    sharing.append(tensor)
                    continue
                del self._aliases[tensor]  # its sizes do not allow it any more
            kind, life = kinds[tensor], self._lives[tensor]
            last = life.last if kind is Kind.ARENA_RW else None  # a persistent arena reuses nothing
            self.offsets[tensor] = self.arenas[kind].place(sizes[tensor], life.first or 0, last)
        for tensor in sharing:
            root = self._aliases[tensor]
            if root in self.offsets and kinds[tensor] is Kind.ARENA_RW:
                self.offsets[tensor] = self.offsets[root]
        return max((was for kind, was in before.items() if self.arenas[kind].bytes > was), default=0)

    def run(self, steps: range) -> None:
        """What the step that ends a pass does to its output before the next pass is planned."""
        last = self._execution.steps[steps.stop - 1] if steps else None
        if last and moves_out(last, self._kinds) and last.outputs[0] not in self._aliases:
            self._kinds[last.outputs[0]] = Kind.DYNAMIC
            self.moved.add(last.outputs[0])
