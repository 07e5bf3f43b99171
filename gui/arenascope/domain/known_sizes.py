"""Which tensors have a size that follows from the input shapes alone, and which wait for a run.

A kernel that takes its output's shape from the *values* of an operand makes a dynamic output, unless the
operand is a constant (tflite-memory.md §3). Often those values are computed from nothing but shapes and
constants (SHAPE, STRIDED_SLICE, PACK, then RESHAPE): then every run has the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .layout import Kind
from .lifetimes import Step

#: Operator → its inputs whose values decide the shape of the output. Of all others, every input may.
_DECIDING: dict[str, tuple[int, ...]] = {
    "RESHAPE": (1,), "EXPAND_DIMS": (1,), "FILL": (0,), "TILE": (1,), "PAD": (1,), "PADV2": (1,),
    "MIRROR_PAD": (1,), "SLICE": (1, 2), "STRIDED_SLICE": (1, 2, 3), "SPLIT": (0,), "SPLIT_V": (1, 2),
    "TRANSPOSE": (1,), "RESIZE_BILINEAR": (1,), "RESIZE_NEAREST_NEIGHBOR": (1,), "SUM": (1,), "MEAN": (1,),
    "REDUCE_PROD": (1,), "REDUCE_MAX": (1,), "REDUCE_MIN": (1,), "REDUCE_ANY": (1,), "REDUCE_ALL": (1,),
    "ARG_MAX": (1,), "ARG_MIN": (1,), "ONE_HOT": (1,), "TOPK_V2": (1,), "BROADCAST_TO": (1,),
    "SPACE_TO_BATCH_ND": (1, 2), "BATCH_TO_SPACE_ND": (1, 2), "SCATTER_ND": (2,), "SPARSE_TO_DENSE": (1,),
    "TRANSPOSE_CONV": (0,), "CONV_3D_TRANSPOSE": (0,), "RANDOM_UNIFORM": (0,),
    "RANDOM_STANDARD_NORMAL": (0,), "RFFT2D": (1,),
}  # fmt: skip

#: Their outputs are values of the shape of their input, whatever its own values are.
TELLS_SHAPE = frozenset({"SHAPE", "RANK"})
_RANDOM = frozenset({"RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL", "MULTINOMIAL"})
#: Kinds of what has its values before a run. NONE: nothing makes it.
VALUES_KNOWN = (Kind.MMAP_RO, Kind.PERSISTENT_RO, Kind.NONE)


@dataclass(frozen=True, slots=True)
class Cause:
    """An operator whose output has a size that only a run shows; ``values`` is the tensor that decides."""

    step: int
    operator: str
    values: int | None


def unknown_sizes(
    plan: Sequence[Step], dynamic: Sequence[int], kinds: Mapping[int, Kind], *, ran: bool
) -> dict[int, Cause]:
    """Tensor → the first cause of its size not being known. ``dynamic``: steps whose output is dynamic.

    Behind the first of them nothing is known where no run has shown it (``ran``).
    """
    found: dict[int, Cause] = {}
    stops = frozenset(dynamic)
    known_values = {tensor for tensor, kind in kinds.items() if kind in VALUES_KNOWN}
    for step, node in enumerate(plan):
        read = [t for t in node.inputs if t >= 0]
        made = [t for t in (*node.outputs, *node.temporaries) if t >= 0]
        cause = next((found[t] for t in read if t in found), None)
        if cause is None and step in stops:
            undecided = [t for t in _deciding(node) if t not in known_values]
            if undecided or not read:
                cause = Cause(step, node.name, undecided[0] if undecided else None)
        if cause is not None:
            found.update((t, cause) for t in made if kinds[t] not in VALUES_KNOWN)
        elif node.name in TELLS_SHAPE or (
            read and node.name and node.name not in _RANDOM and known_values.issuperset(read)
        ):
            known_values.update(made)
        if not ran and step > dynamic[0]:
            unseen = Cause(dynamic[0], plan[dynamic[0]].name, None)
            found.update((t, unseen) for t in made if t not in found)
    return found


def _deciding(node: Step) -> Iterable[int]:
    positions = _DECIDING.get(node.name, range(len(node.inputs)))
    return [node.inputs[i] for i in positions if i < len(node.inputs) and node.inputs[i] >= 0]
