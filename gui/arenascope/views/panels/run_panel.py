"""The run itself: what was run, with what, where, how it ended, and what the runtime said."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from ...domain.capture import Capture
from ...domain.plain_text import plain
from ...domain.units import format_bytes, format_exact
from ...qtmodels.outcomes import headline
from ..empty_state import EmptyState
from ..grab import grab
from ..labels import label, set_role

_UNKNOWN = "unknown"
HASH = "SHA-256"


def facts(capture: Capture) -> list[tuple[str, str]]:
    """Label and value, in reading order; every text is plain."""
    device, options, model = capture.device, capture.options, capture.model
    shapes = ", ".join(f"{plain(n, 60)} {list(s)}" for n, s in options.inputs.items())
    space = device.address_space
    return [
        ("model", f"{plain(model.name)} · {format_exact(model.bytes)}"),
        (HASH, plain(model.sha256, 64)),
        ("operators", f"{model.operators} in {model.subgraphs} subgraph{'s' * (model.subgraphs != 1)}"),
        ("inputs", shapes or _UNKNOWN),
        ("runtime", plain(f"{device.runtime or _UNKNOWN} {device.runtime_version or ''}".strip())),
        ("delegate", "default" if options.delegate == "default" else "none: CPU kernels"),
        ("threads", "the runtime's default" if options.threads is None else str(options.threads)),
        ("preserve all", "yes" if options.preserve_all else "no"),
        ("device", plain(f"{device.name} · {device.machine or _UNKNOWN} · {device.bits or '?'}-bit process")),
        ("kernel", plain(device.kernel or _UNKNOWN)),
        (
            "memory",
            f"{format_bytes(device.ram_total)}, {format_bytes(device.ram_available)} available before",
        ),
        ("swap", format_bytes(device.swap_total)),
        ("address space", f"{format_bytes(space.ceiling)}, largest gap {format_bytes(space.largest_gap)}"),
        ("Python, NumPy", plain(f"{device.python or _UNKNOWN}, {device.numpy or _UNKNOWN}")),
        ("taken", plain(capture.created or _UNKNOWN)),
        ("layout from", plain(capture.layout_source or _UNKNOWN)),
        ("agent's cost", _cost(capture)),
        ("made by", f"ArenaScope {plain(capture.tool_version, 40)}"),
    ]


def _cost(capture: Capture) -> str:
    if capture.agent_rss is None:
        return _UNKNOWN
    share = f", {100 * capture.agent_cpu:.1f} % of a core" if capture.agent_cpu is not None else ""
    return f"{format_bytes(capture.agent_rss)} resident{share}"


class RunPanel(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        left = QWidget()
        self._grid = QGridLayout(left)
        self._grid.setContentsMargins(0, 0, 8, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[QLabel, QLabel | QLineEdit]] = []
        scroll = QScrollArea()
        scroll.setWidget(left)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)

        right = QVBoxLayout()
        right.setSpacing(6)
        self._outcome = label("", "title", wrap=True)
        self._message = label("", "muted", wrap=True)
        self._notes = label("", "", wrap=True)
        self._log_title = label("What the runtime printed", "title")
        self._log = QPlainTextEdit()
        self._log.setReadOnly(True)
        self._log.setAccessibleName("Native log of the run")
        self._log.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        for widget in (self._outcome, self._message, self._notes, self._log_title):
            right.addWidget(widget)
        right.addWidget(self._log, 100)
        right.addStretch(1)
        self._empty = EmptyState()
        self._empty.say("No run yet", "What was run, where, how it ended and what it printed stands here.")
        self._stack = QStackedLayout(self)
        page = QWidget()
        self._stack.addWidget(page)
        self._stack.addWidget(self._empty)
        row = QHBoxLayout(page)
        row.setContentsMargins(4, 8, 4, 4)
        row.setSpacing(16)
        row.addWidget(scroll, 1)
        row.addLayout(right, 1)
        self.set_capture(None)

    def set_empty_action(self, action: QAction | None) -> None:
        self._empty.set_action(action)

    def _value(self, name: str) -> QLabel | QLineEdit:
        """A hash has no place to break a line: it stands in a field that scrolls."""
        if name == HASH:
            field = QLineEdit()
            field.setReadOnly(True)
            field.setFrame(False)
            field.setAcceptDrops(False)
            field.setStyleSheet(
                "QLineEdit { background: transparent; border: none; padding: 0; margin-left: -3px; }"
            )
            field.setAccessibleName("SHA-256 of the model")
            return field
        value = label("", wrap=True)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return value

    def set_capture(self, capture: Capture | None) -> None:
        rows = facts(capture) if capture is not None else []
        while len(self._rows) < len(rows):
            name, value = label("", "muted"), self._value(rows[len(self._rows)][0])
            name.setAlignment(Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(name, len(self._rows), 0)
            self._grid.addWidget(value, len(self._rows), 1)
            self._rows.append((name, value))
            self._grid.setRowStretch(len(self._rows), 1)
            self._grid.setRowStretch(len(self._rows) - 1, 0)
        for number, (name, value) in enumerate(self._rows):
            name.setVisible(number < len(rows))
            value.setVisible(number < len(rows))
            if number < len(rows):
                name.setText(rows[number][0])
                value.setText(rows[number][1])
                if isinstance(value, QLineEdit):
                    value.setCursorPosition(0)
        self._stack.setCurrentIndex(1 if capture is None else 0)
        if capture is None:
            return
        outcome = capture.outcome
        self._outcome.setText(headline(outcome))
        set_role(self._outcome, "title" if outcome.ok else "error")
        self._message.setText(plain(outcome.message, 2000))
        self._message.setVisible(bool(outcome.message))
        self._notes.setText("\n".join(plain(note, 1000) for note in capture.notes))
        self._notes.setVisible(bool(capture.notes))
        self._log.setPlainText("\n".join(plain(line, 4096) for line in outcome.log))
        self._log.setVisible(bool(outcome.log))
        self._log_title.setVisible(bool(outcome.log))

    def render_image(self, scale: float = 1.0) -> QImage:
        return grab(self, scale)
