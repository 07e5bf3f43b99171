"""Plans of models, made from readings of the real runtime, and held against other readings of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from arenascope.domain import planner, profiles, verification
from arenascope.domain.graph import Graph
from arenascope.domain.plan import Planned
from arenascope.domain.reading import RawSubgraph
from arenascope.domain.shapes import Delegation, Shapes
from arenascope.tflite.reader import read_model
from tests.support.real_runtime import RealRuntime

#: The runtime in the environment of the tests.
PROFILE = profiles.by_name("litert-2.3")


@dataclass(frozen=True)
class Held:
    """A plan beside the reading that it was held against."""

    planned: Planned
    comparison: verification.Comparison
    real: tuple[RawSubgraph, ...]


def held(
    runtime: RealRuntime,
    model: Path,
    *,
    batch: int | None = None,
    threads: int | None = None,
    preserve_all: bool = False,
    delegate: str = "none",
    invoke: bool = False,
    first: int | None = None,
) -> Held | str:
    """The plan comes from shapes with one thread, no delegate and nothing preserved; it is compared with
    what the runtime does as it was asked. What the runtime says where it does not take the shapes."""
    graph = read_model(model)
    shapes = runtime.read(model, batch=batch, invoke=invoke)
    real = runtime.read(
        model, batch=batch, threads=threads, preserve_all=preserve_all, delegate=delegate, invoke=invoke,
        first=first,
    )  # fmt: skip
    if "refused" in shapes or "refused" in real:
        return str(shapes.get("refused") or real["refused"])
    planned = planner.plan(
        graph,
        Shapes("", {}, shapes["allocated"], shapes.get("invoked")),
        PROFILE,
        machine="x86_64",
        threads=threads,
        preserve_all=preserve_all,
        delegation=delegation(real["allocated"]) if delegate != "none" else None,
        planned_with=None if first is None else Shapes("", {}, runtime.read(model, batch=first)["allocated"]),
    )
    moment = real["invoked" if invoke else "allocated"]
    return Held(planned, verification.compare(planned, moment), moment)


def delegation(subgraphs: Sequence[RawSubgraph]) -> Delegation:
    plans = {raw.index: tuple(raw.nodes[n] for n in raw.plan) for raw in subgraphs if raw.nodes and raw.plan}
    return Delegation(plans, "the runtime itself")


def planned(model: bytes, folder: Path, runtime: RealRuntime, **asked: object) -> tuple[Graph, Planned]:
    """A model's graph and plan, from the shapes of the real runtime; ``asked`` goes to the planner."""
    path = folder / "model.tflite"
    path.write_bytes(model)
    graph = read_model(path)
    shapes = runtime.read(path, invoke=True)
    profile = profiles.by_name(str(asked.pop("profile", PROFILE.name)))
    arguments = {"machine": "x86_64", "threads": None, **asked}
    return graph, planner.plan(
        graph,
        Shapes("", {}, shapes["allocated"], shapes.get("invoked")),
        profile,
        **arguments,  # type: ignore[arg-type]
    )
