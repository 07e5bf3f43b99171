"""What importing and reading bring into the process."""

from __future__ import annotations

import subprocess
import sys

from tests.data.make_models import HERE


def _modules(code: str) -> set[str]:
    """Modules loaded in a fresh interpreter after ``code``."""
    script = f"import sys\nfrom pathlib import Path\n{code}\nprint(*sys.modules, sep='\\n')"
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return set(answer.stdout.split())


def test_importing_the_reader_is_cheap() -> None:
    loaded = _modules("import arenascope.tflite.reader, arenascope.tflite.notes")
    assert not loaded & {"numpy", "flatbuffers", "ai_edge_litert"}


def test_reading_a_model_loads_neither_the_runtime_nor_numpy() -> None:
    path = str(HERE / "cnn_float.tflite")
    loaded = _modules(f"from arenascope.tflite.reader import read_model\nread_model(Path({path!r}))")
    assert "ai_edge_litert.schema_py_generated" in loaded
    assert not {name for name in loaded if "pywrap" in name or name.endswith(".interpreter")}
    assert "numpy" not in loaded


def test_flatbuffers_still_finds_numpy_when_it_needs_it() -> None:
    """The object API unpacks constants as arrays and packs them again, which is how a model is edited."""
    path = str(HERE / "cnn_float.tflite")
    loaded = _modules(f"""
from arenascope.tflite.schema import schema
import flatbuffers
assert "numpy" not in sys.modules
data = Path({path!r}).read_bytes()
model = schema.ModelT.InitFromPackedBuf(data)
sizes = [b.data.nbytes for b in model.buffers if b.data is not None]
builder = flatbuffers.Builder(len(data))
builder.Finish(model.Pack(builder), b"TFL3")
again = schema.ModelT.InitFromPackedBuf(bytes(builder.Output()))
assert sizes == [b.data.nbytes for b in again.buffers if b.data is not None] and sum(sizes) > 1000
""")
    assert "numpy" in loaded


def test_where_numpy_is_already_there_flatbuffers_is_left_alone() -> None:
    loaded = _modules(
        "import numpy, arenascope.tflite.schema, flatbuffers.compat\n"
        "assert flatbuffers.compat.import_numpy() is numpy"
    )
    assert "flatbuffers.builder" in loaded
