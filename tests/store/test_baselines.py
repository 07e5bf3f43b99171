"""What was measured of boards is kept, and a file that cannot be used is no more than nothing kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from arenascope.domain.calibration import Calibration, Point
from arenascope.domain.ranges import Range
from arenascope.store import baselines
from arenascope.store.baselines import CalibrationKey, Kept
from tests.domain.predicting import BASELINE

KEY = CalibrationKey("0" * 64, BASELINE.identity, None, "")
FOUND = Calibration(Point(1, 2), Point(3, 4), "two runs")
KEPT = Kept().with_baseline(BASELINE).with_calibration(KEY, FOUND)


def test_what_is_kept_comes_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "baselines.json"
    assert baselines.load(path) == Kept()
    baselines.save(KEPT, path)
    back = baselines.load(path)
    assert back == KEPT
    assert back.baseline(BASELINE.identity) == BASELINE
    assert back.calibration(KEY) == FOUND
    found = back.baseline(BASELINE.identity)
    assert found is not None
    assert (found.space.mapped, found.space.data) == (BASELINE.space.mapped, BASELINE.space.data)


def test_a_changed_system_finds_nothing() -> None:
    other = replace(BASELINE.identity, kernel="Linux 6.12")
    assert KEPT.baseline(other) is None
    assert KEPT.calibration(replace(KEY, identity=other)) is None
    assert KEPT.calibration(replace(KEY, threads=4)) is None


def test_a_new_measurement_replaces_the_old_one() -> None:
    newer = replace(BASELINE, none=replace(BASELINE.none, rss=Range(1, 2, 3)))
    assert KEPT.with_baseline(newer).baselines == (newer,)


def test_only_the_newest_are_kept() -> None:
    kept = Kept()
    for number in range(baselines.MOST_BASELINES + 5):
        named = replace(BASELINE, identity=replace(BASELINE.identity, kernel=str(number)))
        kept = kept.with_baseline(named)
    assert len(kept.baselines) == baselines.MOST_BASELINES
    assert kept.baselines[-1].identity.kernel == str(baselines.MOST_BASELINES + 4)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_as_nothing_kept(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "baselines.json"
        path.write_bytes(data)
        assert baselines.load(path) == Kept()


def test_a_file_of_another_version_or_with_a_wrong_value_counts_as_nothing(tmp_path: Path) -> None:
    path = tmp_path / "baselines.json"
    baselines.save(KEPT, path)
    document = json.loads(path.read_text())
    for change in (
        {"schema": "arenascope.baselines/0"},
        {"calibrations": [{}]},
        {"baselines": [document["baselines"][0] | {"none": {"rss": {"low": 3, "likely": 2, "high": 1}}}]},
        {"baselines": [document["baselines"][0] | {"space": {"mapped": -1}}]},
    ):
        path.write_text(json.dumps(document | change))
        assert baselines.load(path) == Kept()
