"""The shapes of the inputs for the next run."""

from __future__ import annotations

import re
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLineEdit, QScrollArea, QWidget

from ...domain.graph import Graph, Tensor, tensor_bytes
from ...domain.plain_text import plain
from ...domain.units import format_bytes
from ...domain.whatif import input_shapes
from ...errors import UsageError
from ...workflow.inspect import InspectRequest
from ..labels import ElidedLabel, label
from ..theme import tabular
from .frame import Frame


def parse_shape(text: str) -> tuple[int, ...]:
    """'1, 96, 96, 3' or '[1,96,96,3]' or '1x96x96x3'. Raises ValueError."""
    parts = [p for p in re.split(r"[\s,x×]+", text.strip().strip("[]()")) if p]
    return tuple(int(part) for part in parts)


class InputsDialog(Frame):
    """A field left as it is keeps the file's shape, and follows the batch."""

    chosen = Signal(object)  #: InspectRequest

    def __init__(
        self,
        graph: Graph,
        request: InspectRequest,
        parent: QWidget | None = None,
        what: str = "the next run",
    ) -> None:
        super().__init__(
            "Shapes of the inputs",
            f"For {what}. An empty field means: as the file says, with the batch that is set.",
            parent,
            wide=78,
        )
        self._graph, self._request = graph, request
        self._fields: list[tuple[Tensor, QLineEdit]] = []
        self._sizes: list[ElidedLabel] = []
        content = QWidget()
        grid = QGridLayout(content)
        grid.setContentsMargins(0, 0, 8, 0)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(6)
        for column, words in enumerate(("input", "type", "in the file", "for the run", "bytes")):
            grid.addWidget(label(words, "muted"), 0, column)
        grid.setColumnStretch(0, 5)
        grid.setColumnStretch(3, 3)
        tensors = [graph.main.tensors[i] for i in graph.main.inputs if i >= 0]
        for row, tensor in enumerate(tensors, 1):
            self._add_row(grid, row, tensor)
        scroll = QScrollArea()
        scroll.setWidget(content)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setMinimumHeight(min(content.sizeHint().height() + 4, self.fontMetrics().height() * 22))
        self.body.addWidget(scroll, 1)
        self._problem = label(" ", "error", wrap=True)
        self.body.addWidget(self._problem)
        reset = self.add_button("As in the File")
        reset.clicked.connect(self._reset)
        self.add_button("Cancel", cancel=True)
        self._use = self.add_button("Use", primary=True)
        self._use.clicked.connect(self._go)
        self._check()

    @property
    def fields(self) -> list[QLineEdit]:
        return [field for _, field in self._fields]

    @property
    def problem(self) -> str:
        return self._problem.text().strip()

    def _add_row(self, grid: QGridLayout, row: int, tensor: Tensor) -> None:
        name = ElidedLabel(tensor.name)
        field = QLineEdit()
        field.setAccessibleName(f"Shape of {plain(tensor.name, 80)}")
        field.setFont(tabular(field.font()))
        field.setMinimumWidth(self.fontMetrics().averageCharWidth() * 20)
        given = self._request.inputs.get(tensor.name)
        if given is not None:
            field.setText(", ".join(map(str, given)))
        field.textChanged.connect(self._check)
        size = ElidedLabel("", "muted")
        size.setMinimumWidth(self.fontMetrics().averageCharWidth() * 13)
        shape = tensor.shape_signature if tensor.shape_signature is not None else tensor.shape
        in_file = label("[" + ", ".join("?" if d < 0 else str(d) for d in shape) + "]", "muted")
        in_file.setFont(tabular(in_file.font()))
        for column, widget in enumerate(
            (name, label(plain(tensor.dtype, 30), "muted"), in_file, field, size)
        ):
            grid.addWidget(widget, row, column, Qt.AlignmentFlag.AlignVCenter)
        self._fields.append((tensor, field))
        self._sizes.append(size)

    def _made(self) -> InspectRequest:
        """Raises UsageError in words."""
        inputs: dict[str, tuple[int, ...]] = {}
        for tensor, field in self._fields:
            if not field.text().strip():
                continue
            try:
                inputs[tensor.name] = parse_shape(field.text())
            except ValueError as error:
                raise UsageError(
                    f"{field.text()!r} is not a shape: write whole numbers, as in 1, 96, 96, 3."
                ) from error
        request = replace(self._request, inputs=inputs)
        input_shapes(self._graph, request)
        return request

    def _check(self) -> None:
        try:
            request = self._made()
            problem = ""
        except UsageError as error:
            request, problem = None, plain(error.message, 300)
        self._problem.setText(problem or " ")
        self._use.setEnabled(request is not None)
        if request is None:
            return
        shapes = input_shapes(self._graph, request)
        for (tensor, field), size in zip(self._fields, self._sizes, strict=True):
            shape = shapes.get(tensor.index, tensor.shape)
            size.set_text(format_bytes(tensor_bytes(tensor.dtype, shape)))
            if not field.text():
                field.setPlaceholderText(", ".join(map(str, shape)) or "scalar")

    def _reset(self) -> None:
        for _, field in self._fields:
            field.clear()

    def _go(self) -> None:
        try:
            request = self._made()
        except UsageError:
            return
        self.chosen.emit(request)
        self.accept()
