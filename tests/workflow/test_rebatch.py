"""A model is written for another batch only when both were run and computed the same."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from arenascope.errors import Cancelled, FileError, ModelError, RunFailed, UsageError
from arenascope.tflite import batch_follow
from arenascope.tflite.reader import read_model
from arenascope.workflow.jobs import CancelToken
from arenascope.workflow.rebatch import rebatch
from tests.data.builder import ModelBuilder, options
from tests.support.models import own, shared


def outputs(interpreter: Interpreter, values: np.ndarray) -> np.ndarray:
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], values)
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))


def opened(path: Path) -> Interpreter:
    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    return interpreter


@pytest.mark.parametrize(
    ("name", "batch"),
    [
        ("mnist_lstm_float.tflite", 8),
        ("mnist_lstm_int8.tflite", 8),
        ("mobilenet_v2_1.0_224_quant.tflite", 4),
        ("resnet8_float.tflite", 2),
        ("vww_96_int8.tflite", 3),
        ("kws_dscnn_int8.tflite", 5),
        ("lstm.tflite", 8),
        ("unidirectional_sequence_lstm.tflite", 8),
    ],
)
def test_shared_models_compute_the_same(tmp_path: Path, name: str, batch: int) -> None:
    """Seen once more here, with values and an interpreter of this test's own."""
    old, new = shared(name), tmp_path / "new.tflite"
    made = rebatch(old, batch, new)
    assert made.sha256 == hashlib.sha256(new.read_bytes()).hexdigest()
    one, many = opened(old), opened(new)
    detail = one.get_input_details()[0]
    shape = (batch, *(int(n) for n in detail["shape"][1:]))
    rng = np.random.default_rng(5)
    kind = np.dtype(detail["dtype"])
    for step in range(2):
        values = (
            rng.uniform(-1, 1, shape).astype(kind) if kind.kind == "f" else rng.integers(0, 100, shape, kind)
        )
        if step == 0:
            together = outputs(many, values)
            alone = []
            for sample in range(batch):
                one.reset_all_variables()
                alone.append(outputs(one, values[sample : sample + 1])[0])
            if together.dtype.kind == "f":
                np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-5)
            else:
                np.testing.assert_array_equal(together, alone)


def test_the_result_says_what_was_changed_and_what_proves_it(tmp_path: Path) -> None:
    made = rebatch(own("lstm_fused.tflite"), 8, tmp_path / "new.tflite")
    assert (made.batch, made.wanted, made.pinned) == (1, 8, True)
    assert {c.kind for c in made.changes} == {"input", "output", "state", "constant", "option"}
    assert [(p.delegate, p.samples, p.steps) for p in made.proofs] == [("none", 8, 3), ("default", 8, 3)]
    assert all(one.holds and one.unlike for p in made.proofs for one in p.outputs)
    assert made.runtime.startswith("ai_edge_litert") and made.notes == ()
    assert read_model(tmp_path / "new.tflite").main.tensors[0].shape == (8, 6, 4)


def test_signatures_are_compared_each_for_itself(tmp_path: Path) -> None:
    made = rebatch(own("two_signatures.tflite"), 3, tmp_path / "new.tflite")
    assert len(made.proofs) == 4 and len({p.signature for p in made.proofs}) == 2


def test_a_model_that_follows_is_written_and_it_is_said_that_it_need_not_be(tmp_path: Path) -> None:
    made = rebatch(own("cnn_float.tflite"), 3, tmp_path / "new.tflite")
    assert not made.pinned and "--batch 3" in made.notes[0]
    same = rebatch(tmp_path / "new.tflite", 3, tmp_path / "same.tflite")
    assert (same.batch, same.resized) == (3, 0) and "already" in same.notes[0]
    back = rebatch(tmp_path / "new.tflite", 1, tmp_path / "back.tflite")
    assert read_model(tmp_path / "back.tflite").main.tensors[0].shape[0] == back.wanted == 1


def mixing(folder: Path) -> Path:
    made = ModelBuilder("adds the samples up")
    graph = made.subgraph("main")
    x = graph.input("x", [1, 4])
    axis = graph.constant("axis", np.array(0, np.int32))
    graph.output(graph.op("CUMSUM", [x, axis], ("y", [1, 4]), options=options("Cumsum")))
    path = folder / "mixing.tflite"
    path.write_bytes(made.build())
    return path


