"""The task layouts in real workers: many cases in one, what is refused in between, what ends it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from arenascope.remote.reading import ReadingCollector
from arenascope_agent import aside, params
from tests.agent import workers
from tests.support.models import own

CASE: dict[str, Any] = {
    "inputs": {}, "threads": 1, "delegate": "none", "preserve_all": False, "invoke": False,
}  # fmt: skip


def laid_out(model: Path, *cases: dict[str, Any]) -> workers.Ended:
    asked = {"model": str(model), "cases": [{**CASE, **case} for case in cases]}
    return workers.run("layouts", params.TASKS["layouts"](asked))


def parts(ended: workers.Ended) -> list[list[tuple[str, dict[str, Any]]]]:
    """The events of each case."""
    found: list[list[tuple[str, dict[str, Any]]]] = []
    for name, data in ended.events:
        if name == "case":
            assert data == {"index": len(found)}
            found.append([])
        elif name != "result":
            found[-1].append((name, data))
    return found


def test_every_case_has_its_own_layout() -> None:
    ended = laid_out(own("cnn_float.tflite"), {}, {"inputs": {"0": [3, 16, 16, 3]}}, {"threads": 4})
    assert ended.status == 0
    assert ended.events[-1] == ("result", {})
    tensors = []
    for events in parts(ended):
        collector = ReadingCollector()
        assert all(collector.feed(name, data) for name, data in events)
        (main,) = collector.subgraphs()
        tensors.append({t.index: t for t in main.tensors})
    assert [t[0].shape for t in tensors] == [(1, 16, 16, 3), (3, 16, 16, 3), (1, 16, 16, 3)]
    assert "Conv_hwcn_weights" in {t.name for t in tensors[2].values()}
    assert "Conv_hwcn_weights" not in {t.name for t in tensors[0].values()}


def test_an_invoke_is_read_as_well() -> None:
    (events,) = parts(laid_out(own("while_loop.tflite"), {"invoke": True}))
    heads = [(data["index"], data["when"]) for name, data in events if name == "subgraph"]
    assert heads == [(i, when) for when in ("after_allocate", "after_invoke") for i in range(3)]


def test_a_case_that_is_refused_leaves_the_others() -> None:
    ended = laid_out(own("lstm_fused.tflite"), {}, {"inputs": {"0": [3, 6, 4]}}, {"preserve_all": True})
    assert ended.status == 0
    kinds = [{name for name, _ in events} for events in parts(ended)]
    assert kinds == [{"subgraph", "tensors"}, {"refused"}, {"subgraph", "tensors"}]
    assert "UNIDIRECTIONAL_SEQUENCE_LSTM" in ended.one("refused")["message"]


def test_a_crash_shows_in_which_case_it_was() -> None:
    ended = laid_out(own("crash_allocate.tflite"), {})
    assert ended.status < 0
    assert [name for name, _ in ended.events] == ["case"]


@pytest.mark.parametrize(
    "asked",
    [
        {"cases": [CASE]},
        {"model": "m"},
        {"model": "m", "cases": []},
        {"model": "m", "cases": [CASE] * 1001},
        {"model": "m", "cases": [1]},
        {"model": "m", "cases": [{**CASE, "threads": 0}]},
        {"model": "m", "cases": [{**CASE, "inputs": {"x": [1]}}]},
        {"model": "m", "cases": [{**CASE, "delegate": "gpu"}]},
    ],
)
def test_parameters_are_checked(asked: dict[str, Any]) -> None:
    with pytest.raises(aside.Failure):
        params.TASKS["layouts"](asked)


def test_what_a_case_leaves_out_has_the_usual_values() -> None:
    assert params.TASKS["layouts"]({"model": "m", "cases": [{}]}) == {
        "model": "m",
        "cases": [
            {"inputs": {}, "threads": None, "delegate": "default", "preserve_all": False, "invoke": False}
        ],
    }
