"""What every test may rely on: a private home, no network but loopback, a quiet log, nothing left behind.

A test that means to cause a warning in the log says so:

    @pytest.mark.logs(r"cannot be read")
"""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
import threading
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

# Before anything imports Qt.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import hypothesis
import pytest

from tests.support import leftovers
from tests.support.models import MODELS, SHARED

# How long an example takes is the machine's business.
hypothesis.settings.register_profile("no clock", deadline=None)
hypothesis.settings.load_profile("no clock")

#: Folder of a test → its ring, cheapest first.
RINGS = {
    "architecture": "architecture",
    "domain": "pure",
    "tflite": "pure",
    "store": "pure",
    "reporters": "pure",
    "agent": "agent",
    "remote": "link",
    "workflow": "link",
    "qtmodels": "qt",
    "views": "qt",
    "cli": "story",
    "story": "story",
    "board": "board",
}


def pytest_report_header() -> str:
    if MODELS:
        return f"shared models: {len(MODELS)} in {SHARED}"
    return f"shared models: {SHARED} is not here; tests that need it are skipped and named"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test the mark of its ring and run the cheap rings first."""
    names = list(dict.fromkeys(RINGS.values()))
    root = Path(__file__).parent

    def ring(item: pytest.Item) -> str | None:
        folder = item.path.relative_to(root).parts[0] if item.path.is_relative_to(root) else ""
        return RINGS.get(folder)

    for item in items:
        name = ring(item)
        if name is not None:
            item.add_marker(name)
    items.sort(key=lambda item: names.index(found) if (found := ring(item)) else len(names))


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """The first fixture to begin and the last to end: threads, processes, windows and timers are over."""
    before = leftovers.take_stock()
    yield
    left = leftovers.since(before)
    assert not left, "left behind: " + "; ".join(left)


@pytest.fixture(autouse=True)
def private_home(
    nothing_left_behind: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An empty home and settings folder of this test alone; nobody's keys or agent."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("ARENASCOPE_HOME", str(home / "arenascope"))
    for name in ("SSH_AUTH_SOCK", "SSH_ASKPASS", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture(autouse=True)
def quiet_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail on a record of WARNING or above that no ``logs`` mark announces."""
    expected = [str(pattern) for mark in request.node.iter_markers("logs") for pattern in mark.args]
    handler = _Collector()
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)
    surprising = [text for text in handler.texts if not any(re.search(p, text) for p in expected)]
    assert not surprising, "unexpected in the log: " + "; ".join(surprising)


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(f"{record.name}: {record.levelname}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anything but this computer is a fault of the test."""
    for method in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, method, _guarded(getattr(socket.socket, method)))


def _guarded(connect: Any) -> Any:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            raise AssertionError(f"a test tried to reach {address[0]}, which is not this computer")
        return connect(self, address)

    return guarded


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def excepthooks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """``main`` sets hooks of its own; the next test gets Python's back."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
