"""The one archive that a board gets: the same parts, the same bytes, and nothing that is not needed."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from arenascope.domain import apt
from arenascope.errors import Cancelled, FileError, SetupError
from arenascope.remote import provision
from arenascope.remote.debian import Found
from tests.support import packages

SITE = "usr/lib/python3/dist-packages"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    files = {
        "tflite_runtime/interpreter.py": "pass",
        "tflite_runtime/tests/test_it.py": "no",
        "x-1.data/purelib/pure.py": "pure",
        "x-1.data/platlib/plat.py": "plat",
        "x-1.data/scripts/tool": "no",
        "x-1.data/headers/a.h": "no",
        "numpy/core/include/a.h": "no",
        "numpy/stub.pyi": "no",
    }
    return packages.wheel(tmp_path, "tflite-runtime", "2.14.0", files, "armv7l", "cp311")


def found(name: str, data: bytes) -> tuple[Found, bytes]:
    package = apt.package(packages.listed(name, "1:1.24.2-1", data))
    return Found(apt.Source("http://one.example/debian", "bookworm", ("main",)), package), data


NUMPY = found("python3-numpy", packages.deb({
    f"{SITE}/numpy/__init__.py": b"", f"{SITE}/numpy/tests/no.py": b"", f"{SITE}/numpy/a.pyc": b"",
}))  # fmt: skip
BLAS = found("libblas3", packages.deb(
    {"usr/lib/x/libblas.so.3.1": b"blas"}, {"usr/lib/x/libblas.so.3": "libblas.so.3.1"}
))  # fmt: skip


def packed(wheel: Path, target: Path) -> provision.Packed:
    return provision.pack([(packages.locked(wheel, "armv7l", "cp311"), wheel)], [NUMPY, BLAS], target)


def test_what_is_in_it(wheel: Path, tmp_path: Path) -> None:
    made = packed(wheel, tmp_path / "out" / "e.zip")
    with zipfile.ZipFile(made.path) as archive:
        names = archive.namelist()
        manifest = json.loads(archive.read("manifest.json"))
        assert sum(entry.file_size for entry in archive.infolist()) == made.unpacked
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100600}
    assert [name for name in names if "dist-info" not in name] == [
        "lib/libblas.so.3", "manifest.json", "site/numpy/__init__.py", "site/plat.py", "site/pure.py",
        "site/tflite_runtime/interpreter.py",
    ]  # fmt: skip
    assert [(one["name"], one["version"]) for one in manifest["packages"]] == [
        ("tflite-runtime", "2.14.0"), ("python3-numpy", "1:1.24.2-1"), ("libblas3", "1:1.24.2-1"),
    ]  # fmt: skip
    assert manifest["packages"][1]["from"] == "http://one.example/debian/dists/bookworm/"
    assert all(len(one["sha256"]) == 64 for one in manifest["packages"])
    assert made.bytes == made.path.stat().st_size


def test_the_same_parts_make_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    assert packed(wheel, tmp_path / "1.zip").sha256 == packed(wheel, tmp_path / "2.zip").sha256


def test_it_can_be_stopped_between_two_parts(wheel: Path, tmp_path: Path) -> None:
    def stop() -> None:
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        provision.pack([], [NUMPY], tmp_path / "e.zip", stop)
    assert not (tmp_path / "e.zip").exists()


def test_a_wheel_that_reaches_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    evil = packages.wheel(tmp_path, "x", "1", {"../evil.py": ""}, "armv7l", "cp311")
    with pytest.raises(SetupError, match="reaches out of its folder"):
        list(provision.wheel_files(evil))
    evil.write_bytes(b"nothing")
    with pytest.raises(SetupError, match="cannot be unpacked"):
        list(provision.wheel_files(evil))


def test_a_place_that_cannot_be_written_is_told(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileError):
        packed(wheel, tmp_path / "file" / "e.zip")
