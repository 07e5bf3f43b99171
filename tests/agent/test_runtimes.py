"""Which runtime is taken, and what is said of those that do not work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from arenascope_agent import protocol, runtimes
from arenascope_agent.tiny_model import MODEL
from tests.agent import tiny_models, workers
from tests.support.models import own

AGENT = Path(runtimes.__file__).parents[1]

WORKING = """
class OpResolverType:
    AUTO, BUILTIN_WITHOUT_DEFAULT_DELEGATES = "auto", "plain"
class Interpreter:
    def __init__(self, **options): self.options = options
    def allocate_tensors(self): pass
"""
BROKEN = """
class OpResolverType: pass
class Interpreter:
    def __init__(self, **options): raise SystemError("returned a result with an exception set")
"""


def fake(folder: Path, package: str, interpreter: str, start: str = "__version__ = '9.9'") -> None:
    """A package of that name, found before the installed one."""
    (folder / package).mkdir()
    (folder / package / "__init__.py").write_text(start)
    (folder / package / "interpreter.py").write_text(interpreter)


def in_python(folder: Path, code: str) -> Any:
    """The JSON that ``code`` prints in a fresh Python that finds ``folder`` first."""
    start = f"import sys, json; sys.path[:0] = [{str(folder)!r}, {str(AGENT)!r}]\n"
    start += "from arenascope_agent import runtimes\n"
    done = subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_model_that_the_agent_carries() -> None:
    assert tiny_models.add() == MODEL
    assert len(MODEL) < 1024


def test_the_installed_runtime_is_taken() -> None:
    runtime = runtimes.load()
    assert runtime.package in runtimes.PACKAGES
    assert runtime.version[0].isdigit()
    found = runtimes.probe()
    assert (found["runtime"], found["runtime_version"]) == (runtime.package, runtime.version)
    assert found["numpy"]
    assert set(found["runtime_errors"]) <= set(runtimes.PACKAGES)


def test_options_reach_the_runtime(tmp_path: Path) -> None:
    fake(tmp_path, "ai_edge_litert", WORKING)
    code = "r = runtimes.load(); print(json.dumps([r.open('m', None, 'none', True).options,"
    code += " r.open('m', 4, 'default', False).options]))"
    plain, default = in_python(tmp_path, code)
    assert plain == {
        "model_path": "m",
        "num_threads": None,
        "experimental_op_resolver_type": "plain",
        "experimental_preserve_all_tensors": True,
    }
    assert default["num_threads"] == 4
    assert default["experimental_op_resolver_type"] == "auto"


def test_a_delegate_is_asked_for_or_not() -> None:
    path = str(own("cnn_float.tflite"))
    for delegate, expected in (("none", False), ("default", True)):
        interpreter = runtimes.load().open(path, None, delegate, False)
        interpreter.allocate_tensors()
        names = {interpreter._interpreter.NodeName(i) for i in range(interpreter._interpreter.NumNodes())}
        assert ("DELEGATE" in names) is expected


def test_the_first_that_can_be_imported_is_loaded(tmp_path: Path) -> None:
    fake(tmp_path, "ai_edge_litert", "", "raise ImportError('GLIBC_2.99 not found')")
    fake(tmp_path, "tflite_runtime", WORKING)
    assert in_python(tmp_path, "print(json.dumps(runtimes.load()[:2]))") == ["tflite_runtime", "9.9"]


def test_a_probe_builds_an_interpreter(tmp_path: Path) -> None:
    """tflite-runtime 2.14 with NumPy 2 imports and fails in every Interpreter."""
    fake(tmp_path, "ai_edge_litert", BROKEN)
    fake(tmp_path, "tflite_runtime", WORKING)
    found = in_python(tmp_path, "print(json.dumps(runtimes.probe()))")
    assert (found["runtime"], found["runtime_version"]) == ("tflite_runtime", "9.9")
    assert found["runtime_errors"] == {
        "ai_edge_litert": "SystemError: returned a result with an exception set"
    }


@pytest.mark.parametrize(
    "start",
    [
        "raise ImportError('numpy.core.multiarray failed to import: _ARRAY_API not found')",
        "raise AttributeError('_ARRAY_API not found')",
        "raise OSError('libstdc++.so.6: version GLIBCXX_3.4.29 not found')",
        "raise ValueError('numpy.dtype size changed')",
        "raise TypeError('Descriptors cannot be created directly')",
    ],
)
def test_none_that_works_says_why(tmp_path: Path, start: str) -> None:
    for package in runtimes.PACKAGES:
        fake(tmp_path, package, "", start)
    found = in_python(tmp_path, "print(json.dumps(runtimes.probe()))")
    assert found["runtime"] is None and found["runtime_version"] is None
    assert found["numpy"]
    text = start.split("(", 1)[1].strip("')")
    assert list(found["runtime_errors"]) == list(runtimes.PACKAGES)
    assert all(text in said for said in found["runtime_errors"].values())
    code = "try: runtimes.load()\nexcept runtimes.NoRuntimeError as e: print(json.dumps([str(e), e.errors]))"
    said, errors = in_python(tmp_path, code)
    assert all(package in said for package in runtimes.PACKAGES)
    assert errors == found["runtime_errors"]


def test_without_numpy_nothing_else_is_tried(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('no NumPy here')")
    found = in_python(tmp_path, "print(json.dumps(runtimes.probe()))")
    assert found == {
        "numpy": None,
        "runtime": None,
        "runtime_version": None,
        "runtime_errors": {"numpy": "ImportError: no NumPy here"},
    }


def test_a_probe_in_a_worker() -> None:
    ended = workers.run("probe", {})
    assert ended.status == 0
    assert ended.one("result")["runtime"] in runtimes.PACKAGES


def test_texts_fit_into_an_event_that_the_server_opens() -> None:
    assert runtimes.brief(ValueError()) == "ValueError"
    assert runtimes.brief(ValueError(" padded \n")) == "ValueError: padded"
    long = runtimes.shorten("a" * 5000 + "END", 600)
    assert len(long) <= 600 and long.endswith("END") and long.startswith("aaa") and " … " in long
    worst = {p: runtimes.brief(ValueError("ä" * 9000)) for p in runtimes.PACKAGES}
    assert len(protocol.encode(protocol.event("result", {"runtime_errors": worst}))) < 4096
