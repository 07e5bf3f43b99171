"""Help: our own pages, from resources/help, in a window of their own."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QTextBrowser, QWidget

from ...resources import resource_path, resource_text
from ..theme import Theme
from .frame import Frame


def pages() -> list[tuple[str, str]]:
    """(file, title) of every help page, in reading order: the first line of a page is its title."""
    files = sorted(path.name for path in resource_path("help").glob("*.md"))
    return [(name, resource_text("help", name).partition("\n")[0].lstrip("# ").strip()) for name in files]


class HelpDialog(Frame):
    def __init__(self, theme: Theme, page: str = "", parent: QWidget | None = None) -> None:
        super().__init__("Help", parent=parent, wide=60)
        self.setModal(False)
        unit = self.fontMetrics().averageCharWidth()
        self._pages = pages()
        self.list = QListWidget()
        self.list.setAccessibleName("Pages")
        self.list.setProperty("role", "panel")
        self.list.setFixedWidth(unit * 30)
        self.list.addItems([title for _, title in self._pages])
        self.text = QTextBrowser()
        self.text.setOpenLinks(False)
        self.text.setAccessibleName("Page")
        self.text.document().setDocumentMargin(14)
        self.text.document().setDefaultStyleSheet(
            f"a {{ color: {theme.accent.name()}; }} code {{ color: {theme.text.name()}; }}"
        )
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.list)
        row.addWidget(self.text, 1)
        self.body.addLayout(row, 1)
        self.add_button("Close", primary=True, cancel=True)
        self.list.currentRowChanged.connect(self._show)
        names = [name for name, _ in self._pages]
        self.list.setCurrentRow(names.index(page) if page in names else 0)
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)
        self.resize(unit * 120, self.fontMetrics().height() * 36)

    def _show(self, row: int) -> None:
        if 0 <= row < len(self._pages):
            self.text.setMarkdown(resource_text("help", self._pages[row][0]))
