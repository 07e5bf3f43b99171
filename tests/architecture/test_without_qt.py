"""What can be done in the window can be done without it: no Qt below, in a process that has none."""

from __future__ import annotations

import subprocess
import sys

import pytest

ROOMS = ("domain", "remote", "tflite", "store", "reporters", "workflow", "cli")

WITHOUT_QT = """
import importlib, pkgutil, sys

class NoQt:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("PySide6", "shiboken6", "pyqtgraph"):
            raise ImportError("there is no Qt here: " + name)

sys.meta_path.insert(0, NoQt())
package = importlib.import_module("arenascope." + sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(module.name)
"""


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_can_be_imported_where_there_is_no_qt(room: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_QT, room], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_python_interface_can_be_imported_where_there_is_no_qt() -> None:
    code = WITHOUT_QT.partition("package =")[0] + "import arenascope.api, arenascope.__main__"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["arenascope.__main__", "arenascope.remote.local", "arenascope.cli.app"])
def test_the_way_to_a_command_loads_nothing_slow(module: str) -> None:
    """Start-up time is a promise; these take 50 ms and more each to import."""
    slow = ("numpy", "rich", "paramiko", "jinja2", "platformdirs", "flatbuffers", "PySide6")
    code = f"import {module}, sys; print(*[m for m in {slow!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
