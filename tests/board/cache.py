"""Where the parts of the boards are kept: outside the tree, by a hash of their recipe, for every checkout.

    ~/.cache/arenascope-boards/userland-armhf-HASH/   runtime.img bare.img id_ed25519 host_key.pub …
    ~/.cache/arenascope-boards/kernel-armhf-HASH/     vmlinuz initrd
    ~/.cache/arenascope-boards/running-…/             the disk of a board that runs

A part gets its name when it is whole. Parts of other recipes go when nobody has used them for two weeks.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .recipe import Kernel, Part

_UNUSED = 14 * 24 * 3600.0
_RUNNING = 2 * 24 * 3600.0

#: Taken once: a test has a home of its own.
FOLDER = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "arenascope-boards"


def folder_of(part: Part) -> Path:
    """Where the finished part lies, or will lie."""
    return FOLDER / f"{part.name}-{recipe_hash(part)}"


def recipe_hash(part: Part) -> str:
    """Of the part's lists and the code that follows them; comments, layout and docstrings do not count."""
    names = ("debian.py", "kernel.py" if isinstance(part, Kernel) else "userland.py")
    code = [code_alone(Path(__file__).with_name(name).read_text()) for name in names]
    return hashlib.sha256("".join([*code, repr(part)]).encode()).hexdigest()[:16]


def code_alone(text: str) -> str:
    """What a module does, without comments, layout and docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            # A string on a line of its own says something to people only.
            node.body = [
                n for n in body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))
            ]  # type: ignore[attr-defined]
    return ast.dump(tree)


def used(part: Part) -> Path:
    """The folder of a finished part, noted as used today."""
    folder = folder_of(part)
    os.utime(folder)
    return folder


@contextmanager
def only_one_builder() -> Iterator[None]:
    """Builders wait for one another: the second finds what the first has made."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def half_made(part: Part) -> Iterator[Path]:
    """A folder that becomes the part if the block ends well, and nothing if it does not."""
    final = folder_of(part)
    work = Path(tempfile.mkdtemp(prefix=f".{final.name}-", dir=FOLDER))
    try:
        yield work
        work.chmod(0o755)
        work.rename(final)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


@contextmanager
def running_folder() -> Iterator[Path]:
    """A folder for the disk of a running board, on the same file system as the images."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="running-", dir=FOLDER))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prune(keep: set[Path], now: float | None = None) -> list[Path]:
    """Remove what nobody needs any more; only for who holds the lock. Returns what went.

    Unfinished parts are of builders that were killed. Whole ones go two weeks after their last use,
    disks of boards after two days.
    """
    now = time.time() if now is None else now
    gone = []
    for path in sorted(FOLDER.iterdir()):
        if path in keep or not path.is_dir():
            continue
        age = now - path.stat().st_mtime
        limit = (
            0.0 if path.name.startswith(".") else _RUNNING if path.name.startswith("running-") else _UNUSED
        )
        if age >= limit:
            shutil.rmtree(path, ignore_errors=True)
            gone.append(path)
    return gone
