"""The task compare_batches in real workers: equal models are found equal, others are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arenascope_agent import params
from arenascope_agent.aside import Failure
from arenascope_agent.tasks.compare_batches import _Difference, _random
from tests.agent import workers
from tests.data.builder import ModelBuilder, options
from tests.support.models import own

PORT = {"name": "x", "tensor": 0, "along": [0, 1, 1]}


def compare(first: Path, second: Path, **changes: Any) -> workers.Ended:
    asked = {
        "model": str(first), "other": str(second), "batch": 1, "wanted": 3, "steps": 2, "seed": 1,
        "delegate": "none",
        "ports": [{"signature": None, "inputs": [PORT], "outputs": [{"name": "y", "tensor": 1, "along": [0, 1, 1]}]}],
        **changes,
    }  # fmt: skip
    return workers.run("compare_batches", params.TASKS["compare_batches"](asked))


def model(folder: Path, batch: int, *, mixes: bool = False, zero: bool = False) -> Path:
    """tanh(x); ``mixes`` adds up the samples before, ``zero`` multiplies with 0."""
    made = ModelBuilder("for a comparison")
    graph = made.subgraph("main")
    x = graph.input("x", [batch, 4])
    y = graph.tensor("y", [batch, 4])
    if mixes:
        rows = graph.constant("axis", np.array(0, np.int32))
        x = graph.op("CUMSUM", [x, rows], ("sum", [batch, 4]), options=options("Cumsum"))
    if zero:
        nothing = graph.constant("nothing", np.zeros(1, np.float32))
        x = graph.op("MUL", [x, nothing], ("zero", [batch, 4]), options=options("Mul"))
    graph.op("TANH", [x], y)
    graph.output(y)
    path = folder / f"{batch}{mixes}{zero}.tflite"
    path.write_bytes(made.build())
    return path


@pytest.mark.parametrize("delegate", ["none", "default"])
@pytest.mark.parametrize("batch", [1, 2])
def test_equal_models_are_found_equal(tmp_path: Path, delegate: str, batch: int) -> None:
    ended = compare(model(tmp_path, batch), model(tmp_path, 3), batch=batch, delegate=delegate)
    assert ended.status == 0, ended.all("failure")
    (output,) = ended.one("compared")["outputs"]
    assert output["largest"] < 1e-6 and output["unlike"] and 0.3 < output["scale"] <= 1
    assert [p["name"] for p in ended.all("phase_started")] == [
        "runtime_import", "load", "all_at_once", "one_at_a_time",
    ]  # fmt: skip


def test_samples_that_are_mixed_are_found(tmp_path: Path) -> None:
    ended = compare(model(tmp_path, 1, mixes=True), model(tmp_path, 3, mixes=True))
    (output,) = ended.one("compared")["outputs"]
    assert output["largest"] > 0.01 and output["sample"] > 0


def test_samples_that_are_all_alike_are_told(tmp_path: Path) -> None:
    ended = compare(model(tmp_path, 1, zero=True), model(tmp_path, 3, zero=True))
    (output,) = ended.one("compared")["outputs"]
    assert output["largest"] == 0 and not output["unlike"]


def test_results_of_other_shapes_are_a_failure(tmp_path: Path) -> None:
    ended = compare(model(tmp_path, 1), model(tmp_path, 3), wanted=2)
    assert ended.one("failure")["kind"] == "failed"


def test_a_model_that_is_refused_memory_says_so() -> None:
    path = own("refused_allocate.tflite")
    ended = compare(path, path, batch=8388608, wanted=8388608)
    assert ended.one("failure")["kind"] == "refused"


def test_what_is_not_a_number_is_equal_only_to_itself() -> None:
    def largest(new: list[float], old: list[float]) -> Any:
        found = _Difference({"along": None})
        found.take(np.array(new, np.float32), np.array(old, np.float32), 0, 0)
        return found.told()["largest"]

    nan, inf = float("nan"), float("inf")
    assert largest([nan, inf, 1], [nan, inf, 1]) == 0
    assert largest([nan], [1]) is None
    assert largest([inf], [1]) is None
    assert largest([1], [1.5]) == 0.5
    strings = _Difference({"along": None})
    with pytest.raises(ValueError, match="cannot be compared"):
        strings.take(np.array([b"a"], object), np.array([b"a"], object), 0, 0)


@pytest.mark.parametrize(
    "dtype", ["float32", "float16", "int8", "uint8", "int16", "int32", "int64", "bool", "complex64"]
)
def test_random_values_stay_where_models_take_them(dtype: str) -> None:
    values = _random(np.random.default_rng(1), (50, 7), dtype)
    assert values.dtype == dtype and values.shape == (50, 7) and len(np.unique(values)) > 1
    if dtype in ("int32", "int64"):
        assert set(np.unique(values)) == {0, 1}


def test_a_text_is_no_random_value() -> None:
    with pytest.raises(ValueError, match="no random values"):
        _random(np.random.default_rng(1), (1,), object)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ports": []},
        {"ports": [1]},
        {"ports": [{"inputs": [{"name": 1}], "outputs": []}]},
        {"ports": [{"inputs": [], "outputs": [{"name": "y", "tensor": 1, "along": [0, 1]}]}]},
        {"ports": [{"inputs": [], "outputs": [{"name": "y", "tensor": -1, "along": None}]}]},
        {"batch": 0},
        {"wanted": 2**31},
        {"steps": 0},
        {"other": ""},
    ],
)
def test_a_request_is_checked(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(Failure):
        compare(tmp_path, tmp_path, **wrong)
