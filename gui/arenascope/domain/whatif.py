"""The knobs of a run: what somebody asks of a model before anything runs, and whether it can be meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import UsageError
from .graph import Graph, Tensor
from .plain_text import plain

#: The runtime keeps extents in 32-bit integers.
MAX_EXTENT = 2**31 - 1
MAX_THREADS = 1024
DELEGATES = ("default", "none")
_MOST_TOLD = 12


@dataclass(frozen=True, slots=True)
class WhatIf:
    """``inputs``: an input's name → its shape; ``batch``: first dimension of the rest; ``threads`` None:
    the runtime's own default."""

    batch: int | None = None
    inputs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    threads: int | None = None
    delegate: str = "default"
    preserve_all: bool = False

    @property
    def reshapes(self) -> bool:
        """Whether any input gets another shape than the file's."""
        return self.batch is not None or bool(self.inputs)


def input_shapes(graph: Graph, asked: WhatIf) -> dict[int, tuple[int, ...]]:
    """Tensor index → shape, for the inputs whose shape the knobs change.

    An input is named by its tensor or by a signature. Raises UsageError, naming what the model has.
    """
    tensors = {index: graph.main.tensors[index] for index in graph.main.inputs if index >= 0}
    names = {t.name: i for i, t in tensors.items()}
    for signature in graph.signatures:
        if signature.subgraph == 0:
            names.update({n: i for n, i in signature.inputs if i in tensors and n not in names})
    shapes: dict[int, tuple[int, ...]] = {}
    for name, shape in asked.inputs.items():
        if name not in names:
            raise UsageError(
                f"The model has no input named {name!r}.", hint=f"Its inputs: {_told(names, tensors)}."
            )
        _check_shape(name, shape, tensors[names[name]])
        shapes[names[name]] = shape
    if asked.batch is not None:
        _check_batch(asked.batch)
        if not any(t.shape for t in tensors.values()):
            raise UsageError(
                "The model has no input with a batch dimension.",
                hint="Leave --batch out, or name a shape with --input NAME=…",
            )
        for index, tensor in tensors.items():
            if index not in shapes and tensor.shape:
                shapes[index] = (asked.batch, *(max(d, 1) for d in tensor.shape[1:]))
    return shapes


def _told(names: Mapping[str, int], tensors: Mapping[int, Tensor]) -> str:
    known = [f"{plain(name, 60)} {list(tensors[i].shape)}" for name, i in names.items()]
    more = f" and {len(known) - _MOST_TOLD} more" if len(known) > _MOST_TOLD else ""
    return (", ".join(known[:_MOST_TOLD]) or "none") + more


def _check_batch(batch: int) -> None:
    if not 1 <= batch <= MAX_EXTENT:
        raise UsageError(
            f"The batch is {batch:,}; it must be from 1 to {MAX_EXTENT:,}.",
            hint="Give a whole number of samples; the runtime counts every dimension in 32 bits.",
        )


def _check_shape(name: str, shape: tuple[int, ...], tensor: Tensor) -> None:
    if len(shape) != len(tensor.shape):
        raise UsageError(
            f"The input {name!r} has {len(tensor.shape)} dimensions {list(tensor.shape)}; "
            f"the shape given has {len(shape)}: {list(shape)}.",
            hint="Give as many dimensions as the model has.",
        )
    if any(not 1 <= extent <= MAX_EXTENT for extent in shape):
        raise UsageError(
            f"The shape {list(shape)} of input {name!r} has a dimension outside 1 to {MAX_EXTENT:,}.",
            hint="The runtime counts every dimension in 32 bits.",
        )


def check_knobs(asked: WhatIf) -> None:
    """What can be told without the model. Raises UsageError."""
    if asked.batch is not None:
        _check_batch(asked.batch)
    if asked.threads is not None and not 1 <= asked.threads <= MAX_THREADS:
        raise UsageError(
            f"The number of threads is {asked.threads}; it must be from 1 to {MAX_THREADS}.",
            hint="Leave it out for the runtime's own default.",
        )
    if asked.delegate not in DELEGATES:
        raise UsageError(f"There is no delegate {asked.delegate!r}.", hint="Use default or none.")
