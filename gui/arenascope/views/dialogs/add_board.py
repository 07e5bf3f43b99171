"""A new board: its address, and a name to call it by."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QLineEdit, QWidget

from ...errors import UsageError
from ...remote.address import parse_address
from ..labels import label
from .frame import Frame


class AddBoardDialog(Frame):
    chosen = Signal(str, str)  #: address, name ('' for the host's)

    def __init__(self, parent: QWidget | None = None, address: str = "", name: str = "") -> None:
        """``address`` and ``name``: what was tried before."""
        super().__init__(
            "Add a board",
            "Any Linux machine that SSH reaches, with Python 3.9 or later. Nothing is installed there: a "
            "small agent goes into your cache folder on it. It connects first, and is kept if that works.",
            parent,
            wide=62,
        )
        self.address = QLineEdit()
        self.address.setPlaceholderText("user@host, user@host:port, or a name from ~/.ssh/config")
        self.address.setAccessibleName("Address of the board")
        self.name = QLineEdit()
        self.name.setPlaceholderText("the host's, if left empty")
        self.name.setAccessibleName("Name of the board")
        form = QFormLayout()
        form.setHorizontalSpacing(14)
        form.setVerticalSpacing(8)
        form.addRow(label("address", "muted"), self.address)
        form.addRow(label("name", "muted"), self.name)
        self.body.addLayout(form)
        self._problem = label(" ", "error", wrap=True)
        self.body.addWidget(self._problem)
        self.add_button("Cancel", cancel=True)
        self._connect = self.add_button("Connect", primary=True)
        self._connect.clicked.connect(self._go)
        self._connect.setEnabled(False)
        self.address.textChanged.connect(self._check)
        self.address.setText(address)
        self.name.setText(name)
        self.address.setFocus()

    def _check(self, text: str) -> bool:
        problem = ""
        try:
            if text.strip() and parse_address(text).kind == "local":
                problem = "This computer is in the list already."
        except UsageError as error:
            problem = error.message
        self._problem.setText(problem or " ")
        good = bool(text.strip()) and not problem
        self._connect.setEnabled(good)
        return good

    def _go(self) -> None:
        if self._check(self.address.text()):
            self.chosen.emit(self.address.text().strip(), self.name.text().strip())
            self.accept()
