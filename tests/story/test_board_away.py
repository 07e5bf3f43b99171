"""A board that cannot be reached for a while, at the window: a gap that is filled, never a line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from arenascope.domain.measurement import Status
from arenascope.qtmodels.boards_model import BoardItem, BoardState, describe
from arenascope.qtmodels.session import Session
from arenascope.views.main_window import MainWindow
from tests.support.link_proxy import LinkProxy
from tests.support.models import own
from tests.support.sshd import Sshd
from tests.support.window import make_window

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the board is this computer behind an sshd")
LONG = 60_000


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    made = make_window(qtbot, Session())
    yield made
    made.close()
    made.session.close()


@pytest.fixture
def link(
    window: MainWindow,
    qtbot: QtBot,
    server: Sshd,
    ssh_dir: Path,
    link_proxy: Callable[[int], LinkProxy],
) -> LinkProxy:
    """The way to a board named lab, which is met and chosen."""
    made = link_proxy(server.port)
    line = server.known_hosts_line().replace(f":{server.port} ", f":{made.port} ")
    with (ssh_dir / "known_hosts").open("a") as file:
        file.write(line)
    with qtbot.waitSignal(window.session.boards.added, timeout=LONG):
        window.session.boards.add(f"{server.user}@127.0.0.1:{made.port}", "lab")
    return made


def lab(window: MainWindow) -> BoardItem:
    item = window.session.boards.model.item("lab")
    assert item is not None
    return item


def start(window: MainWindow, qtbot: QtBot, *, seconds: float = 300.0) -> None:
    """A run that comes to no end by itself; the board stops it after so many seconds."""
    session = window.session
    with qtbot.waitSignal(session.modelChanged, timeout=LONG):
        session.open(own("hang_while.tflite"))
    session.set_request(replace(session.request, timeout=seconds))
    with qtbot.waitSignal(session.bridge.samplesArrived, timeout=LONG):
        window.actions_["inspect"].trigger()


def cut(window: MainWindow, qtbot: QtBot, link: LinkProxy) -> None:
    link.cut()
    qtbot.waitUntil(lambda: lab(window).state is BoardState.AWAY, timeout=LONG)
    qtbot.waitUntil(lambda: window.live.chart.away is not None, timeout=LONG)


def restore(window: MainWindow, qtbot: QtBot, link: LinkProxy) -> None:
    with qtbot.waitSignal(window.session.bridge.linkBack, timeout=LONG):
        link.restore()


def test_a_run_whose_board_is_away_shows_a_gap_and_fills_it(
    window: MainWindow, qtbot: QtBot, link: LinkProxy
) -> None:
    start(window, qtbot)
    chart, session = window.live.chart, window.session
    cut(window, qtbot, link)
    assert describe(lab(window)).startswith("reconnecting, ")
    assert "connection lost, trying again" in window.status._link.text()
    qtbot.waitUntil(lambda: "connection lost, the run goes on" in window.status._words.text(), timeout=LONG)
    assert "is made again by itself" in window.waiting.text
    first = chart.away
    assert first is not None
    qtbot.waitUntil(lambda: chart.away is not None and chart.away[1] > first[1] + 1, timeout=LONG)
    second = chart.away
    assert second is not None
    assert second[0] == first[0], "time goes on and nothing is drawn"
    assert chart.curves.end is not None
    assert chart.curves.end <= second[0]
    assert not window.banner.isVisible(), "it mends itself"

    restore(window, qtbot, link)
    qtbot.waitUntil(lambda: (chart.curves.end or 0) > second[1], timeout=LONG)
    assert chart.away is None
    assert lab(window).state is BoardState.BUSY
    missed = chart.curves["rss"].t[(chart.curves["rss"].t > second[0]) & (chart.curves["rss"].t < second[1])]
    assert len(missed) > 10, "they came later, with their own times"
    with qtbot.waitSignal(session.runStopped, timeout=LONG):
        window.actions_["cancel"].trigger()
    assert lab(window).state is BoardState.READY


def test_a_run_that_ends_while_its_board_is_away_is_all_there_afterwards(
    window: MainWindow, qtbot: QtBot, link: LinkProxy, server: Sshd
) -> None:
    start(window, qtbot, seconds=4.0)
    cut(window, qtbot, link)
    qtbot.waitUntil(lambda: not [c for c in server.processes() if " child" in c], timeout=LONG)
    with qtbot.waitSignal(window.session.runStopped, timeout=LONG):
        restore(window, qtbot, link)
    capture = window.session.history.entries[0].capture
    assert capture.outcome.status is Status.TIMED_OUT
    assert capture.samples.t[-1] == pytest.approx(4.0, abs=2.0)
    assert np.diff(capture.samples.t).max() < 2.0
    assert [p.name for p in capture.phases][:2] == ["runtime_import", "load"]


def test_a_watched_board_that_is_away_shows_a_gap(window: MainWindow, qtbot: QtBot, link: LinkProxy) -> None:
    with qtbot.waitSignal(window.session.boardSampled, timeout=LONG):
        window.actions_["watch"].trigger()
    before = lab(window).board
    assert before is not None
    assert before.ram_available
    cut(window, qtbot, link)
    watching = window.session.watching
    assert watching is not None
    assert watching.said == "connection lost, trying again"
    restore(window, qtbot, link)
    with qtbot.waitSignal(window.session.boardSampled, timeout=LONG):
        pass
    assert window.live.chart.away is None
    with qtbot.waitSignal(window.session.watchChanged, timeout=LONG):
        window.actions_["watch"].trigger()


def test_while_a_board_is_away_everything_can_be_stopped(
    window: MainWindow, qtbot: QtBot, link: LinkProxy
) -> None:
    start(window, qtbot)
    cut(window, qtbot, link)
    with qtbot.waitSignal(window.session.runStopped, timeout=LONG):
        window.actions_["cancel"].trigger()
    assert lab(window).state is BoardState.AWAY, "it is still being looked for"
    window.actions_["disconnect_board"].trigger()
    assert lab(window).state is BoardState.UNKNOWN


def test_the_window_closes_while_a_board_is_away(window: MainWindow, qtbot: QtBot, link: LinkProxy) -> None:
    start(window, qtbot)
    cut(window, qtbot, link)
    window.close()
    assert not window.isVisible()
