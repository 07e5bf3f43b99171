"""Debian packages, opened without dpkg."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from arenascope.errors import SetupError
from arenascope.remote import deb
from tests.support import packages

SITE = "usr/lib/python3/dist-packages"
LIB = "usr/lib/arm-linux-gnueabihf"
FILES = {
    f"{SITE}/numpy/__init__.py": b"import this",
    f"{SITE}/numpy/core/a.so": b"\x7fELF",
    "usr/share/doc/numpy/copyright": b"text",
    f"{LIB}/blas/libblas.so.3.11.0": b"blas",
    f"{LIB}/libplain.so.1": b"plain",
    f"{LIB}/libtool.a": b"static",
}
LINKS = {
    f"{LIB}/blas/libblas.so.3": "libblas.so.3.11.0",
    f"{LIB}/blas/libblas.so": "libblas.so.3",
    f"{SITE}/numpy/link.py": "/etc/passwd",
}


@pytest.mark.parametrize("form", ["xz", "gz", "tar"])
@pytest.mark.parametrize("odd", [False, True])
def test_what_is_taken_of_a_package(form: str, odd: bool) -> None:
    data = packages.deb(FILES, LINKS, form, odd)
    assert dict(deb.python_files(data, "x")) == {
        "numpy/__init__.py": b"import this", "numpy/core/a.so": b"\x7fELF",
    }  # fmt: skip
    assert dict(deb.libraries(data, "x")) == {"libblas.so.3": b"blas", "libplain.so.1": b"plain"}


def test_dpkg_reads_these_packages_the_same(tmp_path: Path) -> None:
    (tmp_path / "x.deb").write_bytes(packages.deb(FILES, LINKS))
    listed = subprocess.run(["ar", "t", tmp_path / "x.deb"], capture_output=True, text=True)
    if listed.returncode == 0:
        assert listed.stdout.split() == ["debian-binary", "control.tar.xz", "data.tar.xz"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no ar archive"),
        (b"PK\3\4", "no ar archive"),
        (packages.ar([("debian-binary", b"2.0\n")]), "no data.tar"),
        (packages.ar([("data.tar.xz", b"nothing")]), "x cannot be unpacked"),
        (packages.deb(FILES)[:-100], "cut short"),
        (packages.ar([("data.tar.xz", b"12345678")]).replace(b"8         `", b"x         `"), "is broken"),
    ],
)
def test_a_package_that_is_not_sound_is_told(data: bytes, why: str) -> None:
    with pytest.raises(SetupError, match="The package x cannot be unpacked") as caught:
        list(deb.python_files(data, "x"))
    assert why in caught.value.message


def test_names_that_lead_elsewhere_are_not_followed() -> None:
    data = packages.deb({f"{SITE}/../../../../etc/passwd": b"evil", f"{LIB}/../../libx.so.1": b"x"})
    assert list(deb.python_files(data, "x")) == []
    assert dict(deb.libraries(data, "x")) == {"libx.so.1": b"x"}  # the name alone counts


def test_zstd_is_told_where_python_cannot_read_it() -> None:
    if sys.version_info >= (3, 14):
        pytest.skip("this Python reads zstd")
    with pytest.raises(SetupError, match="packed with zstd") as caught:
        list(deb.python_files(packages.deb(FILES, form="zst"), "x"))
    assert "sudo apt install python3-numpy" in caught.value.hint
