"""What a fresh machine is told when something is missing."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.sources import ROOT

PACKAGING = ROOT / "packaging"


@pytest.fixture
def packages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("system_packages", PACKAGING / "system_packages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def linker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A linker that says what the test writes into the file 'answer' beside it."""
    program = tmp_path / "ldd"
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/answer\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path / "answer"


def test_this_machine_has_what_the_window_needs(packages: ModuleType) -> None:
    assert packages.binaries()
    assert packages.main(["window"]) == 0


def test_what_is_missing_is_named_with_the_command_that_installs_it(
    packages: ModuleType, linker: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    linker.write_text(
        "\tlibEGL.so.1 => not found\n\tlibc.so.6 => /lib/libc.so.6 (0x1)\n\tlibodd.so.7 => not found\n"
    )
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert packages.main(["window"]) == 1
    err = capsys.readouterr().err
    assert "apt-get install -y libegl1" in err
    assert "libodd.so.7" in err


def test_root_gets_it_installed_and_it_is_looked_at_again(
    packages: ModuleType, linker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linker.write_text("\tlibGL.so.1 => not found\n")
    asked: list[list[str]] = []

    def install(names: list[str]) -> bool:
        asked.append(names)
        linker.write_text("")
        return True

    monkeypatch.setattr(packages, "_install", install)
    assert packages.main(["window"]) == 0
    assert asked == [["libgl1"]]


def test_other_systems_bring_all_they_need(packages: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for platform in ("darwin", "win32"):
        monkeypatch.setattr(sys, "platform", platform)
        assert packages.main(["window", "test"]) == 0


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    old = tmp_path / "python3.8"
    old.write_text('#!/bin/sh\ncase "$2" in *version_info*3,*11*) exit 1;; *) echo 3.8;; esac\n')
    old.chmod(0o755)
    asked = subprocess.run(
        ["sh", PACKAGING / "find-python.sh"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHON": "python3.8"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert asked.returncode == 1
    assert "3.11 or newer" in asked.stderr
    assert "python3.8 (3.8)" in asked.stderr


def test_a_python_that_is_new_enough_is_found() -> None:
    asked = subprocess.run(
        ["sh", PACKAGING / "find-python.sh"],
        env={"PATH": os.environ["PATH"], "PYTHON": sys.executable},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert asked.stdout.strip() == sys.executable
