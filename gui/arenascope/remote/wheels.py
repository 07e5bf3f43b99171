"""Wheels for a board's Python, fetched by this computer's pip and verified by a hash that is known here.

``resources/wheels.json`` is the list of what is known (``packaging/lock_wheels.py`` made it from real
downloads). pip runs in a process of its own with its own configuration, so that mirrors, proxies and
folders of wheels which a person has set up are honoured; what it brings must be the very file.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..domain.plain_text import plain
from ..domain.provision import Pin
from ..errors import Cancelled, SetupError
from ..resources import resource_text
from .fetching import Kept, file_sha256

#: Seconds between two looks at whether somebody wants to stop.
_LOOK = 0.2


@dataclass(frozen=True, slots=True)
class Wheel:
    """One file of a package index. ``bytes``: of the file; ``unpacked``: of what is brought from it.

    ``abi`` is Python's ('cp311') and ``platforms`` are the tags that its name carries.
    """

    name: str
    version: str
    machine: str
    abi: str
    platforms: tuple[str, ...]
    file: str
    sha256: str
    bytes: int
    unpacked: int


def known() -> tuple[Wheel, ...]:
    """All wheels whose content is known."""
    rows = json.loads(resource_text("wheels.json"))["wheels"]
    return tuple(Wheel(**{**row, "platforms": tuple(row["platforms"])}) for row in rows)


def find(pins: Iterable[Pin], machine: str, abi: str) -> tuple[Wheel, ...]:
    """The wheels of these releases for a machine and a Python. SetupError where one is not known."""
    found = {(one.name, one.version): one for one in known() if (one.machine, one.abi) == (machine, abi)}
    wheels = []
    for pin in pins:
        if (pin.name, pin.version) not in found:
            raise SetupError(
                f"This version of ArenaScope knows no {pin.name} {pin.version} for {machine} and {abi}.",
                hint="Install a newer ArenaScope.",
            )
        wheels.append(found[pin.name, pin.version])
    return tuple(wheels)


def fetch(wheel: Wheel, kept: Kept, cancelled: Callable[[], bool], python: str = sys.executable) -> Path:
    """A wheel's file on this computer; no network where it was fetched before. SetupError, Cancelled."""
    path = kept.path(wheel.sha256)
    if path is not None:
        return path
    if python == sys.executable and importlib.util.find_spec("pip") is None:
        raise SetupError(
            f"{wheel.file} cannot be fetched: the Python that runs ArenaScope has no pip.",
            hint=f"Give it one: {python} -m ensurepip --upgrade (on Debian: sudo apt install python3-pip).",
        )
    with tempfile.TemporaryDirectory(prefix="arenascope-wheels-") as folder:
        _download(wheel, Path(folder), cancelled, python)
        files = list(Path(folder).iterdir())
        if len(files) != 1 or file_sha256(files[0]) != wheel.sha256:
            what = files[0].name if files else wheel.file
            raise SetupError(
                f"What pip fetched as {wheel.name} {wheel.version} is not the file that ArenaScope knows "
                f"({plain(what)}: another SHA-256).",
                hint="Nothing was sent. Look where pip has it from: python -m pip config list",
                detail=f"expected {wheel.sha256}, found {file_sha256(files[0]) if files else 'nothing'}",
            )
        return kept.put(files[0].read_bytes())


def _download(wheel: Wheel, folder: Path, cancelled: Callable[[], bool], python: str) -> None:
    command = [
        python, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check",
        "--no-deps", "--only-binary=:all:", "--dest", str(folder),
        "--implementation", "cp", "--python-version", wheel.abi.removeprefix("cp"), "--abi", wheel.abi,
        *(word for platform in wheel.platforms for word in ("--platform", platform)),
        f"{wheel.name}=={wheel.version}",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
        )
        try:
            while process.poll() is None:
                if cancelled():
                    raise Cancelled("Stopped as asked.", hint="")
                try:
                    process.wait(_LOOK)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if process.returncode == 0:
            return
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace")
    lines = [plain(line, 300) for line in said.splitlines() if line.strip()]
    reasons = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    reason = (reasons or lines or ["it did not say why"])[-1].rstrip(".")
    if any("connection broken by" in line for line in lines):  # pip says only later that nothing was found
        reason = "its package index cannot be reached"
    raise SetupError(
        f"pip could not fetch {wheel.file}: {reason}.",
        hint="Check this computer's network and pip's configuration (python -m pip config list), then try "
        "again; or lay the file into a folder and name that in PIP_FIND_LINKS.",
        detail="\n".join(lines[-20:]),
    )
