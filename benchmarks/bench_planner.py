"""What a plan costs: a real model, a large one, and a very large one whose tensors live for a few steps.

The bounds in milliseconds are those promised for a desktop, the best of several rounds. How time grows is
a ratio of two plans that take turns, and the garbage collector is off meanwhile, as in ``timeit``.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from figures import Figure, at_most, interleaved, report

from arenascope.domain import planner, profiles
from arenascope.domain.graph import Graph, Operator, Subgraph, Tensor
from arenascope.domain.layout import Kind
from arenascope.domain.reading import RawNode, RawSubgraph, RawTensor
from arenascope.domain.shapes import Shapes
from arenascope.tflite.reader import read_model
from tests.support.models import MODELS
from tests.support.real_runtime import RealRuntime

PROFILE = profiles.by_name("litert-2.3")
ROUNDS = 5


def main() -> None:
    figures: list[Figure] = []
    model = next((path for path in MODELS if path.name == "vww_96_float.tflite"), None)
    if model is None:
        print("../shared/models/vww_96_float.tflite is not here: the plan of a real model is not measured")
    else:
        with RealRuntime() as runtime:
            real = read_model(model), Shapes("", {}, runtime.read(model)["allocated"])
        figures.append(at_most("plan of vww_96_float", 1e3 * best(plan(real), 30), 1.5, " ms"))
    figures.append(at_most("plan of 330 tensors", 1e3 * best(plan(chain(330)), 10), 15, " ms"))
    large = plan(chain(10_000))
    figures.append(at_most("plan of 10,000 tensors with short lives", best(large), 1.5, " s"))
    gc.disable()
    one, four = interleaved(7, plan(chain(2_500)), large)
    gc.enable()
    figures.append(at_most("10,000 tensors beside 2,500", four / one, 7, note="n log n: 4.7; n²: 16"))
    kept = best(plan(chain(10_000), preserve_all=True))
    figures.append(at_most("plan of 10,000 tensors that are all preserved", kept, 3, " s"))
    report(figures)


def plan(model: tuple[Graph, Shapes], *, preserve_all: bool = False) -> Callable[[], object]:
    graph, shapes = model
    return lambda: planner.plan(
        graph, shapes, PROFILE, machine="x86_64", threads=1, preserve_all=preserve_all
    )


def best(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def chain(count: int) -> tuple[Graph, Shapes]:
    """A graph in which every tensor is read within a few steps, of sizes that seldom agree."""
    rng = random.Random(count)
    unread = [0]
    operators = []
    for index in range(count - 1):
        last = unread.pop(rng.randrange(len(unread))) if len(unread) > 3 or rng.random() < 0.8 else index
        read = tuple(dict.fromkeys((last, max(0, index - rng.randrange(4)))))
        unread = [t for t in unread if t not in read]
        operators.append(Operator(index, rng.choice(("ADD", "RELU", "CONCATENATION")), read, (index + 1,)))
        unread.append(index + 1)
    sizes = [4 * rng.randrange(1, 20_000) for _ in range(count)]
    tensors = tuple(
        RawTensor(i, f"t{i}", "float32", (size // 4,), size, Kind.ARENA_RW, None)
        for i, size in enumerate(sizes)
    )
    nodes = tuple(RawNode(o.index, o.name, o.inputs, o.outputs, (), False) for o in operators)
    outputs = tuple(unread)
    described = Subgraph(
        0,
        "main",
        tuple(Tensor(t.index, t.name, t.dtype, t.shape or (), None, 0, 0, False) for t in tensors),
        tuple(operators),
        (0,),
        outputs,
    )
    raw = RawSubgraph(0, "", "", (0,), outputs, (), tensors, nodes, None)
    return Graph(f"{count} tensors", "", 1, (described,)), Shapes("", {}, (raw,))


if __name__ == "__main__":
    main()
