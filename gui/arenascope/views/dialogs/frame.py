"""The frame of our dialogs: a headline, a line that says what it is about, the content, the buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ..labels import label


class Frame(QDialog):
    """``body`` takes the content. Open it with ``open()``: the window goes on living."""

    def __init__(self, title: str, about: str = "", parent: QWidget | None = None, *, wide: int = 46) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(self.fontMetrics().averageCharWidth() * wide)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(20, 18, 20, 16)
        outer.setSpacing(10)
        headline = label(title, "figure", wrap=True)
        outer.addWidget(headline)
        self.about = label(about, "muted", wrap=True)
        self.about.setVisible(bool(about))
        outer.addWidget(self.about)
        self.body = QVBoxLayout()
        self.body.setSpacing(8)
        outer.addLayout(self.body, 1)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(8)
        self.buttons.addStretch(1)
        outer.addSpacing(4)
        outer.addLayout(self.buttons)

    def add_button(self, text: str, *, primary: bool = False, cancel: bool = False) -> QPushButton:
        """``primary`` is what Enter does; ``cancel`` closes the dialog."""
        button = QPushButton(text)
        button.setAutoDefault(primary)
        button.setDefault(primary)
        if cancel:
            button.clicked.connect(self.reject)
        self.buttons.addWidget(button)
        return button
