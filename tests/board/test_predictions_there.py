"""Predictions and verdicts for boards, held against runs on them. More of both: benchmarks/bench_prediction.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from arenascope.domain.verdict import Fit
from arenascope.resources import resource_path
from arenascope.workflow.connect import connect
from arenascope.workflow.planning import Planning
from tests.board.machine import EmulatedBoard
from tests.support.models import own, shared
from tests.support.predictions import Case, Predictor, held_against_run, judged, rows

pytestmark = pytest.mark.on("armhf")

MIB, GIB = 1024**2, 1024**3


@contextmanager
def predicting(board: EmulatedBoard, user: str = "root") -> Iterator[Predictor]:
    with connect(board.address(user)) as device, Planning() as planning:
        yield Predictor(device, planning)


def model(name: str) -> Path:
    if own(name).exists():
        return own(name)
    return resource_path("examples", name) if name in ("cnn.tflite", "lstm.tflite") else shared(name)


def test_peaks_with_cpu_kernels(board: EmulatedBoard) -> None:
    cases = [
        Case(model("cnn.tflite"), 40),
        Case(model("cnn_int8.tflite"), 2000),
        Case(model("lstm.tflite"), None),
        Case(model("vww_96_float.tflite"), 20),
        Case(model("mobilenet_v2_1.0_224_quant.tflite"), None),
        rows(60 * MIB),
    ]
    with predicting(board) as predictor:
        for case in cases:
            found = held_against_run(predictor, case)
            rest = [(part.part, part.predicted.likely, part.measured) for part in found.parts]
            assert found.close, (case.text, found.unexplained, rest)


@pytest.mark.on("arm64")
def test_peaks_with_the_default_delegate_lie_in_their_range(board: EmulatedBoard) -> None:
    with predicting(board) as predictor:
        for case in (
            Case(model("cnn.tflite"), 40, "default"),
            Case(model("cnn_int8.tflite"), 500, "default"),
            Case(model("lstm.tflite"), None, "default"),
        ):
            found = held_against_run(predictor, case)
            rest = [(part.part, part.predicted, part.measured) for part in found.parts]
            assert found.within, (case.text, found.predicted, found.measured, rest)
            assert found.predicted.width <= 0.15, (case.text, found.predicted)


def holds(predictor: Predictor, case: Case, fit: Fit, limit: str = "") -> None:
    found = judged(predictor, case)
    assert found.right, (found.text, found.verdict.reason, found.capture.outcome.message)
    assert (found.verdict.fit, found.verdict.limit) == (fit, limit), found.verdict.reason


def test_verdicts_by_ram_and_swap(board: EmulatedBoard) -> None:
    with predicting(board) as predictor:
        facts = predictor.device.board
        assert facts.ram_total is not None
        assert facts.swap_total == 0
        holds(predictor, rows(0.2 * facts.ram_total), Fit.FITS)
        holds(predictor, rows(1.002 * facts.ram_total), Fit.REFUSED, "RAM and swap")


def test_verdicts_of_a_kernel_that_promises_everything(board: EmulatedBoard) -> None:
    board.out("sysctl -q vm.overcommit_memory=1")
    try:
        with predicting(board) as predictor:
            holds(predictor, rows(2 * GIB + 4096), Fit.REFUSED, "2 GiB")
            holds(predictor, rows(2 * GIB - 4096), Fit.KILLED, "available memory")
    finally:
        board.out("sysctl -q vm.overcommit_memory=0")


def test_verdicts_of_a_kernel_that_promises_what_it_has(board: EmulatedBoard) -> None:
    board.out("sysctl -q vm.overcommit_memory=2")
    try:
        with predicting(board) as predictor:
            facts = predictor.device.board.limits
            assert facts.commit_limit is not None
            assert facts.committed is not None
            room = facts.commit_limit - facts.committed
            holds(predictor, rows(0.3 * room), Fit.FITS)
            holds(predictor, rows(1.05 * room), Fit.REFUSED, "commit limit")
    finally:
        board.out("sysctl -q vm.overcommit_memory=0")


def test_verdicts_of_a_login_with_a_limit(board: EmulatedBoard) -> None:
    path = "/etc/security/limits.d/tight.conf"
    board.out(f"echo '{board.user} - as 200000' > {path}")
    try:
        with predicting(board, board.user) as predictor:
            limit = predictor.device.board.limits.rlimit_as
            assert limit == 200_000 * 1024
            holds(predictor, rows(0.5 * limit), Fit.FITS)
            holds(predictor, rows(0.95 * limit), Fit.REFUSED, "ulimit -v")
    finally:
        board.out(f"rm {path}")
