"""Real runtimes of several years, each in an environment of its own, to hold the planner against.

    python -m tests.support.pool          makes what is not there yet; names what cannot be made here

They lie outside the tree, by a hash of their recipe, for every checkout:

    ~/.cache/arenascope-runtimes/tflite-2.10-HASH/bin/python
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .pythons import find_python

#: Taken once: a test has a home of its own.
FOLDER = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "arenascope-runtimes"

_UNUSED = 14 * 24 * 3600.0
_ATTEMPTS = 3


class PoolError(Exception):
    """A runtime that cannot be made here, and why."""


@dataclass(frozen=True, slots=True)
class Member:
    """One runtime: its name is that of a profile, ``python`` the version that its wheel is for."""

    name: str
    python: str
    requirements: tuple[str, ...]

    @property
    def folder(self) -> Path:
        recipe = repr((self.name, self.python, self.requirements))
        return FOLDER / f"{self.name}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"

    @property
    def interpreter(self) -> Path:
        return self.folder / "bin" / "python"


def _tflite(version: str, python: str, numpy: str) -> Member:
    requirements = (f"tflite-runtime=={version}", f"numpy=={numpy}")  # NumPy 2 breaks every one of them
    return Member(f"tflite-{version.rpartition('.')[0]}", python, requirements)


def _litert(version: str) -> Member:
    return Member(
        f"litert-{version.rpartition('.')[0]}",
        "3.11",
        (f"ai-edge-litert=={version}", "numpy==1.26.4", "flatbuffers==25.12.19"),
    )


#: The tests need all of them. From 2.10 to 2.13 there are wheels for Python 3.9 and none for 3.11.
POOL = (
    _tflite("2.10.0", "3.9", "1.26.4"),
    _tflite("2.13.0", "3.9", "1.26.4"),
    _tflite("2.14.0", "3.11", "1.26.4"),
    _litert("1.2.0"),
    _litert("2.3.0"),
)
#: Versions between them, made on demand: python -m tests.support.pool --all.
MORE = (
    *(_tflite(version, "3.9", "1.26.4") for version in ("2.7.0", "2.8.0", "2.9.1", "2.11.0", "2.12.0")),
    *(_litert(version) for version in ("1.0.1", "1.1.2", "1.3.0", "1.4.0", "2.0.3", "2.1.0", "2.2.0")),
)


def make(member: Member) -> Path:
    """The member's Python, made if it is not there. Raises PoolError where that cannot be done here."""
    with _only_one_builder():
        if member.interpreter.exists():
            os.utime(member.folder)
            return member.interpreter
        python = find_python(member.python)
        if python is None:
            raise PoolError(f"{member.name} needs Python {member.python}, which is not on this computer")
        work = Path(tempfile.mkdtemp(prefix=f".{member.folder.name}-", dir=FOLDER))
        try:
            # Without a copy of pip: this environment's own installs into the other.
            _run([python, "-m", "venv", "--without-pip", str(work)], member)
            _install(member, work / "bin" / "python")
            work.rename(member.folder)  # the links inside are absolute paths of the Python, not of the folder
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise
        _prune()
    return member.interpreter


def _install(member: Member, python: Path) -> None:
    command = [
        sys.executable, "-m", "pip", "--python", str(python), "install", "-qq", "--no-input",
        "--disable-pip-version-check", "--only-binary", ":all:", *member.requirements,
    ]  # fmt: skip
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _run(command, member)
        except PoolError:
            if attempt == _ATTEMPTS:
                raise
            time.sleep(attempt)
        else:
            return


def _run(command: list[str], member: Member) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr or done.stdout).strip()[-2000:]
        raise PoolError(f"{member.name} could not be made: {words}")


@contextmanager
def _only_one_builder() -> Iterator[None]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _prune() -> None:
    """Environments of other recipes go two weeks after their last use, half-made ones at once."""
    keep = {member.folder for member in (*POOL, *MORE)}
    for path in FOLDER.iterdir():
        if not path.is_dir() or path in keep:
            continue
        if path.name.startswith(".") or time.time() - path.stat().st_mtime >= _UNUSED:
            shutil.rmtree(path, ignore_errors=True)


def main(arguments: list[str]) -> int:
    """Exit status 1 where one of them could not be made."""
    status = 0
    for member in (*POOL, *MORE) if "--all" in arguments else POOL:
        try:
            print(f"{member.name}: {make(member)}")  # noqa: T201
        except PoolError as error:
            print(f"{member.name}: {error}", file=sys.stderr)  # noqa: T201
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
