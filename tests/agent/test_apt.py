"""What the agent tells of its device's package system, and how it judges a signature."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from arenascope_agent import apt, protocol
from arenascope_agent.aside import Failure
from tests.agent.harness import Agent
from tests.support import signed

WANTED = ["main/binary-armhf/Packages.xz", "main/binary-armhf/Packages.gz"]


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """An /etc/apt that trusts one key, in the armour in which Debian has it."""
    (tmp_path / "trusted.gpg.d").mkdir()
    (tmp_path / "trusted.gpg.d" / "example.asc").write_text(signed.KEY)
    return tmp_path


@pytest.fixture(autouse=True)
def no_descriptor_stays_open() -> Iterator[None]:
    before = os.listdir("/proc/self/fd")
    yield
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_source_lists_are_told_as_they_stand(tmp_path: Path) -> None:
    folder = tmp_path / "sources.list.d"
    folder.mkdir()
    (tmp_path / "sources.list").write_text("deb http://one.example a main\n")
    (folder / "b.list").write_text("deb http://two.example b main\n")
    (folder / "c.sources").write_text("Types: deb\n")
    (folder / "d.list.save").write_text("old")
    (folder / "e.list").mkdir()
    files = apt.sources(str(tmp_path))["files"]
    assert sorted(Path(name).name for name in files) == ["b.list", "c.sources", "sources.list"]
    assert files[str(folder / "b.list")] == "deb http://two.example b main\n"


def test_source_lists_without_end_are_cut(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("#" * 100_000)
    assert apt.sources(str(tmp_path)) == {"files": {}}


STATUS = """\
Package: dpkg
Status: install ok installed
Architecture: armhf
Version: 1.21.22

Package: libopenblas0-pthread
Status: install ok installed
Architecture: armhf
Version: 0.3.21
Provides: libblas.so.3, liblapack.so.3 (= 3.11)
Description: a text
 Package: libnothing
 that goes on

Package: python3-numpy
Status: deinstall ok config-files
Version: 1.24.2

Package: libc6
Status: install ok installed
Version: 2.36-9
"""


def test_what_is_installed_or_provided_is_told(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text(STATUS)
    names = ["libc6", "python3-numpy", "libblas.so.3", "liblapack.so.3", "libnothing", "libblas3"]
    assert apt.installed(names, str(status)) == {
        "architecture": "armhf",
        "packages": {"libc6": "2.36-9", "libblas.so.3": "", "liblapack.so.3": "3.11"},
    }


def test_a_system_without_dpkg_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no Debian system") as failure:
        apt.installed([], str(tmp_path / "status"))
    assert failure.value.hint


@pytest.mark.parametrize("release", [signed.RELEASE, f"before\n{signed.RELEASE}after\n"])
def test_a_good_signature_gives_the_hashes_that_were_signed(etc: Path, release: str) -> None:
    answer = apt.verify(release, [], WANTED, str(etc))
    assert answer["files"] == {WANTED[0]: [signed.XZ_SHA256, 40]}
    assert answer["fields"]["Codename"] == "example"


def test_what_stands_around_the_signed_text_is_not_read(etc: Path) -> None:
    forged = f"SHA256:\n {'6' * 64} 6 {WANTED[1]}\n\n"
    for release in (forged + signed.RELEASE, signed.RELEASE + forged):
        try:
            assert WANTED[1] not in apt.verify(release, [], WANTED, str(etc))["files"]
        except Failure as failure:
            assert failure.code == protocol.HASH_MISMATCH


@pytest.mark.parametrize("how", ["a path", "its text"])
def test_the_keys_that_a_source_names_count_and_no_others(etc: Path, tmp_path: Path, how: str) -> None:
    def named(key: str) -> list[str]:
        if how == "its text":
            return [key]
        (tmp_path / "key.asc").write_text(key)
        return [str(tmp_path / "key.asc")]

    assert apt.verify(signed.RELEASE, named(signed.KEY), WANTED, str(etc))["files"]
    with pytest.raises(Failure, match="not one that this device trusts"):
        apt.verify(signed.RELEASE, named(signed.OTHER_KEY), WANTED, str(etc))


def test_a_changed_release_is_refused(etc: Path) -> None:
    with pytest.raises(Failure) as failure:
        apt.verify(signed.RELEASE.replace(signed.XZ_SHA256, "4" * 64), [], WANTED, str(etc))
    assert failure.value.code == protocol.HASH_MISMATCH
    assert "BAD signature" in failure.value.detail
    with pytest.raises(Failure):
        apt.verify("no signature at all", [], WANTED, str(etc))


def test_a_clock_that_stands_in_the_past_does_no_harm(tmp_path: Path) -> None:
    assert apt.verify(signed.FUTURE_RELEASE, [signed.FUTURE_KEY], WANTED, str(tmp_path))["files"]


def test_a_system_without_keys_is_told(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="None of the keys") as failure:
        apt.verify(signed.RELEASE, ["/nowhere.gpg"], WANTED, str(tmp_path))
    assert "/nowhere.gpg" in failure.value.detail


def test_a_system_without_gpgv_is_told(etc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Failure, match="gpgv is not on this device") as failure:
        apt.verify(signed.RELEASE, [], WANTED, str(etc))
    assert failure.value.hint.endswith("sudo apt install gpgv")


def test_a_gpgv_that_hangs_is_ended(etc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*args: object, **options: object) -> None:
        raise subprocess.TimeoutExpired("gpgv", 1)

    monkeypatch.setattr(subprocess, "run", hangs)
    with pytest.raises(Failure, match="did not come to an end"):
        apt.verify(signed.RELEASE, [], WANTED, str(etc))


def test_nothing_is_written_for_it(private_home: Path, etc: Path) -> None:
    apt.verify(signed.RELEASE, [], WANTED, str(etc))
    assert list(private_home.iterdir()) == []


def test_over_the_wire() -> None:
    with Agent() as agent:
        answer = agent.answer("apt_verify", release=signed.RELEASE, signed_by=[signed.KEY], wanted=WANTED)
        assert answer["result"]["files"] == {WANTED[0]: [signed.XZ_SHA256, 40]}
        refused = agent.answer("apt_verify", release=signed.RELEASE, signed_by="key", wanted=WANTED)
        assert refused["code"] == protocol.INVALID
        assert set(agent.answer("apt_sources")["result"]) == {"files"}
        assert set(agent.answer("apt_installed", names=["libc6"])["result"]) == {"architecture", "packages"}
