"""Large files: their constants stay on the disk."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from arenascope.errors import ModelError
from arenascope.tflite.notes import notes
from arenascope.tflite.reader import read_model
from tests.data.builder import ModelBuilder, options
from tests.data.make_models import HERE

MIB = 1024 * 1024
HUNDRED = 100 * MIB

#: Reads a model as another process would, and prints what it cost: bytes of resident memory at most.
_MEASURE = """
import sys
from pathlib import Path
from arenascope.tflite.reader import read_model, sha256_of
from arenascope.tflite.notes import notes
def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))
read_model(Path(sys.argv[2]))  # imports are not what is measured
before = status("VmRSS:")
Path("/proc/self/clear_refs").write_text("5")
graph = read_model(Path(sys.argv[1]))
said = notes(Path(sys.argv[1]), graph)
print(status("VmHWM:") - before, graph.weight_bytes, len(said))
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with 100 MiB of constant inside the flatbuffer; the file is sparse, so it costs no disk."""
    model = ModelBuilder("a large constant")
    graph = model.subgraph("main")
    x = graph.input("x", [1, 4])
    first = graph.constant("large", np.full(4, 7.0, np.float32), shape=(1, HUNDRED // 4))
    part = graph.op("GATHER", [first, graph.shape_constant("part", [0])], ("part_out", [1, HUNDRED // 4]))
    graph.output(part, graph.op("TANH", [x], ("y", [1, 4])))
    data = bytearray(model.build())
    # The first constant lies at the very end: its length is put right, and the file made longer.
    struct.pack_into("<I", data, len(data) - 16 - 4, HUNDRED)
    path = tmp_path_factory.mktemp("large") / "large.tflite"
    with path.open("wb") as file:
        file.write(data)
        file.truncate(len(data) - 16 + HUNDRED)
    return path


def test_a_hundred_megabytes_are_measured_not_read(large: Path) -> None:
    graph = read_model(large, sha256="")
    assert graph.file_bytes > HUNDRED
    assert max(t.buffer_bytes for t in graph.main.tensors) == HUNDRED


def test_memory_does_not_grow_with_the_file(large: Path) -> None:
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("the peak of a process can be read on Linux only")
    answer = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(large), str(HERE / "cnn_float.tflite")],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    grown, weights, said = (int(word) for word in answer.stdout.split())
    assert weights > HUNDRED
    assert said == 0
    assert grown < 8 * MIB, f"reading, hashing and looking for zeros took {grown:,} B"


def test_a_model_above_2_gib(tmp_path: Path) -> None:
    path = _behind(tmp_path, offset=3 * 1024**3, size=256, length=3 * 1024**3 + 256)
    graph = read_model(path, sha256="")
    assert graph.main.tensors[1].buffer_bytes == 256
    assert graph.file_bytes == 3 * 1024**3 + 256


def test_a_model_above_2_gib_that_was_cut_off(tmp_path: Path) -> None:
    path = _behind(tmp_path, offset=3 * 1024**3, size=256, length=3 * 1024**3 + 255)
    with pytest.raises(ModelError) as caught:
        read_model(path, sha256="")
    assert "constant buffer 1 reaches to byte 3,221,225,728" in caught.value.detail


@pytest.mark.parametrize("offset", [2**63, 2**64 - 1])
def test_an_offset_beyond_any_file(tmp_path: Path, offset: int) -> None:
    with pytest.raises(ModelError):
        read_model(_behind(tmp_path, offset=offset, size=2**64 - 1, length=4096), sha256="")


def _behind(folder: Path, *, offset: int, size: int, length: int) -> Path:
    """A model whose constant is said to lie at ``offset``, in a sparse file of ``length`` bytes."""
    model = ModelBuilder("behind")
    graph = model.subgraph("main")
    x, addend = graph.input("x", [1, 64]), graph.tensor("addend", [1, 64])
    place = schema.BufferT()
    place.offset, place.size = offset, size
    model.model.buffers.append(place)
    graph.table.tensors[addend].buffer = 1
    graph.output(graph.op("ADD", [x, addend], ("y", [1, 64]), options=options("Add")))
    path = folder / "behind.tflite"
    path.write_bytes(model.build())
    with path.open("r+b") as file:
        file.truncate(length)
    return path


def test_zeros_that_fill_the_file_are_told(tmp_path: Path) -> None:
    path = _with_constants(tmp_path, zeros=np.zeros((64, 8192), np.float32))
    (note,) = notes(path, read_model(path))
    assert "zeros" in note
    assert "2.0 MiB" in note
    assert "grows with the batch" in note


def test_real_weights_and_small_zeros_are_not(tmp_path: Path) -> None:
    almost = np.zeros((64, 8192), np.float32)
    almost[40, 7] = 1
    path = _with_constants(
        tmp_path, almost=almost, weights=np.ones((64, 8192), np.float32), bias=np.zeros(512, np.float32)
    )
    assert notes(path, read_model(path)) == ()


def test_zeros_under_two_names_are_told_once(tmp_path: Path) -> None:
    path = _with_constants(tmp_path, twice=True, zeros=np.zeros((64, 8192), np.float32))
    assert len(notes(path, read_model(path))) == 1


def _with_constants(folder: Path, twice: bool = False, **constants: np.ndarray) -> Path:
    model = ModelBuilder("constants")
    graph = model.subgraph("main")
    graph.output(graph.op("TANH", [graph.input("x", [1, 4])], ("y", [1, 4])))
    for name, value in constants.items():
        index = graph.constant(name, value)
        if twice:
            again = graph.tensor(f"{name} again", value.shape)
            graph.table.tensors[again].buffer = graph.table.tensors[index].buffer
    path = folder / "constants.tflite"
    path.write_bytes(model.build())
    return path
