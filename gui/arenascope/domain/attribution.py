"""Whose the resident memory is after the first invoke: parts that add up to it exactly.

File-backed pages belong to the file they come from. Anonymous pages are counted where they lie
(arenas and dynamic tensors by their addresses) and otherwise by the step in which they appeared.
What is left is shown as unexplained and never spread over the others.

What a delegate holds cannot be asked for. Its part is all anonymous growth from load to the first
invoke beyond the arenas, and so an estimate: what the kernels left to the runtime took is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .measurement import Part
from .provenance import Provenance

PYTHON = "Python and NumPy"
RUNTIME = "runtime and its libraries"
MODEL = "model file"
ARENA = "arena"
PERSISTENT = "persistent arena"
DYNAMIC = "dynamic tensors"
DELEGATE = "delegate"
UNEXPLAINED = "unexplained"
#: Only predicted: what kernels allocate while they run. A reading finds what is left of it unexplained.
KERNELS = "kernels' own memory"

#: The steps of a run at whose ends the anonymous memory is read.
STEPS = ("start", "numpy", "runtime_import", "load", "allocate", "inputs", "invoke_first")


@dataclass(frozen=True, slots=True)
class Mapped:
    """All mappings of one path, or of one bracketed name; '' is plain anonymous memory. Bytes."""

    path: str
    rss: int
    anon: int


@dataclass(frozen=True, slots=True)
class ProcessReading:
    """The worker's memory at one moment, from one read of its smaps. Bytes.

    ``anon_steps``: anonymous memory at the end of each of ``STEPS`` (absent where it was not read).
    """

    when: str
    rss: int
    mappings: tuple[Mapped, ...]
    model_resident: int
    arena_resident: int
    persistent_resident: int
    dynamic_resident: int
    runtime_paths: frozenset[str]
    model_path: str
    anon_steps: Mapping[str, int]
    delegated: bool


def attribute(reading: ProcessReading) -> tuple[Part, ...]:
    """The parts; they add up to ``reading.rss``. The last is the rest."""
    files = [m for m in reading.mappings if m.path.startswith("/") and m.path != reading.model_path]
    runtime_files = sum(m.rss for m in files if m.path in reading.runtime_paths)
    other_files = sum(m.rss for m in files if m.path not in reading.runtime_paths)
    written_in_runtime = sum(m.anon for m in files if m.path in reading.runtime_paths)
    written_in_others = sum(m.anon for m in files if m.path not in reading.runtime_paths)

    rest = reading.rss - runtime_files - other_files - reading.model_resident
    placed = {
        ARENA: reading.arena_resident,
        PERSISTENT: reading.persistent_resident,
        DYNAMIC: reading.dynamic_resident,
    }

    def take(size: int) -> int:
        nonlocal rest
        taken = max(0, min(size, rest))
        rest -= taken
        return taken

    for name, size in placed.items():
        placed[name] = take(size)
    python = take(_level(reading, "numpy") - written_in_others)
    runtime = take(_growth(reading, "numpy", "load") - written_in_runtime)
    delegate = 0
    if reading.delegated:
        delegate = take(_growth(reading, "load", "invoke_first") - sum(placed.values()))
    sizes = {
        PYTHON: other_files + python,
        RUNTIME: runtime_files + runtime,
        MODEL: reading.model_resident,
        **placed,
        DELEGATE: delegate,
        UNEXPLAINED: rest,
    }
    return tuple(Part(name, size, _provenance(name)) for name, size in sizes.items())


def moment(when: str | None) -> str:
    """At which moment of the run the memory was looked through, in words."""
    words = {"invoke_first": "after the first invoke", "allocate": "after allocate"}
    return words.get(when or "", "at its end")


def _provenance(part: str) -> Provenance:
    return Provenance.ESTIMATED if part == DELEGATE else Provenance.MEASURED


def _level(reading: ProcessReading, step: str) -> int:
    return reading.anon_steps.get(step, 0)


def _growth(reading: ProcessReading, before: str, after: str) -> int:
    steps = reading.anon_steps
    return max(0, steps[after] - steps[before]) if before in steps and after in steps else 0
