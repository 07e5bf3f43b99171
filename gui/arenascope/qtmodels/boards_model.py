"""The devices of the window as a list model: this computer first, then the saved ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from ..domain.board import Board
from ..domain.plain_text import plain
from ..domain.units import format_bytes
from ..workflow.connect import LOCAL
from .next_steps import NextStep

Index = QModelIndex | QPersistentModelIndex

#: Seconds to a board and back from which on it has one bar less: a wire, good Wi-Fi, bad Wi-Fi.
_SLOWER = (0.02, 0.1, 0.4)

#: Names for people of the packages that hold a runtime.
_RUNTIMES = {"ai_edge_litert": "LiteRT", "tflite_runtime": "TFLite", "tensorflow": "TensorFlow"}


class BoardState(StrEnum):
    UNKNOWN = "unknown"  #: not asked yet
    CONNECTING = "connecting"
    READY = "ready"
    BUSY = "busy"
    FAILED = "failed"  #: could not be reached, or refused us
    AWAY = "reconnecting"  #: lost its connection, which is being made again; runs go on there
    LOST = "lost"  #: was connected, and is not any more
    PLANS_ONLY = "plans_only"  #: this computer has no /proc: nothing can be measured on it


_STATE_WORDS = {BoardState.PLANS_ONLY: "plans only", BoardState.AWAY: "connection lost, trying again"}


@dataclass(frozen=True, slots=True)
class BoardItem:
    """``target`` is what ``workflow.connect`` takes; ``message`` says why a state is what it is, ``steps``
    what can be done about it. ``round_trip``: measured seconds to the board and back, None where nobody
    knows. ``away``: whole seconds for which the connection has been lost."""

    target: str
    title: str
    state: BoardState = BoardState.UNKNOWN
    board: Board | None = None
    message: str = ""
    steps: tuple[NextStep, ...] = ()
    round_trip: float | None = None
    away: int = 0

    @property
    def connected(self) -> bool:
        return self.state in (BoardState.READY, BoardState.BUSY)

    @property
    def met(self) -> bool:
        """Whether there was a connection, be it lost by now."""
        return self.connected or self.state in (BoardState.AWAY, BoardState.LOST)

    @property
    def can_inspect(self) -> bool:
        return self.state is not BoardState.PLANS_ONLY


def runtime_text(board: Board | None) -> str:
    """'LiteRT 2.1.0', or '' where none is known."""
    if board is not None and board.lacks_runtime:
        return "no runtime"
    if board is None or board.runtime is None:
        return ""
    name = _RUNTIMES.get(board.runtime, board.runtime)
    return plain(f"{name} {board.runtime_version or ''}".strip(), 40)


def machine_text(board: Board | None) -> str:
    """'armv7l', and 'aarch64 · 32-bit' where the process is not as wide as the machine's name says."""
    if board is None or board.machine is None:
        return ""
    usual = 64 if "64" in board.machine or board.machine == "s390x" else 32
    bits = f" · {board.bits}-bit" if board.bits not in (None, usual) else ""
    return plain(f"{board.machine}{bits}", 40)


def free_text(item: BoardItem) -> str:
    """'412 MiB free', or '' where it is not known."""
    free = item.board.ram_available if item.board is not None and item.connected else None
    return f"{format_bytes(free)} free" if free is not None else ""


def link_text(item: BoardItem) -> str:
    """'12 ms' to the board and back, '<1 ms', '1.2 s'; '' where it is not known at the moment."""
    if item.round_trip is None or not item.connected:
        return ""
    if item.round_trip < 0.001:
        return "<1 ms"
    return f"{1000 * item.round_trip:.0f} ms" if item.round_trip < 0.9995 else f"{item.round_trip:.1f} s"


def link_bars(item: BoardItem) -> int:
    """The same as 1 (slow) to 4 (as if it were here) bars; 0 where it is not known."""
    if item.round_trip is None or not item.connected:
        return 0
    return 4 - sum(item.round_trip >= limit for limit in _SLOWER)


