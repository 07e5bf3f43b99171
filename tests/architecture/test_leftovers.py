"""The guard that every test passes through sees what it should."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget

from tests.support import leftovers


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "GRACE", 0.0)


def test_a_thread_is_seen_until_it_ends() -> None:
    before, end = leftovers.take_stock(), threading.Event()
    thread = threading.Thread(target=end.wait, name="forgotten")
    thread.start()
    assert leftovers.since(before) == ["thread forgotten"]
    end.set()
    thread.join()
    assert leftovers.since(before) == []


def test_a_process_is_seen_until_somebody_waits_for_it() -> None:
    before = leftovers.take_stock()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        (found,) = leftovers.since(before)
        assert f"process {process.pid}" in found
    assert leftovers.since(before) == []


def test_a_process_of_the_session_is_not_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "LASTING", set())
    before = leftovers.take_stock()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        leftovers.LASTING.add(process.pid)
        assert leftovers.since(before) == []


def test_a_timer_is_seen_while_it_runs(qapp: QApplication) -> None:
    before, timer = leftovers.take_stock(), QTimer()
    timer.start(60_000)
    (found,) = leftovers.since(before)
    assert __file__ in found
    timer.stop()
    assert leftovers.since(before) == []


def test_a_window_is_seen_while_it_is_open(qapp: QApplication) -> None:
    before, window = leftovers.take_stock(), QWidget()
    window.show()
    assert len(leftovers.since(before)) == 1
    window.close()
    assert leftovers.since(before) == []
