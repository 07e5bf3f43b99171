"""What differs between versions of the runtime: one table, so that the planner has no versions in it.

The rules and where each was seen are in tflite-memory.md §2.8.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from ..errors import UsageError

MACHINES = ("armv7l", "aarch64", "x86_64")


@dataclass(frozen=True, slots=True)
class RuntimeProfile:
    """One line of the table. ``name`` is what --runtime takes: 'litert-2.3', 'tflite-2.14'."""

    name: str
    package: str  #: ai_edge_litert or tflite_runtime
    version: tuple[int, int]


def _profiles() -> dict[str, RuntimeProfile]:
    names = {
        "tflite": ("tflite_runtime", [(2, minor) for minor in range(7, 15)]),
        "litert": (
            "ai_edge_litert",
            [(1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (2, 0), (2, 1), (2, 2), (2, 3)],
        ),
    }
    return {
        f"{short}-{major}.{minor}": RuntimeProfile(f"{short}-{major}.{minor}", package, (major, minor))
        for short, (package, versions) in names.items()
        for major, minor in versions
    }


PROFILES = MappingProxyType(_profiles())


def by_name(name: str) -> RuntimeProfile:
    """Raises UsageError with the names that there are."""
    if name not in PROFILES:
        raise UsageError(f"There is no runtime {name!r}.", hint=f"Known: {', '.join(PROFILES)}.")
    return PROFILES[name]


def of_runtime(package: str, version: str) -> RuntimeProfile | None:
    """The profile of an installed runtime ('ai_edge_litert', '2.3.0'); None for one that is not known."""
    numbers = version.split(".")[:2]
    if len(numbers) < 2 or not all(n.isdigit() for n in numbers):
        return None
    key = (package, (int(numbers[0]), int(numbers[1])))
    return next((p for p in PROFILES.values() if (p.package, p.version) == key), None)
