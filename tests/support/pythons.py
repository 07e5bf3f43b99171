"""Other Pythons of this computer, to run the agent under: the oldest that it must work on, and more."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

import pytest

_PYENV = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"


@functools.cache
def find_python(version: str) -> str | None:
    """Path of a Python like '3.9', from PATH or from pyenv; None where there is none."""
    candidates = [str(path) for path in sorted(_PYENV.glob(f"{version}.*/bin/python"))]
    on_path = shutil.which(f"python{version}")
    if on_path is not None:
        candidates.append(on_path)
    for candidate in candidates:
        answer = subprocess.run([candidate, "-V"], capture_output=True, text=True, check=False)
        if answer.returncode == 0 and f"Python {version}." in answer.stdout + answer.stderr:
            return candidate
    return None


def python(version: str) -> str:
    """The same; the test is skipped, with the reason, where there is none."""
    found = find_python(version)
    if found is None:
        pytest.skip(f"there is no Python {version} on this computer")
    return found
