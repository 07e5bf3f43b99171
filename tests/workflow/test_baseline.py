"""Measured on this computer, once, and kept: what a process holds without a model, and what a delegate takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from arenascope.domain.calibration import interior_bytes
from arenascope.domain.plan import Plan
from arenascope.domain.profiles import of_runtime
from arenascope.domain.whatif import WhatIf
from arenascope.errors import BoardError, Cancelled
from arenascope.resources import resource_path
from arenascope.store import baselines as kept_in
from arenascope.store.baselines import Kept
from arenascope.tflite.reader import read_model
from arenascope.workflow import baseline as workflow
from arenascope.workflow.baseline import baseline, calibration, known
from arenascope.workflow.connect import Device, connect
from arenascope.workflow.delegation import of_device
from arenascope.workflow.jobs import CancelToken
from arenascope.workflow.planning import Planning
from tests.support.models import own

CNN = resource_path("examples", "cnn.tflite")
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def device() -> Iterator[Device]:
    with connect(probe_runtime=True) as connected:
        yield connected


@pytest.fixture(scope="module")
def planning() -> Iterator[Planning]:
    with Planning() as kept:
        yield kept


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "baselines.json"


def test_a_baseline_is_measured_once(device: Device, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert known(device, store) is None
    found = baseline(device, store=store)
    assert found.identity.runtime == "ai_edge_litert"
    assert found.delegates
    assert 20 * MIB < found.none.rss.likely < found.default.rss.likely + MIB < 120 * MIB
    assert 0 < found.none.files < found.none.rss.low
    assert found.space.mapped
    monkeypatch.setattr(workflow, "_measured", lambda *_: pytest.fail("measured again"))
    assert baseline(device, store=store) == found
    store.write_bytes(b"spoiled")
    with pytest.raises(pytest.fail.Exception, match="measured again"):
        baseline(device, store=store)


def test_another_system_is_measured_anew(device: Device, store: Path) -> None:
    first = baseline(device, store=store)
    kept_in.save(
        Kept().with_baseline(replace(first, identity=replace(first.identity, kernel="Linux 2.4"))), store
    )
    assert known(device, store) is None
    assert baseline(device, store=store).identity == first.identity
    assert len(kept_in.load(store).baselines) == 2


def test_a_device_that_was_not_asked_for_its_runtime_is_asked(store: Path) -> None:
    with connect() as bare:
        assert bare.board.runtime is None
        assert baseline(bare, store=store).identity.complete


def test_small_models_that_do_not_run_are_an_error(
    device: Device, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow, "resource_path", lambda *_: own("refused_allocate.tflite"))
    with pytest.raises(BoardError, match="could not be measured"):
        baseline(device, store=store)
    assert not store.exists()


def test_a_cancel_stops_the_measurement(device: Device, store: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        baseline(device, store=store, cancel=cancel)


def planner_for(device: Device, planning: Planning, model: Path) -> workflow.Planner:
    graph = read_model(model)
    board = device.board
    profile = of_runtime(board.runtime or "", board.runtime_version or "")
    assert profile is not None

    def plan(asked: WhatIf) -> Plan:
        return planning.plan(model, graph, asked, profile, board.machine or "")

    return plan


def test_a_calibration_is_two_runs_and_kept(
    device: Device, planning: Planning, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = baseline(device, store=store)
    graph, asked, plan = read_model(CNN), WhatIf(), planner_for(device, planning, CNN)
    found = calibration(device, CNN, graph, asked, plan, of, store=store)
    assert found is not None
    assert found.first.interior == interior_bytes(plan(WhatIf(1)).layout)
    assert found.second.interior > found.first.interior
    assert found.second.taken > found.first.taken > 0
    assert "runs with batch 1 and" in found.source
    monkeypatch.setattr(workflow, "inspect", lambda *_: pytest.fail("run again"))
    assert calibration(device, CNN, graph, asked, plan, of, store=store) == found


def test_a_model_of_one_batch_is_calibrated_by_one_run(
    device: Device, planning: Planning, store: Path
) -> None:
    model = own("lstm_fused.tflite")
    of = baseline(device, store=store)
    found = calibration(
        device, model, read_model(model), WhatIf(), planner_for(device, planning, model), of, store=store
    )
    assert found is None or found.first == found.second


def test_without_a_delegate_there_is_nothing_to_calibrate(
    device: Device, planning: Planning, store: Path
) -> None:
    of = baseline(device, store=store)
    plan = planner_for(device, planning, CNN)
    asked = WhatIf(delegate="none")
    assert calibration(device, CNN, read_model(CNN), asked, plan, of, store=store) is None


def test_the_partition_is_the_device_s_own(device: Device) -> None:
    found = of_device(device, CNN)
    assert found.source == f"ai_edge_litert {device.board.runtime_version} on this computer"
    assert any(node.name == "DELEGATE" and node.delegate for node in found.plans[0])
    strings = of_device(device, own("strings.tflite"))
    assert strings.plans == {}
    with pytest.raises(BoardError, match="could not be read"):
        of_device(device, own("refused_allocate.tflite"))
