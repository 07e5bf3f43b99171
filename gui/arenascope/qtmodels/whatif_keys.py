"""Questions and answers of the What-if view: when two questions are the same one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..domain.board import Board
from ..domain.forecast import Forecast
from ..domain.whatif import WhatIf
from ..errors import ArenaScopeError
from ..workflow.whatif import Question

#: The memory of a board changes all the time; a verdict is made anew when it changed by this share.
_MEMORY_CHANGED = 0.05


@dataclass(frozen=True, eq=False)
class Answer:
    """``forecast`` None: ``error`` says why there is none. ``whole``: the plan has its tensors."""

    question: Question
    forecast: Forecast | None = None
    error: ArenaScopeError | None = None
    whole: bool = True


def knobs_of(request: WhatIf) -> WhatIf:
    return WhatIf(
        request.batch, dict(request.inputs), request.threads, request.delegate, request.preserve_all
    )


def without_batch(question: Question) -> Question:
    return replace(question, asked=replace(question.asked, batch=None))


def key_of(question: Question) -> tuple[object, ...]:
    """What makes two questions the same one."""
    a = question.asked
    return (
        question.model, question.graph.sha256, a.batch, tuple(sorted(a.inputs.items())), a.threads,
        a.delegate, a.preserve_all, question.profile, question.machine, question.board,
        _set_limits(question.board), id(question.delegation),
    )  # fmt: skip


def _set_limits(board: Board | None) -> tuple[int | None, ...]:
    """Limits that somebody sets, which make another verdict; what is in use changes all the time."""
    if board is None:
        return ()
    found = board.limits
    return found.overcommit, found.commit_limit, found.rlimit_as, found.rlimit_data, found.group_limit


def same_limits(a: Board | None, b: Board | None) -> bool:
    """Whether two accounts of a board differ in no more than a little memory."""
    if a is None or b is None or a.ram_available is None or b.ram_available is None:
        return a == b
    if replace(a, ram_available=0) != replace(b, ram_available=0) or _set_limits(a) != _set_limits(b):
        return False
    return abs(a.ram_available - b.ram_available) <= _MEMORY_CHANGED * (a.ram_total or a.ram_available)
