"""A ``.tflite`` file becomes a ``Graph``. The file may come from anywhere.

The generated schema takes longer to import (15 ms) than a model to read, so it is imported with the
first model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..domain.graph import Graph
from ..errors import ModelError
from .source import mapped, sha256_of

if TYPE_CHECKING:
    from .walk import Walk

T = TypeVar("T")


def read_model(path: Path, *, sha256: str | None = None) -> Graph:
    """The model at ``path``: all subgraphs, operators, signatures and metadata.

    Constants are not read, only measured, so that the time depends on the number of tensors. Only
    the hash touches every byte; who has it already hands it over as ``sha256``.

    Raises FileError where the file cannot be opened, ModelError where it is not a whole model.
    """
    graph = walk_file(path, lambda walk: walk.graph(path.name))
    return replace(graph, sha256=sha256_of(path) if sha256 is None else sha256)


def walk_file(path: Path, use: Callable[[Walk], T]) -> T:
    """What ``use`` makes of the mapped file. Raises FileError, and ModelError for damaged bytes."""
    from .guard import DAMAGE
    from .walk import Walk

    with mapped(path) as data:
        try:
            return use(Walk(data))
        except DAMAGE as error:
            # Only the words leave: the traceback may hold views that keep the file mapped.
            reason = f"{type(error).__name__}: {error}"
    raise ModelError(f"{path.name} is damaged or cut off: its tables do not fit together", detail=reason)
