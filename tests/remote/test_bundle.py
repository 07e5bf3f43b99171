"""The agent's archive: the same bytes from the same sources, and it runs."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from arenascope.remote import bundle
from arenascope.remote.link import AgentLink
from tests.agent.harness import Agent
from tests.remote.fakes import CommandTransport
from tests.support.pythons import python

PATIENCE = 30.0


def test_it_is_the_same_however_the_sources_lie(tmp_path: Path) -> None:
    data, sha256 = bundle.build()
    assert sha256 == hashlib.sha256(data).hexdigest()
    copy = tmp_path / "arenascope_agent"
    shutil.copytree(bundle.agent_folder(), copy)
    for number, path in enumerate(sorted(copy.rglob("*.py"))):
        os.utime(path, (number, number))
        path.chmod(0o777)
    (copy / "notes.txt").write_text("not a source")
    assert bundle.build(copy) == (data, sha256)
    (copy / "server.py").write_bytes((copy / "server.py").read_bytes().replace(b"\n", b"\r\n"))
    assert bundle.build(copy) == (data, sha256)  # a checkout on Windows
    (copy / "server.py").write_text("changed = True\n")
    assert bundle.build(copy)[1] != sha256


def test_it_holds_the_agent_and_nothing_else() -> None:
    names = zipfile.ZipFile(io.BytesIO(bundle.build()[0])).namelist()
    assert names == sorted(names)
    assert {"__main__.py", "arenascope_agent/server.py", "arenascope_agent/tasks/inspect.py"} <= set(names)
    assert all(name == "__main__.py" or name.startswith("arenascope_agent/") for name in names)
    assert all(name.endswith(".py") for name in names)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "agent.pyz"
    path.write_bytes(bundle.build()[0])
    return path


def serves(archive: Path, *command: str) -> AgentLink:
    transport = CommandTransport(*command, str(archive), "serve")
    link = AgentLink(transport)
    try:
        hello = link.open(PATIENCE)
        assert hello.agent == bundle.build()[1]
        assert link.request("probe", {"runtime": False}, PATIENCE)["ram_total"] > 0
        return link
    finally:
        link.close()
        transport.end()


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.11", "3.12", "3.13"])
def test_it_serves_under_any_python_from_3_9_on(archive: Path, version: str) -> None:
    serves(archive, python(version))
    serves(archive, python(version), "-I", "-S")


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.8"])
def test_an_older_python_says_what_it_needs(archive: Path, version: str) -> None:
    done = subprocess.run([python(version), str(archive), "serve"], capture_output=True, check=False)
    assert done.returncode == 96
    assert b"needs Python 3.9 or newer" in done.stderr


def test_its_worker_comes_out_of_the_same_archive(archive: Path) -> None:
    transport = CommandTransport(sys.executable, "-I", "-S", str(archive), "serve")
    link = AgentLink(transport)
    link.open(PATIENCE)
    facts = link.request("probe", {"runtime": True}, PATIENCE)
    assert facts["runtime"] == "ai_edge_litert", facts
    link.close()
    transport.end()
    assert [path.name for path in archive.parent.iterdir()] == ["agent.pyz"]


def _compiled(archive: Path, version: str = "3.11.2") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", str(archive), "compile", version], capture_output=True, text=True
    )


def test_the_compiled_archive_does_what_the_other_does(tmp_path: Path) -> None:
    data, sha256 = bundle.build()
    archive = tmp_path / f"{sha256}.pyz"
    archive.write_bytes(data)
    compiled = Path(_compiled(archive).stdout.strip())
    own = hashlib.sha256(compiled.read_bytes()).hexdigest()
    assert compiled.name == f"{sha256}.3.11.2.{own}.pyz"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([archive.name, compiled.name])
    names = zipfile.ZipFile(compiled).namelist()
    assert names == [f"{name}c" for name in zipfile.ZipFile(archive).namelist()]
    probe = subprocess.run(
        [sys.executable, str(compiled), "probe"], capture_output=True, text=True, check=True
    )
    assert json.loads(probe.stdout)["bits"] in (32, 64)
    with Agent(sys.executable, "-I", "-S", str(compiled), "serve") as agent:
        assert agent.hello["agent"] == sha256  # what it was made from


@pytest.mark.parametrize(
    ("name", "version"), [("agent.pyz", "3.11.2"), ("a" * 64 + ".pyz", "../3"), ("a" * 64 + ".pyz", "")]
)
def test_nothing_is_compiled_to_a_name_that_tells_less(tmp_path: Path, name: str, version: str) -> None:
    archive = tmp_path / name
    archive.write_bytes(bundle.build()[0])
    assert _compiled(archive, version).returncode != 0
    assert [path.name for path in tmp_path.iterdir()] == [name]
