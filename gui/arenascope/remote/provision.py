"""Puts together the one archive that a board gets: unpacked wheels, NumPy, the libraries it needs.

    site/…           what a worker imports: pure and platform parts of the wheels in one folder
    lib/…            shared libraries that the board lacks
    manifest.json    what it holds, with versions, hashes and where each came from

The same parts make the same bytes, so an archive that is on the board already need not be sent again.
"""

from __future__ import annotations

import json
import posixpath
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import FileError, SetupError
from . import deb
from .debian import NUMPY, Found
from .fetching import file_sha256
from .wheels import Wheel

MANIFEST = "manifest.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)
#: What no run needs: tests, headers, stubs and compiled files of another Python.
_LEFT_OUT = frozenset(["tests", "include", "__pycache__"])
_LEFT_OUT_SUFFIXES = (".pyi", ".pyc", ".pxd", ".a")


@dataclass(frozen=True, slots=True)
class Packed:
    """The archive: its file here, its SHA-256, its bytes, and those of what it unpacks to."""

    path: Path
    sha256: str
    bytes: int
    unpacked: int


def pack(
    wheels: list[tuple[Wheel, Path]],
    packages: list[tuple[Found, bytes]],
    target: Path,
    step: Callable[[], None] = lambda: None,
) -> Packed:
    """Write the archive to ``target``. FileError; SetupError for a wheel or package that is not sound.

    ``step`` is called between two parts and may raise to stop.
    """
    files: dict[str, bytes] = {}
    rows = []
    for wheel, path in wheels:
        step()
        files.update((f"site/{name}", data) for name, data in wheel_files(path))
        rows.append(
            {"name": wheel.name, "version": wheel.version, "file": wheel.file, "sha256": wheel.sha256}
        )
    for found, data in packages:
        step()
        package = found.package
        if package.name == NUMPY:
            parts = ((f"site/{name}", content) for name, content in deb.python_files(data, package.name))
            files.update((name, content) for name, content in parts if _needed(name))
        else:
            files.update((f"lib/{name}", content) for name, content in deb.libraries(data, package.name))
        rows.append(
            {
                "name": package.name, "version": package.version, "file": posixpath.basename(package.path),
                "sha256": package.sha256, "from": found.source.dist,
            }
        )  # fmt: skip
    size = sum(map(len, files.values()))
    manifest = {"schema": "arenascope.environment/1", "packages": rows, "bytes": size}
    files[MANIFEST] = json.dumps(manifest, indent=1, sort_keys=True).encode()
    step()
    try:
        _write(files, target)
        return Packed(target, file_sha256(target), target.stat().st_size, sum(map(len, files.values())))
    except OSError as error:
        raise FileError(f"Cannot write {target}: {error.strerror or error}.") from error


def wheel_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """(path as it would be installed, content) of a wheel's files. SetupError for what is no wheel."""
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                name = _installed_name(entry.filename)
                if not entry.is_dir() and name is not None and _needed(name):
                    yield name, archive.read(entry)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        raise SetupError(f"{path.name} cannot be unpacked: {error}.", hint="Try again.") from error


def wheel_size(path: Path) -> int:
    """Bytes of what is brought from a wheel."""
    return sum(len(data) for _, data in wheel_files(path))


def _installed_name(name: str) -> str | None:
    """Where a file of a wheel is installed below site-packages; None for scripts, headers and data."""
    first, _, rest = name.partition("/")
    if not first.endswith(".data"):
        return name
    scheme, _, below = rest.partition("/")
    return below if scheme in ("purelib", "platlib") and below else None


def _needed(name: str) -> bool:
    parts = name.split("/")
    if posixpath.isabs(name) or ".." in parts:
        raise SetupError(f"A package holds a file that reaches out of its folder: {name!r}.")
    return not _LEFT_OUT.intersection(parts) and not name.endswith(_LEFT_OUT_SUFFIXES)


def _write(files: dict[str, bytes], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # Unix, also when it is made on Windows
            entry.external_attr = 0o100600 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
