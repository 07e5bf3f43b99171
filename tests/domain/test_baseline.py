"""What a process holds without a model that counts, from runs of small models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from arenascope.domain.attribution import PYTHON, RUNTIME
from arenascope.domain.baseline import NOISE, base, identity
from arenascope.domain.board import Board
from arenascope.domain.capture import Capture
from arenascope.domain.measurement import Outcome, Status
from arenascope.resources import resource_path
from arenascope.store.capture import load

from .predicting import BASELINE, BOARD


def recorded(name: str) -> Capture:
    return load(Path(resource_path("examples", f"{name}.ascope")))


def test_the_base_spans_its_runs_and_their_noise() -> None:
    captures = [recorded("cnn"), recorded("lstm")]
    found = base(captures)
    assert found is not None
    own = [sum(p.bytes for p in c.attribution if p.part in (PYTHON, RUNTIME)) for c in captures]
    assert (found.rss.low, found.rss.high) == (min(own) - NOISE, max(own) + NOISE)
    assert found.rss.likely == sum(own) // 2
    assert 0 < found.files < found.rss.low
    assert found.heap.high < 4 * 1024 * 1024


def test_runs_that_failed_say_nothing() -> None:
    failed = replace(recorded("cnn"), outcome=Outcome(Status.KILLED))
    assert base([failed]) is None
    assert base([]) is None
    assert base([failed, recorded("lstm")]) == base([recorded("lstm")])


def test_a_baseline_belongs_to_the_whole_system() -> None:
    assert identity(BOARD) == BASELINE.identity
    assert BASELINE.identity.complete
    assert identity(replace(BOARD, numpy="2.0")) != BASELINE.identity
    assert not identity(replace(BOARD, runtime=None)).complete
    assert not identity(Board("new")).complete
    assert identity(replace(BOARD, name="another", ram_available=1)) == BASELINE.identity


def test_each_delegate_setting_has_its_own() -> None:
    assert BASELINE.of("none") is BASELINE.none
    assert BASELINE.of("default") is BASELINE.default
