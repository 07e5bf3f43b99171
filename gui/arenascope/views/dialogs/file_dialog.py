"""A dialog that has a file written: it stays until the file is there, and says why it is not."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from ...qtmodels.notices import Notice
from ..labels import label
from .frame import Frame


class FileDialog(Frame):
    """``written`` or ``not_written`` is told when the writing is over, the dialog being closed or not."""

    def __init__(self, title: str, about: str = "", parent: QWidget | None = None, *, wide: int = 46) -> None:
        super().__init__(title, about, parent, wide=wide)
        self.trouble = label("", "warn", wrap=True)
        self.trouble.hide()

    def add_trouble(self) -> None:
        """Put the place for an error below what ``body`` holds by now."""
        self.body.addWidget(self.trouble)

    def written(self) -> None:
        if isValid(self):
            self.accept()

    def not_written(self, notice: Notice) -> bool:
        """The error stands in the dialog, so that the path can be mended; False: it was closed meanwhile."""
        if not isValid(self) or not self.isVisible():
            return False
        self.trouble.setText(f"{notice.message.rstrip('.')}. {notice.hint}".strip())
        self.trouble.show()
        layout = self.layout()
        assert layout is not None
        layout.activate()
        self.resize(self.width(), max(self.height(), layout.totalHeightForWidth(self.width())))
        return True
