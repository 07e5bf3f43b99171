"""A prediction beside the run: part by part, and what neither explains.

A run is looked through after its first invoke; its peak is the highest of all phases. What the peak has
beyond that reading was there for a moment only: kernels' own memory, and so it is compared.
"""

from __future__ import annotations

from dataclasses import dataclass

from .attribution import ARENA, DELEGATE, DYNAMIC, KERNELS, MODEL, PERSISTENT, PYTHON, RUNTIME, UNEXPLAINED
from .capture import Capture
from .prediction import BASE, Prediction
from .provenance import Provenance
from .ranges import NOTHING, Range

#: The promise: within three hundredths, or two mebibytes.
SHARE, LEAST = 0.03, 2 * 1024 * 1024
#: Part of a prediction → the parts of a reading that it stands for.
_STANDS_FOR = {
    BASE: (PYTHON, RUNTIME),
    MODEL: (MODEL,),
    ARENA: (ARENA,),
    PERSISTENT: (PERSISTENT,),
    DYNAMIC: (DYNAMIC,),
    DELEGATE: (DELEGATE,),
}


@dataclass(frozen=True, slots=True)
class ComparedPart:
    """``measured`` None: the run does not tell. ``provenance`` is the prediction's."""

    part: str
    predicted: Range
    measured: int | None
    provenance: Provenance
    reason: str

    @property
    def difference(self) -> int | None:
        """Predicted less measured."""
        return None if self.measured is None else self.predicted.likely - self.measured


@dataclass(frozen=True, slots=True)
class Comparison:
    """``measured``: the process peak; ``unexplained``: measured less the likely prediction (negative where
    too much was predicted)."""

    parts: tuple[ComparedPart, ...]
    predicted: Range
    measured: int | None

    @property
    def unexplained(self) -> int | None:
        return None if self.measured is None else self.measured - self.predicted.likely

    @property
    def close(self) -> bool | None:
        """Whether the likely figure is as near as promised. None: nothing was measured."""
        if self.measured is None or self.unexplained is None:
            return None
        return abs(self.unexplained) <= max(LEAST, SHARE * self.measured)

    @property
    def within(self) -> bool | None:
        """Whether what was measured lies in the range that was stated."""
        return None if self.measured is None else self.measured in self.predicted


def compare(prediction: Prediction, capture: Capture) -> Comparison:
    """Only a run that came to its end has a peak to compare with."""
    peak = capture.totals.process_peak if capture.outcome.ok else None
    read = {p.part: p.bytes for p in capture.attribution}
    accounted = sum(size for part, size in read.items() if part != UNEXPLAINED)
    rows = []
    for part in prediction.parts:
        measured = None
        if read and part.part in _STANDS_FOR:
            measured = sum(read.get(name, 0) for name in _STANDS_FOR[part.part])
        elif read and part.part == KERNELS and peak is not None:
            measured = max(0, peak - accounted)
        rows.append(ComparedPart(part.part, part.bytes, measured, part.provenance, part.reason))
    missing = {name for names in _STANDS_FOR.values() for name in names} & {
        p for p, size in read.items() if size
    }
    for name in sorted(missing - {n for r in rows for n in _STANDS_FOR.get(r.part, ())}):
        rows.append(ComparedPart(name, NOTHING, read[name], Provenance.MEASURED, "Not predicted."))
    return Comparison(tuple(rows), prediction.peak, peak)
