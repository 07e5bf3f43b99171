"""Whether a board can give what a prediction asks for, and which limit decides."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .provenance import Provenance


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
