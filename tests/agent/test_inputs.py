"""What is written into a model's inputs before it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arenascope_agent import inputs, layout, runtimes
from arenascope_agent.tasks import reading
from tests.agent import tiny_models
from tests.support.models import own


def opened(path: Path) -> tuple[Any, dict[str, Any]]:
    interpreter = runtimes.load().open(str(path), None, "none", False)
    interpreter.allocate_tensors()
    return interpreter, reading.after_allocate(interpreter, str(path), lambda _name, _data: None)


def written(path: Path, seed: int) -> dict[str, Any]:
    """Name → value of every input."""
    interpreter, known = opened(path)
    inputs.write(interpreter, known["inputs"], known["exact"], seed)
    found = {d["name"]: interpreter.get_tensor(d["index"]) for d in interpreter.get_input_details()}
    interpreter.invoke()  # refused while a view is held
    return found


@pytest.fixture
def all_types(tmp_path: Path) -> Path:
    path = tmp_path / "types.tflite"
    path.write_bytes(tiny_models.inputs_of_all_types())
    return path


def test_each_type_gets_what_suits_it(all_types: Path) -> None:
    found = written(all_types, 7)
    for name in ("float32", "float16"):
        values = found[name].astype(np.float64)
        assert -1 <= values.min() < -0.95 and 0.95 < values.max() <= 1
        assert abs(values.mean()) < 0.1
    for name, low, high in (("int8", -128, 127), ("uint8", 0, 255), ("int16", -32000, 32000)):
        assert found[name].min() < low + 100 and found[name].max() > high - 100
        assert len(np.unique(found[name])) > 200
    for name in ("int32", "int64"):
        assert not found[name].any()
    assert 0.3 < found["bool"].mean() < 0.7
    assert list(found["string"]) == [b"arena", b"arena"]
    assert found["scalar"] == 1 and found["x"] == 1  # likely a count, a size or a factor


def test_the_same_seed_writes_the_same(all_types: Path) -> None:
    first, again, other = (written(all_types, seed) for seed in (1, 1, 2))
    for name, values in first.items():
        assert np.array_equal(values, again[name])
    assert not np.array_equal(first["float32"], other["float32"])
    assert not np.array_equal(first["float32"].astype(np.float16), first["float16"])


def test_the_values_are_the_same_everywhere() -> None:
    """Kept numbers: another Python, NumPy or machine must not change a run."""
    assert inputs._numbers(1)[:3] == [1171284164, 989330568, 3432163442]
    assert inputs._block("float32", 1)[:8].hex() == "7dbee8be07100abf"
    assert inputs._block("int8", 1)[:8].hex() == "c488729bd087abbc"


def test_rows_differ(all_types: Path) -> None:
    values = written(all_types, 3)["float32"]
    assert not np.array_equal(values[0], values[1])


def test_a_constant_is_never_written() -> None:
    """Trap 4 of tflite-memory.md §1: its page is the model file's, and a write ends the process."""
    path = own("crash_input.tflite")
    interpreter, known = opened(path)
    constants = [row for row in known["inputs"] if row[3] == "mmap_ro"]
    assert constants
    before = interpreter.get_tensor(constants[0][0])
    inputs.write(interpreter, known["inputs"], known["exact"], 1)
    assert np.array_equal(interpreter.get_tensor(constants[0][0]), before)


def test_what_only_looks_like_eight_bits_is_left_alone(all_types: Path) -> None:
    """Through the public interface 4-bit values look like 8-bit ones whose view is too long."""
    interpreter, known = opened(all_types)
    rows = [row for row in known["inputs"] if row[1] == "int8"]
    index, dtype, shape, kind, placed = rows[0]
    before = interpreter.get_tensor(index).tobytes()
    inputs.write(interpreter, [(index, dtype, (shape[0] * 2, shape[1]), kind, placed)], False, 1)
    assert interpreter.get_tensor(index).tobytes() == before
    inputs.write(interpreter, rows, False, 1)
    assert interpreter.get_tensor(index).tobytes() != before


def test_nothing_is_written_where_nothing_is(all_types: Path) -> None:
    interpreter, _ = opened(all_types)
    rows = [
        (0, "float32", (3, 700), "none", False),  # no memory
        (0, "float32", None, "none", False),  # no dimensions
        (0, "resource", (1,), "dynamic", True),
        (0, "int4", (3, 700), "arena_rw", True),
    ]
    before = interpreter.get_tensor(0).tobytes()
    inputs.write(interpreter, rows, True, 1)
    assert interpreter.get_tensor(0).tobytes() == before


@pytest.mark.parametrize(("dtype", "parts"), [("complex64", np.float32), ("complex128", np.float64)])
def test_complex_numbers(dtype: str, parts: Any) -> None:
    target = np.zeros((5, 301), dtype)
    inputs._fill(target, inputs._block(dtype, 1))
    values = target.view(parts)
    assert -1 <= values.min() < -0.9 and 0.9 < values.max() < 1


@pytest.mark.parametrize("name", ["cnn_float", "cnn_int8", "scalar", "if_branch", "zero_size"])
def test_cleared_inputs_are_zeros(name: str) -> None:
    path = own(f"{name}.tflite")
    interpreter, known = opened(path)
    inputs.write(interpreter, known["inputs"], known["exact"], 1)
    (main, *_) = layout.read(interpreter, layout.AFTER_ALLOCATE, str(path))
    inputs.clear(interpreter, main)
    for detail in interpreter.get_input_details():
        assert not np.any(interpreter.get_tensor(detail["index"]))
    interpreter.invoke()  # refused while a view is held
