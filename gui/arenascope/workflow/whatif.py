"""Questions of the What-if view and who answers them: plan, prediction and verdict, without a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from ..domain.board import Board
from ..domain.forecast import Forecast
from ..domain.graph import Graph
from ..domain.profiles import RuntimeProfile
from ..domain.whatif import WhatIf
from .jobs import CancelToken


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One model with one set of knobs. Every question is its own: an answer belongs to the object that
    asked. ``board`` None: there is no device whose memory could set a limit."""

    model: Path
    graph: Graph
    asked: WhatIf
    profile: RuntimeProfile
    machine: str
    board: Board | None = None

    def with_batch(self, batch: int) -> Question:
        return replace(self, asked=replace(self.asked, batch=batch))


class Foreteller(Protocol):
    """Blocking; used by one thread at a time. Errors are ArenaScopeErrors."""

    def forecast(self, question: Question, cancel: CancelToken) -> Forecast: ...

    def close(self) -> None: ...


def foreteller() -> Foreteller:
    raise NotImplementedError
