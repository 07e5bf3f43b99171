"""Light, dark and system: complete, readable, and nothing left in the style's own grey."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QPushButton, QSpinBox, QTabWidget, QWidget
from pytestqt.qtbot import QtBot

from arenascope.domain.roles import ROLES
from arenascope.errors import StoreError
from arenascope.views import theme as themes
from arenascope.views.palette import contrast, mix, readable_on
from arenascope.views.stylesheet import stylesheet
from arenascope.views.theme import Theme, ThemeManager, apply, base_font, qt_palette, tabular
from tests.views.probes import grabbed, share_of

BOTH = ("light", "dark")


@pytest.fixture
def manager(qapp: QApplication) -> Iterator[ThemeManager]:
    """The application's own style and font come back afterwards."""
    font, palette, sheet = QFont(qapp.font()), QPalette(qapp.palette()), qapp.styleSheet()
    made = apply(qapp, "light")
    yield made
    qapp.styleHints().unsetColorScheme()
    made.deleteLater()
    qapp.sendPostedEvents(made, 0)
    qapp.setStyleSheet(sheet)
    qapp.setPalette(palette)
    qapp.setFont(font)


@pytest.mark.parametrize("name", BOTH)
def test_text_can_be_read_on_every_ground(name: str) -> None:
    theme = Theme.load(name)
    for ground in (theme.background, theme.panel, theme.raised, theme.field, theme.hover, theme.selection):
        assert contrast(theme.text, ground) >= 7
        assert contrast(theme.muted, ground) >= 4.5, ground.name()
    for word in (theme.error, theme.warn, theme.ok):
        assert contrast(word, theme.panel) >= 4.5
    assert contrast(theme.accent_text, theme.accent) >= 3.5


@pytest.mark.parametrize("name", BOTH)
def test_every_role_has_a_colour_that_stands_out_from_the_panel(name: str) -> None:
    theme = Theme.load(name)
    for role in (*ROLES, "error"):
        assert contrast(theme.role(role), theme.panel) >= 1.5, role
    assert theme.role("no such role") == theme.muted


@pytest.mark.parametrize("name", BOTH)
def test_no_role_of_the_palette_keeps_the_styles_grey(name: str, qapp: QApplication) -> None:
    # The style's own, whatever another test has applied to the application.
    ours, default = qt_palette(Theme.load(name)), QApplication.style().standardPalette()
    for role in QPalette.ColorRole:
        if role in (QPalette.ColorRole.NoRole, QPalette.ColorRole.NColorRoles):
            continue
        for group in (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive):
            assert ours.isBrushSet(group, role), role
    assert ours.color(QPalette.ColorRole.Window) != default.color(QPalette.ColorRole.Window)


@pytest.mark.parametrize("name", BOTH)
def test_the_sheet_is_complete_and_grows_with_the_font(name: str, qapp: QApplication) -> None:
    small, large = (stylesheet(Theme.load(name), size) for size in (9.0, 18.0))
    assert "$" not in small
    sizes = [[float(s) for s in re.findall(r"font-size: ([\d.]+)pt", sheet)] for sheet in (small, large)]
    assert sizes[0]
    assert all(b == pytest.approx(2 * a, rel=0.01) for a, b in zip(*sizes, strict=True))


@pytest.mark.parametrize("name", BOTH)
def test_plain_widgets_show_no_default_grey(name: str, manager: ThemeManager, qtbot: QtBot) -> None:
    manager.set_mode(name)
    tabs = QTabWidget()
    qtbot.addWidget(tabs)
    for widget in (QComboBox(), QSpinBox(), QLineEdit("text"), QPushButton("Go"), QWidget()):
        tabs.addTab(widget, type(widget).__name__)
    tabs.resize(500, 200)
    tabs.show()
    for index in range(tabs.count()):
        tabs.setCurrentIndex(index)
        shown = grabbed(tabs)
        for grey in ("#efefef", "#f0f0f0", "#ffffff" if name == "dark" else "#323232", "#c0c0c0"):
            assert share_of(shown, QColor(grey), 1) < 0.01, (grey, index)


def test_views_are_told_once_per_change(manager: ThemeManager, qtbot: QtBot) -> None:
    told: list[str] = []
    manager.changed.connect(lambda theme: told.append(theme.name))
    manager.set_mode("dark")
    manager.set_mode("dark")
    manager.set_mode("light")
    assert told == ["dark", "light"]
    assert (manager.mode, manager.theme.name) == ("light", "light")


def test_system_follows_the_desktop_and_the_others_do_not(
    manager: ThemeManager, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheme = Qt.ColorScheme.Dark

    class Hints:
        def colorScheme(self) -> Qt.ColorScheme:
            return scheme

        def setColorScheme(self, _: Qt.ColorScheme) -> None: ...

        def unsetColorScheme(self) -> None: ...

    monkeypatch.setattr(manager._app, "styleHints", Hints, raising=False)
    manager.set_mode("system")
    assert manager.theme.dark
    scheme = Qt.ColorScheme.Light
    manager._system_changed()
    assert not manager.theme.dark
    manager.set_mode("light")
    scheme = Qt.ColorScheme.Dark
    manager._system_changed()
    assert not manager.theme.dark


def test_there_is_one_manager_per_application(manager: ThemeManager, qapp: QApplication) -> None:
    assert apply(qapp, "dark") is manager
    with pytest.raises(ValueError, match="sepia"):
        manager.set_mode("sepia")


def test_the_systems_font_keeps_its_size(qapp: QApplication) -> None:
    chosen = QFont("DejaVu Serif", 17)
    assert base_font(chosen).family() == "DejaVu Serif"
    assert base_font(chosen).pointSizeF() == 17
    pixels = QFont("DejaVu Serif")
    pixels.setPixelSize(30)
    assert base_font(pixels).pointSizeF() > 0
    assert tabular(chosen).featureValue(QFont.Tag("tnum")) == 1


def test_a_theme_that_lacks_something_says_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(themes, "resource_text", lambda _: '{"torn": {"roles": {}}}')
    for name in ("torn", "missing"):
        with pytest.raises(StoreError, match=name):
            Theme.load(name)


def test_colours_mix_and_text_stands_out() -> None:
    black, white = QColor("black"), QColor("white")
    assert mix(black, white, 0.5).lightness() == 128
    assert readable_on(QColor("#ffff00")).lightness() < 50
    assert readable_on(QColor("#000080")).lightness() > 200
