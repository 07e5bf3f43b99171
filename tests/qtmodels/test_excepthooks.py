"""A fault of ours is a message, on whatever thread it happens."""

from __future__ import annotations

import sys
import threading

from pytestqt.qtbot import QtBot

from arenascope.qtmodels.bridge import GuiBridge
from arenascope.qtmodels.excepthooks import ExceptHooks
from arenascope.qtmodels.notices import Level, Notice


def test_faults_of_every_thread_are_posted(qtbot: QtBot) -> None:
    bridge = GuiBridge()
    heard: list[Notice] = []
    bridge.posted.connect(lambda value, source: heard.append(value))
    bridge.start()
    before = (sys.excepthook, threading.excepthook)
    hooks = ExceptHooks(bridge)
    hooks.install()
    try:

        def breaks() -> None:
            raise ValueError("a fault")

        thread = threading.Thread(target=breaks, name="worker-7")
        thread.start()
        thread.join()
        try:
            breaks()
        except ValueError as error:
            sys.excepthook(ValueError, error, error.__traceback__)
        qtbot.waitUntil(lambda: len(heard) == 2)
    finally:
        hooks.remove()
        bridge.stop()
    assert (sys.excepthook, threading.excepthook) == before
    assert all(n.level is Level.ERROR and "a fault" in n.detail and "Traceback" in n.detail for n in heard)
    assert all("Traceback" not in n.message + n.hint for n in heard)
    assert "worker-7" in heard[0].detail
