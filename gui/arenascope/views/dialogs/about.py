"""What this program is, and its version."""

from __future__ import annotations

import platform

import PySide6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from ... import __version__
from ..icons import app_icon
from ..labels import label
from .frame import Frame


class AboutDialog(Frame):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("ArenaScope", parent=parent, wide=54)
        sign = QLabel()
        sign.setPixmap(app_icon().pixmap(64, 64))
        words = label(
            "Where the memory of a TensorFlow Lite model lies, tensor by tensor, read on the real device.\n\n"
            f"Version {__version__}\n"
            f"Python {platform.python_version()}, Qt {PySide6.__version__}\n"
            "Apache License 2.0",
            wrap=True,
        )
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QHBoxLayout()
        row.setSpacing(18)
        row.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(words, 1)
        self.body.addLayout(row)
        self.add_button("Close", primary=True, cancel=True)
