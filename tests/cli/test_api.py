"""The Python interface does what the command line does."""

from __future__ import annotations

from pathlib import Path

import pytest

from arenascope import api
from arenascope.domain.measurement import BoardSample
from arenascope.errors import FileError, UsageError
from tests.support.models import own

MODEL = own("cnn_float.tflite")


def test_a_model_is_inspected_kept_and_read_back(tmp_path: Path) -> None:
    with api.connect() as device:
        assert device.board.ram_total
        capture = device.inspect(MODEL, batch=2, delegate="none", invoke=False)
        assert capture.outcome.ok
        assert all(shape[0] == 2 for shape in capture.options.inputs.values())
        assert device.inspect(str(MODEL)).outcome.ok
    api.save(capture, tmp_path / "run.ascope")
    assert api.load(tmp_path / "run.ascope") == capture


def test_a_device_can_be_watched() -> None:
    samples: list[BoardSample] = []
    enough = api.CancelToken()

    def on_sample(sample: BoardSample) -> None:
        samples.append(sample)
        enough.cancel()

    with api.connect("local") as device:
        device.watch(on_sample, seconds=30, cancel=enough)
    assert samples[0].available


def test_errors_are_typed(tmp_path: Path) -> None:
    with api.connect() as device:
        with pytest.raises(FileError):
            device.inspect(tmp_path / "nobody.tflite")
        with pytest.raises(UsageError):
            device.inspect(MODEL, threads=0)
    with pytest.raises(UsageError):
        api.connect("not a host")


def test_every_public_name_is_there() -> None:
    for name in api.__all__:
        assert hasattr(api, name)


def test_a_sweep_and_a_fit_from_python() -> None:
    with api.connect() as device:
        swept = device.sweep(own("cnn_float.tflite"), [1, 4], measure=True, delegate="none")
        fitted = device.fit(own("lstm_fused.tflite"), measure=False)
    assert [p.measured.outcome.ok for p in swept.points if p.measured is not None] == [True, True]
    assert (fitted.batch, fitted.confirmed) == (1, None)
