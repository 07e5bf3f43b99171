"""The window of a story, and the fixtures of those that go over SSH."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from arenascope.qtmodels.session import Session
from arenascope.views.main_window import MainWindow
from tests.support.bare_board import bare, index
from tests.support.link_proxy import link_proxy
from tests.support.sshd import server, ssh_dir, start_sshd
from tests.support.window import make_window

__all__ = ["bare", "index", "link_proxy", "server", "ssh_dir", "start_sshd"]


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    made = make_window(qtbot, Session())
    yield made
    made.close()
