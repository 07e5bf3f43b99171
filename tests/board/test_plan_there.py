"""Plans against the runtimes of boards: tflite-runtime on 32 bits, LiteRT on 64."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from arenascope.workflow.connect import Device, connect
from arenascope.workflow.planning import Planning
from arenascope.workflow.verification import Knobs, verify
from tests.board.machine import EmulatedBoard
from tests.data.kernels import kernels
from tests.support.verified import ALL, complaints, written

pytestmark = pytest.mark.on("armhf", "arm64")

#: Every case on 32 bits; on 64 bits the rules are those of this computer, and the emulation is slow.
EVERY = Knobs((1, 3, 8), (1, 4, None))
KERNELS = Knobs((3,), (1, None))
FEW = Knobs((3,), (1,))
#: As on this computer: the delegate takes a batch there that the kernel does not.
EXCEPTIONS = {"transpose_conv.tflite": "default"}


@pytest.fixture
def device(board: EmulatedBoard) -> Iterator[Device]:
    with connect(board.address(), probe_runtime=True) as connected:
        yield connected


def held(device: Device, models: Sequence[Path], knobs: Knobs) -> tuple[int, list[str], list[str]]:
    """Tensors compared, what is not as planned, and the models that the runtime there does not take."""
    tensors, found, refused = 0, [], []
    with Planning() as planning:
        for verified in verify(device, models, knobs, planning):
            tensors += verified.tensors - verified.unknown
            wrong = complaints(verified, EXCEPTIONS.get(verified.model, ""))
            if verified.model == "int4_weights.tflite" and device.board.bits == 64:
                # How many rows are multiplied at once depends on the CPU; a plan for more than one says so.
                wrong = [text for text in wrong if "batch=None" in text]
                assert any(c.reasons for asked, c in verified.compared if asked.batch)
            found += wrong
            refused += [verified.model] * bool(verified.problem)
    return tensors, found, refused


def test_every_tensor_of_every_model_is_where_it_was_planned(device: Device) -> None:
    tensors, found, refused = held(device, ALL, FEW if device.board.bits == 64 else EVERY)
    assert not found, "\n".join(found[:20])
    assert refused == []
    assert tensors > 500


def test_every_kernel_adds_what_was_planned(device: Device, tmp_path: Path) -> None:
    tensors, found, refused = held(
        device, written(kernels(), tmp_path), FEW if device.board.bits == 64 else KERNELS
    )
    found = [text for text in found if "delegate='default'" not in text]
    assert not found, "\n".join(found[:20])
    assert len(refused) <= 3, refused
    assert tensors > 500
