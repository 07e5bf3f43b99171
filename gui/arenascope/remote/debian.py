"""Packages of a board's own distribution, fetched here for a board that has no way out.

The board says where it has its packages from, and verifies with its own gpgv and keys that the release is
its distribution's; from there the chain of hashes (release → package list → package) is followed here.
"""

from __future__ import annotations

import bz2
import hashlib
import lzma
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from arenascope_agent import protocol

from ..domain import apt
from ..domain.apt import Package, Source
from ..domain.plain_text import plain
from ..domain.provision import Recipe
from ..domain.units import format_bytes
from ..errors import BoardError, SetupError, WireError
from . import fetching
from .fetching import Arrived, Kept

#: The package that is wanted, and how Debian names what it brings.
NUMPY = "python3-numpy"

_MAX_RELEASE = protocol.MAX_REQUEST * 3 // 4  # it is sent to the board in one frame
_MAX_INDEX = 64 * 1024 * 1024
_MAX_UNPACKED_INDEX = 512 * 1024 * 1024
_SIGNED = b"-----BEGIN PGP SIGNED MESSAGE-----"
#: Memory for unpacking: the largest dictionary of xz itself (its -9) takes 65 MB.
_MAX_UNPACKER = 128 * 1024 * 1024
_MAX_PACKAGE = 200 * 1024 * 1024
#: Compressed forms of a list, the smallest first, and what unpacks them.
_FORMS: tuple[tuple[str, Callable[[], Any]], ...] = (
    (".xz", lambda: lzma.LZMADecompressor(memlimit=_MAX_UNPACKER)),
    (".gz", lambda: zlib.decompressobj(wbits=31)),
    (".bz2", bz2.BZ2Decompressor),
)

