"""The private environment: complete or not there, nothing outside its folder, nothing left."""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import sys
import warnings
import zipfile
from pathlib import Path

import pytest

from arenascope_agent import cache, environment, protocol, unpacking
from arenascope_agent.aside import Failure
from tests.agent.harness import Agent
from tests.support.sshd import tiny_disk

MANIFEST = {"packages": [{"name": "numpy", "version": "1.24.2"}], "bytes": 12}


def archive(
    *files: tuple[str, bytes], mode: int = 0o100600, manifest: bool = True, packed: int = zipfile.ZIP_DEFLATED
) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that stands in it twice
        for name, data in (*files, *([("manifest.json", json.dumps(MANIFEST).encode())] if manifest else [])):
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = mode << 16
            entry.compress_type = packed
            file.writestr(entry, data)
    return made.getvalue()


def placed(data: bytes) -> Path:
    """An archive where ``file_adopt`` would have put it."""
    path = Path(cache.root()) / "models" / hashlib.sha256(data).hexdigest()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


GOOD = archive(("site/numpy/__init__.py", b"one"), ("lib/libblas.so.3", b"two"))
PLENTY = 10_000


def tree(folder: str | Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if not path.is_dir())


def test_it_is_unpacked_privately_and_the_archive_goes() -> None:
    path = placed(GOOD)
    assert unpacking.install(str(path), PLENTY) == {"packages": [["numpy", "1.24.2"]], "bytes": 12}
    folder = Path(environment.folder())
    assert tree(folder) == ["lib/libblas.so.3", "manifest.json", "site/numpy/__init__.py"]
    for inside in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(inside.stat().st_mode) == (0o700 if inside.is_dir() else 0o600)
    assert not path.exists()
    assert os.listdir(environment.parent()) == [environment.tag()]


def test_the_workers_get_it_before_what_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    monkeypatch.setenv("PYTHONPATH", "/mine")
    assert environment.variables() == {}
    unpacking.install(str(placed(GOOD)), PLENTY)
    folder = environment.folder()
    assert environment.variables() == {
        "PYTHONPATH": f"{folder}/site:/mine",
        "LD_LIBRARY_PATH": f"{folder}/lib",
    }
    unpacking.install(str(placed(archive(("site/a.py", b"")))), PLENTY)
    assert set(environment.variables()) == {"PYTHONPATH"}


def test_another_python_does_not_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacking.install(str(placed(GOOD)), PLENTY)
    assert sys.implementation.cache_tag in environment.tag()
    monkeypatch.setattr(environment, "tag", lambda: "cpython-399-none")
    assert environment.variables() == {}
    assert environment.summary() is None


@pytest.mark.parametrize("text", ["", "[]", '{"packages": [1], "bytes": 1}', '{"packages": []}'])
def test_a_manifest_that_cannot_be_read_is_none(text: str) -> None:
    unpacking.install(str(placed(GOOD)), PLENTY)
    Path(environment.folder(), "manifest.json").write_text(text)
    assert environment.summary() is None


def test_a_new_one_takes_the_place_of_the_old() -> None:
    unpacking.install(str(placed(GOOD)), PLENTY)
    unpacking.install(str(placed(archive(("site/new.py", b"")))), PLENTY)
    assert tree(environment.folder()) == ["manifest.json", "site/new.py"]
    assert os.listdir(environment.parent()) == [environment.tag()]


def test_what_a_switched_off_board_left_goes_at_the_next_time() -> None:
    for name in (".new-1", ".old-2"):
        (Path(environment.parent()) / name / "site").mkdir(parents=True)
    unpacking.install(str(placed(GOOD)), PLENTY)
    assert os.listdir(environment.parent()) == [environment.tag()]


