"""Debian's texts: source lists, packages, and what a package needs that a system lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from arenascope.domain.apt import Package, Source, Unsatisfied, closure, dependencies, package, sources

LIST = """\
# a comment
deb http://one.example/debian bookworm main contrib   # and another
deb-src http://one.example/debian bookworm main
deb [arch=amd64,armhf signed-by=/etc/keys/two.gpg] https://two.example/x/ stable main
deb [arch=amd64] http://three.example stable main
deb [ trusted=yes ] cdrom:[Debian]/ bookworm main
deb http://flat.example ./
 deb http://four.example/debian bookworm-updates main
nonsense
"""
DEB822 = """\
Types: deb deb-src
URIs: http://five.example/debian http://six.example/debian
Suites: trixie trixie-updates
Components: main
 contrib
Signed-By: /usr/share/keyrings/five.gpg

# a comment
Types: deb
Enabled: no
URIs: http://off.example
Suites: trixie
Components: main

Types: deb
URIs: http://seven.example
Suites: stable
Components: main
Architectures: arm64
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDME
 -----END PGP PUBLIC KEY BLOCK-----
"""


def test_one_line_sources() -> None:
    assert sources({"/etc/apt/sources.list": LIST}, "armhf") == (
        Source("http://one.example/debian", "bookworm", ("main", "contrib")),
        Source("https://two.example/x/", "stable", ("main",), ("/etc/keys/two.gpg",)),
        Source("http://four.example/debian", "bookworm-updates", ("main",)),
    )
    assert Source("https://two.example/x/", "stable", ()).dist == "https://two.example/x/dists/stable/"


def test_deb822_sources() -> None:
    five = [source for source in sources({"a.sources": DEB822}, "armhf") if "seven" not in source.uri]
    assert [(one.uri, one.suite) for one in five] == [
        ("http://five.example/debian", "trixie"), ("http://five.example/debian", "trixie-updates"),
        ("http://six.example/debian", "trixie"), ("http://six.example/debian", "trixie-updates"),
    ]  # fmt: skip
    assert five[0].components == ("main", "contrib")
    assert five[0].signed_by == ("/usr/share/keyrings/five.gpg",)


def test_a_key_in_the_source_itself() -> None:
    assert not [s for s in sources({"a.sources": DEB822}, "armhf") if "seven" in s.uri]
    (seven,) = (s for s in sources({"a.sources": DEB822}, "arm64") if "seven" in s.uri)
    assert seven.signed_by[0].split("\n")[:3] == ["", "-----BEGIN PGP PUBLIC KEY BLOCK-----", ""]


def test_a_source_that_stands_twice_counts_once() -> None:
    assert len(sources({"a.list": LIST, "b.list": LIST}, "armhf")) == 3


ENTRY = """\
Package: python3-numpy
Source: numpy
Version: 1:1.24.2-1
Installed-Size: 18000
Depends: libc6 (>= 2.34), libblas3 | libblas.so.3, python3 (<< 3.12), python3:any
Pre-Depends: dpkg (>= 1.15)
Filename: pool/main/n/numpy/python3-numpy_1.24.2-1_armhf.deb
Size: 4100000
SHA256: {sha}
Description: a text
 of several lines
"""


def test_a_package() -> None:
    found = package(ENTRY.format(sha="A" * 64))
    assert (found.name, found.version, found.bytes) == ("python3-numpy", "1:1.24.2-1", 4_100_000)
    assert found.path == "pool/main/n/numpy/python3-numpy_1.24.2-1_armhf.deb"
    assert found.sha256 == "a" * 64
    assert found.installed == 18000 * 1024
    assert [[str(one) for one in group] for group in found.depends] == [
        ["dpkg (>= 1.15)"], ["libc6 (>= 2.34)"], ["libblas3", "libblas.so.3"], ["python3 (<< 3.12)"], ["python3"],
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "Package: x\nSize: 1\n", ENTRY.format(sha="nonsense")])
def test_a_package_without_a_hash_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        package(text)


def made(name: str, depends: str = "", version: str = "1") -> Package:
    return Package(name, version, f"pool/{name}.deb", 1, "0" * 64, dependencies(depends))


def brought(packages: list[Package], there: Mapping[str, str]) -> list[str]:
    by_name = {one.name: one for one in packages}

    def installed(names: Iterable[str]) -> dict[str, str]:
        return {name: there[name] for name in names if name in there}

    found = closure(packages[0], by_name.get, installed, lambda name: name.startswith("lib"))
    return [one.name for one in found]


NUMPY = made(
    "python3-numpy", "libc6 (>= 2.34), libblas3 | libblas.so.3, python3-pkg-resources, python3 (<< 3.12)"
)
BLAS = made("libblas3", "libc6 (>= 2.4), libgfortran5 (>= 10)")
FORTRAN = made("libgfortran5", "libc6 (>= 2.34), libgcc-s1")
SYSTEM = {"libc6": "2.36-9", "libgcc-s1": "12.2", "python3": "3.11.2-1"}


def test_what_is_missing_comes_along_and_that_of_it_too() -> None:
    assert brought([NUMPY, BLAS, FORTRAN], SYSTEM) == ["python3-numpy", "libblas3", "libgfortran5"]


def test_what_is_there_or_provided_does_not() -> None:
    assert brought([NUMPY, BLAS, FORTRAN], {**SYSTEM, "libblas3": "3.11"}) == ["python3-numpy"]
    assert brought([NUMPY, BLAS, FORTRAN], {**SYSTEM, "libblas.so.3": ""}) == ["python3-numpy"]


def test_what_is_no_library_is_left_out() -> None:
    assert "python3-pkg-resources" not in brought(
        [NUMPY, BLAS, FORTRAN, made("python3-pkg-resources")], SYSTEM
    )


def test_a_library_that_is_too_old_is_brought_and_another_python_cannot_be() -> None:
    assert "libgcc-s1" in brought(
        [NUMPY, BLAS, made("libgfortran5", "libgcc-s1 (>= 13)"), made("libgcc-s1")], SYSTEM
    )
    with pytest.raises(Unsatisfied, match=r"python3 \(<< 3\.12\), and the system has 3\.13\.5-1"):
        brought([NUMPY, BLAS, FORTRAN], {**SYSTEM, "python3": "3.13.5-1"})


def test_what_the_archive_has_not_is_named() -> None:
    with pytest.raises(Unsatisfied, match=r"libblas3 or libblas\.so\.3"):
        brought([NUMPY], SYSTEM)
    with pytest.raises(Unsatisfied, match="libgfortran5"):
        brought([NUMPY, BLAS], SYSTEM)


def test_packages_that_need_each_other_come_to_an_end() -> None:
    assert brought([made("a", "libb"), made("libb", "libc"), made("libc", "libb")], {}) == [
        "a",
        "libb",
        "libc",
    ]
