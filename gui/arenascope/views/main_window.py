"""The window: its parts, where they stand, and how they follow the session.

What an action does is in ``window_actions.py``; here the parts are put together and kept in step.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QMainWindow,
    QSplitter,
    QStackedLayout,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ..domain.capture import Capture
from ..domain.graph import Graph
from ..domain.plain_text import plain
from ..domain.units import format_bytes
from ..qtmodels.documents import OpenModel
from ..qtmodels.history_model import HistoryEntry, time_text
from ..qtmodels.next_steps import NextStep
from ..qtmodels.notices import Level, Notice
from ..qtmodels.recents import Recents
from ..qtmodels.selection import Showing
from ..qtmodels.session import Session
from ..settings import Settings
from .actions import TABS, Actions
from .empty_state import EmptyState
from .icons import app_icon
from .panels.banner import Banner
from .panels.boards import BoardsPanel
from .panels.card import Card
from .panels.details import DetailsPanel
from .panels.drop_overlay import DropOverlay, dropped_file
from .panels.header_strip import HeaderStrip
from .panels.history import HistoryPanel
from .panels.live_panel import LivePanel
from .panels.memory_panel import MemoryPanel
from .panels.operators import OperatorsPanel
from .panels.options_bar import OptionsBar
from .panels.run_panel import RunPanel
from .panels.status_bar import StatusBar
from .panels.tensor_panel import TensorTable
from .panels.whatif_panel import WhatIfPanel
from .plan_on_map import PlanOnMap
from .plots.arena_map import ArenaMap
from .run_follower import RunFollower
from .search_box import SearchBox
from .theme import Theme, ThemeManager
from .window_actions import WindowActions
from .window_state import (
    bring_onto_screens,
    geometry_text,
    restore_geometry,
    restore_splitters,
    splitters_text,
)

_MARGIN = 12
_MOST_INPUTS = 3
_GAP = 10


def describe_model(graph: Graph) -> str:
    """What its file says, before any run."""
    main = graph.main
    inputs = [main.tensors[i] for i in main.inputs if i >= 0]
    shown = [f"{plain(t.name, 60)}: {plain(t.dtype, 20)} {list(t.shape)}" for t in inputs[:_MOST_INPUTS]]
    if len(inputs) > _MOST_INPUTS:
        shown.append(f"and {len(inputs) - _MOST_INPUTS} more inputs")
    tensors = sum(len(s.tensors) for s in graph.subgraphs)
    facts = [
        f"{graph.operator_count:,} operators",
        f"{tensors:,} tensors",
        f"{format_bytes(graph.weight_bytes)} of weights",
    ]
    if len(graph.subgraphs) > 1:
        facts.append(f"{len(graph.subgraphs)} subgraphs")
    last = "Inspect it to see where its memory lies, or look at the plan of it."
    lines = [" · ".join(facts), *shown, "", last]
    return "\n".join(lines)


class MainWindow(QMainWindow):
    """One session, one theme, every view of one capture."""

    def __init__(self, session: Session, themes: ThemeManager, settings: Settings | None = None) -> None:
        super().__init__()
        app = QApplication.instance()
        assert app is not None
        self._app = app
        self.session, self.themes = session, themes
        self.recents = Recents(session.documents, self)
        theme = themes.theme
        self.setWindowTitle("ArenaScope")
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self.actions_ = Actions(self, theme)
        self._build(theme)
        self.does = WindowActions(self)
        self._connect()
        self.follows = RunFollower(self)
        self.plans = PlanOnMap(self)
        self._noted_example: HistoryEntry | None = None
        self._restore(settings or Settings())
        self._entry_changed(session.entry)
        self._model_changed(session.model)
        self.bar.set_request(session.request)
        self._target_changed(session.target)
        if sys.platform == "darwin":  # a filter of Python costs something at every event
            self._app.installEventFilter(self)
        self.map.setFocus()

    # -- building ---------------------------------------------------------------------------------

    def _build(self, theme: Theme) -> None:
        session, actions = self.session, self.actions_
        self.menus = actions.menus(self)
        self.bar = OptionsBar(session.boards.model, actions, self.menus, theme)
        self.strip = HeaderStrip(theme)
        self.note = Banner(theme, self.words_of, slim=True)
        self.banner = Banner(theme, self.words_of)
        self.boards = BoardsPanel(session.boards.model, actions, theme)
        self.history = HistoryPanel(session.history, actions, theme)
        self.map = ArenaMap(theme)
        self.map.set_selection(session.selection)
        self.map.set_search(session.search)
        self.search = SearchBox(session.search, session.selection)
        self.search.setMinimumWidth(self.fontMetrics().averageCharWidth() * 30)
        self.map.add_header_widget(self.search)
        self.map_card = Card()
        self.map_card.setAccessibleName("Arena map")
        self.waiting = EmptyState()
        self.map_stack = QStackedLayout()
        self.map_stack.addWidget(self.map)
        self.map_stack.addWidget(self.waiting)
        self.map_card.body.addLayout(self.map_stack)
        self.tensors = TensorTable(theme)
        self.tensors.set_selection(session.selection)
        self.tensors.set_search(session.search)
        self.operators = OperatorsPanel(session.selection, session.search)
        self.live = LivePanel(theme)
        self.whatif = WhatIfPanel(session.whatif, actions, theme)
        self.memory = MemoryPanel(theme)
        self.run = RunPanel()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("Views")
        views = (self.tensors, self.operators, self.live, self.whatif, self.memory, self.run)
        for name, view in zip(TABS, views, strict=True):
            self.tabs.addTab(view, name)
        watch = QToolButton()
        watch.setDefaultAction(actions["watch"])
        watch.setProperty("role", "flat")
        watch.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        corner = QWidget()
        corner_row = QHBoxLayout(corner)
        corner_row.setContentsMargins(0, 0, 0, 5)
        corner_row.addWidget(watch)
        self.tabs.setCornerWidget(corner)
        self.tabs_card = Card()
        self.tabs_card.setAccessibleName("Views")
        self.tabs_card.body.setContentsMargins(8, 4, 8, 8)
        self.tabs_card.body.addWidget(self.tabs)
        self.details = DetailsPanel(session.selection, actions, theme)
        self.status = StatusBar(session.tasks, actions)

        def split(orientation: Qt.Orientation, *widgets: QWidget) -> QSplitter:
            made = QSplitter(orientation)
            made.setHandleWidth(_GAP)
            made.setChildrenCollapsible(False)
            for widget in widgets:
                made.addWidget(widget)
            return made

        self.left = split(Qt.Orientation.Vertical, self.boards, self.history)
        self.centre = split(Qt.Orientation.Vertical, self.map_card, self.tabs_card)
        self.body = split(Qt.Orientation.Horizontal, self.left, self.centre, self.details)
        unit = self.fontMetrics().averageCharWidth()
        self.left.setMinimumWidth(unit * 32)
        self.details.setMinimumWidth(unit * 34)
        self.body.setStretchFactor(1, 1)
        self.centre.setStretchFactor(0, 11)
        self.centre.setStretchFactor(1, 9)
        self.body.setSizes([unit * 36, unit * 94, unit * 37])
        self.left.setSizes([320, 310])
        self.centre.setSizes([330, 270])

        column = QVBoxLayout()
        column.setContentsMargins(_MARGIN, _GAP, _MARGIN, 4)
        column.setSpacing(_GAP)
        for part in (self.bar, self.strip, self.note, self.banner):
            column.addWidget(part)
        column.addWidget(self.body, 1)
        column.addWidget(self.status)
        self.root = root = QWidget()
        root.setLayout(column)
        self.setCentralWidget(root)
        self.toast = Banner(theme, self.words_of, root, slim=True)
        self.overlay = DropOverlay(theme, root)
        for widget in root.findChildren(QWidget):
            widget.setAcceptDrops(False)  # wherever a file is dropped, it is for the window

    def sizeHint(self) -> QSize:
        return QSize(1440, 900)

    @property
    def splitters(self) -> tuple[QSplitter, ...]:
        return (self.left, self.centre, self.body)

    # -- following the session --------------------------------------------------------------------

    def _connect(self) -> None:
        session = self.session
        session.modelChanged.connect(self._model_changed)
        session.entryChanged.connect(self._entry_changed)
        session.targetChanged.connect(self._target_changed)
        session.requestChanged.connect(self._request_changed)
        session.noticed.connect(self.show_notice)
        session.boards.model.dataChanged.connect(lambda *_: self._show_link())
        session.boards.added.connect(session.set_target)
        self.bar.openAsked.connect(session.open)
        self.bar.targetChosen.connect(session.set_target)
        self.bar.requestEdited.connect(session.set_request)
        self.boards.chosen.connect(session.set_target)
        self.boards.stepAsked.connect(self.does.take)
        self.history.chosen.connect(session.show)
        self.history.removed.connect(session.remove)
        self.recents.changed.connect(lambda: self.bar.set_recent(self.recents.paths))
        self.bar.set_recent([])
        for banner in (self.note, self.banner, self.toast):
            banner.stepAsked.connect(self.does.take)
            banner.detailsAsked.connect(self.does.show_details)
        self.themes.changed.connect(self._theme_changed)

    def _model_changed(self, model: OpenModel | None) -> None:
        self.bar.set_model(model)
        name = plain(model.name, 120) if model is not None else ""
        self.setWindowTitle(f"{name} – ArenaScope" if name else "ArenaScope")
        self.offer()

    def offer(self) -> None:
        """The button of an empty view gets what is missing: a model, or a run of it."""
        model = self.session.model
        planned = self.session.selection.showing is Showing.PLAN
        if model is not None and model.graph is not None and self.session.entry is None and not planned:
            self.waiting.say(f"{plain(model.name, 80)} is open", describe_model(model.graph))
            self.map_stack.setCurrentWidget(self.waiting)
        else:
            self.map_stack.setCurrentWidget(self.map)
        able = model is not None and model.path is not None
        run = self.session.running
        key = "cancel" if run is not None else "inspect" if able else "open"
        self.waiting.set_action(self.actions_[key])
        self.waiting.set_other_action(self.actions_["map_plan"] if able and run is None else None)
        for view in (
            self.map, self.tensors, self.operators, self.live, self.whatif, self.memory, self.run,
        ):  # fmt: skip
            view.set_empty_action(self.actions_[key])
        self.say_run()

    def say_run(self) -> None:
        """While a run goes on, what has nothing to show yet says how far it is."""
        run = self.session.running
        title = "" if run is None else run.label
        said = "" if run is None else run.said
        why = f"The run goes on: {said}." if said else "The run goes on."
        if run is not None and run.away:
            why = "The connection to the board is lost and is made again by itself; the run goes on there."
        for empty in (*self.map_card.findChildren(EmptyState), *self.tabs.findChildren(EmptyState)):
            empty.say_meanwhile(title, why)

    def _entry_changed(self, entry: HistoryEntry | None) -> None:
        capture = entry.capture if entry is not None else None
        self.plans.show_figures()
        self.memory.set_capture(capture)
        self.run.set_capture(capture)
        if self.session.running is None and self.session.watching is None:
            self.live.set_capture(capture)
        self._show_cost(capture)
        self._note_example(entry)
        self.does.follow_capture(capture)
        self.offer()

    def _note_example(self, entry: HistoryEntry | None) -> None:
        """Say that what is shown was recorded elsewhere, until the person has seen enough of it."""
        if entry is None or not entry.example:
            self.note.dismiss()
            return
        if self._noted_example is not None and self.note.notice is None:
            return  # it was closed
        self._noted_example = entry
        device = entry.capture.device
        runtime = plain(f"{device.runtime or ''} {device.runtime_version or ''}".strip(), 60)
        where = " · ".join(p for p in (plain(device.name, 60), plain(device.machine or "", 20), runtime) if p)
        self.note.show_notice(
            Notice(
                Level.INFO,
                f"A recorded example: {plain(entry.capture.model.name, 80)} on {where}.",
                "Inspect it here, or open a model of your own.",
                steps=(NextStep(action="inspect_here" if entry.model_path is not None else "open"),),
            )
        )

    def _target_changed(self, target: str) -> None:
        self.bar.set_target(target)
        self.boards.set_target(target)
        self._show_link()
        self.does.follow_target(self.session.boards.model.item(target))

    def _request_changed(self, request: object) -> None:
        self.bar.set_request(self.session.request)
        self.does.follow_request(self.session.request)

    def _show_link(self) -> None:
        self.status.set_link(self.session.boards.model.item(self.session.target))

    def _show_cost(self, capture: Capture | None) -> None:
        if capture is None or capture.agent_rss is None:
            self.status.set_cost("", "")
            return
        t = capture.samples.t
        rate = f" · {(len(t) - 1) / (t[-1] - t[0]):.0f} samples/s" if len(t) > 2 and t[-1] > t[0] else ""
        self.say_cost(capture.agent_rss, capture.agent_cpu, rate, time_text(capture), "in this run: ")

    def say_cost(self, rss: int | None, cpu: float | None, rate: str, when: str, of: str = "") -> None:
        share = f" · {100 * cpu:.1f} % of a core" if cpu is not None else ""
        words = "What the agent's server process took on the device, measured by itself"
        self.status.set_cost(f"{of}agent {format_bytes(rss)}{share}{rate}", f"{words} {when}".strip())

    # -- words ------------------------------------------------------------------------------------

    def show_notice(self, notice: Notice) -> None:
        """Trouble stays until it is read; good news passes by."""
        if notice.level in (Level.SUCCESS, Level.INFO):
            self.toast.show_notice(notice, short=True)
            self._place_toast()
        else:
            self.banner.show_notice(notice)

    def words_of(self, key: str) -> str:
        return self.actions_[key].text().rstrip("…").replace("&", "")

    def _place_toast(self) -> None:
        if not self.toast.isVisible():
            return
        root = self.root
        width = min(root.width() - 80, self.toast.wanted_width())
        self.toast.setFixedWidth(width)
        self.toast.adjustSize()
        bottom = root.height() - self.status.height() - 14
        self.toast.move((root.width() - width) // 2, bottom - self.toast.height())

    def _theme_changed(self, theme: Theme) -> None:
        self.actions_.set_theme(theme)
        for part in (
            self.bar, self.strip, self.note, self.banner, self.toast, self.overlay, self.boards, self.history,
            self.map, self.tensors, self.live, self.whatif, self.memory, self.details,
        ):  # fmt: skip
            part.set_theme(theme)

    # -- Qt's events ------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that no widget wanted: Escape stops, closes, lets go; Space pauses."""
        if event.key() == Qt.Key.Key_Escape:
            self.does.escape()
        elif event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.actions_["pause"].trigger()
        elif event.key() == Qt.Key.Key_F10:
            self.bar.menu_button.showMenu()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Files that the system hands to a running program (macOS)."""
        if event.type() == QEvent.Type.FileOpen:
            self.session.open(Path(event.file()))  # type: ignore[attr-defined]
            return True
        return super().eventFilter(watched, event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        path = dropped_file(event.mimeData())
        if path is not None:
            event.acceptProposedAction()
            self.overlay.announce(path)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.overlay.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self.overlay.hide()
        path = dropped_file(event.mimeData())
        if path is not None:
            event.acceptProposedAction()
            self.session.open(path)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_toast()
        if self.overlay.isVisible():
            self.overlay.setGeometry(self.root.rect())

    def closeEvent(self, event: QCloseEvent) -> None:
        self._app.removeEventFilter(self)
        self.does.keep_settings()
        for dialog in self.findChildren(QDialog):
            dialog.close()
        self.live.end()
        self.session.leave()  # what takes a moment to end, ends behind the window
        super().closeEvent(event)

    # -- between sittings -------------------------------------------------------------------------

    def _restore(self, settings: Settings) -> None:
        self.resize(self.sizeHint())
        restore_geometry(self, settings.geometry)
        bring_onto_screens(self)
        restore_splitters(self.splitters, settings.window_state)

    def state(self) -> Settings:
        from ..settings import Theme as Mode

        return Settings(Mode(self.themes.mode), geometry_text(self), splitters_text(self.splitters))
