"""Cancelling: once, from anywhere, and heard by who comes late."""

from __future__ import annotations

import threading

import pytest

from arenascope.errors import Cancelled
from arenascope.workflow.jobs import CancelToken, JobRunner


def test_callbacks_hear_a_cancel_once() -> None:
    token, heard = CancelToken(), []
    token.on_cancel(lambda: heard.append("early"))
    token.cancel()
    token.cancel()
    token.on_cancel(lambda: heard.append("late"))
    assert heard == ["early", "late"]
    with pytest.raises(Cancelled):
        token.raise_if_cancelled()


def test_a_callback_that_was_taken_back_hears_nothing() -> None:
    token, heard = CancelToken(), []
    forget = token.on_cancel(lambda: heard.append(1))
    forget()
    token.cancel()
    assert heard == []


def test_waiting_ends_when_the_cancel_comes_from_another_thread() -> None:
    token = CancelToken()
    thread = threading.Thread(target=token.cancel)
    thread.start()
    assert token.wait(10)
    thread.join()


def test_jobs_of_one_board_run_one_after_another_and_carry_their_errors() -> None:
    runner = JobRunner("test")
    order: list[int] = []
    jobs = [runner.submit(lambda i=i: order.append(i)) for i in range(5)]

    def fail() -> None:
        raise ValueError("carried")

    failed = runner.submit(fail)
    for job in jobs:
        job.result(10)
    with pytest.raises(ValueError, match="carried"):
        failed.result(10)
    runner.close()
    assert order == [0, 1, 2, 3, 4]
