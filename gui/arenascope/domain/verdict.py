"""Whether a board can give what a prediction asks for, and which limit decides."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .address_space import limits
from .baseline import Baseline
from .board import Board
from .plan import Plan
from .prediction import Prediction
from .provenance import Provenance
from .ranges import Range, exactly
from .units import format_bytes


class Fit(StrEnum):
    FITS = "fits"
    TIGHT = "fits tightly"
    REFUSED = "refused at once"
    KILLED = "killed later"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class VerdictFigure:
    """A number that made the verdict. ``bytes`` None: unknown on this board."""

    name: str
    bytes: int | None
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Verdict:
    """``limit`` names what decides: 'RAM and swap', '2 GiB', 'largest gap', 'ulimit -v', 'available
    memory', ...; '' where nothing does. ``reason`` is a sentence with the numbers in it."""

    fit: Fit
    reason: str
    limit: str = ""
    figures: tuple[VerdictFigure, ...] = ()

    @property
    def fits(self) -> bool | None:
        """None: not known."""
        if self.fit is Fit.UNKNOWN:
            return None
        return self.fit in (Fit.FITS, Fit.TIGHT)


#: A 32-bit process counts bytes in as many bits; a size beyond that is refused before it is asked for.
_COUNTS = {32: 2**32 - 1, 64: 2**64 - 1}
#: Of the RAM: with less than this left over, what else runs on the board decides.
MARGIN = 0.01
#: How far below a predicted peak a run may stay where memory is short (seen on a board: 0.8 %, for pages of
#: libraries are dropped then).
UNSURE = 0.01
#: One page of a page table describes this many pages of the process (512 entries of 8 bytes in 4 KiB).
_PAGES_A_TABLE = 512


def judge(
    prediction: Prediction | None, plan: Plan, board: Board, baseline: Baseline | None = None
) -> Verdict:
    """Whether ``board`` can give what ``prediction`` asks for.

    ``prediction`` is None only where the model refused its shapes. Refused at once comes before killed
    later: an allocation that is refused touches nothing. A prediction whose range straddles a limit fits
    tightly, for it may or may not.
    """
    if plan.refusal is not None and not plan.refusal.certain:
        return Verdict(Fit.UNKNOWN, f"It cannot be planned: {plan.refusal.reason}")
    if plan.refusal is not None:
        return Verdict(Fit.REFUSED, f"The model does not take these shapes: {plan.refusal.reason}", "shapes")
    if prediction is None:
        return Verdict(Fit.UNKNOWN, "Nothing was predicted.")
    refused = _overflow(plan, board) or _refused(prediction, board, baseline)
    if refused is not None and refused.fit is Fit.REFUSED:
        return refused
    touched = _touched(prediction, board)
    # What may be refused and is ended in any case does not fit.
    return refused if refused is not None and touched.fit is not Fit.KILLED else touched


def _overflow(plan: Plan, board: Board) -> Verdict | None:
    most = _COUNTS.get(board.bits or 0)
    if most is None:
        return None
    largest = max(
        [(p.bytes or 0, f"tensor #{p.index}") for p in plan.layout.placements]
        + [(a.bytes, "the arena") for a in plan.layout.arenas],
        default=(0, ""),
    )
    if largest[0] <= most:
        return None
    return Verdict(
        Fit.REFUSED,
        f"{largest[1][0].upper()}{largest[1][1:]} has {format_bytes(largest[0])}; a process of {board.bits} "
        f"bits counts no more than {format_bytes(most)}.",
        "byte count",
        (
            VerdictFigure(largest[1], largest[0], Provenance.PLANNED),
            VerdictFigure("largest count", most, Provenance.PLANNED),
        ),
    )


def _refused(prediction: Prediction, board: Board, baseline: Baseline | None) -> Verdict | None:
    """The narrowest limit that the largest request, or the sum of all, exceeds."""
    largest = max(prediction.requests, key=lambda r: r.bytes, default=None)
    for limit in limits(board, baseline):
        if limit.of_sum:
            need, what, sure = prediction.mapped, "all allocations together", prediction.mapped.low
        elif largest is not None:
            need, what, sure = exactly(largest.bytes), largest.purpose, largest.bytes
        else:
            continue
        if need.high <= limit.room:
            continue
        figures = (
            VerdictFigure(what, need.likely, Provenance.PLANNED),
            *(VerdictFigure(name, size, limit.provenance) for name, size in limit.facts),
        )
        whole = "" if limit.of_sum else " in one piece"
        crash = " Who asks for it does not check the answer: the process crashes."
        if sure > limit.room or need.likely > limit.room:
            unchecked = not limit.of_sum and largest is not None and largest.unchecked
            return Verdict(
                Fit.REFUSED,
                f"{format_bytes(need.likely)} are needed{whole} for {what}, and {limit.reason}."
                f"{crash if unchecked else ''}",
                limit.name,
                figures,
            )
        return Verdict(
            Fit.TIGHT,
            f"Up to {format_bytes(need.high)} may be needed{whole} for {what}, and {limit.reason}.",
            limit.name,
            figures,
        )
    return None


