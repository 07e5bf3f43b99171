"""A file to write: its path in a field, and the system's own dialog behind a button."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget


class FileChoice(QWidget):
    changed = Signal()

    def __init__(self, path: Path, kinds: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kinds = kinds
        self.edit = QLineEdit(str(path))
        self.edit.setAccessibleName("File to write")
        self.edit.textChanged.connect(self.changed)
        browse = QPushButton("Browse…")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.edit, 1)
        row.addWidget(browse)

    @property
    def path(self) -> Path | None:
        text = self.edit.text().strip()
        return Path(text).expanduser() if text else None

    def set_suffix(self, suffix: str, kinds: str) -> None:
        self._kinds = kinds
        if self.path is not None:
            self.edit.setText(str(self.path.with_suffix(suffix)))

    def _browse(self) -> None:
        dialog = QFileDialog(self, "Write to", str(self.path or Path.home()), self._kinds)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        # Whether to replace a file is asked here, by the system's dialog.
        dialog.fileSelected.connect(self.edit.setText)
        dialog.open()
