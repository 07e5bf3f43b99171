"""Every place that is planned is the place that the runtime gives: on all models here, and on random ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from arenascope.domain.layout import Kind
from tests.data import make_models
from tests.support.models import MODELS, own
from tests.support.planning_models import Held, held
from tests.support.random_models import RandomModel
from tests.support.real_runtime import RealRuntime

EXAMPLES = Path(__file__).resolve().parents[2] / "resources" / "examples"
#: conv_huge_im2col takes four gigabytes and a long while.
ALL = [
    *(own(f"{recipe.__name__}.tflite") for recipe in make_models.SOUND),
    *sorted(EXAMPLES.glob("*.tflite")),
    *(path for path in MODELS if path.name != "conv_huge_im2col.tflite"),
]
CASES = (
    {},
    {"batch": 3},
    {"batch": 8, "threads": 4},
    {"batch": 1, "preserve_all": True},
    {"threads": 4, "preserve_all": True},
)


@pytest.fixture(scope="module")
def runtime() -> Iterator[RealRuntime]:
    with RealRuntime() as process:
        yield process


def differences(found: Held) -> list[str]:
    return [
        f"{d.subgraph}/{d.tensor} {d.name}: planned {d.planned}, is {d.real}"
        for d in found.comparison.differences
    ]


def compared(runtime: RealRuntime, model: Path, delegate: str) -> list[Held]:
    """One for every case that the model takes."""
    every = []
    for case in CASES:
        # What has a shape of its own only in a run is placed there, if XNNPACK takes a tensor without element.
        ran = held(runtime, model, delegate=delegate, invoke=True, **case) if "dynamic" in model.stem else ""
        every.append(ran if isinstance(ran, Held) else held(runtime, model, delegate=delegate, **case))
    return [found for found in every if isinstance(found, Held)]


@pytest.mark.parametrize("model", ALL, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_kernels_layout_is_the_planned_one(model: Path, runtime: RealRuntime) -> None:
    found = compared(runtime, model, "none")
    assert found, "the runtime took none of the cases"
    for each in found:
        assert differences(each) == []


@pytest.mark.parametrize("model", ALL, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_delegates_layout_is_the_planned_one(model: Path, runtime: RealRuntime) -> None:
    found = compared(runtime, model, "default")
    assert found, "the runtime took none of the cases"
    for each in found:
        if model.stem == "transpose_conv":
            continue  # XNNPACK makes another shape of it than the kernel, which takes the file's
        assert differences(each) == []
        assert all(p.kind is not Kind.DELEGATE or p.offset is None for p in each.planned.layout.placements)


@pytest.mark.parametrize("seed", range(60))
def test_random_models_lie_as_planned(seed: int, runtime: RealRuntime, tmp_path: Path) -> None:
    """Every third is planned in several passes. With ties, sharing, dead outputs, scratch tensors."""
    passes = seed % 3 == 0
    model = tmp_path / "random.tflite"
    model.write_bytes(RandomModel(seed, 3 + seed, computed_shapes=passes).bytes())
    for case in ({}, {"threads": 4}, {"preserve_all": True}, {"delegate": "default"}):
        found = held(runtime, model, invoke=passes, **case)
        assert isinstance(found, Held), found
        assert differences(found) == []
        assert found.planned.unknown == ()


def test_a_resized_interpreter_keeps_what_it_decided_first(runtime: RealRuntime, tmp_path: Path) -> None:
    """Sharing and lifetimes are those of the first allocate: the arena is larger than that of a new one."""
    from tests.data.builder import ModelBuilder, options

    model = ModelBuilder("resized")
    graph = model.subgraph("main")
    x = graph.input("x", [100, 100])
    import numpy as np

    first = graph.op("ABS", [x], ("a", [100, 100]))
    row = graph.constant("row", np.ones((100, 100), np.float32))
    last = graph.op("ADD", [first, row], ("b", [100, 100]), options=options("Add"))
    for number in range(3):
        last = graph.op("ABS", [last], (f"c{number}", [100, 100]))
    graph.output(last)
    path = tmp_path / "resized.tflite"
    path.write_bytes(model.build())
    again = held(runtime, path, batch=1, first=100)
    new = held(runtime, path, batch=1)
    assert isinstance(again, Held) and isinstance(new, Held)
    assert differences(again) == [] and differences(new) == []
    sizes = [each.planned.layout.arena(0).bytes for each in (again, new)]  # type: ignore[union-attr]
    assert sizes[0] > sizes[1]
