"""``arenascope inspect`` against a bare script that imports the runtime, loads, allocates, invokes once
and lists the tensors: the worker's own work, and the whole command with the JSON in hand."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

from figures import Figure, at_most, report, seconds

HERE = Path(__file__).resolve().parent
MODELS = HERE.parents[1] / "shared" / "models"
ARENASCOPE = Path(sys.executable).with_name("arenascope")
ROUNDS = 15
#: Model → bound of the whole command. Small models leave less to hide the start behind.
WHOLE = {"mobilenet_v2_1.0_224_quant": 3.5, "deeplabv3_mnv2_pascal_quant": 2.2}
CHILD = 1.3


def main() -> None:
    figures: list[Figure] = []
    for name, bound in WHOLE.items():
        path = MODELS / f"{name}.tflite"
        if not path.exists():
            figures.append(Figure(f"inspect {name}", f"≤ {bound}", f"{path} is not here", False))
            continue
        figures += measure(path, bound)
    report(figures)


def measure(model: Path, bound: float) -> list[Figure]:
    bare_times: list[float] = []
    whole_times: list[float] = []
    child_times: list[float] = []
    for number in range(ROUNDS + 1):
        bare = seconds(lambda: run([sys.executable, HERE / "bare.py", model]))
        printed: list[str] = []
        command = [ARENASCOPE, "inspect", model, "--json", "--quiet"]
        whole = seconds(lambda: printed.append(run(command)))  # noqa: B023 - called at once
        if number:  # the first round fills the caches of the disk
            bare_times.append(bare)
            whole_times.append(whole)
            child_times.append(work_of_child(json.loads(printed[0])))
    bare, whole, child = (statistics.median(times) for times in (bare_times, whole_times, child_times))
    note = f"bare {bare:.3f} s"
    name = model.stem.partition("_quant")[0]
    return [
        at_most(
            f"inspect {name}: the worker's own work", child / bare, CHILD, " ×", f"{child:.3f} s, {note}"
        ),
        at_most(f"inspect {name}: the whole command", whole / bare, bound, " ×", f"{whole:.3f} s, {note}"),
    ]


def run(command: list[object]) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{command} ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return done.stdout


def work_of_child(capture: dict[str, object]) -> float:
    """Seconds that the worker worked up to the end of the first invoke, which is what the bare script
    does. Not in the comparison: the second invoke, and waiting, with the runtime loaded, for the model's
    name."""
    phases = {phase["name"]: phase for phase in capture["phases"]}  # type: ignore[attr-defined]
    loaded, first = phases["runtime_import"], phases["invoke_first"]
    waited = phases["load"]["start"] - (loaded["start"] + loaded["seconds"])
    return float(first["start"] + first["seconds"] - waited)


if __name__ == "__main__":
    main()