EVIL = {
    "above": archive(("../evil", b"")),
    "in the middle": archive(("site/../../evil", b"")),
    "absolute": archive(("/tmp/evil", b"")),
    "backslash": archive(("site\\..\\evil", b"")),
    "empty part": archive(("site//evil", b"")),
    "lzma": archive(("site/evil", b"1"), packed=zipfile.ZIP_LZMA),
    "bzip2": archive(("site/evil", b"1"), packed=zipfile.ZIP_BZIP2),
    "link": archive(("site/evil", b"/etc/passwd"), mode=0o120777),
    "device": archive(("site/evil", b""), mode=0o020600),
    "twice": archive(("site/evil", b"1"), ("site/evil", b"2")),
    "through a file": archive(("site", b""), ("site/evil", b"")),
    "bomb": archive(("site/evil", b"\0" * (PLENTY + 1))),
    "bombs": archive(*((f"site/{n}", b"\0" * (PLENTY // 2)) for n in range(3))),
    "no zip": b"PK\3\4 nothing",
    "cut": GOOD[:-30],
    "encrypted": GOOD.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00"),
}


@pytest.mark.parametrize("kind", EVIL)
def test_an_archive_that_is_not_sound_leaves_nothing(kind: str, tmp_path: Path) -> None:
    unpacking.install(str(placed(GOOD)), PLENTY)
    before = tree(environment.folder())
    path = placed(EVIL[kind])
    with pytest.raises(Failure) as failure:
        unpacking.install(str(path), PLENTY)
    assert failure.value.code == protocol.INVALID
    assert not path.exists()
    assert os.listdir(environment.parent()) == [environment.tag()]
    assert tree(environment.folder()) == before
    assert not [found for found in tree(cache.root()) if "evil" in found]


def test_a_file_that_unpacks_to_more_than_it_says_is_refused() -> None:
    """The size in the directory of the archive is a lie, and the content goes on."""
    honest = archive(("site/evil", b"\0" * 5000), manifest=False)
    lie = honest.replace((5000).to_bytes(4, "little"), (50).to_bytes(4, "little"))
    assert lie != honest
    with pytest.raises(Failure):
        unpacking.install(str(placed(lie)), PLENTY)
    assert os.listdir(environment.parent()) == []


def test_a_disk_that_is_too_small_is_told_before_anything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    path = placed(GOOD)
    monkeypatch.setattr(environment, "free", lambda: 1000)
    with pytest.raises(Failure, match=r"0\.0 MB are free .* needs 0\.0 MB") as failure:
        unpacking.install(str(path), PLENTY)
    assert failure.value.code == protocol.NO_SPACE
    assert not path.exists()
    assert os.listdir(environment.parent()) == []


def test_a_disk_that_fills_up_meanwhile_is_told_and_left_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "disk"))
    data = archive(("site/large", os.urandom(300_000)))
    with tiny_disk(tmp_path / "disk", 512):
        path = placed(data)
        monkeypatch.setattr(environment, "free", lambda: 2**40)
        with pytest.raises(Failure) as failure:
            unpacking.install(str(path), 400_000)
        assert failure.value.code == protocol.NO_SPACE
        assert tree(cache.root()) == []


def test_a_folder_of_somebody_else_is_refused(private_home: Path) -> None:
    elsewhere = private_home / "elsewhere"
    elsewhere.mkdir()
    Path(cache.root()).mkdir(parents=True)
    Path(environment.parent()).symlink_to(elsewhere)
    with pytest.raises(Failure, match="is not a folder of this user"):
        unpacking.install(str(placed(GOOD)), PLENTY)
    assert list(elsewhere.iterdir()) == []


def test_removing_takes_all_of_it_and_only_once() -> None:
    assert unpacking.remove() == {"removed": False}
    unpacking.install(str(placed(GOOD)), PLENTY)
    model = placed(b"a model")
    assert unpacking.remove() == {"removed": True}
    assert tree(cache.root()) == [f"models/{model.name}"]
    assert unpacking.remove() == {"removed": False}


def test_removing_follows_no_link(private_home: Path) -> None:
    precious = private_home / "precious"
    precious.mkdir()
    (precious / "thesis").touch()
    Path(cache.root()).mkdir(parents=True)
    Path(environment.parent()).symlink_to(precious)
    assert unpacking.remove() == {"removed": True}
    assert tree(precious) == ["thesis"]


def test_over_the_wire() -> None:
    sha256 = hashlib.sha256(GOOD).hexdigest()
    with Agent() as agent:
        assert agent.answer("probe")["result"]["environment"] is None
        missing = agent.answer("environment_install", sha256=sha256, bytes=PLENTY)
        assert missing["code"] == protocol.NOT_FOUND
        placed(GOOD)
        assert agent.answer("environment_install", sha256=sha256, bytes=PLENTY)["result"]["bytes"] == 12
        assert agent.answer("probe")["result"]["environment"] == {
            "packages": [["numpy", "1.24.2"]], "bytes": 12,
        }  # fmt: skip
        run = agent.run("hang")
        agent.event(run, "phase_started")
        for method in ("environment_install", "environment_remove"):
            assert agent.answer(method, sha256=sha256, bytes=PLENTY)["code"] == protocol.BUSY
        agent.answer("cancel", run=run)
        agent.event(run, "ended")
        assert agent.answer("environment_remove")["result"] == {"removed": True}
        for wrong in (
            {},
            {"sha256": sha256},
            {"sha256": "../../etc", "bytes": 1},
            {"sha256": sha256, "bytes": -1},
        ):
            assert agent.answer("environment_install", **wrong)["code"] == protocol.INVALID


def test_an_archive_is_what_its_name_says(tmp_path: Path) -> None:
    path = placed(GOOD)
    name = path.name
    with Agent() as agent:
        path.write_bytes(GOOD + b"more")
        assert (
            agent.answer("environment_install", sha256=name, bytes=PLENTY)["code"] == protocol.HASH_MISMATCH
        )
        elsewhere = path.rename(tmp_path / "elsewhere")
        elsewhere.write_bytes(GOOD)
        path.symlink_to(elsewhere)
        assert agent.answer("environment_install", sha256=name, bytes=PLENTY)["code"] == protocol.IO_FAILED
        assert agent.answer("probe")["result"]["environment"] is None
    assert elsewhere.read_bytes() == GOOD
