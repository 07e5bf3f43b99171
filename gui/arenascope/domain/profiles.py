"""What differs between versions of the runtime: one table, so that the planner has no versions in it.

The rules and where each was seen are in tflite-memory.md §2.8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ..errors import UsageError
from .board import Board

MACHINES = ("armv7l", "aarch64", "x86_64")
_ALIASES = {"arm64": "aarch64", "amd64": "x86_64", "armv8l": "armv7l"}

_PACKAGES = {"tflite": "tflite_runtime", "litert": "ai_edge_litert"}


@dataclass(frozen=True, slots=True)
class InPlace:
    """An operator that may write its first output over one of these inputs, the first that fits.

    ``keeps_data``: it only renames the shape, so that other readers of the input do not matter.
    """

    inputs: tuple[int, ...] = (0,)
    keeps_data: bool = False


_RENAMES = {name: InPlace(keeps_data=True) for name in ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")}
_BITCAST = {"BITCAST": InPlace(keeps_data=True)}
_COMPUTES = {
    **{name: InPlace((0, 1)) for name in ("ADD", "SUB", "MUL", "DIV")},
    **{name: InPlace() for name in ("SOFTMAX", "DYNAMIC_UPDATE_SLICE")},
}


@dataclass(frozen=True, slots=True)
class RuntimeProfile:
    """One line of the table. ``name`` is what --runtime takes: 'litert-2.3', 'tflite-2.14'."""

    name: str
    package: str  #: ai_edge_litert or tflite_runtime
    version: tuple[int, int]

    #: Operators that work in place.
    in_place: Mapping[str, InPlace] = field(default_factory=dict, compare=False)
    #: They do so even where all tensors are to be preserved, and spoil them.
    shares_when_preserving: bool = True
    #: Tensors that compare equal are sorted from the hash set of each node; else from their numbers.
    hash_sets: bool = False
    #: Kernels compute what follows from constants when they prepare, into memory of its own. (Of shapes
    #: alone, SHAPE and RANK always did.)
    folds_constants: bool = False
    #: The inputs of a loop's body have no memory: they are the loop's outputs.
    lends_loop_state: bool = False
    #: A loop with state of unknown size keeps the rest of its state in the arena.
    loops_keep_arena: bool = False
    #: The handle of a variable lies in the persistent arena.
    keeps_handles: bool = False
    #: A RESHAPE to a scalar, whose shape is a tensor without elements, is like one to a constant.
    empty_shape_is_known: bool = False

    #: A RESHAPE to a shape that is computed keeps its input's place; else its output is dynamic.
    reshapes_in_place: bool = False
    #: Kernels are prepared before a delegate takes their operators, and leave their marks on the tensors.
    prepares_before_delegating: bool = True

    #: Threads where no number is asked for. -1 is "undecided"; kernels take it for more than one.
    default_threads: int = -1
    #: XNNPACK is used unless it is refused; also on models with tensors whose size is not known before.
    xnnpack: bool = False
    xnnpack_dynamic: bool = False
    #: It is used as well where all tensors are to be preserved.
    xnnpack_preserving: bool = False

    #: What an arena's block is larger than its tensors need, and the multiple to which it is rounded up.
    arena_slack: int = 128
    arena_multiple: int = 1
    #: It looks whether it was given the block (tflite-memory.md §2.6); else the process crashes.
    checks_arena: bool = True

    def arena_block(self, high_water: int) -> int:
        """Bytes that are asked of malloc for an arena; without tensors there is none."""
        if not high_water:
            return 0
        return -(-(high_water + self.arena_slack) // self.arena_multiple) * self.arena_multiple

    def threads(self, asked: int | None) -> int:
        """The number that kernels are told."""
        return self.default_threads if asked is None else asked


#: Every version, oldest first, with what is new in it: each line holds until a later one changes it.
_HISTORY: tuple[tuple[str, int, int, dict[str, Any]], ...] = (
    ("tflite", 2, 7, {}),
    ("tflite", 2, 8, {"xnnpack": True}),
    ("tflite", 2, 9, {}),
    ("tflite", 2, 10, {}),
    ("tflite", 2, 11, {"hash_sets": True, "empty_shape_is_known": True}),
    ("tflite", 2, 12, {"in_place": _RENAMES, "keeps_handles": True, "folds_constants": True}),
    ("tflite", 2, 13, {"in_place": {**_RENAMES, **_BITCAST}}),
    ("tflite", 2, 14, {"in_place": {**_RENAMES, **_BITCAST, **_COMPUTES}, "lends_loop_state": True}),
    (
        "litert", 1, 0,
        {
            "shares_when_preserving": False, "prepares_before_delegating": False, "default_threads": 1,
            "xnnpack_dynamic": True, "xnnpack_preserving": True, "arena_slack": 63, "loops_keep_arena": True,
            "checks_arena": False,
        },
    ),
    ("litert", 1, 1, {"arena_multiple": 64, "reshapes_in_place": True}),
    ("litert", 1, 2, {}),
    ("litert", 1, 3, {}),
    ("litert", 1, 4, {}),
    ("litert", 2, 0, {}),
    ("litert", 2, 1, {"checks_arena": True}),
    ("litert", 2, 2, {}),
    ("litert", 2, 3, {}),
)  # fmt: skip


def _profiles() -> Iterator[tuple[str, RuntimeProfile]]:
    profile = RuntimeProfile("", "", (0, 0))
    for short, major, minor, news in _HISTORY:
        name = f"{short}-{major}.{minor}"
        profile = replace(profile, name=name, package=_PACKAGES[short], version=(major, minor), **news)
        yield name, profile


PROFILES: Mapping[str, RuntimeProfile] = MappingProxyType(dict(_profiles()))


def delegates(profile: RuntimeProfile, machine: str) -> bool:
    """Whether the runtime takes XNNPACK by itself there. The wheels of tflite-runtime for 32-bit ARM do not:
    2.14 leaves every model undivided on a board; of older ones it is taken to be the same."""
    return profile.xnnpack and not (profile.package == "tflite_runtime" and machine == "armv7l")


def by_name(name: str) -> RuntimeProfile:
    """Raises UsageError with the names that there are."""
    if name not in PROFILES:
        raise UsageError(f"There is no runtime {name!r}.", hint=f"Known: {', '.join(PROFILES)}.")
    return PROFILES[name]


def machine_of(name: str) -> str | None:
    """What a kernel calls its machine → one of MACHINES; None for one that nothing is known about."""
    name = name.lower()
    return name if name in MACHINES else _ALIASES.get(name)


def userland(board: Board) -> str | None:
    """The same, by the process that runs the runtime: a 32-bit one on a 64-bit ARM kernel is armv7l."""
    machine = machine_of(board.machine or "")
    return "armv7l" if machine == "aarch64" and board.bits == 32 else machine


def nearest(package: str, version: str) -> RuntimeProfile | None:
    """The newest profile that is not newer than an installed runtime; None where none is known."""
    numbers = re.findall(r"\d+", version)[:2]
    if len(numbers) < 2:
        return None
    wanted = (int(numbers[0]), int(numbers[1]))
    # TensorFlow's own kernels are those of the tflite-runtime of its number.
    package = "tflite_runtime" if package == "tensorflow" else package
    older = [p for p in PROFILES.values() if p.package == package and p.version <= wanted]
    return older[-1] if older else None


def of_runtime(package: str, version: str) -> RuntimeProfile | None:
    """The profile of an installed runtime ('ai_edge_litert', '2.3.0'); None for one that is not known."""
    numbers = version.split(".")[:2]
    if len(numbers) < 2 or not all(n.isdigit() for n in numbers):
        return None
    key = (package, (int(numbers[0]), int(numbers[1])))
    return next((p for p in PROFILES.values() if (p.package, p.version) == key), None)
