"""Debian's own texts: where a system has its packages from, what a package is and what it needs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from .versions import satisfies

_DEPENDENCY = re.compile(r"([a-z0-9][a-z0-9+.-]+)(?::\S+)?\s*(?:\(\s*([<>=]+)\s*([^)\s]+)\s*\))?")


@dataclass(frozen=True, slots=True)
class Source:
    """One suite of an archive. ``signed_by``: paths of keyrings, or keys as text; none: apt's own keys."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: tuple[str, ...] = ()

    @property
    def dist(self) -> str:
        """The folder of its index, with a slash at the end."""
        return f"{self.uri.rstrip('/')}/dists/{self.suite.strip('/')}/"


@dataclass(frozen=True, slots=True)
class Alternative:
    """A package that a dependency names: 'libc6 (>= 2.34)'."""

    name: str
    relation: str = ""
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.relation} {self.version})" if self.relation else self.name


@dataclass(frozen=True, slots=True)
class Package:
    """A package in an archive. ``depends``: of each group of alternatives one is needed. ``installed``:
    bytes of its files once unpacked, as the archive says."""

    name: str
    version: str
    path: str
    bytes: int
    sha256: str
    depends: tuple[tuple[Alternative, ...], ...]
    installed: int | None = None


def sources(files: Mapping[str, str], architecture: str) -> tuple[Source, ...]:
    """The binary archives in apt's source lists, path → text, that may hold an architecture's packages.

    Only what is fetched over HTTP counts, and only suites with components: the rest is left out, as is
    what apt itself would take without a signature, and what holds anything but printable ASCII. A user
    or a query in an address is none of an archive's: it could lead this computer elsewhere.
    """
    found: list[Source] = []
    for path, text in files.items():
        found += _deb822(text, architecture) if path.endswith(".sources") else _lines(text, architecture)
    return tuple(
        source for source in dict.fromkeys(found)
        if source.uri.startswith(("http://", "https://")) and source.components
        and not set("?#@").intersection(source.uri + source.suite)
        and not source.suite.endswith("/") and _is_printable(source.uri, source.suite, *source.components)
    )  # fmt: skip


def _lines(text: str, architecture: str) -> Iterator[Source]:
    for raw in text.splitlines():
        line = raw.partition("#")[0].strip()
        matched = re.fullmatch(r"deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)", line)
        if matched is None:
            continue
        options = dict(word.partition("=")[::2] for word in _words(matched[1] or ""))
        if "arch" in options and architecture not in options["arch"].split(","):
            continue
        signed_by = tuple(one for one in options.get("signed-by", "").split(",") if one)
        yield Source(matched[2], matched[3], tuple(matched[4].split()), signed_by)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _deb822(text: str, architecture: str) -> Iterator[Source]:
    for entry in stanzas(text):
        enabled = entry.get("enabled", "yes").lower() not in ("no", "false")
        if not enabled or "deb" not in entry.get("types", "").split():
            continue
        architectures = entry.get("architectures", "").split()
        if architectures and architecture not in architectures:
            continue
        signed = entry.get("signed-by", "")
        signed_by = (signed,) if "BEGIN PGP" in signed else tuple(signed.replace(",", " ").split())
        for uri in entry.get("uris", "").split():
            for suite in entry.get("suites", "").split():
                yield Source(uri, suite, tuple(entry.get("components", "").split()), signed_by)


def stanzas(text: str) -> Iterator[dict[str, str]]:
    """Paragraphs of 'Key: value' with continuation lines; keys in lower case, comments left out.

    A line of a value that holds nothing but a dot is an empty line.
    """
    entry: dict[str, str] = {}
    key = ""
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        if not line.strip():
            if entry:
                yield entry
            entry, key = {}, ""
        elif line[0] in " \t":
            if key:
                entry[key] += "\n" + ("" if line.strip() == "." else line.strip())
        else:
            name, _, value = line.partition(":")
            key = name.strip().lower()
            entry[key] = value.strip()
    if entry:
        yield entry


def package(text: str) -> Package:
    """One paragraph of a Packages file. ValueError where something that is needed is missing or odd."""
    entry = next(stanzas(text), {})
    sha256 = entry.get("sha256", "").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", sha256) or not entry.get("size", "").isdecimal():
        raise ValueError(f"the entry of {entry.get('package', '?')} has no SHA-256 or no size")
    if not _is_printable(entry["package"], entry.get("version", ""), entry.get("filename", "")):
        raise ValueError("an entry holds a name, version or path that cannot be printed")
    depends = ", ".join(entry[key] for key in ("pre-depends", "depends") if entry.get(key))
    kib = entry.get("installed-size", "")
    return Package(
        entry["package"], entry.get("version", ""), entry.get("filename", ""), int(entry["size"]), sha256,
        dependencies(depends), 1024 * int(kib) if kib.isdecimal() else None,
    )  # fmt: skip


def _is_printable(*words: str) -> bool:
    return all(word.isascii() and word.isprintable() for word in words)


def dependencies(text: str) -> tuple[tuple[Alternative, ...], ...]:
    """'libc6 (>= 2.34), libblas3 | libblas.so.3' → a group a comma, an alternative a bar."""
    groups = []
    for group in text.split(","):
        found = (_DEPENDENCY.match(word.strip()) for word in group.split("|"))
        alternatives = tuple(Alternative(m[1], m[2] or "", m[3] or "") for m in found if m)
        if alternatives:
            groups.append(alternatives)
    return tuple(groups)


class Unsatisfied(Exception):
    """A dependency that neither the system nor the archive can give. The text names it."""


def closure(
    root: Package,
    lookup: Callable[[str], Package | None],
    installed: Callable[[Iterable[str]], Mapping[str, str]],
    wanted: Callable[[str], bool],
) -> tuple[Package, ...]:
    """A package and what it needs, and that in turn, as far as a system lacks it.

    ``installed`` gives the versions of those names that a system has or provides ("": of no version).
    ``wanted``: which missing packages are brought at all, by name; others are left out. Unsatisfied.
    """
    taken = {root.name: root}
    new = [root]
    while new:
        groups = [group for package in new for group in package.depends]
        there = installed(sorted({one.name for group in groups for one in group}))
        new = []
        for group in groups:
            if any(one.name in taken or _has(there, one) for one in group):
                continue
            missing = [one for one in group if wanted(one.name)]
            if not missing:
                _refuse_older(group, there)
                continue
            found = next((p for one in missing if (p := lookup(one.name)) is not None), None)
            if found is None:
                raise Unsatisfied(" or ".join(map(str, missing)))
            taken[found.name] = found
            new.append(found)
    return tuple(taken.values())


def _has(there: Mapping[str, str], one: Alternative) -> bool:
    version = there.get(one.name)
    return version is not None and (not version or satisfies(version, one.relation, one.version))


def _refuse_older(group: Iterable[Alternative], there: Mapping[str, str]) -> None:
    """What is installed and does not fit cannot be mended by leaving it out."""
    for one in group:
        if one.name in there:
            raise Unsatisfied(f"{one}, and the system has {there[one.name]}")
