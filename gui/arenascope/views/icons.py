"""Our own line icons, painted in a colour of the theme."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from ..resources import resource_text
from .theme import Theme

_SIZE = 16


def icon(name: str, theme: Theme, role: str = "muted") -> QIcon:
    """The icon ``resources/icons/<name>.svg``; ``role`` names a colour field of the theme."""
    return _made(name, getattr(theme, role).name(), theme.disabled.name())


def pixmap(name: str, color: QColor, ratio: float, size: int = _SIZE) -> QPixmap:
    """``size`` in logical pixels, ``ratio`` that of the device."""
    return _painted(name, color.name(), ratio, size)


def app_icon() -> QIcon:
    made = QIcon()
    renderer = QSvgRenderer(QByteArray(resource_text("icons", "arenascope.svg").encode()))
    for size in (16, 24, 32, 48, 64, 128, 256):
        picture = QPixmap(size, size)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        renderer.render(painter, QRectF(0, 0, size, size))
        painter.end()
        made.addPixmap(picture)
    return made


@lru_cache(maxsize=256)
def _made(name: str, color: str, disabled: str) -> QIcon:
    made = QIcon()
    app = QGuiApplication.instance()
    sharpest = app.devicePixelRatio() if isinstance(app, QGuiApplication) else 1.0
    for ratio in sorted({1.0, sharpest}):
        made.addPixmap(_painted(name, color, ratio, _SIZE))
        made.addPixmap(_painted(name, disabled, ratio, _SIZE), QIcon.Mode.Disabled)
    return made


@lru_cache(maxsize=512)
def _painted(name: str, color: str, ratio: float, size: int) -> QPixmap:
    source = resource_text("icons", f"{name}.svg").replace("currentColor", color)
    renderer = QSvgRenderer(QByteArray(source.encode()))
    picture = QPixmap(round(size * ratio), round(size * ratio))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    renderer.render(painter, QRectF(0, 0, size * ratio, size * ratio))
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture
