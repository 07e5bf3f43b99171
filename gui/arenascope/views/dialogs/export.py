"""Export of the current view: format, scale, names, file. Enter writes it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QHBoxLayout, QLabel, QPushButton, QRadioButton, QWidget

from ..export import SCALES, ExportOptions, Format
from .file_choice import FileChoice
from .file_dialog import FileDialog

_KINDS = {Format.PNG: "PNG pictures (*.png)", Format.SVG: "SVG drawings (*.svg)"}


class ExportDialog(FileDialog):
    writeAsked = Signal(object, object)  #: ExportOptions, Path
    copyAsked = Signal(object)  #: ExportOptions
    previewAsked = Signal(object)  #: ExportOptions that would show something else than before

    def __init__(
        self, title: str, path: Path, options: ExportOptions | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(f"Export: {title}", "With its stamp: model, runtime, board, date.", parent, wide=66)
        options = options or ExportOptions()
        self.preview = QLabel()
        self.preview.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.preview.setFixedHeight(self.fontMetrics().height() * 13)
        self.preview.setAccessibleName("Preview")
        self.body.addWidget(self.preview)

        row = QHBoxLayout()
        row.setSpacing(14)
        self._kinds: dict[tuple[Format, int], QRadioButton] = {}
        group = QButtonGroup(self)
        for scale in SCALES:
            self._add_kind(row, group, f"PNG {scale}×", (Format.PNG, scale))
        self._add_kind(row, group, "SVG", (Format.SVG, 1))
        row.addStretch(1)
        wanted = (options.format, options.scale if options.format is Format.PNG else 1)
        self._kinds[wanted].setChecked(True)
        self.body.addLayout(row)

        self.redact = QCheckBox("leave out names of hosts and users")
        self.redact.setChecked(options.redact)
        self.redact.toggled.connect(lambda: self.previewAsked.emit(self.options))
        self.body.addWidget(self.redact)
        self.file = FileChoice(path, _KINDS[options.format])
        self.body.addWidget(self.file)
        self.add_trouble()
        for button in self._kinds.values():
            button.toggled.connect(self._format_changed)

        copy = QPushButton("Copy Image")
        copy.setAutoDefault(False)
        copy.clicked.connect(self._copy)
        self.buttons.insertWidget(0, copy)
        self.add_button("Cancel", cancel=True)
        self.write = self.add_button("Export", primary=True)
        self.write.clicked.connect(self._go)
        self.file.changed.connect(lambda: self.write.setEnabled(self.file.path is not None))
        self.write.setFocus()

    @property
    def options(self) -> ExportOptions:
        kind = next(kind for kind, button in self._kinds.items() if button.isChecked())
        return ExportOptions(kind[0], kind[1], self.redact.isChecked())

    def choose(self, form: Format, scale: int = 1) -> None:
        self._kinds[(form, scale)].setChecked(True)

    def show_preview(self, image: QImage) -> None:
        ratio = self.devicePixelRatioF()
        room = QSize(self.minimumWidth() - 40, self.preview.height()) * ratio
        shown = image.scaled(
            room, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        shown.setDevicePixelRatio(ratio)
        self.preview.setPixmap(QPixmap.fromImage(shown))

    def _add_kind(self, row: QHBoxLayout, group: QButtonGroup, text: str, kind: tuple[Format, int]) -> None:
        button = QRadioButton(text)
        group.addButton(button)
        row.addWidget(button)
        self._kinds[kind] = button

    def _format_changed(self, checked: bool) -> None:
        if checked:
            form = self.options.format
            self.file.set_suffix(f".{form.value}", _KINDS[form])

    def _copy(self) -> None:
        self.copyAsked.emit(self.options)
        self.accept()

    def _go(self) -> None:
        if self.file.path is not None:
            self.writeAsked.emit(self.options, self.file.path)
