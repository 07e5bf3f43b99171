"""How the images of the boards are named, kept, and made whole or not at all. No board runs here."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.board import __main__ as make_board
from tests.board import build, cache, kernel, userland
from tests.board.recipe import ARM64, ARMHF, ARMHF_BARE, ARMHF_ON_ARM64, KINDS
from tests.board.workshop import BoardBuildError, Workshop

DAY = 24 * 3600.0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of this test."""
    monkeypatch.setattr(cache, "FOLDER", tmp_path)
    return tmp_path


def test_the_third_board_is_made_of_parts_of_the_others() -> None:
    assert ARMHF_ON_ARM64.userland is ARMHF.userland
    assert ARMHF_ON_ARM64.kernel is ARM64.kernel
    assert ARMHF_BARE.userland is ARMHF.userland
    parts = {cache.folder_of(part) for kind in KINDS.values() for part in (kind.kernel, kind.userland)}
    assert len(parts) == 4


def test_the_name_follows_the_recipe_and_the_code() -> None:
    part = ARMHF.userland
    assert cache.recipe_hash(part) == cache.recipe_hash(replace(part))
    assert cache.recipe_hash(part) != cache.recipe_hash(replace(part, disk="3G"))
    assert cache.recipe_hash(part) != cache.recipe_hash(ARM64.userland)


def test_words_for_people_do_not_change_the_name() -> None:
    code = 'def f():\n    """Says {}."""\n    return 1  # {}\n'
    assert cache.code_alone(code.format("one", "x")) == cache.code_alone(code.format("two", "y"))
    assert cache.code_alone(code) != cache.code_alone(code.replace("1", "2"))


def test_a_part_is_whole_or_not_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_check_this_computer", lambda parts: None)
    monkeypatch.setattr(kernel, "build", lambda part, work, shop: (work / "vmlinuz").write_text("kernel"))

    def fails(part: object, work: Path, shop: Workshop) -> None:
        (work / "root").mkdir()
        shop.run(["sh", "-c", "echo the mirror is gone >&2; exit 7"])

    monkeypatch.setattr(userland, "build", fails)
    with pytest.raises(BoardBuildError, match=r"(?s)ended with 7.*the mirror is gone.*userland-armhf\.log"):
        build.build([ARMHF])
    left = [path.name for path in folder.iterdir() if path.is_dir()]
    assert left == [cache.folder_of(ARMHF.kernel).name]
    assert build.lacking([ARMHF]) == ["userland-armhf"]


def test_what_is_there_is_not_built_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in (ARMHF.kernel, ARMHF.userland):
        cache.folder_of(part).mkdir()
    monkeypatch.setattr(build, "_check_this_computer", lambda parts: pytest.fail("something is built"))
    build.build([ARMHF, ARMHF_BARE])


def test_who_is_not_root_is_told_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_PROGRAMS", ())
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(BoardBuildError, match=r"userland-armhf.*needs root.*make boards.*BOARD=0"):
        build.build([ARMHF])


def test_missing_programs_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_PROGRAMS", ("sh", "no-such-program"))
    with pytest.raises(BoardBuildError, match=r"no-such-program is not here.*make boards"):
        build.build([ARMHF])


def test_what_nobody_uses_goes_after_two_weeks(folder: Path) -> None:
    now = time.time()
    ages = {"kernel-armhf-new": 90.0, "kernel-armhf-old": 13.0, "kernel-armhf-older": 15.0}
    ages |= {".userland-armhf-cut-off": 0.1, "running-now": 1.0, "running-left": 3.0}
    for name, days in ages.items():
        (folder / name / "inside").mkdir(parents=True)
        os.utime(folder / name, (now - days * DAY, now - days * DAY))
    (folder / "kernel-armhf.log").touch()
    gone = cache.prune({folder / "kernel-armhf-new"}, now)
    assert [path.name for path in gone] == [".userland-armhf-cut-off", "kernel-armhf-older", "running-left"]
    left = sorted(path.name for path in folder.iterdir())
    assert left == ["kernel-armhf-new", "kernel-armhf-old", "kernel-armhf.log", "running-now"]


def test_use_is_noted(folder: Path) -> None:
    made = cache.folder_of(ARMHF.kernel)
    made.mkdir()
    os.utime(made, (0, 0))
    assert cache.used(ARMHF.kernel) == made
    assert made.stat().st_mtime > time.time() - DAY


def test_the_command_for_people_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        make_board.parser().parse_args(["--help"])
    said = capsys.readouterr().out
    assert "make board ARCH=armhf|arm64|armhf-on-arm64 BARE=1 PORT=2222 MEMORY=1024" in said
