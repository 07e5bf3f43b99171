"""One inspection, whole: the value that every view, report and file is made from."""

from __future__ import annotations

from dataclasses import dataclass, field

from .board import Board
from .graph import Graph
from .layout import MemoryLayout
from .measurement import Outcome, Part, Phase, Samples, Totals

SCHEMA = "arenascope.capture/1"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    name: str
    sha256: str
    bytes: int
    subgraphs: int
    operators: int

    @classmethod
    def of(cls, graph: Graph) -> ModelFacts:
        return cls(graph.name, graph.sha256, graph.file_bytes, len(graph.subgraphs), graph.operator_count)


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked of a run. ``threads`` None: the runtime's default. ``inputs`` name → shape."""

    threads: int | None = None
    delegate: str = "default"  # "default" | "none"
    preserve_all: bool = False
    inputs: dict[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Capture:
    """A run on a device. ``created`` is UTC, ISO 8601."""

    tool_version: str
    model: ModelFacts
    device: Board
    options: Options
    layout: MemoryLayout
    phases: tuple[Phase, ...]
    totals: Totals
    attribution: tuple[Part, ...]
    samples: Samples
    outcome: Outcome
    created: str | None = None
    #: The phase after which the attributed memory was read: "invoke_first", or "allocate" without invoke.
    attribution_when: str | None = None
    #: How the layout was read: "runtime structures" or "public interface".
    layout_source: str | None = None
    #: What the agent cost while it measured: bytes of its server process, share of one core.
    agent_rss: int | None = None
    agent_cpu: float | None = None
    #: Things the reader should know about this run (for example a model that keeps zeros in its file).
    notes: tuple[str, ...] = ()
