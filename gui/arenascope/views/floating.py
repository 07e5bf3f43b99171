"""A card that floats over the window until one looks elsewhere.

It is a child of the window and no window of its own: nothing depends on a compositor, and its round
corners are round everywhere.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QFrame, QGraphicsDropShadowEffect, QWidget


class Floating(QFrame):
    """Escape, a click outside and a lost focus close it; the focus goes back to where it was."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self.over = over
        self.setProperty("role", "card")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        shadow = QGraphicsDropShadowEffect(self)
        shadow.setBlurRadius(32)
        shadow.setOffset(0, 8)
        shadow.setColor(QColor(0, 0, 0, 110))
        self.setGraphicsEffect(shadow)
        self._before: QWidget | None = None
        self._open = False
        self.hide()

    def show_at(self, corner: QPoint, focus: QWidget) -> None:
        """``corner`` in the coordinates of what it floats over."""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self._before = QApplication.focusWidget()
        self.move(corner)
        self.show()
        self.raise_()
        focus.setFocus(Qt.FocusReason.PopupFocusReason)
        self._open = True
        app.installEventFilter(self)
        app.focusChanged.connect(self._focus_moved)

    def dismiss(self) -> None:
        if not self._open:
            return
        self._open = False
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.removeEventFilter(self)
        app.focusChanged.disconnect(self._focus_moved)
        focus = QApplication.focusWidget()
        if self._before is not None and (focus is None or self.isAncestorOf(focus)):
            self._before.setFocus(Qt.FocusReason.PopupFocusReason)
        self.close()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonPress:
            inside = self.rect().contains(self.mapFromGlobal(event.globalPosition().toPoint()))
            if not inside and isinstance(watched, QWidget):
                self.dismiss()
                return True  # this click closes, and does nothing else
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            event.ignore()

    def _focus_moved(self, _old: QWidget | None, new: QWidget | None) -> None:
        if new is not None and new is not self and not self.isAncestorOf(new):
            self.dismiss()
