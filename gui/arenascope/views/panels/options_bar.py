"""The bar at the top: which model, which board, with what options, and the button that runs it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QIcon, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QWidget,
)

from ...domain.plain_text import plain
from ...domain.units import format_bytes
from ...qtmodels.boards_model import BoardItem, BoardsModel, machine_text
from ...qtmodels.documents import OpenModel
from ...workflow.inspect import InspectRequest
from ..actions import Actions
from ..icons import icon
from ..labels import ElidedLabel, label, set_tip, tip
from ..theme import Theme
from .boards import _SIGNS, BoardRows
from .two_lines import draw_sign

#: The runtime counts dimensions in 32 bits; a spin box does too.
_LARGEST_BATCH = 2**31 - 1
_DELEGATES = (("Default delegate", "default"), ("CPU kernels", "none"))


class BoardPicker(QComboBox):
    """The boards as a drop-down; the chosen one with its sign and machine."""

    def __init__(self, model: BoardsModel, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setModel(model)
        self._rows = BoardRows(theme, self)
        self.setItemDelegate(self._rows)
        self.setAccessibleName("Board to inspect on")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(16)
        self.view().setMinimumWidth(300)
        self.currentIndexChanged.connect(self._follow)
        model.dataChanged.connect(self._follow)

    def set_theme(self, theme: Theme) -> None:
        self._theme = self._rows.theme = theme
        self.update()

    def item(self) -> BoardItem | None:
        found = self.currentData(BoardsModel.ItemRole)
        return found if isinstance(found, BoardItem) else None

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        item = self.item()
        if item is not None:
            machine = machine_text(item.board)
            option.currentText = f"{plain(item.title, 40)} · {machine}" if machine else plain(item.title, 40)
            option.currentIcon = self._sign(item)
            option.iconSize = QSize(12, 12)
        room = self.width() - 72
        option.currentText = self.fontMetrics().elidedText(
            option.currentText, Qt.TextElideMode.ElideMiddle, room
        )
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def _sign(self, item: BoardItem) -> QIcon:
        sign, color = _SIGNS[item.state]
        ratio = self.devicePixelRatioF()
        picture = QPixmap(round(12 * ratio), round(12 * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_sign(painter, QRectF(1, 1, 10, 10), sign, getattr(self._theme, color))
        painter.end()
        return QIcon(picture)

    def _follow(self, *_: object) -> None:
        item = self.item()
        if item is not None:
            set_tip(self, f"{item.title}\n{self.currentData(BoardsModel.SubtitleRole)}")
        self.update()


class OptionsBar(QWidget):
    """Shows the session's model, board and request, and says what the person changed."""

    openAsked = Signal(object)  #: Path from the list of recent files
    targetChosen = Signal(str)
    requestEdited = Signal(object)  #: InspectRequest

    def __init__(
        self,
        boards: BoardsModel,
        actions: Actions,
        menus: list[QMenu],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._actions, self._theme = actions, theme
        self._request = InspectRequest()
        self._filling = False
        self.menu_button = self._menu_button(menus)
        self.picker = self._picker()
        self.facts = ElidedLabel("", "muted")
        self.facts.set_elide(Qt.TextElideMode.ElideRight)
        self._gap = QWidget()
        self._gap.hide()
        self.open = QToolButton()
        self.open.setText("Open…")
        self.open.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.open.setAccessibleName("Open a model or a capture")
        self.open.clicked.connect(actions["open"].trigger)
        self.open.setToolTip(actions["open"].toolTip())
        self.board = BoardPicker(boards, theme)
        self.board.activated.connect(self._board_chosen)
        self.batch = self._spin(
            "Batch", "First dimension of every input; auto: as the file says", _LARGEST_BATCH
        )
        self.threads = self._spin("Threads", "Threads of the runtime; auto: its own default", 1024)
        self.delegate = QComboBox()
        self.delegate.setAccessibleName("Delegate")
        for text, value in _DELEGATES:
            self.delegate.addItem(text, value)
        set_tip(self.delegate, "The runtime's default delegate (XNNPACK), or its own kernels alone")
        self.delegate.activated.connect(self._edited)
        self.preserve = QCheckBox("preserve all")
        self.preserve.setAccessibleName("Preserve all tensors")
        self.preserve.setToolTip(actions["preserve_all"].toolTip())
        self.preserve.toggled.connect(self._edited)
        self.inputs = QToolButton()
        self.inputs.setText("inputs…")
        self.inputs.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.inputs.setAccessibleName("Shapes of the inputs")
        self.inputs.clicked.connect(actions["inputs"].trigger)
        self.inspect = QPushButton(" Inspect")
        self.inspect.setProperty("role", "primary")
        self.inspect.clicked.connect(actions["inspect"].trigger)
        self.inspect.setToolTip(actions["inspect"].toolTip())
        self.cancel = QToolButton()
        self.cancel.setDefaultAction(actions["cancel"])
        self.cancel.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        self.cancel.setAccessibleName("Cancel")
        actions["inspect"].changed.connect(self._follow_actions)
        actions["inputs"].changed.connect(self._follow_actions)
        self._compact = False
        self._lay_out()
        self.set_theme(theme)

    # -- what the window tells it -----------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.board.set_theme(theme)
        self.menu_button.setIcon(icon("menu", theme, "text"))
        self.open.setIcon(icon("open", theme))
        self.inputs.setIcon(icon("inputs", theme))
        self.inspect.setIcon(icon("play", theme, "accent_text"))

    def set_model(self, model: OpenModel | None) -> None:
        if model is None:
            self.picker.setText("No model")
            self.facts.set_text("")
            set_tip(self.picker, "Models and captures opened lately")
            return
        shown = self.picker.fontMetrics().elidedText(
            plain(model.name, 200), Qt.TextElideMode.ElideMiddle, self.fontMetrics().averageCharWidth() * 32
        )
        self.picker.setText(shown)
        place = str(model.path) if model.path is not None else "only a capture of it is open"
        set_tip(self.picker, f"{plain(model.name)}\n{plain(place, 400)}\nSHA-256 {model.sha256}")
        self.facts.set_text(f"{format_bytes(model.bytes)} · {model.operators} operators")

    def set_recent(self, paths: list[Path]) -> None:
        menu = self.picker.menu()
        menu.clear()
        menu.addAction(self._actions["open"])
        menu.addAction(self._actions["open_example"])
        if paths:
            menu.addSeparator()
        for path in paths:
            action = QAction(plain(path.name, 60).replace("&", "&&"), menu)
            action.setToolTip(tip(plain(str(path), 400)))
            action.triggered.connect(lambda _checked=False, p=path: self.openAsked.emit(p))
            menu.addAction(action)

    def set_target(self, target: str) -> None:
        model = self.board.model()
        if isinstance(model, BoardsModel):
            row = model.row(target)
            if row >= 0:
                self.board.setCurrentIndex(row)

    def set_request(self, request: InspectRequest) -> None:
        self._request = request
        self._filling = True
        self.batch.setValue(request.batch or 0)
        self.threads.setValue(request.threads or 0)
        self.delegate.setCurrentIndex(max(0, self.delegate.findData(request.delegate)))
        self.preserve.setChecked(request.preserve_all)
        count = len(request.inputs)
        self.inputs.setText(f"inputs ({count})…" if count else "inputs…")
        shapes = "\n".join(f"{plain(n, 60)} {list(s)}" for n, s in request.inputs.items())
        set_tip(self.inputs, shapes or "Shapes of the inputs: as the file and the batch say")
        self._filling = False

    # -- room -------------------------------------------------------------------------------------

    def minimumSizeHint(self) -> QSize:
        """Of the narrow form."""
        whole = super().minimumSizeHint()
        saved = 0 if self._compact else self._spare()
        return QSize(whole.width() - saved, whole.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        needed = super().minimumSizeHint().width() + (self._spare() if self._compact else 0)
        self._set_compact(self.width() < needed + self.fontMetrics().averageCharWidth() * 8)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.StyleChange and self.layout() is not None:
            self._even_heights()

    def _spare(self) -> int:
        """What the narrow form saves: signs instead of words on two buttons, no facts."""
        words = sum(self.fontMetrics().horizontalAdvance(b.text()) for b in (self.open, self.inputs))
        return words + self.facts.minimumSizeHint().width()

    def _set_compact(self, compact: bool) -> None:
        if compact == self._compact:
            return
        self._compact = compact
        style = Qt.ToolButtonStyle.ToolButtonIconOnly if compact else Qt.ToolButtonStyle.ToolButtonTextOnly
        self.open.setToolButtonStyle(style)
        self.inputs.setToolButtonStyle(style)
        self.facts.setVisible(not compact)
        self._gap.setVisible(compact)

    # -- inside -----------------------------------------------------------------------------------

    def _board_chosen(self, _row: int) -> None:
        item = self.board.item()
        if item is not None:
            self.targetChosen.emit(item.target)

    def _edited(self, *_: object) -> None:
        if self._filling:
            return
        self.requestEdited.emit(
            replace(
                self._request,
                batch=self.batch.value() or None,
                threads=self.threads.value() or None,
                delegate=self.delegate.currentData(),
                preserve_all=self.preserve.isChecked(),
            )
        )

    def _follow_actions(self) -> None:
        self.inspect.setEnabled(self._actions["inspect"].isEnabled())
        self.inputs.setEnabled(self._actions["inputs"].isEnabled())

    def _menu_button(self, menus: list[QMenu]) -> QToolButton:
        button = QToolButton()
        button.setProperty("role", "flat")
        button.setAccessibleName("Menu")
        button.setToolTip("Menu  (F10)")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        for entry in menus:
            menu.addMenu(entry)
        button.setMenu(menu)
        return button

    def _picker(self) -> QPushButton:
        picker = QPushButton("No model")
        picker.setProperty("role", "flat")
        picker.setAccessibleName("Model, and files opened lately")
        font = picker.font()
        font.setBold(True)
        picker.setFont(font)
        menu = QMenu(picker)
        menu.setToolTipsVisible(True)
        picker.setMenu(menu)
        self._picker_menu = menu
        return picker

    def _spin(self, name: str, words: str, largest: int) -> QSpinBox:
        spin = QSpinBox()
        spin.setRange(0, largest)
        spin.setSpecialValueText("auto")
        spin.setAccessibleName(name)
        spin.setKeyboardTracking(False)
        spin.setFixedWidth(spin.fontMetrics().horizontalAdvance("0000") + 34)
        spin.lineEdit().setTextMargins(5, 0, 0, 0)
        set_tip(spin, words)
        spin.valueChanged.connect(self._edited)
        return spin

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.menu_button)
        row.addWidget(self.picker)
        row.addWidget(self.facts, 1)
        row.addWidget(self._gap, 1)
        row.addWidget(self.open)
        row.addSpacing(6)
        row.addWidget(self.board)
        row.addSpacing(6)
        for words, widget in (("batch", self.batch), ("", self.inputs), ("threads", self.threads)):
            if words:
                named = label(words, "muted")
                named.setBuddy(widget)
                row.addWidget(named)
            row.addWidget(widget)
        row.addWidget(self.delegate)
        row.addSpacing(2)
        row.addWidget(self.preserve)
        row.addSpacing(6)
        row.addWidget(self.inspect)
        row.addWidget(self.cancel)

    def _even_heights(self) -> None:
        """One height for all, as the style of the moment wants it."""
        height = max(w.sizeHint().height() for w in (self.board, self.batch, self.inspect))
        controls = (self.open, self.board, self.batch, self.inputs, self.threads, self.delegate)
        for control in (*controls, self.inspect, self.cancel):
            control.setFixedHeight(height)
