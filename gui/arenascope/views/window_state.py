"""What the window remembers between sittings: where it stands and how its parts are divided."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QByteArray, QDataStream, QIODevice, QRect
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSplitter, QStyle, QWidget

_VERSION = 1


def geometry_text(window: QWidget) -> str:
    """Base64 of Qt's own bytes."""
    return bytes(window.saveGeometry().toBase64().data()).decode("ascii")


def restore_geometry(window: QWidget, text: str) -> bool:
    """False where there is nothing to restore, or nothing that Qt understands."""
    return bool(text) and window.restoreGeometry(QByteArray.fromBase64(text.encode("ascii", "replace")))


def screen_areas() -> list[QRect]:
    """What windows may cover of each screen, the primary one first."""
    primary = QGuiApplication.primaryScreen()
    screens = sorted(QGuiApplication.screens(), key=lambda screen: screen is not primary)
    return [screen.availableGeometry() for screen in screens]


def brought_in(window: QRect, areas: Sequence[QRect]) -> QRect:
    """``window`` made to fit, and moved onto, the area that it covers most of; else the first one."""

    def covered(area: QRect) -> int:
        common = area & window
        return max(0, common.width()) * max(0, common.height())

    if not areas:
        return window
    area = max(areas, key=covered)
    size = window.size().boundedTo(area.size())
    left = min(max(window.left(), area.left()), area.right() + 1 - size.width())
    top = min(max(window.top(), area.top()), area.bottom() + 1 - size.height())
    return QRect(left, top, size.width(), size.height())


def bring_onto_screens(window: QWidget) -> None:
    """Before it is shown: nothing of it, its title bar included, may lie beside the screens."""
    if window.isMaximized() or window.isFullScreen():
        return
    bar = window.style().pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight)
    edge = window.style().pixelMetric(QStyle.PixelMetric.PM_MdiSubWindowFrameWidth)
    areas = [area.adjusted(edge, bar, -edge, -edge) for area in screen_areas()]
    wanted = brought_in(window.geometry(), areas)
    if wanted.size() != window.size():
        window.resize(wanted.size())
    if not any(area.contains(window.geometry()) for area in areas):
        window.setGeometry(wanted)


def splitters_text(splitters: Sequence[QSplitter]) -> str:
    data = QByteArray()
    stream = QDataStream(data, QIODevice.OpenModeFlag.WriteOnly)
    stream.writeInt32(_VERSION)
    stream.writeInt32(len(splitters))
    for splitter in splitters:
        stream << splitter.saveState()
    return bytes(data.toBase64().data()).decode("ascii")


def restore_splitters(splitters: Sequence[QSplitter], text: str) -> bool:
    """All or none: the state of another version of the window is left alone."""
    stream = QDataStream(QByteArray.fromBase64(text.encode("ascii", "replace")))
    if not text or stream.readInt32() != _VERSION or stream.readInt32() != len(splitters):
        return False
    states = []
    for _ in splitters:
        state = QByteArray()
        stream >> state
        states.append(state)
    if stream.status() is not QDataStream.Status.Ok:
        return False
    return all(s.restoreState(state) for s, state in zip(splitters, states, strict=True))
