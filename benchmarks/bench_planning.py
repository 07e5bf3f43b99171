"""Plans on this computer: one set of shapes in the runtime's process, a sweep of 1,024 batches, and what a
moved knob costs until its plan is there. The runtime is loaded before anything is measured."""

from __future__ import annotations

import os
import statistics
import sys
from pathlib import Path

from figures import Figure, at_most, report, seconds

from arenascope.domain.whatif import WhatIf
from arenascope.remote.shapes import Question, ShapeService
from arenascope.tflite.reader import read_model
from arenascope.workflow.planning import Planning, this_machine

MODELS = Path(__file__).resolve().parents[2] / "shared" / "models"
BATCHES = range(1, 1025)
ROUNDS = 9
#: Milliseconds of the process for one set of shapes; seconds for the sweep.
SET, SWEEP = 1.3, 3.0
#: Model → milliseconds for one knob.
KNOB = {"vww_96_float": 100, "deeplabv3_mnv2_pascal_quant": 250}
#: Knobs that are moved: one that changes the shapes, one that changes the rules, one for the delegate.
MOVES = {
    "the batch": WhatIf(batch=3),
    "an unseen batch, no delegate": WhatIf(batch=5, delegate="none"),
    "the threads": WhatIf(batch=3, threads=4),
    "preserve all": WhatIf(batch=3, preserve_all=True),
}


def main() -> None:
    absent = [name for name in KNOB if not (MODELS / f"{name}.tflite").exists()]
    if absent:
        report([Figure("plans", "", f"{', '.join(absent)} not in {MODELS}", False)])
        sys.exit(1)
    report([one_set(), *sweeps(), *knobs()])


def one_set() -> Figure:
    """Processor time, which other programs on this computer do not lengthen much."""
    model = MODELS / "vww_96_float.tflite"
    questions = [Question({0: (batch, 96, 96, 3)}) for batch in BATCHES]
    with ShapeService() as service:
        list(service.shapes(model, questions[:10], 60.0))
        before = used(service)
        wall = seconds(lambda: list(service.shapes(model, questions, 60.0)))
        milliseconds = 1000 * (used(service) - before) / len(questions)
    note = f"{len(questions) / wall:.0f} sets a second with the reading of the answers"
    return at_most(
        "shapes of vww_96_float: the runtime's process, for each set", milliseconds, SET, " ms", note
    )


def used(service: ShapeService) -> float:
    """Seconds of processor time that the service's process has had."""
    fields = Path(f"/proc/{service.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def sweeps() -> list[Figure]:
    model = MODELS / "vww_96_float.tflite"
    graph = read_model(model)
    figures = []
    for delegate in ("default", "none"):
        times = []
        for _ in range(3):
            with Planning() as planning:
                profile = planning.here()
                asked = [WhatIf(batch=batch, delegate=delegate) for batch in BATCHES]
                sweep = planning.plan_many(model, graph, asked, profile, this_machine())
                times.append(seconds(lambda: list(sweep)))  # noqa: B023 - called at once
        words = f"sweep of {len(BATCHES)} batches of vww_96_float, delegate {delegate}"
        figures.append(at_most(words, min(times), SWEEP, " s", "the best of 3"))
    return figures


def knobs() -> list[Figure]:
    figures = []
    for name, bound in KNOB.items():
        model = MODELS / f"{name}.tflite"
        graph = read_model(model)
        times: dict[str, list[float]] = {move: [] for move in MOVES}
        for _ in range(ROUNDS):
            with Planning() as planning:
                profile, machine = planning.here(), this_machine()
                planning.plan(model, graph, WhatIf(), profile, machine)
                for move, asked in MOVES.items():
                    times[move].append(
                        seconds(lambda: planning.plan(model, graph, asked, profile, machine))  # noqa: B023
                    )
        medians = {move: 1000 * statistics.median(taken) for move, taken in times.items()}
        slowest = max(medians, key=lambda move: medians[move])
        note = ", ".join(f"{move} {taken:.0f}" for move, taken in medians.items())
        figures.append(at_most(f"what-if of one knob of {name}", medians[slowest], bound, " ms", note))
    return figures


if __name__ == "__main__":
    main()
