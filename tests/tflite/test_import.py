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


def test_reading_a_model_does_not_load_the_runtime() -> None:
    path = str(HERE / "cnn_float.tflite")
    loaded = _modules(f"from arenascope.tflite.reader import read_model\nread_model(Path({path!r}))")
    assert "ai_edge_litert.schema_py_generated" in loaded
    assert not {name for name in loaded if "pywrap" in name or name.endswith(".interpreter")}
