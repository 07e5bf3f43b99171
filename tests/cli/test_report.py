"""``report``: of a kept run, and of a model that is run first."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from arenascope.cli.report import WRITERS
from arenascope.store.capture import from_json, save
from tests.cli.running import here
from tests.support.captures import example_capture, hostile_capture
from tests.support.models import own


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "run.ascope"
    capture = example_capture()
    save(replace(capture, device=replace(capture.device, name="ada@door.lan")), path)
    return path


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("keep", [False, True])
def test_names_of_people_are_left_out_unless_they_are_asked_for(
    suffix: str, keep: bool, kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / f"report{suffix}"
    options = ["--keep-names"] if keep else []
    ran = here(capsys, "report", kept, "-o", target, *options)
    assert ran.code == 0
    assert str(target) in ran.out
    assert ("ada" in target.read_text(encoding="utf-8")) is keep


def test_a_page_is_the_default(kept: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    from arenascope.__main__ import main

    assert main(["report", str(kept), "--quiet"]) == 0
    assert (tmp_path / "run.html").is_file()


def test_a_model_is_run_and_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "report.json"
    ran = here(capsys, "report", own("cnn_float.tflite"), "-o", target, "--delegate", "none", "--quiet")
    assert ran.code == 0
    assert from_json(json.loads(target.read_text())).options.delegate == "none"


def test_a_crash_is_reported_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "report.html"
    ran = here(capsys, "report", own("crash_invoke.tflite"), "-o", target, "--delegate", "none")
    assert ran.code == 6
    assert "SIGABRT" in target.read_text(encoding="utf-8")


def test_an_unknown_kind_of_report_names_the_known_ones(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = here(capsys, "report", kept, "-o", "report.docx")
    assert ran.code == 2
    for suffix in WRITERS:
        assert suffix in ran.err


def test_a_damaged_capture_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = tmp_path / "damaged.ascope"
    save(example_capture(), damaged)
    damaged.write_bytes(damaged.read_bytes()[:500])
    ran = here(capsys, "report", damaged, "-o", tmp_path / "report.html")
    assert ran.code == 3
    assert "damaged.ascope" in ran.err
    assert not (tmp_path / "report.html").exists()


def test_a_capture_is_known_by_its_content_where_its_name_says_nothing(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    renamed = tmp_path / "run"
    renamed.write_bytes(kept.read_bytes())
    assert here(capsys, "report", renamed, "-o", tmp_path / "report.svg").code == 0


def test_a_model_with_the_name_of_a_capture_is_refused_as_the_window_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disguised = tmp_path / "model.ascope"
    disguised.write_bytes(own("cnn_float.tflite").read_bytes())
    ran = here(capsys, "report", disguised, "-o", tmp_path / "report.svg")
    assert ran.code == 3
    assert "model.ascope" in ran.err


def test_hostile_names_stay_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "hostile.ascope"
    save(hostile_capture(), path)
    for suffix in (".html", ".svg"):
        target = tmp_path / f"report{suffix}"
        assert here(capsys, "report", path, "-o", target).code == 0
        assert "<script>alert" not in target.read_text(encoding="utf-8")
