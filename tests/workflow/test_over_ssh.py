"""The same inspection here and behind an sshd: one layout, one model sent once, nothing left behind."""

from __future__ import annotations

import venv
from pathlib import Path

import pytest

from arenascope.domain.capture import Capture
from arenascope.domain.measurement import PHASES, Status
from arenascope.errors import BoardError, Cancelled, HostKeyUnknown
from arenascope.workflow.connect import connect
from arenascope.workflow.events import Connecting, RunEvent, UploadProgress
from arenascope.workflow.inspect import InspectRequest, inspect
from arenascope.workflow.jobs import CancelToken
from tests.support.models import own
from tests.support.sshd import Sshd, StartSshd, bare_path, introduce

MODEL = own("lstm_fused.tflite")
#: Persistent and plain arenas, subgraphs, tensors whose size only the run decides.
MODELS = [MODEL, *(own(f"{name}.tflite") for name in ("cnn_int8", "if_branch", "dynamic_where"))]


def _layout(capture: Capture) -> list[tuple[object, ...]]:
    """Everything about each tensor but the address, which no two processes share."""
    return [
        (p.subgraph, p.index, p.name, p.dtype, p.shape, p.bytes, p.kind, p.offset, p.first_op, p.last_op)
        for p in capture.layout.placements
    ]


@pytest.mark.parametrize("delegate", ["none", "default"])
def test_the_layout_is_that_of_this_computer(server: Sshd, delegate: str) -> None:
    request = InspectRequest(delegate=delegate)
    with connect(server.address) as there, connect() as here:
        for model in MODELS:
            far, near = inspect(there, model, request), inspect(here, model, request)
            assert far.outcome.status is Status.OK, far.outcome
            assert [p.name for p in far.phases] == list(PHASES)
            assert _layout(far) == _layout(near)
            assert [(a.subgraph, a.kind, a.bytes) for a in far.layout.arenas] == [
                (a.subgraph, a.kind, a.bytes) for a in near.layout.arenas
            ]
            assert far.device.name == server.address
    assert server.processes() == []
    left = server.files()
    assert len([f for f in left if f.startswith(".cache/arenascope/models/")]) == len(MODELS)
    assert len([f for f in left if f.startswith(".cache/arenascope/agent/")]) == 2
    assert len(left) == len(MODELS) + 2


def test_a_model_is_sent_once(server: Sshd) -> None:
    for times in (1, 0):
        events: list[RunEvent] = []
        with connect(server.address) as device:
            inspect(device, MODEL, on_event=events.append)
        sent = [e for e in events if isinstance(e, UploadProgress)]
        assert bool(sent) is bool(times)
        if sent:
            assert sent[-1].done == sent[-1].total == MODEL.stat().st_size


def test_a_model_that_kills_the_runtime_leaves_the_next_command_alone(server: Sshd) -> None:
    with connect(server.address) as device:
        assert inspect(device, own("crash_invoke.tflite")).outcome.status is Status.CRASHED
        assert inspect(device, MODEL).outcome.status is Status.OK


def test_cancelling_while_a_model_is_sent(server: Sshd) -> None:
    cancel = CancelToken()

    def on_event(event: RunEvent) -> None:
        if isinstance(event, Connecting):
            cancel.cancel()

    with connect(server.address) as device:
        with pytest.raises(Cancelled):
            inspect(device, MODEL, on_event=on_event, cancel=cancel)
        assert not [f for f in server.files() if "/models/" in f]
        assert inspect(device, MODEL).outcome.status is Status.OK


def test_nobody_is_there_to_accept_a_key(start_sshd: StartSshd, ssh_dir: Path) -> None:
    server = start_sshd()
    server.allow(ssh_dir / "id_ed25519.pub")
    with pytest.raises(HostKeyUnknown):
        connect(server.address)
    assert server.files() == []


def test_a_board_without_a_runtime_is_told_with_what_to_do(
    start_sshd: StartSshd, ssh_dir: Path, tmp_path: Path
) -> None:
    venv.create(tmp_path / "empty", with_pip=False)
    server = start_sshd(path=f"{tmp_path / 'empty' / 'bin'}:{bare_path(tmp_path / 'tools')}")
    introduce(server, ssh_dir)
    with connect(server.address, probe_runtime=True) as device:
        assert device.board.lacks_runtime
        assert {package for package, _ in device.board.runtime_errors}
        with pytest.raises(BoardError, match="No TensorFlow Lite runtime works on") as caught:
            inspect(device, MODEL)
    assert caught.value.exit_code == 4
    assert "arenascope devices setup" in caught.value.hint
    assert "numpy" in caught.value.detail
    assert server.processes() == []
