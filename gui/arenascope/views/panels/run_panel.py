"""The run itself: what was run, with what, where, how it ended, and what the runtime said."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication, QImage
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QScrollArea,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...domain.capture import Capture
from ...domain.plain_text import plain
from ...domain.units import format_bytes, format_exact
from ...qtmodels.outcomes import explanation, headline
from ..empty_state import EmptyState
from ..grab import grab
from ..labels import ElidedLabel, label, set_role

_UNKNOWN = "unknown"
Facts = list[tuple[str, str]]


def run_facts(capture: Capture) -> Facts:
    """What was run: label and value, in reading order; every text is plain."""
    device, options, model = capture.device, capture.options, capture.model
    shapes = ", ".join(f"{plain(n, 60)} {list(s)}" for n, s in options.inputs.items())
    return [
        ("model", f"{plain(model.name)} · {format_exact(model.bytes)}"),
        ("SHA-256", plain(model.sha256, 64)),
        ("operators", f"{model.operators} in {model.subgraphs} subgraph{'s' * (model.subgraphs != 1)}"),
        ("inputs", shapes or _UNKNOWN),
        ("runtime", plain(f"{device.runtime or _UNKNOWN} {device.runtime_version or ''}".strip())),
        ("delegate", "default" if options.delegate == "default" else "none: CPU kernels"),
        ("threads", "the runtime's default" if options.threads is None else str(options.threads)),
        ("preserve all", "yes" if options.preserve_all else "no"),
        ("layout from", plain(capture.layout_source or _UNKNOWN)),
    ]


def device_facts(capture: Capture) -> Facts:
    """Where and when it ran, and what measuring it cost."""
    device, space = capture.device, capture.device.address_space
    bits = f"{device.bits}-bit process" if device.bits is not None else _UNKNOWN
    return [
        ("device", plain(f"{device.name} · {device.machine or _UNKNOWN} · {bits}")),
        ("kernel", plain(device.kernel or _UNKNOWN)),
        (
            "memory",
            f"{format_bytes(device.ram_total)}, {format_bytes(device.ram_available)} available before",
        ),
        ("swap", format_bytes(device.swap_total)),
        ("addresses", f"up to {format_bytes(space.ceiling)}, largest gap {format_bytes(space.largest_gap)}"),
        ("Python, NumPy", plain(f"{device.python or _UNKNOWN}, {device.numpy or _UNKNOWN}")),
        ("taken", plain(capture.created or _UNKNOWN)),
        ("agent's cost", _cost(capture)),
        ("made by", f"ArenaScope {plain(capture.tool_version, 40)}"),
    ]


def _cost(capture: Capture) -> str:
    if capture.agent_rss is None:
        return _UNKNOWN
    share = f", {100 * capture.agent_cpu:.1f} % of a core" if capture.agent_cpu is not None else ""
    return f"{format_bytes(capture.agent_rss)} resident{share}"


class FactGrid(QWidget):
    """Names at the left, values at the right; a value that does not fit has its whole in the tip."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[QLabel, ElidedLabel]] = []

    def show_facts(self, facts: Facts) -> None:
        while len(self._rows) < len(facts):
            row = (label("", "muted"), ElidedLabel())
            for column, widget in enumerate(row):
                self._grid.addWidget(widget, len(self._rows), column)
            self._rows.append(row)
        for (name, value), (words, fact) in zip(self._rows, facts, strict=True):
            name.setText(words)
            value.set_text(fact)


class RunPanel(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._capture: Capture | None = None
        self._outcome = label("", "title", wrap=True)
        self._message = label("", "muted", wrap=True)
        self._why = label("", "", wrap=True)
        self._why.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._notes = label("", "", wrap=True)
        self._run, self._device = FactGrid(), FactGrid()
        self._log_title = label("What the runtime printed", "title")
        self._log = QPlainTextEdit()
        self._log.setReadOnly(True)
        self._log.setAccessibleName("Native log of the run")
        self._log.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._log.setMinimumHeight(self.fontMetrics().height() * 5)
        copy = QToolButton()
        copy.setText("Copy as Text")
        copy.setProperty("role", "flat")
        copy.clicked.connect(self._copy)

        head = QHBoxLayout()
        head.addWidget(self._outcome, 1)
        head.addWidget(copy, 0, Qt.AlignmentFlag.AlignTop)
        grids = QHBoxLayout()
        grids.setSpacing(28)
        grids.addWidget(self._run, 1)
        grids.addWidget(self._device, 1)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self._message)
        column.addWidget(self._why)
        column.addWidget(self._notes)
        column.addLayout(grids)
        column.addWidget(self._log_title)
        column.addWidget(self._log, 100)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(content)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

        self._empty = EmptyState()
        self._empty.say("No run yet", "What was run, where, how it ended and what it printed stands here.")
        page = QWidget()
        inside = QVBoxLayout(page)
        inside.setContentsMargins(4, 6, 0, 0)
        inside.addWidget(scroll)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(page)
        self._stack.addWidget(self._empty)
        self.set_capture(None)

    def set_empty_action(self, action: QAction | None) -> None:
        self._empty.set_action(action)

    def set_capture(self, capture: Capture | None) -> None:
        self._capture = capture
        self._stack.setCurrentIndex(1 if capture is None else 0)
        if capture is None:
            return
        outcome = capture.outcome
        self._run.show_facts(run_facts(capture))
        self._device.show_facts(device_facts(capture))
        self._outcome.setText(headline(outcome))
        set_role(self._outcome, "title" if outcome.ok else "error")
        self._message.setText(plain(outcome.message, 2000))
        self._message.setVisible(bool(outcome.message))
        self._why.setText("\n".join(explanation(outcome)))
        self._why.setVisible(bool(outcome.findings))
        self._notes.setText("\n".join(plain(note, 1000) for note in capture.notes))
        self._notes.setVisible(bool(capture.notes))
        self._log.setPlainText("\n".join(plain(line, 4096) for line in outcome.log))
        self._log.setVisible(bool(outcome.log))
        self._log_title.setVisible(bool(outcome.log))

    def as_text(self) -> str:
        """Everything that the view says."""
        if self._capture is None:
            return ""
        facts = [*run_facts(self._capture), *device_facts(self._capture)]
        width = max(len(name) for name, _ in facts)
        parts = [self._outcome.text(), self._message.text(), self._why.text(), self._notes.text()]
        lines = [part for part in parts if part] + [f"{name.ljust(width)}  {value}" for name, value in facts]
        return "\n".join([*lines, *self._log.toPlainText().splitlines()])

    def render_image(self, scale: float = 1.0) -> QImage:
        return grab(self, scale)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.as_text())
