"""The report: one self-contained page of the capture on show. Enter writes it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QWidget

from .file_choice import FileChoice
from .file_dialog import FileDialog


class ReportDialog(FileDialog):
    writeAsked = Signal(object, bool, bool)  #: Path, redact, open it afterwards

    def __init__(self, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(
            "Make a report",
            "One HTML page that needs nothing else: figures, arena map, tensors, phases, parts of the "
            "memory, the curve, how the run ended, how each figure was taken, and the stamp.",
            parent,
            wide=64,
        )
        self.redact = QCheckBox("leave out names of hosts and users")
        self.redact.setChecked(True)
        self.show_it = QCheckBox("open it in the browser afterwards")
        self.show_it.setChecked(True)
        self.file = FileChoice(path, "HTML pages (*.html)")
        self.body.addWidget(self.redact)
        self.body.addWidget(self.show_it)
        self.body.addWidget(self.file)
        self.add_trouble()
        self.add_button("Cancel", cancel=True)
        write = self.add_button("Write Report", primary=True)
        write.clicked.connect(self._go)
        self.file.changed.connect(lambda: write.setEnabled(self.file.path is not None))
        write.setFocus()

    def _go(self) -> None:
        if self.file.path is not None:
            self.writeAsked.emit(self.file.path, self.redact.isChecked(), self.show_it.isChecked())
