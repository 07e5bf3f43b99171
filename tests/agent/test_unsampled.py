"""A worker whose memory cannot be read is ended and told of, not left behind."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arenascope_agent import runner
from arenascope_agent.children import Children
from arenascope_agent.loop import Loop

HERE = Path(__file__).resolve().parent


@contextlib.contextmanager
def own_signals() -> Iterator[None]:
    """What the loop does to the signals of this process is undone."""
    before = signal.getsignal(signal.SIGCHLD)
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, before)


def test_it_is_a_failed_run_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(*_: object) -> None:
        raise OSError(24, "Too many open files")

    ends: list[dict[str, Any]] = []
    loop = Loop()

    def ended(end: dict[str, Any]) -> None:
        ends.append(end)
        loop.stop()

    monkeypatch.setattr(runner, "RunSampler", no_more)
    argv = [sys.executable, str(HERE / "scripted_worker.py")]
    with own_signals():
        children = Children(loop)
        runner.Run(
            loop, children, argv, 1, "inspect", {"model": "hang"}, None, 20.0, lambda _payload: None, ended
        )
        loop.run()
    (end,) = ends
    assert (end["status"], end["signal"]) == ("failed", "SIGKILL")
    assert end["message"] == "the worker's memory cannot be read: Too many open files"
