"""What became of a model whose batch was changed: the changes, and what proves that it computes the same."""

from __future__ import annotations

from dataclasses import dataclass

from .batch_axis import Along
from .capture import ModelFacts

#: Rounding steps of a float32 (2^-24 of a value) that a result may differ by, in units of the largest value
#: of that output: kernels add the products of several rows in another order than those of one row.
_STEPS = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}
_ALLOWED = 1024
TOLERANCE_REASON = (
    f"kernels add several rows in another order than one; {_ALLOWED} rounding steps of the largest value of "
    "that output are allowed"
)


def tolerance(dtype: str, largest: float) -> float:
    """How far two results of this type may lie apart; 0 for integers, which must be equal."""
    return _STEPS.get(dtype, 0.0) * _ALLOWED * largest


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output by which a caller reaches the model; ``along`` None: the same for all samples."""

    name: str
    tensor: int
    along: Along | None


@dataclass(frozen=True, slots=True)
class Ports:
    """A subgraph that a caller may run: the main one, or that of a signature, by its key."""

    subgraph: int
    signature: str | None
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """``kind``: input, output, state, constant or option; ``before`` and ``after`` are shapes or values."""

    kind: str
    subgraph: int
    name: str
    operator: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One output, compared sample by sample. ``largest``: the largest difference, at ``sample`` in ``step``;
    ``scale``: the largest value. ``unlike``: whether two samples gave different results at all."""

    name: str
    dtype: str
    largest: float
    scale: float
    sample: int
    step: int
    unlike: bool

    @property
    def tolerance(self) -> float:
        return tolerance(self.dtype, self.scale)

    @property
    def holds(self) -> bool:
        return self.largest <= self.tolerance  # False for NaN


@dataclass(frozen=True, slots=True)
class Proof:
    """Both models, run with the same ``samples`` for ``steps`` invokes, states kept between them."""

    delegate: str
    signature: str | None
    samples: int
    steps: int
    outputs: tuple[Difference, ...]

    @property
    def worst(self) -> Difference:
        return max(self.outputs, key=lambda d: (not d.holds, d.largest))


@dataclass(frozen=True)
class Rebatched:
    """A model that was written for another batch. ``pinned``: resizing the old one was not enough.

    ``resized``: tensors whose recorded shape follows, beside what ``changes`` names.
    """

    model: ModelFacts
    batch: int
    wanted: int
    path: str
    sha256: str
    bytes: int
    changes: tuple[Change, ...]
    resized: int
    pinned: bool
    proofs: tuple[Proof, ...]
    runtime: str
    notes: tuple[str, ...] = ()
