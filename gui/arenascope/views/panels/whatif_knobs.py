"""The knobs of the What-if view but for the batch, which stands over its curve."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...domain.board import Board
from ...domain.plain_text import plain
from ...domain.profiles import MACHINES, PROFILES
from ...domain.whatif import MAX_THREADS
from ...qtmodels.whatif_knobs import Knobs, Target, Where
from ..labels import set_tip

DELEGATES = (("Default delegate", "default"), ("CPU kernels", "none"))
_PACKAGES = {"ai_edge_litert": "LiteRT", "tflite_runtime": "tflite"}


class WhatIfKnobs(QWidget):
    """Shows one set of knobs and says what a person makes of it."""

    edited = Signal(object)  #: Knobs
    inputsAsked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._knobs = Knobs()
        self._filling = False
        self.inputs = QToolButton()
        self.inputs.setText("inputs…")
        self.inputs.setAccessibleName("Shapes of the inputs, what if")
        self.inputs.clicked.connect(lambda _checked=False: self.inputsAsked.emit())
        self.threads = QSpinBox()
        self.threads.setRange(0, MAX_THREADS)
        self.threads.setSpecialValueText("threads auto")
        self.threads.setPrefix("threads ")
        self.threads.setAccessibleName("Threads, what if")
        self.threads.setKeyboardTracking(False)
        self.threads.lineEdit().setTextMargins(5, 0, 0, 0)
        set_tip(self.threads, "Threads of the runtime; auto: its own default")
        self.threads.valueChanged.connect(self._edited)
        self.delegate = self._combo("Delegate, what if", "The runtime's default delegate, or its kernels")
        for text, value in DELEGATES:
            self.delegate.addItem(text, value)
        self.preserve = QCheckBox("preserve all")
        self.preserve.setAccessibleName("Preserve all tensors, what if")
        set_tip(self.preserve, "The runtime keeps every intermediate tensor: nothing shares memory")
        self.preserve.toggled.connect(self._edited)
        self.where = self._combo(
            "Board or machine, what if", "Whose kernels and memory the plan is for: a board's, or any machine"
        )
        self.runtime = self._combo("Runtime, what if", "The version of the runtime whose rules are used")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        for widget in (self.where, self.runtime, self.inputs, self.threads, self.delegate, self.preserve):
            widget.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            column.addWidget(widget)

    def show_knobs(self, knobs: Knobs, target: Target, board: Board | None, run: Board | None) -> None:
        """``board``: the chosen one; ``run``: of the capture on show, where it is another."""
        self._knobs, self._filling = knobs, True
        asked = knobs.asked
        count = len(asked.inputs)
        self.inputs.setText(f"inputs ({count} set)…" if count else "inputs…")
        shapes = "\n".join(f"{plain(n, 60)} {list(s)}" for n, s in asked.inputs.items())
        set_tip(self.inputs, shapes or "Shapes of the inputs: as the file and the batch say")
        self.threads.setValue(asked.threads or 0)
        self.delegate.setCurrentIndex(max(0, self.delegate.findData(asked.delegate)))
        self.preserve.setChecked(asked.preserve_all)
        places: list[tuple[str, Any]] = [(f"for {_of(board, 'your board')}", (Where.BOARD, ""))]
        if run is not None or knobs.where is Where.RUN:
            places.append((f"for {_of(run, 'the device of the run')}", (Where.RUN, "")))
        places += [(f"for any {machine}", (Where.MACHINE, machine)) for machine in MACHINES]
        here = (knobs.where, knobs.machine if knobs.where is Where.MACHINE else "")
        _fill(self.where, places, here)
        own = "" if knobs.runtime else f"{_profile(target.profile.name)}, "
        runtimes = [(f"{own}its own" if own else "its own runtime", "")]
        runtimes += [(_profile(name), name) for name in reversed(tuple(PROFILES))]
        _fill(self.runtime, runtimes, knobs.runtime)
        self._filling = False

    def _combo(self, name: str, words: str) -> QComboBox:
        made = QComboBox()
        made.setAccessibleName(name)
        made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        made.setMinimumContentsLength(11)
        set_tip(made, words)
        made.activated.connect(self._edited)
        return made

    def _edited(self, *_: object) -> None:
        if self._filling:
            return
        where, machine = self.where.currentData()
        self.edited.emit(
            replace(
                self._knobs,
                asked=replace(
                    self._knobs.asked,
                    threads=self.threads.value() or None,
                    delegate=self.delegate.currentData(),
                    preserve_all=self.preserve.isChecked(),
                ),
                where=where,
                machine=machine or self._knobs.machine,
                runtime=self.runtime.currentData(),
            )
        )


def _fill(combo: QComboBox, entries: list[tuple[str, Any]], current: object) -> None:
    """Data of enums and tuples is found by hand: Qt compares the wrapped objects."""
    if [combo.itemText(n) for n in range(combo.count())] != [text for text, _ in entries]:
        combo.clear()
        for text, data in entries:
            combo.addItem(text, data)
        metrics = combo.fontMetrics()
        widest = max(metrics.horizontalAdvance(text) for text, _ in entries)
        combo.view().setMinimumWidth(widest + 40)
    combo.setCurrentIndex(next((n for n, (_, data) in enumerate(entries) if data == current), 0))


def _of(board: Board | None, otherwise: str) -> str:
    return plain(board.name, 40) if board is not None else otherwise


def _profile(name: str) -> str:
    """'LiteRT 2.3' of 'litert-2.3'."""
    profile = PROFILES[name]
    version = ".".join(str(n) for n in profile.version)
    return f"{_PACKAGES.get(profile.package, profile.package)} {version}"