def trouble(item: BoardItem) -> tuple[str, tuple[NextStep, ...]]:
    """What is the matter with a board and what can be done about it; ('', ()) where nothing is."""
    if item.state in (BoardState.FAILED, BoardState.LOST):
        return item.message, item.steps
    if item.connected and item.board is not None and item.board.lacks_runtime:
        if item.target == LOCAL:
            return "No TensorFlow Lite runtime works here.", (NextStep("Add a Board…", "add_board"),)
        return "No TensorFlow Lite runtime works there.", (NextStep("Set Up This Board…", "setup_board"),)
    return "", ()


def facts(item: BoardItem) -> tuple[str, ...]:
    """Everything that is known of a board, a line each, for its tool tip."""
    board, lines = item.board, [item.title, _STATE_WORDS.get(item.state, item.state.value)]
    lines.append(item.message if item.state is BoardState.AWAY else describe(item))
    if board is None:
        return tuple(lines)
    if item.connected and board.ram_available is not None:
        total = f" of {format_bytes(board.ram_total)}" if board.ram_total is not None else ""
        lines.append(f"{format_bytes(board.ram_available)}{total} available, when it last said so")
    if link_text(item):
        lines.append(f"{link_text(item)} to the board and back, measured by the last ping")
    if board.kernel:
        lines.append(f"kernel {board.kernel}")
    return tuple(dict.fromkeys(line for line in lines if line))


def describe(item: BoardItem) -> str:
    """The second line of a board: what it is, or what is the matter with it."""
    if item.state is BoardState.AWAY:
        return f"reconnecting, {item.away} s"
    if item.state in (BoardState.FAILED, BoardState.LOST, BoardState.PLANS_ONLY, BoardState.CONNECTING):
        return item.message or item.state.value
    if item.board is None:
        return "not asked yet"
    if not item.connected:
        return " · ".join(p for p in (machine_text(item.board), "not connected") if p)
    runtime = runtime_text(item.board) or "no runtime found"
    return " · ".join(p for p in (machine_text(item.board), runtime) if p) or "connected"


class BoardsModel(QAbstractListModel):
    """Row 0 is this computer. ``ItemRole`` gives the BoardItem, ``SubtitleRole`` its second line."""

    ItemRole = Qt.ItemDataRole.UserRole + 1
    SubtitleRole = Qt.ItemDataRole.UserRole + 2
    StateRole = Qt.ItemDataRole.UserRole + 3

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._items: list[BoardItem] = []

    # -- Qt's questions -------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._items):
            return None
        item = self._items[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return plain(item.title, 80)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(
                dict.fromkeys(
                    part
                    for part in (
                        plain(item.title, 80),
                        _STATE_WORDS.get(item.state, item.state.value),
                        describe(item),
                        free_text(item),
                        f"{link_text(item)} to the board and back" if link_text(item) else "",
                    )
                    if part
                )
            )
        if role == self.ItemRole:
            return item
        if role == self.SubtitleRole:
            return describe(item)
        if role == self.StateRole:
            return item.state
        return None

    # -- what the session does --------------------------------------------------------------------

    @property
    def items(self) -> tuple[BoardItem, ...]:
        return tuple(self._items)

    def set_items(self, items: list[BoardItem]) -> None:
        """Replace the list; a board that is known already keeps its state and facts."""
        known = {i.target: i for i in self._items}
        self.beginResetModel()
        self._items = [replace(known[i.target], title=i.title) if i.target in known else i for i in items]
        self.endResetModel()

    def item(self, target: str) -> BoardItem | None:
        return next((i for i in self._items if i.target == target), None)

    def row(self, target: str) -> int:
        """-1 where there is no such board."""
        return next((n for n, i in enumerate(self._items) if i.target == target), -1)

    def update(self, target: str, **changes: Any) -> None:
        """Change fields of one board; unknown targets are ignored (forgotten while it answered)."""
        row = self.row(target)
        if row < 0:
            return
        if changes.get("state") in (BoardState.READY, BoardState.BUSY):
            changes = {"message": "", "steps": (), **changes}
        changed = replace(self._items[row], **changes)
        if changed != self._items[row]:
            self._items[row] = changed
            index = self.index(row)
            self.dataChanged.emit(index, index)

    def update_facts(self, target: str, **changes: Any) -> None:
        """The same for facts of its Board; nothing where none are known."""
        item = self.item(target)
        if item is not None and item.board is not None:
            self.update(target, board=replace(item.board, **changes))
