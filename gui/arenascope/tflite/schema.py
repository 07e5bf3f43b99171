"""The generated schema, and flatbuffers below it, without NumPy until somebody needs it.

flatbuffers imports NumPy wherever it is installed, to hand out vectors as arrays. Reading a model
needs none, and NumPy takes longer to import (60 ms and more) than the largest model to read. So
flatbuffers gets a stand-in that imports NumPy when it is first used, as packing a model does.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import Any


class _NumpyWhenUsed:
    """Stands for the module; everything asked of it is asked of NumPy."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("numpy"), name)


def _defer_numpy() -> None:
    """Load ``flatbuffers.compat`` alone, ahead of its package, and let it answer with the stand-in.

    Where NumPy or flatbuffers is there already, or is found in another way (a frozen program),
    nothing is done and everything works as ever.
    """
    name = "flatbuffers.compat"
    if "numpy" in sys.modules or "flatbuffers" in sys.modules:
        return
    package = PathFinder.find_spec("flatbuffers")
    spec = PathFinder.find_spec(name, package.submodule_search_locations) if package else None
    if spec is None or spec.loader is None:
        return
    compat = module_from_spec(spec)
    spec.loader.exec_module(compat)
    vars(compat)["import_numpy"] = _NumpyWhenUsed
    sys.modules[name] = compat


_defer_numpy()

from ai_edge_litert import schema_py_generated as schema  # noqa: E402
from flatbuffers.number_types import VOffsetTFlags  # noqa: E402
from flatbuffers.table import Table  # noqa: E402

__all__ = ["Table", "VOffsetTFlags", "schema"]
