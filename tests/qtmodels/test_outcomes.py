"""An ending is said once, in whole sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arenascope.domain.measurement import Evidence, Finding, Outcome, Source, Status
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
            "The worker was killed in the first invoke (SIGKILL). Nobody here sent that signal.",
        ),
        (
            Status.KILLED,
            "SIGKILL",
            "killed in invoke_first, cause not provable without permission to read the kernel log; the kernel "
            "counted 1 out-of-memory kill during this run (/proc/vmstat)",
            "The worker was killed in the first invoke (SIGKILL). Cause not provable without permission to read "
            "the kernel log; the kernel counted 1 out-of-memory kill during this run (/proc/vmstat).",
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
    outcome = replace(capture.outcome, phase="invoke_first", signal=signal, message=message, evidence=None)
    notice = notice_of(replace(capture, outcome=outcome))
    assert notice is not None
    assert notice.message == expected


def test_what_the_kernel_says_is_said_first_and_its_line_is_among_the_details() -> None:
    capture = ended_capture(Status.KILLED)
    finding = Finding("The device ran out of memory", "The kernel's log: “Out of memory: …”.", "Add swap.")
    outcome = replace(
        capture.outcome,
        phase="invoke_first",
        signal="SIGKILL",
        message="killed in invoke_first by the kernel, because the device ran out of memory while it held 1.0 MiB",
        findings=(finding,),
        evidence=Evidence(Source.KERNEL_LOG, "Out of memory: …", 3.2),
    )
    notice = notice_of(replace(capture, outcome=outcome))
    assert notice is not None
    assert notice.message == (
        "Out of memory: the kernel killed the worker in the first invoke (SIGKILL). "
        "The device ran out of memory while it held 1.0 MiB."
    )
    assert notice.hint == "Add swap."
    assert notice.detail.splitlines()[:3] == [finding.cause, f"Proof: {finding.proof}", "Remedy: Add swap."]


def test_what_went_well_needs_no_words() -> None:
    assert Outcome(Status.OK).ok
    assert notice_of(example_capture()) is None