#: A request to the agent: method and parameters → its answer.
Ask = Callable[[str, dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Found:
    """A package and the archive that has it."""

    source: Source
    package: Package

    @property
    def url(self) -> str:
        return f"{self.source.uri.rstrip('/')}/{self.package.path}"


def numpy_packages(ask: Ask, recipe: Recipe, kept: Kept, name: str, arrived: Arrived) -> tuple[Found, ...]:
    """NumPy's package and the libraries that it needs and the board lacks. SetupError says what stands
    in the way; ``name`` is the board's."""
    archive = _Archive(ask, kept, name, arrived)
    numpy = archive.find(NUMPY)
    if numpy is None:
        raise SetupError(
            f"The package archives of {name} have no {NUMPY}.", hint=_by_hand(name), detail=archive.troubles
        )
    version = numpy.version.rpartition(":")[2].partition("-")[0].partition("+")[0]
    if not recipe.numpy_fits(version):
        below = f" and before {recipe.numpy_below}" if recipe.numpy_below else ""
        raise SetupError(
            f"The package archives of {name} have NumPy {version}; {recipe.runtime.name} "
            f"{recipe.runtime.version} needs at least {recipe.numpy_from_version}{below}.",
            hint="Install a fitting NumPy there for the Python that python3 starts, then set it up again.",
        )
    try:
        packages = apt.closure(numpy, archive.find, archive.installed, lambda one: one.startswith("lib"))
    except apt.Unsatisfied as error:
        raise SetupError(
            f"{NUMPY} {numpy.version} needs {error}.",
            hint=f"Bring the system of {name} up to date there: sudo apt update && sudo apt upgrade",
        ) from error
    return tuple(archive.where(package) for package in packages)


def fetch(found: Found, kept: Kept, arrived: Arrived) -> bytes:
    """A package's file, verified. SetupError."""
    package = found.package
    path = kept.path(package.sha256)
    if path is not None:
        return path.read_bytes()
    if package.bytes > _MAX_PACKAGE:
        raise SetupError(
            f"{package.name} {package.version} is said to have {format_bytes(package.bytes)}: more than any "
            "that is needed here.",
            hint="Nothing was fetched. Use another mirror on the board.",
            detail=found.url,
        )
    try:
        data = fetching.get(found.url, package.bytes, arrived)
    except FileNotFoundError:
        raise SetupError(
            f"The archive no longer has {package.name} {package.version}.", hint="Try again in a minute.",
            detail=found.url,
        ) from None  # fmt: skip
    if hashlib.sha256(data).hexdigest() != package.sha256:
        raise SetupError(
            f"{package.name} {package.version} arrived damaged: its SHA-256 is not that of the signed list.",
            hint="Nothing was sent. Try again; if it stays, the mirror is broken.",
            detail=found.url,
        )
    kept.put(data)
    return data


class _Archive:
    """The package lists of a board's sources, read one after another as they are needed."""

    def __init__(self, ask: Ask, kept: Kept, name: str, arrived: Arrived) -> None:
        self._ask = ask
        self._kept = kept
        self._name = name
        self._arrived = arrived
        self._installed: dict[str, str | None] = {}
        self.architecture = self._architecture()
        files = ask("apt_sources", {}).get("files")
        if not isinstance(files, dict) or not all(isinstance(text, str) for text in files.values()):
            raise WireError("The agent's answer has no package sources.")
        self._sources = list(apt.sources(files, self.architecture))
        self._lists: list[tuple[Source, bytes]] = []
        self._found: dict[str, Found] = {}
        self._troubles: list[str] = []
        if not self._sources:
            raise SetupError(
                f"{name} names no package archive that can be reached over HTTP.",
                hint=_by_hand(name),
                detail=plain(", ".join(files), 4000),
            )

    @property
    def troubles(self) -> str:
        return "\n".join(self._troubles)

    def where(self, package: Package) -> Found:
        return self._found[package.name]

    def find(self, name: str) -> Package | None:
        """The package of that name from the first source that has it."""
        if name in self._found:
            return self._found[name].package
        for source, text in self._all_lists():
            entry = _entry(text, name)
            if entry is not None:
                try:
                    found = Found(source, apt.package(entry))
                except ValueError as error:
                    raise SetupError(f"The package list at {source.dist} is broken: {error}.") from error
                self._found[name] = found
                return found.package
        return None

    def installed(self, names: Iterable[str]) -> Mapping[str, str]:
        """Versions of those packages that the board has or provides."""
        names = list(names)
        unknown = [one for one in names if one not in self._installed]
        if unknown:
            packages = self._ask("apt_installed", {"names": unknown}).get("packages")
            if not isinstance(packages, dict) or not all(isinstance(v, str) for v in packages.values()):
                raise WireError("The agent's answer has no list of packages.")
            self._installed.update({one: plain(packages[one], 80) for one in unknown if one in packages})
            self._installed.update({one: None for one in unknown if one not in packages})
        return {one: version for one in names if (version := self._installed[one]) is not None}

    def _architecture(self) -> str:
        answer = self._ask("apt_installed", {"names": []}).get("architecture")
        if not isinstance(answer, str) or not answer.isalnum():
            raise SetupError(
                f"The package system of {self._name} does not say for which machine it is.",
                hint=_by_hand(self._name),
            )
        return answer

    def _all_lists(self) -> Iterable[tuple[Source, bytes]]:
        position = 0
        while True:
            if position < len(self._lists):
                yield self._lists[position]
                position += 1
            elif self._sources:
                self._read_next()
            else:
                return

    def _read_next(self) -> None:
        """The next source's lists. One that cannot be had is passed over, unless it is the last hope."""
        source = self._sources.pop(0)
        try:
            self._lists += [(source, text) for text in self._read(source)]
        except (SetupError, BoardError) as error:
            self._troubles.append(f"{source.dist}: {error.message}")
            if not self._sources and not self._lists:
                raise

    def _read(self, source: Source) -> list[bytes]:
        try:
            release = fetching.get(source.dist + "InRelease", _MAX_RELEASE, self._arrived)
        except FileNotFoundError:
            raise SetupError(f"There is no release at {source.dist}.", hint=_by_hand(self._name)) from None
        if not release.startswith(_SIGNED):  # nothing else that stands somewhere is any board's business
            raise SetupError(
                f"What stands at {source.dist}InRelease is no signed release.", hint=_by_hand(self._name)
            )
        stems = [f"{component}/binary-{self.architecture}/Packages" for component in source.components]
        wanted = [stem + form for stem in stems for form, _ in _FORMS]
        answer = self._ask(
            "apt_verify",
            {
                "release": release.decode("utf-8", "replace"),
                "signed_by": list(source.signed_by),
                "wanted": wanted,
            },
        )
        files, fields = answer.get("files"), answer.get("fields")
        if not isinstance(files, dict) or not isinstance(fields, dict):
            raise WireError("The agent's answer has no release.")
        _refuse_expired(source, str(fields.get("Valid-Until", "")))
        there = [stem for stem in stems if any(stem + form in files for form, _ in _FORMS)]
        return [self._list(source, stem, files) for stem in there]

    def _list(self, source: Source, stem: str, files: Mapping[str, Any]) -> bytes:
        """A package list, whose hash the signed release has. SetupError."""
        form, opener = next((form, opener) for form, opener in _FORMS if stem + form in files)
        match files[stem + form]:
            case [str(sha256), int(size)] if fetching.is_sha256(sha256) and 0 < size <= _MAX_INDEX:
                pass
            case _:
                raise SetupError(f"The release at {source.dist} has no usable hash for {stem}.")
        path = self._kept.path(sha256)
        data = path.read_bytes() if path is not None else self._fetched(source, stem + form, sha256, size)
        unpacker = opener()
        try:
            text: bytes = unpacker.decompress(data, _MAX_UNPACKED_INDEX)
        except (lzma.LZMAError, OSError, EOFError, zlib.error) as error:
            why = f"The package list {stem} cannot be unpacked: {error}."
            raise SetupError(why, hint="Try again.") from error
        return b"\n" + text

    def _fetched(self, source: Source, path: str, sha256: str, size: int) -> bytes:
        folder = path.rpartition("/")[0]
        for name in (f"{folder}/by-hash/SHA256/{sha256}", path):  # by hash: a mirror may just be changing
            try:
                data = fetching.get(source.dist + name, size, self._arrived)
            except (FileNotFoundError, fetching.TooLong):
                continue
            if hashlib.sha256(data).hexdigest() == sha256:
                self._kept.put(data)
                return data
        raise SetupError(
            f"The package list {plain(path)} at {source.dist} is not the one that the release names.",
            hint="The mirror may be changing just now: try again in some minutes.",
        )


def _entry(text: bytes, name: str) -> str | None:
    """A package's paragraph in a list that begins with a line feed."""
    start = text.find(f"\nPackage: {name}\n".encode())
    if start < 0:
        return None
    end = text.find(b"\n\n", start + 1)
    return text[start + 1 : end if end >= 0 else None].decode("utf-8", "replace")


def _refuse_expired(source: Source, until: str) -> None:
    try:
        expired = bool(until) and parsedate_to_datetime(until) < datetime.now(UTC)
    except (ValueError, TypeError, OverflowError):
        return
    if expired:
        raise SetupError(
            f"The release at {source.dist} was good until {plain(until)}.",
            hint="Use another mirror on the board.",
        )


def _by_hand(name: str) -> str:
    return f"Install NumPy on {name} by hand (sudo apt install {NUMPY}), then set it up again."
