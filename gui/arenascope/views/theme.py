"""Colours, fonts and style of the whole window: light, dark, or as the system says.

``resources/theme.json`` holds the colours, for the reports too. Widgets say what they are with the dynamic
property ``role`` (see ``stylesheet.py``); views that paint themselves take a ``Theme`` and repaint on
``ThemeManager.changed``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from ..errors import StoreError
from ..resources import resource_text
from .stylesheet import stylesheet

MODES = ("system", "light", "dark")

#: Families that only mean "whatever there is": Inter is preferred to them where it is installed.
_GENERIC = frozenset({"", "sans", "sans serif", "sans-serif", "dejavu sans"})


_COLORS = (
    "background", "panel", "raised", "field", "hover", "selection", "text", "muted", "disabled", "border",
    "grid", "accent", "accent_text", "error", "warn", "ok",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Theme:
    """One theme of theme.json."""

    name: str  #: "light" or "dark"
    background: QColor
    panel: QColor
    raised: QColor  #: cards, menus, buttons
    field: QColor  #: where one types
    hover: QColor
    selection: QColor
    text: QColor
    muted: QColor
    disabled: QColor
    border: QColor
    grid: QColor
    accent: QColor
    accent_text: QColor
    error: QColor
    warn: QColor
    ok: QColor
    roles: dict[str, QColor]  #: what a tensor is in the model → colour of its block
    provenance: dict[str, QColor]
    charts: tuple[QColor, ...]  #: colours of series, in order

    @staticmethod
    @cache
    def load(name: str) -> Theme:
        """The theme "light" or "dark". Raises StoreError where theme.json lacks something."""
        try:
            table = json.loads(resource_text("theme.json"))[name]
            return Theme(
                name=name,
                roles={key: QColor(value) for key, value in table["roles"].items()},
                provenance={key: QColor(value) for key, value in table["provenance"].items()},
                charts=tuple(QColor(value) for value in table["charts"]),
                **{key: QColor(table[key]) for key in _COLORS},
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"The theme {name!r} in theme.json cannot be used: {error}") from error

    @property
    def dark(self) -> bool:
        return self.name == "dark"

    def role(self, key: str) -> QColor:
        """Colour of a role; one that the theme does not know is muted."""
        return self.roles.get(key, self.muted)


class ThemeManager(QObject):
    """Applies a theme to the application and tells the views. One per application."""

    changed = Signal(object)  #: Theme

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._mode = "system"
        self._theme: Theme | None = None
        app.styleHints().colorSchemeChanged.connect(self._system_changed)

    @property
    def mode(self) -> str:
        return self._mode

    @property
    def theme(self) -> Theme:
        return self._theme if self._theme is not None else Theme.load("light")

    def set_mode(self, mode: str) -> None:
        """``mode``: "light", "dark" or "system" (follow the desktop, also when it changes)."""
        if mode not in MODES:
            raise ValueError(f"no such theme: {mode!r}")
        self._mode = mode
        hints = self._app.styleHints()
        if mode == "system":
            hints.unsetColorScheme()
        else:
            hints.setColorScheme(Qt.ColorScheme.Dark if mode == "dark" else Qt.ColorScheme.Light)
        self._apply(self._wanted())

    def _wanted(self) -> Theme:
        if self._mode != "system":
            return Theme.load(self._mode)
        dark = self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return Theme.load("dark" if dark else "light")

    def _system_changed(self) -> None:
        if self._mode == "system" and self._theme is not None:
            self._apply(self._wanted())

    def _apply(self, theme: Theme) -> None:
        if theme is self._theme:
            return
        first = self._theme is None
        self._theme = theme
        if first:
            self._app.setStyle("Fusion")
            self._app.setFont(base_font(self._app.font()))
        self._app.setPalette(qt_palette(theme))
        self._app.setStyleSheet(stylesheet(theme, self._app.font().pointSizeF()))
        self.changed.emit(theme)


def apply(app: QApplication, mode: str = "system") -> ThemeManager:
    """Style ``app``; the manager lives as long as the application and is the same at every call."""
    manager = app.findChild(ThemeManager)
    if manager is None:
        manager = ThemeManager(app)
    manager.set_mode(mode)
    return manager


def base_font(system: QFont) -> QFont:
    """The system's font and size; a merely generic family gives way to Inter where that is installed."""
    font = QFont(system)
    if system.family().lower() in _GENERIC and "Inter" in QFontDatabase.families():
        font.setFamily("Inter")
    if font.pointSizeF() <= 0:  # given in pixels
        font.setPointSizeF(10.0)
    return font


def tabular(font: QFont) -> QFont:
    """``font`` with digits of one width, for columns of numbers, and 0x kept from becoming 0×."""
    made = QFont(font)
    made.setFeature(QFont.Tag("tnum"), 1)
    made.setFeature(QFont.Tag("calt"), 0)
    return made


def scaled(font: QFont, factor: float, *, bold: bool = False) -> QFont:
    made = QFont(font)
    made.setPointSizeF(font.pointSizeF() * factor)
    if bold:
        made.setWeight(QFont.Weight.DemiBold)
    return made


def qt_palette(theme: Theme) -> QPalette:
    """Every role and group of the palette: whatever a style paints by itself fits too."""
    made = QPalette()
    active = {
        QPalette.ColorRole.Window: theme.background,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.Base: theme.panel,
        QPalette.ColorRole.AlternateBase: theme.raised,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.Button: theme.raised,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.BrightText: theme.error,
        QPalette.ColorRole.Highlight: theme.accent,
        QPalette.ColorRole.HighlightedText: theme.accent_text,
        QPalette.ColorRole.Link: theme.accent,
        QPalette.ColorRole.LinkVisited: theme.accent,
        QPalette.ColorRole.ToolTipBase: theme.raised,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.disabled,
        QPalette.ColorRole.Light: theme.hover,
        QPalette.ColorRole.Midlight: theme.raised,
        QPalette.ColorRole.Mid: theme.border,
        QPalette.ColorRole.Dark: theme.border,
        QPalette.ColorRole.Shadow: theme.background,
        QPalette.ColorRole.Accent: theme.accent,
    }
    for role, color in active.items():
        made.setColor(role, color)
    for role in (
        QPalette.ColorRole.WindowText,
        QPalette.ColorRole.Text,
        QPalette.ColorRole.ButtonText,
    ):
        made.setColor(QPalette.ColorGroup.Disabled, role, theme.disabled)
    return made
