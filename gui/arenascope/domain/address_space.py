"""What limits the allocations of one process, from the facts of its board (pi-facts.md §2).

Two kinds: a limit of one allocation, and a limit of the sum of all. Each says how much room it leaves and
in a sentence why.
"""

from __future__ import annotations

from dataclasses import dataclass

from .baseline import Baseline
from .board import AddressSpace, Board
from .provenance import Provenance
from .units import format_bytes

MIB = 1024 * 1024
GIB = 1024 * MIB
#: What a process with a runtime has mapped of a 32-bit address space, where no baseline says.
_RUNTIME_32 = 96 * MIB


@dataclass(frozen=True, slots=True)
class Limit:
    """``room``: bytes of the largest allocation, or of all together where ``of_sum``. ``name`` as verdicts
    have it; ``reason`` is a clause with the numbers; ``facts`` are those numbers by name."""

    name: str
    room: int
    of_sum: bool
    reason: str
    facts: tuple[tuple[str, int], ...]
    provenance: Provenance = Provenance.MEASURED


def space_of(board: Board, baseline: Baseline | None) -> AddressSpace:
    """Of a process that has the runtime loaded."""
    if baseline is not None and baseline.space.largest_gap is not None:
        return baseline.space
    space = board.address_space
    if board.bits != 32 or space.largest_gap is None:
        return space
    return AddressSpace(space.ceiling, max(0, space.largest_gap - _RUNTIME_32), space.mapped, space.data)


def limits(board: Board, baseline: Baseline | None = None) -> tuple[Limit, ...]:
    """Those that refuse an allocation at once, the narrowest first."""
    found = [*_kernel(board, baseline), *_addresses(board, baseline), *_own(board, baseline)]
    return tuple(sorted(found, key=lambda limit: (limit.room, limit.of_sum)))


def _kernel(board: Board, baseline: Baseline | None) -> list[Limit]:
    """The kernel's own accounting. Mode 1 refuses nothing; an unknown mode is taken for the default, 0."""
    facts = board.limits
    if facts.overcommit == 1:
        return []
    if facts.overcommit == 2:
        if facts.commit_limit is None or facts.committed is None:
            return []
        own = space_of(board, baseline).data or 0
        room = max(0, facts.commit_limit - facts.committed - own)
        return [
            Limit(
                "commit limit", room, True,
                f"the kernel promises {format_bytes(facts.commit_limit)} at most, "
                f"{format_bytes(facts.committed)} are promised and {format_bytes(own)} go to the runtime "
                "(vm.overcommit_memory is 2)",
                (
                    ("commit limit", facts.commit_limit),
                    ("promised already", facts.committed),
                    ("data of the runtime", own),
                ),
            )
        ]  # fmt: skip
    if board.ram_total is None:
        return []
    swap = board.swap_total or 0
    there = f"RAM and swap together are {format_bytes(board.ram_total + swap)}"
    if not swap:
        there = f"there are {format_bytes(board.ram_total)} of RAM and no swap"
    return [
        Limit(
            "RAM and swap", board.ram_total + swap, False,
            f"{there}, and the kernel refuses any single allocation above that (vm.overcommit_memory is 0)",
            (("RAM", board.ram_total), ("swap", swap)),
        )
    ]  # fmt: skip


def _addresses(board: Board, baseline: Baseline | None) -> list[Limit]:
    found = []
    if board.bits == 32:
        found.append(
            Limit(
                "2 GiB", 2 * GIB - 1, False, "a 32-bit process gets no single allocation of 2 GiB or more",
                (("largest allocation of 32 bits", 2 * GIB - 1),), Provenance.PLANNED,
            )
        )  # fmt: skip
    space = space_of(board, baseline)
    if space.largest_gap is not None:
        of = "" if space.ceiling is None else f" of {format_bytes(space.ceiling)}"
        found.append(
            Limit(
                "largest gap", space.largest_gap, False,
                f"the largest gap in the address space{of} is {format_bytes(space.largest_gap)}",
                (("largest gap", space.largest_gap),),
            )
        )  # fmt: skip
        if board.bits == 32:  # blocks of megabytes go one below the other into that gap
            found.append(
                Limit(
                    "address space", space.largest_gap, True,
                    f"all that is mapped shares a gap of {format_bytes(space.largest_gap)}{of} of addresses",
                    (("largest gap", space.largest_gap),),
                )
            )  # fmt: skip
    return found


def _own(board: Board, baseline: Baseline | None) -> list[Limit]:
    """The limits that a login sets for the user's processes."""
    space = space_of(board, baseline)
    found = []
    for limit, used, option, what in (
        (board.limits.rlimit_as, space.mapped, "ulimit -v", "address space"),
        (board.limits.rlimit_data, space.data, "ulimit -d", "data"),
    ):
        if limit is None:
            continue
        taken = used or 0
        found.append(
            Limit(
                option, max(0, limit - taken), True,
                f"the {what} of a process is limited to {format_bytes(limit)} ({option}), of which one with "
                f"the runtime has taken {format_bytes(taken)}",
                ((f"limit of the {what}", limit), (f"{what} taken by the runtime", taken)),
            )
        )  # fmt: skip
    return found
