"""Where the window stands: on the screens that are there, whole."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect, QSize
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arenascope.qtmodels.session import Session
from arenascope.settings import Settings
from arenascope.views import theme as themes
from arenascope.views.main_window import MainWindow
from arenascope.views.window_state import brought_in, geometry_text
from tests.support.window import FakeBook, connects

SMALL = QRect(0, 0, 1280, 800)
PANEL = QRect(0, 27, 1280, 733)  # with a bar at the top and one at the foot
LEFT_AND_RIGHT = [QRect(0, 0, 1280, 800), QRect(1280, 0, 1920, 1080)]


def window_on(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, area: QRect, geometry: str = "") -> MainWindow:
    monkeypatch.setattr("arenascope.views.window_state.screen_areas", lambda: [area])
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    session = Session(book=FakeBook(), connect=connects)
    window = MainWindow(session, themes.apply(app, "light"), Settings(geometry=geometry))
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    return window


@pytest.mark.parametrize("area", [SMALL, PANEL], ids=["bare", "with bars"])
def test_the_first_size_fits_the_screen(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, area: QRect) -> None:
    window = window_on(qtbot, monkeypatch, area)
    assert area.contains(window.geometry()), window.geometry()
    for part in (window.bar.inspect, window.details, window.status):
        shown = QRect(part.mapToGlobal(part.rect().topLeft()), part.size())
        assert part.isVisible()
        assert area.contains(shown), (part, shown)


def test_a_large_screen_is_not_filled(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    window = window_on(qtbot, monkeypatch, QRect(0, 0, 2560, 1440))
    assert window.size() == QSize(1440, 900)


def test_a_geometry_of_another_screen_is_brought_in(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    large = window_on(qtbot, monkeypatch, QRect(0, 0, 3840, 2160))
    large.setGeometry(2000, 1000, 1500, 1000)
    kept = geometry_text(large)
    assert SMALL.contains(window_on(qtbot, monkeypatch, SMALL, kept).geometry())


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (QRect(100, 50, 1000, 700), QRect(100, 50, 1000, 700)),
        (QRect(0, 0, 1440, 900), QRect(0, 0, 1280, 800)),
        (QRect(-400, -30, 1000, 700), QRect(0, 0, 1000, 700)),
        (QRect(1200, 300, 1400, 900), QRect(1280, 180, 1400, 900)),
        (QRect(9000, 9000, 1440, 700), QRect(0, 100, 1280, 700)),
    ],
)
def test_a_window_is_moved_no_more_than_needed(window: QRect, expected: QRect) -> None:
    assert brought_in(window, LEFT_AND_RIGHT) == expected


def test_without_a_screen_it_stays() -> None:
    assert brought_in(SMALL, []) == SMALL
