"""An ending is said once, in whole sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arenascope.domain.measurement import Outcome, Status
from arenascope.qtmodels.outcomes import notice_of
from tests.support.captures import ended_capture, example_capture


@pytest.mark.parametrize(
    ("status", "signal", "message", "expected"),
    [
        (
            Status.CANCELLED,
            None,
            "cancelled in invoke_first",
            "Stopped as asked in the first invoke.",
        ),
        (
            Status.CRASHED,
            "SIGABRT",
            "the runtime aborted its process in invoke_first (SIGABRT); it last wrote: ERROR: no",
            "The runtime crashed in the first invoke (SIGABRT). "
            "The runtime aborted its process. It last wrote: ERROR: no.",
        ),
        (
            Status.KILLED,
            "SIGKILL",
            "killed in invoke_first by SIGKILL, which nobody here sent",
            "The kernel killed the worker in the first invoke (SIGKILL). Nobody here sent that signal.",
        ),
        (
            Status.TIMED_OUT,
            None,
            "not done in invoke_first after 5 s",
            "The run took too long in the first invoke and was stopped. Not done after 5 s.",
        ),
        (
            Status.FAILED,
            None,
            "tensorflow/lite/kernels/x.cc:1 a != b",
            "The runtime could not run this model in the first invoke. tensorflow/lite/kernels/x.cc:1 a != b.",
        ),
    ],
)
def test_an_ending_is_said_once(status: Status, signal: str | None, message: str, expected: str) -> None:
    capture = ended_capture(status)
    outcome = replace(capture.outcome, phase="invoke_first", signal=signal, message=message)
    notice = notice_of(replace(capture, outcome=outcome))
    assert notice is not None
    assert notice.message == expected


def test_what_went_well_needs_no_words() -> None:
    assert Outcome(Status.OK).ok
    assert notice_of(example_capture()) is None
