"""Plans against every runtime of the pool: each planned tensor lies where it was planned.

The pool is made by ``python -m tests.support.pool`` (``make test`` does it); a runtime that cannot be made
here is named.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from arenascope.domain.profiles import by_name
from arenascope.domain.whatif import WhatIf
from arenascope.errors import FileError
from arenascope.tflite.reader import read_model
from arenascope.workflow.connect import Device, connect_python
from arenascope.workflow.planning import Planning
from arenascope.workflow.verification import Knobs, cases, models_in, verify
from tests.data.kernels import kernels
from tests.support.models import MODELS, own
from tests.support.pool import POOL, Member, PoolError, make
from tests.support.verified import ALL, complaints, written

KNOBS = Knobs(batches=(1, 3, 8), threads=(1, 4, None))
KERNEL_KNOBS = Knobs(batches=(3,), threads=(1, 4, None))
LITERT = ("litert-1.2", "litert-2.3")

#: (model, runtime) → delegates with which it is not as planned, and why. Each has a test of its own.
EXCEPTIONS = {
    # XNNPACK makes an output for the whole batch where the kernel has one picture, and refuses to run.
    **{("transpose_conv.tflite", runtime): "default" for runtime in LITERT},
    # XNNPACK 1.2 takes four-bit weights of one scale, and then fails to prepare them.
    ("int4_weights.tflite", "litert-1.2"): "default",
}

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def planning() -> Iterator[Planning]:
    with Planning() as made:
        yield made


@pytest.fixture(scope="module", params=POOL, ids=lambda member: member.name)
def member(request: pytest.FixtureRequest) -> Member:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def device(member: Member) -> Iterator[Device]:
    with _device(member) as connected:
        assert by_name(member.name).package == connected.board.runtime
        yield connected


def _device(member: Member) -> Device:
    try:
        return connect_python(make(member))
    except PoolError as error:
        pytest.skip(str(error))


def test_every_tensor_of_every_model_is_where_it_was_planned(
    member: Member, device: Device, planning: Planning
) -> None:
    tensors, found = 0, []
    for verified in verify(device, ALL, KNOBS, planning):
        tensors += verified.tensors - verified.unknown
        found += complaints(verified, EXCEPTIONS.get((verified.model, member.name), ""))
        if verified.problem:
            # int4 came with 2.13.
            assert (verified.model, member.name) == ("int4_weights.tflite", "tflite-2.10"), verified.problem
    assert not found, "\n".join(found[:20])
    assert tensors > (3000 if MODELS else 500)


def test_every_kernel_adds_what_was_planned(
    member: Member, device: Device, planning: Planning, tmp_path: Path
) -> None:
    found, refused = [], []
    for verified in verify(device, written(kernels(), tmp_path), KERNEL_KNOBS, planning):
        found += complaints(verified, "default")
        refused += [verified.model] * bool(verified.problem)
        assert all(not c.reasons for _, c in verified.compared if "live" not in verified.model), verified
    assert not found, "\n".join(found[:20])
    assert len(refused) <= (8 if member.name < "tflite-2.13" and "litert" not in member.name else 3), refused


@pytest.mark.parametrize("name", LITERT)
def test_a_batch_that_only_the_delegate_takes(name: str, planning: Planning) -> None:
    """The first exception: the kernel keeps the constant shape, and fails when it runs."""
    (runtime,) = (one for one in POOL if one.name == name)
    with _device(runtime) as connected:
        (verified,) = verify(connected, [own("transpose_conv.tflite")], Knobs((3,), (1,)), planning)
    assert complaints(verified, "default") == []
    assert complaints(verified) != []


def test_four_bits_that_the_delegate_of_1_2_cannot_prepare(planning: Planning) -> None:
    """The second exception."""
    (runtime,) = (one for one in POOL if one.name == "litert-1.2")
    with _device(runtime) as connected:
        (verified,) = verify(connected, [own("int4_weights.tflite")], Knobs((1,), (1,)), planning)
    assert [asked.delegate for asked, _ in verified.disagreements] == ["default"]
    assert "XNNPACK" in verified.disagreements[0][1]


def test_the_cases_of_a_model() -> None:
    graph = read_model(own("cnn_float.tflite"))
    asked = cases(graph, Knobs((1, 3), (1, 4)), delegate=True)
    assert len(asked) == len(set(map(repr, asked))) == 2 * 2 * 2 + 2  # batch 1 is the file's own
    assert asked[0] == WhatIf(threads=1, delegate="none")
    assert asked[-1] == WhatIf(batch=3, threads=1)
    assert all(one.delegate == "none" for one in cases(graph, Knobs(), delegate=False))


def test_a_model_without_a_batch_has_its_own_shapes_alone() -> None:
    assert {one.batch for one in cases(read_model(own("scalar.tflite")), Knobs(), delegate=True)} == {None}


def test_models_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        models_in(tmp_path / "none")
    with pytest.raises(FileError, match="no model"):
        models_in(tmp_path)
    (tmp_path / "folder.tflite").mkdir()
    (tmp_path / "notes.txt").write_text("")
    shutil.copy(own("mean.tflite"), tmp_path / "B.TFLITE")
    shutil.copy(own("mean.tflite"), tmp_path / "a.lite")
    assert [path.name for path in models_in(tmp_path)] == ["B.TFLITE", "a.lite"]
    with pytest.raises(FileError, match="is a file"):
        models_in(tmp_path / "a.lite")
