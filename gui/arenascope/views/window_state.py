"""What the window remembers between sittings: where it stands and how its parts are divided."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QByteArray, QDataStream, QIODevice
from PySide6.QtWidgets import QSplitter, QWidget

_VERSION = 1


def geometry_text(window: QWidget) -> str:
    """Base64 of Qt's own bytes."""
    return bytes(window.saveGeometry().toBase64().data()).decode("ascii")


def restore_geometry(window: QWidget, text: str) -> bool:
    """False where there is nothing to restore, or nothing that Qt understands."""
    return bool(text) and window.restoreGeometry(QByteArray.fromBase64(text.encode("ascii", "replace")))


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
