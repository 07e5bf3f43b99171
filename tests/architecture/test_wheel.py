"""What is installed is whole: both packages, the resources, and a command that works from there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.models import own
from tests.support.sources import AGENT, DESKTOP, ROOT, python_files


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the contents of the wheel, as pip would lay them out."""
    built = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", built], cwd=ROOT, check=True,
        capture_output=True,
    )  # fmt: skip
    (wheel,) = built.glob("*.whl")
    folder = built / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_every_module_and_every_resource_is_in_it(installed: Path) -> None:
    for path in python_files(DESKTOP):
        assert (installed / "arenascope" / path.relative_to(DESKTOP)).is_file()
    for path in python_files(AGENT):
        assert (installed / "arenascope_agent" / path.relative_to(AGENT)).is_file()
    for name in ("report/report.html.j2", "icons/arenascope.svg", "examples"):
        assert (installed / "arenascope" / "_resources" / name).exists()
    assert (installed / "arenascope" / "py.typed").is_file()
    assert list(installed.glob("*.dist-info/licenses/LICENSE"))


def test_the_command_works_from_there(installed: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    code = (
        "import sys, arenascope, arenascope.__main__ as entry\n"
        f"assert arenascope.__file__.startswith({str(installed)!r})\n"
        "sys.exit(entry.main(sys.argv[1:]))"
    )

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    inspected = run("inspect", own("cnn_float.tflite"), "--json", "--quiet")
    assert inspected.returncode == 0, inspected.stderr
    assert json.loads(inspected.stdout)["outcome"]["status"] == "ok"
    page = tmp_path / "report.html"
    reported = run("report", own("cnn_float.tflite"), "-o", page)
    assert reported.returncode == 0, reported.stderr
    assert page.read_text(encoding="utf-8").lower().startswith("<!doctype html>")
