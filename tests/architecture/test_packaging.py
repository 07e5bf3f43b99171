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


@pytest.fixture
def setup(tmp_path: Path) -> Path:
    """A Python whose environments write down what is asked of them; the file is beside it."""
    made, asked = tmp_path / "made", tmp_path / "asked"
    made.write_text(f'#!/bin/sh\necho "$*" >> {asked}\n')
    python = tmp_path / "python3.11"
    python.write_text(
        "#!/bin/sh\n"
        'case "$*" in "-m venv "*) mkdir -p "$3/bin"; : > "$3/pyvenv.cfg"; '
        f'cp {made} "$3/bin/python"; chmod +x "$3/bin/python";; esac\n'
    )
    nobody = tmp_path / "id"  # root would have packages installed where an environment cannot be made
    nobody.write_text("#!/bin/sh\necho 1000\n")
    for program in (python, nobody):
        program.chmod(0o755)
    return python


def set_up(python: Path, venv: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", PACKAGING / "setup-venv.sh", venv, "."],
        env={"PATH": f"{python.parent}:{os.environ['PATH']}", "PYTHON": str(python)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_an_environment_is_made_once(setup: Path, tmp_path: Path) -> None:
    assert "Making" in set_up(setup, tmp_path / "venv").stdout
    again = set_up(setup, tmp_path / "venv")
    assert (again.returncode, "Making" in again.stdout) == (0, False)
    assert "pip install" in (tmp_path / "asked").read_text()


def test_a_folder_of_the_user_is_left_alone(setup: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years")
    refused = set_up(setup, precious)
    assert refused.returncode == 1
    assert "no virtual environment" in refused.stderr
    assert [path.name for path in precious.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("broken", ["no pip", "no python"])
def test_a_broken_environment_is_made_again_around_what_else_is_in_it(
    broken: str, setup: Path, tmp_path: Path
) -> None:
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "pyvenv.cfg").touch()
    (venv / "mine").touch()
    if broken == "no pip":
        (venv / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
        (venv / "bin" / "python").chmod(0o755)
    else:
        (venv / "bin" / "python").symlink_to(tmp_path / "gone")
    done = set_up(setup, venv)
    assert done.returncode == 0, done.stderr
    assert "Making" in done.stdout
    assert (venv / "mine").exists()
