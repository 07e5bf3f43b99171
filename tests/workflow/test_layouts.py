"""Layouts of many cases from a real agent: their order, refusals, crashes, other Pythons."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from arenascope.domain.whatif import WhatIf
from arenascope.errors import BoardError, Cancelled, DeployError, UsageError
from arenascope.tflite.reader import read_model
from arenascope.workflow import layouts as module
from arenascope.workflow.connect import connect, connect_python
from arenascope.workflow.jobs import CancelToken
from arenascope.workflow.layouts import Case, Laid, layouts
from tests.support.models import own


def answers(name: str, *cases: Case) -> list[Laid]:
    model = own(name)
    with connect() as device:
        return layouts(device, model, read_model(model), cases)


def test_one_answer_for_each_case() -> None:
    plain = WhatIf(delegate="none", threads=1)
    found = answers(
        "lstm_fused.tflite", Case(plain), Case(WhatIf(batch=8, delegate="none")), Case(plain, invoke=True)
    )
    first, refused, both = found
    assert not isinstance(first, str) and not isinstance(both, str)
    assert [raw.when for raw in first] == ["after_allocate"]
    assert [raw.when for raw in both] == ["after_allocate", "after_invoke"]
    assert isinstance(refused, str) and "NumElements" in refused


def test_many_cases_take_more_than_one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_CASES", 2)
    found = answers("mean.tflite", *[Case(WhatIf(batch=b, delegate="none")) for b in (1, 2, 3, 4, 5)])
    shapes = [answer[0].tensors[0].shape for answer in found if not isinstance(answer, str)]
    assert [shape[0] for shape in shapes if shape] == [1, 2, 3, 4, 5]


def test_a_crash_costs_its_own_case_alone() -> None:
    shapes = [Case(WhatIf(batch=b, delegate="none")) for b in (1, 3, 1)]
    found = answers("crash_allocate.tflite", *shapes)
    assert [isinstance(answer, str) for answer in found] == [True, True, True]
    assert "SIGSEGV" in found[0] and "SIGSEGV" in found[2]
    assert "failed to prepare" in found[1]


def test_what_lies_before_an_invoke_that_crashes_is_kept() -> None:
    crashed, after = answers(
        "crash_invoke.tflite", Case(WhatIf(delegate="none"), invoke=True), Case(WhatIf(delegate="none"))
    )
    assert not isinstance(crashed, str) and not isinstance(after, str)
    assert {raw.when for raw in crashed} == {"after_allocate"}


def test_a_case_of_other_inputs_is_refused_before_anything_runs() -> None:
    with pytest.raises(UsageError, match="no input named"):
        answers("cnn_float.tflite", Case(WhatIf(inputs={"nothing": (1,)})))


def test_a_cancel_is_heard() -> None:
    cancel = CancelToken()
    cancel.cancel()
    model = own("cnn_float.tflite")
    with connect() as device, pytest.raises(Cancelled):
        layouts(device, model, read_model(model), [Case(WhatIf())], cancel)


def test_this_python_as_another() -> None:
    with connect_python(Path(sys.executable)) as device:
        assert (device.name, device.is_local) == (sys.executable, True)
        assert device.board.runtime == "ai_edge_litert"


@pytest.mark.parametrize("what", ["missing", "no program", "another program"])
def test_what_is_no_python(what: str, tmp_path: Path) -> None:
    path = tmp_path / "python"
    if what == "no program":
        path.write_text("nothing")
    elif what == "another program":
        path = Path("/bin/true")
    with pytest.raises(DeployError):
        connect_python(path)


def test_a_python_without_a_runtime(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.base_prefix}/bin/python3" "$@"\n')
    bare.chmod(0o755)
    model = own("cnn_float.tflite")
    with connect_python(bare) as device:
        if device.board.runtime is not None:
            pytest.skip(f"the Python that this one comes from has {device.board.runtime_text}")
        with pytest.raises(BoardError, match="No TensorFlow Lite runtime works"):
            layouts(device, model, read_model(model), [Case(WhatIf())])


def test_an_invoke_that_spoils_the_heap_does_not_cost_the_next_case() -> None:
    """LiteRT 2.3 writes past a variable when the delegate assigns it a larger batch; malloc notices later."""
    shapes = [Case(WhatIf(batch=b), invoke=True) for b in (1, 3, 8, 3, 8)]
    found = answers("resource_variable.tflite", *shapes)
    assert [isinstance(answer, str) for answer in found] == [False] * 5