def test_results_that_differ_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that is wrong is found by running."""
    model = mixing(tmp_path)
    with pytest.raises(ModelError, match="goes along dimension 0"):
        rebatch(model, 3, tmp_path / "new.tflite")
    monkeypatch.setitem(batch_follow._RULES, "CUMSUM", batch_follow.batch_rules.same)
    with pytest.raises(ModelError) as caught:
        rebatch(model, 3, tmp_path / "new.tflite")
    for words in ("sample", "of 3", "invoke", "“y” differs by", "CPU kernels", "Nothing was written"):
        assert words in caught.value.message
    assert caught.value.exit_code == 3
    assert os.listdir(tmp_path) == ["mixing.tflite"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("crash_invoke.tflite", 6),
        ("refused_allocate.tflite", 5),
        ("overflowing_shape.tflite", 3),
    ],
)
def test_a_model_that_ends_badly_is_an_error_and_no_file(tmp_path: Path, name: str, code: int) -> None:
    with pytest.raises(RunFailed) as caught:
        rebatch(own(name), 2, tmp_path / "new.tflite")
    assert caught.value.exit_code == code, caught.value.message
    assert "Nothing was written" in caught.value.message
    assert os.listdir(tmp_path) == []


def test_a_batch_for_which_there_is_no_memory_is_refused(tmp_path: Path) -> None:
    made = ModelBuilder("16 KiB a sample")
    graph = made.subgraph("main")
    graph.output(graph.op("TANH", [graph.input("x", [1, 4096])], ("y", [1, 4096])))
    (tmp_path / "model.tflite").write_bytes(made.build())
    with pytest.raises(RunFailed) as caught:
        rebatch(tmp_path / "model.tflite", 2**30, tmp_path / "new.tflite")
    assert caught.value.exit_code == 5 and "smaller batch" in caught.value.hint
    assert os.listdir(tmp_path) == ["model.tflite"]


def test_a_time_limit_ends_it(tmp_path: Path) -> None:
    with pytest.raises(RunFailed) as caught:
        rebatch(own("cnn_float.tflite"), 2, tmp_path / "new.tflite", timeout=0.001)
    assert caught.value.exit_code == 6 and "--timeout" in caught.value.hint


def test_a_cancel_ends_it(tmp_path: Path) -> None:
    cancel = CancelToken()

    def on_event(event: Any) -> None:
        if "one by one" in getattr(event, "text", ""):
            cancel.cancel()

    with pytest.raises(Cancelled):
        rebatch(own("lstm_fused.tflite"), 8, tmp_path / "new.tflite", on_event=on_event, cancel=cancel)
    assert os.listdir(tmp_path) == []


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match="the disk is full"):
        rebatch(own("lstm_fused.tflite"), 2, tmp_path / "new.tflite")
    assert os.listdir(tmp_path) == []


def test_an_old_file_is_replaced_only_by_a_proved_one(tmp_path: Path) -> None:
    output = tmp_path / "new.tflite"
    output.write_bytes(b"precious")
    with pytest.raises(ModelError):
        rebatch(own("dynamic_where.tflite"), 2, output)
    assert output.read_bytes() == b"precious"
    rebatch(own("lstm_fused.tflite"), 2, output)
    assert read_model(output).main.tensors[0].shape[0] == 2


@pytest.mark.parametrize("batch", [0, -1, 10**12])
def test_a_batch_that_is_none_is_refused_first(tmp_path: Path, batch: int) -> None:
    with pytest.raises(UsageError, match="batch is"):
        rebatch(tmp_path / "nobody.tflite", batch, tmp_path / "new.tflite")


def test_the_model_is_never_its_own_output(tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(own("lstm_fused.tflite").read_bytes())
    link = tmp_path / "link.tflite"
    link.symlink_to(model)
    for output in (model, link, tmp_path / "." / "model.tflite"):
        with pytest.raises(UsageError, match="the model itself"):
            rebatch(model, 2, output)
    for output, error in (("new.bin", UsageError), ("no/new.tflite", FileError)):
        with pytest.raises(error):
            rebatch(model, 2, tmp_path / output)
    (tmp_path / "folder.tflite").mkdir()
    with pytest.raises(FileError):
        rebatch(model, 2, tmp_path / "folder.tflite")