def _touched(prediction: Prediction, board: Board) -> Verdict:
    """What is touched against what the board, or the process's control group, can give."""
    peak, page = prediction.peak, board.page_size or 4096
    tables = (prediction.mapped.likely // (page * _PAGES_A_TABLE) + 1) * page
    found = memory_room(board)
    if found is None:
        return Verdict(Fit.UNKNOWN, "How much memory is available on this board is not known.")
    name, room, facts = found
    need = Range(max(0, peak.low - prediction.files) + tables, peak.likely + tables, peak.high + tables)
    figures = (
        VerdictFigure("predicted peak", peak.likely, Provenance.ESTIMATED),
        VerdictFigure("page tables", tables, Provenance.ESTIMATED),
        *facts,
    )
    close = need.high + MARGIN * (board.ram_total or 0) > room.low
    there = _from_to(room) if close else format_bytes(room.low)
    words = f"{format_bytes(need.likely)} are needed, {there} are to be had ({name})"
    least = max(0, round(peak.low * (1 - UNSURE)) - prediction.files) + tables
    if need.likely > room.low and prediction.files:
        words += (
            f"; of the need, up to {format_bytes(prediction.files)} are pages of files, which can be dropped"
        )
    # Pages of files can be dropped, at the price of reading them again and again: a kill needs more.
    if least > room.high:
        return Verdict(Fit.KILLED, f"The kernel would end the process while it runs: {words}.", name, figures)
    if close:
        return Verdict(Fit.TIGHT, f"It may just fit: {words}.", name, figures)
    return Verdict(Fit.FITS, f"It fits: {words}.", "", figures)


def _from_to(room: Range) -> str:
    low, high = format_bytes(room.low), format_bytes(room.high)
    return low if low == high else f"{low} to {high}"


#: What it is called, its size, and the figures that make it.
Room = tuple[str, Range, tuple[VerdictFigure, ...]]


def memory_room(board: Board) -> Room | None:
    """What a process on the board can have before the kernel ends one; None: not known."""
    rooms = [room for room in (_available(board), _group(board)) if room is not None]
    return min(rooms, key=lambda room: room[1].likely, default=None)


def _available(board: Board) -> Room | None:
    """MemAvailable and the free swap. Swap that lies compressed in RAM gives only what compressing saves:
    what it has saved so far, between nothing and three quarters of it where nothing is known."""
    available = board.ram_available
    if available is None:
        return None
    facts = board.limits
    swap = board.swap_free if board.swap_free is not None else board.swap_total or 0
    packed = min(swap, facts.zram_free or 0)
    gain = Range(0, packed // 2, packed * 3 // 4)
    if facts.zram_kept and facts.zram_used is not None and facts.zram_kept > 1024 * 1024:
        saved = max(0.0, 1 - facts.zram_used / facts.zram_kept)
        gain = Range(min(packed // 4, int(packed * saved)), int(packed * saved), int(packed * saved))
    plain = available + swap - packed
    figures = [
        VerdictFigure("available memory", available, Provenance.MEASURED),
        VerdictFigure("free swap", swap - packed, Provenance.MEASURED),
    ]
    if packed:
        figures.append(VerdictFigure("gain of swap in RAM", gain.likely, Provenance.ESTIMATED))
    # The kernel gives what it keeps back before it ends a process, and drops pages of files for it.
    back = facts.kept_back or 0
    if back:
        figures.append(VerdictFigure("kept back by the kernel", back, Provenance.MEASURED))
    return "available memory", exactly(plain) + gain + Range(0, 0, back), tuple(figures)


def _group(board: Board) -> Room | None:
    limit, used = board.limits.group_limit, board.limits.group_used
    if limit is None:
        return None
    left = max(0, limit - (used or 0))
    return (
        "control group",
        # What is used may be pages of files, which give way.
        Range(left, left, limit),
        (
            VerdictFigure("limit of the control group", limit, Provenance.MEASURED),
            VerdictFigure("used by the group", used, Provenance.MEASURED),
        ),
    )
