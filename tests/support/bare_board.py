"""A board without NumPy and without a runtime, behind an sshd of this computer, and what it can get."""

from __future__ import annotations

import os
import sys
import venv
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from arenascope.domain import provision
from arenascope.domain.provision import Pin, Row
from arenascope.remote import wheels
from tests.support import packages
from tests.support.sshd import Sshd, StartSshd, bare_path, introduce

MACHINE = os.uname().machine
ABI = f"cp{sys.version_info[0]}{sys.version_info[1]}"
MINOR = sys.version_info[1]


@pytest.fixture
def bare(start_sshd: StartSshd, ssh_dir: Path, tmp_path: Path) -> Sshd:
    """A board with a Python that has neither NumPy nor a runtime."""
    venv.create(tmp_path / "empty", with_pip=False)
    server = start_sshd(path=f"{tmp_path / 'empty' / 'bin'}:{bare_path(tmp_path / 'tools')}")
    introduce(server, ssh_dir)
    return server


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, str]], Path]:
    """Makes a runtime and a NumPy what can be had, in a folder that pip takes for its index."""
    folder = tmp_path / "index"
    folder.mkdir()
    row = Row(Pin("ai-edge-litert", "2.3.0"), MINOR, MINOR, "2.17", ("2.4.6", None), "made for this test")
    monkeypatch.setitem(provision.TABLE, MACHINE, (row,))
    monkeypatch.setattr(provision, "numpy_wheel", lambda machine, abi, row: Pin("numpy", "2.4.6"))
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))

    def has(runtime: Mapping[str, str]) -> Path:
        made = [
            packages.wheel(folder, "ai-edge-litert", "2.3.0", runtime, MACHINE, ABI),
            packages.wheel(folder, "numpy", "2.4.6", packages.NUMPY, MACHINE, ABI),
        ]
        known = tuple(packages.locked(path, MACHINE, ABI) for path in made)
        monkeypatch.setattr(wheels, "known", lambda: known)
        return folder

    return has
