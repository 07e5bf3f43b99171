"""Who may import whom: the contracts of pyproject.toml, and what they cannot say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.sources import AGENT, DESKTOP, ROOT, imports, python_files, relative


def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_domain_imports_the_standard_library_and_numpy_alone() -> None:
    allowed = {*sys.stdlib_module_names, "numpy", "arenascope"}
    strangers = [
        f"{relative(path)}: {name}"
        for path in python_files(DESKTOP / "domain")
        for name in imports(path)
        if name.partition(".")[0] not in allowed
    ]
    assert not strangers


def test_remote_knows_of_the_agent_nothing_but_its_protocol_and_its_folder() -> None:
    known = {"arenascope_agent", "arenascope_agent.protocol"}
    used = {
        name
        for path in python_files(DESKTOP / "remote")
        for name in imports(path)
        if name.startswith("arenascope_agent")
    }
    assert used <= known


def test_the_agent_needs_nothing_but_python_and_a_runtime() -> None:
    allowed = {*sys.stdlib_module_names, "arenascope_agent"}
    in_workers = {"numpy", "ai_edge_litert", "tflite_runtime", "tensorflow"}
    strangers = [
        f"{relative(path)}: {name}"
        for path in python_files(AGENT)
        for name in imports(path)
        # An inner module of another Python version ('_sha2') is tried for, not relied on.
        if name.partition(".")[0] not in allowed | in_workers and not name.startswith("_")
    ]
    assert not strangers


def test_item_models_need_no_widgets() -> None:
    strangers = [
        f"{relative(path)}: {name}"
        for path in python_files(DESKTOP / "qtmodels")
        for name in imports(path)
        if name.startswith(("PySide6.QtWidgets", "pyqtgraph"))
    ]
    assert not strangers
