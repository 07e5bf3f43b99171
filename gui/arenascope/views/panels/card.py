"""The frame of every panel: a rounded card with a title line."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from ..labels import label


class Card(QFrame):
    """``body`` takes the content, ``head`` what stands right of the title."""

    def __init__(self, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setAccessibleName(title)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(12, 10, 12, 10)
        self.body.setSpacing(6)
        self.head = QHBoxLayout()
        self.head.setSpacing(6)
        if title:
            self.head.addWidget(label(title, "title"))
            self.head.addStretch(1)
            self.body.addLayout(self.head)
