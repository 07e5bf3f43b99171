"""The arena map: where every tensor lies in the arena, and for how long.

y is the offset in the arena, x the program order (operators, not time): one block a tensor, as long as it
lives. Keys: Left/Right step (Shift: ten), Home/End first and last step, Up/Down the next tensor alive at
the step, F fits, 0 resets, Esc unpins, Ctrl+C copies the card. The wheel zooms at the cursor, dragging
pans, a double click fits a tensor, dragging on the axis scrubs the step.

This is more than 500 lines, for it is one widget with one state: what its keys, its mouse and its card do
is about the same blocks, range and selection, and would only hand these around.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, Qt, Signal, SignalInstance
from PySide6.QtGui import (
    QAction,
    QFontMetricsF,
    QGuiApplication,
    QHideEvent,
    QImage,
    QKeyEvent,
    QKeySequence,
    QPainter,
)
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ...domain.alive import Key
from ...domain.capture import Capture
from ...domain.layout import Overlap
from ...domain.overlaps import find_overlaps
from ...domain.plain_text import plain
from ...qtmodels.arena_blocks import ArenaBlocks
from ...qtmodels.search_state import SearchState
from ...qtmodels.selection import Selection, Showing
from ...qtmodels.tensor_card import tensor_card
from ..empty_state import EmptyState
from ..theme import Theme, scaled
from .arena_header import ArenaHeader
from .arena_item import ArenaItem
from .arena_overlay import ArenaOverlay
from .arena_words import arena_line, chip_text, nothing_to_show, scope_title
from .axes import BytesAxis, GridLines, StepAxis
from .coloring import RULES, Coloring, color_by, legend_entries
from .hover_card import HoverCard
from .legend import Legend
from .picture import paint_plot, picture_size, settle, to_image, to_svg
from .plan_line import PlanLine
from .plan_outlines import PlanOutlines
from .plot_panel import PlotPanel
from .plot_view import MemoryViewBox, make_view


class ArenaMap(PlotPanel):
    """Follows and drives one Selection; dims what one SearchState does not find."""

    colorByChanged = Signal(str)
    showingChosen = Signal(object)  #: Showing
    planAsked = Signal()  #: the plan is to be of what was run

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._selection = Selection(self)
        self._search: SearchState | None = None
        self._rule = "role"
        self._coloring: Coloring | None = None
        self._overlaps: tuple[Overlap, ...] = ()
        self._pinned: Key | None = None
        self._fitted = True
        self._cursor = QPoint()
        self.setAccessibleName("Arena map")

        self._box = MemoryViewBox()
        self._bytes_axis, self._step_axis = BytesAxis("offset in arena"), StepAxis()
        self._view, self._plot = make_view(self._box, self._bytes_axis, self._step_axis)
        self._grid = GridLines(self._box, self._bytes_axis)
        self._item = ArenaItem(self._box, theme, self.font())
        self._overlay = ArenaOverlay(self._plot, self._item, theme, self.font())
        self._outlines = PlanOutlines(self._box, theme)
        self._plan_line = PlanLine()
        self._legend = Legend(theme)
        self._empty = EmptyState()
        self._card = HoverCard(theme, self)
        self._header = ArenaHeader()
        self._build()
        self.set_theme(theme)
        self.set_selection(self._selection)

    # -- public -------------------------------------------------------------------------------

    @property
    def selection(self) -> Selection:
        return self._selection

    @property
    def graphics(self) -> pg.GraphicsView:
        """The widget that draws, for benchmarks and pixel probes."""
        return self._view

    @property
    def view_box(self) -> MemoryViewBox:
        return self._box

    @property
    def plot(self) -> pg.PlotItem:
        return self._plot

    @property
    def legend(self) -> Legend:
        return self._legend

    @property
    def line_text(self) -> str:
        """What stands at the arena line."""
        return self._overlay.line_text

    @property
    def chip_text(self) -> str:
        """What stands at the step cursor."""
        return self._overlay.chip_text

    @property
    def plan_text(self) -> str:
        """What is said of the plan, and of how the reading differs from it."""
        return self._plan_line.text

    @property
    def outlined(self) -> int:
        """How many outlines mark differences between plan and reading."""
        return self._outlines.count

    @property
    def empty_text(self) -> str:
        return self._empty.text

    def block_rect(self, key: Key) -> QRect:
        """Where a block is seen, in the coordinates of ``graphics``; empty where it is not."""
        blocks = self._selection.blocks
        row = None if blocks is None else blocks.rows.get(key)
        if row is None:
            return QRect()
        corner = self._view.mapFromScene(self._box.mapToScene(QPointF(0, 0)))
        inside = self._view.mapFromScene(self._box.sceneBoundingRect()).boundingRect()
        return self._item.rect_of(row).toRect().translated(corner) & inside

    @property
    def color_rule(self) -> str:
        return self._rule

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        font = self.font()
        self._view.setBackground(theme.panel)
        for axis in (self._bytes_axis, self._step_axis):
            axis.restyle(theme, font)
        line = QFontMetricsF(scaled(font, 0.92)).height()
        self._step_axis.setHeight(3 * line + 22)  # ticks, the chip of the step, the label
        self._grid.restyle(theme)
        self._item.restyle(theme, font)
        self._overlay.restyle(theme, font)
        self._outlines.restyle(theme)
        self._legend.set_theme(theme)
        self._card.set_theme(theme)
        self._recolor()

    def set_selection(self, selection: Selection) -> None:
        """Follow ``selection`` (its capture too) and drive it."""
        old = self._selection
        if old is not selection:
            for signal, slot in self._links(old):
                signal.disconnect(slot)
        self._selection = selection
        for signal, slot in self._links(selection):
            signal.connect(slot)
        self._capture_changed()
        self._scope_changed()

    def set_search(self, search: SearchState) -> None:
        if self._search is not None:
            self._search.changed.disconnect(self._search_changed)
        self._search = search
        search.changed.connect(self._search_changed)
        self._search_changed()

    def set_capture(self, capture: Capture | None) -> None:
        """Same as ``selection.set_capture``; for use without other views."""
        self._selection.set_capture(capture)

    def set_empty_action(self, action: QAction | None) -> None:
        """The button of the empty view."""
        self._empty.set_action(action)

    def add_header_widget(self, widget: QWidget) -> None:
        """Put a widget (the search box) at the right end of the header."""
        self._header.add(widget)

    def set_color_by(self, rule: str) -> None:
        """One of ``coloring.RULES``; zoom and selection stay."""
        if rule != self._rule and rule in RULES:
            self._rule = rule
            self._header.show_rule(rule)
            self._recolor()
            self.colorByChanged.emit(rule)

    def show_showing(self, showing: Showing) -> None:
        """Which of reading and plan the head says is shown."""
        self._header.show_showing(showing)

    def say_plan(self, words: str, offered: bool) -> None:
        """``offered``: a button sets the plan to what was run."""
        self._plan_line.say(words, offered)
        empty = self._selection.capture is None or not self._view.isVisibleTo(self)
        self._plan_line.setVisible(bool(words) and not empty)
        if empty:
            self._say_empty()

    def fit(self) -> None:
        """Show the whole arena and the whole program."""
        blocks = self._selection.blocks
        if blocks is not None and len(blocks):
            height = max(self._box.rect().height(), 2 * self._overlay.headroom)
            top = max(blocks.arena_bytes, self._outlines.top) * height / (height - self._overlay.headroom)
            self._box.fit_to(0, max(1, blocks.steps), 0, top)
            self._fitted = True

    def fit_tensor(self, key: Key) -> None:
        """Zoom to one tensor, with as much around it again."""
        blocks = self._selection.blocks
        row = None if blocks is None else blocks.rows.get(key)
        if blocks is None or row is None:
            return
        first, end = int(blocks.first[row]), int(blocks.end[row])
        low, size = int(blocks.offset[row]), int(blocks.size[row])
        self._fitted = False
        self._box.fit_to(
            first - (end - first) / 2, end + (end - first) / 2, low - size / 2, low + size + size / 2
        )

    def reset(self) -> None:
        """As at first: everything in view, nothing pinned, the step back at the busiest one."""
        self.unpin()
        self._selection.to_busiest_step()
        self.fit()

    def unpin(self) -> None:
        self._pinned = None
        self._selection.select(None)

    def card_text(self) -> str:
        """The card of the pinned or hovered tensor, or of the selected one, as text."""
        capture = self._selection.capture
        key = self._pinned or self._selection.hovered or self._selection.tensor
        place = self._selection.placement_of(key)
        return tensor_card(place, capture.layout).text() if place is not None and capture is not None else ""

    def copy_card(self) -> None:
        text = self.card_text()
        if text:
            QGuiApplication.clipboard().setText(text)

    def render_image(self, scale: float = 1.0) -> QImage:
        """The map with its title and legend, without controls and what only the mouse shows."""
        return to_image(self._paint_picture, picture_size(self), scale, self._theme.panel)

    def render_svg(self, path: Path) -> None:
        to_svg(self._paint_picture, picture_size(self), path, self._theme.panel, self._picture_title())

    # -- building -----------------------------------------------------------------------------

    def _build(self) -> None:
        self._header.scopeChosen.connect(self._scope_chosen)
        self._header.ruleChosen.connect(self.set_color_by)
        self._header.showingChosen.connect(self.showingChosen)
        self._plan_line.likeRunAsked.connect(self.planAsked)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._header)
        column.addWidget(self._plan_line)
        column.addWidget(self._legend)
        column.addWidget(self._view, 1)
        column.addWidget(self._empty, 1)
        self._box.sigRangeChanged.connect(self._moved)
        self._box.sigResized.connect(self._resized)
        self._box.sigRangeChangedManually.connect(self._moved_by_hand)
        self._step_axis.scrubbed.connect(self._scrubbed)
        scene = self._view.scene()
        scene.sigMouseMoved.connect(self._mouse_moved)
        scene.sigMouseClicked.connect(self._mouse_clicked)
        self._view.installEventFilter(self)

    def _links(self, selection: Selection) -> tuple[tuple[SignalInstance, Callable[..., None]], ...]:
        return (
            (selection.captureChanged, self._capture_changed),
            (selection.scopeChanged, self._scope_changed),
            (selection.tensorChanged, self._tensor_changed),
            (selection.stepChanged, self._step_changed),
            (selection.hoverChanged, self._hover_changed),
            (selection.differenceChanged, self._difference_changed),
        )

    # -- following ----------------------------------------------------------------------------

    def _capture_changed(self) -> None:
        capture = self._selection.capture
        self._pinned = None
        self._overlaps = find_overlaps(capture.layout) if capture is not None else ()
        scopes = self._selection.scopes()
        several = len({subgraph for subgraph, _ in scopes}) > 1
        self._header.set_scopes([scope_title(*scope, several) for scope in scopes])

    def _scope_changed(self) -> None:
        blocks = self._selection.blocks
        shown = blocks is not None and len(blocks) > 0
        self._view.setVisible(shown)
        self._legend.setVisible(shown)
        self._empty.setVisible(not shown)
        if blocks is None or not shown:
            self._say_empty()
            self._item.set_blocks(None)
            self._item.regroup()
            self._card.hide()
            return
        self._header.show_scope(self._selection.scopes().index((blocks.subgraph, blocks.kind)))
        self._item.set_blocks(blocks, self._overlaps_here(blocks))
        self._step_axis.set_steps(blocks.steps)
        self._overlay.set_arena(blocks.arena_bytes, arena_line(blocks), blocks.high_water)
        self._overlay.set_rows(None, None)
        self._mark_differences(blocks)
        if self._fitted or not self._selection.swapping:
            self.fit()
        self._step_changed()
        self._recolor()
        self._search_changed()
        self._tensor_changed()

    def _say_empty(self) -> None:
        if self._selection.showing is Showing.PLAN and self._selection.capture is None:
            self._empty.say("No plan to show", self._plan_line.text)
        else:
            self._empty.say(*nothing_to_show(self._selection.capture))

    def _difference_changed(self) -> None:
        blocks = self._selection.blocks
        if blocks is not None and len(blocks):
            self._mark_differences(blocks)
            if self._fitted:
                self.fit()
            self._tell_legend()

    def _mark_differences(self, blocks: ArenaBlocks) -> None:
        self._outlines.set_difference(self._selection.difference, blocks)
        top = max(blocks.arena_bytes, self._outlines.top)
        self._box.bound(0, max(1, blocks.steps), 0, top)

    def _tensor_changed(self) -> None:
        if self._selection.tensor != self._pinned:
            self._pinned = None
        self._outline()
        self._update_card()

    def _hover_changed(self) -> None:
        self._outline()
        self._update_card()

    def _step_changed(self) -> None:
        blocks, capture = self._selection.blocks, self._selection.capture
        if blocks is None or capture is None:
            return
        self._overlay.set_step(self._selection.step, chip_text(blocks, capture.layout, self._selection.step))
        self._item.set_step(self._selection.step)
        self.setAccessibleDescription(f"{self.line_text}. {self.chip_text}.")

    def _search_changed(self) -> None:
        blocks = self._selection.blocks
        keys = None if self._search is None else self._search.keys
        if blocks is None or keys is None:
            self._item.set_found(None)
        else:
            self._item.set_found(np.array([p.key in keys for p in blocks.placements], bool))
        self._tell_legend()

    def _recolor(self) -> None:
        blocks, capture = self._selection.blocks, self._selection.capture
        if blocks is None or capture is None or not len(blocks):
            return
        coloring = color_by(self._rule, blocks, self._theme)
        self._coloring = coloring
        self._item.set_coloring(coloring)
        self._tell_legend()

    def _tell_legend(self) -> None:
        blocks, coloring = self._selection.blocks, self._coloring
        if blocks is None or coloring is None or len(coloring.class_of) != len(blocks):
            return
        note = "bright = alive at the step"
        if self._search is not None and self._search.active:
            note += ", faint = not found"
        entries = legend_entries(coloring, blocks, self._overlaps_here(blocks), self._theme)
        if self._outlines.count:
            note = f"{note}; framed = read elsewhere than planned, dashed = planned place"
        self._legend.set_entries(f"colour = {coloring.title}", entries, note)

    def _overlaps_here(self, blocks: ArenaBlocks) -> tuple[Overlap, ...]:
        return tuple(o for o in self._overlaps if o.first in blocks.rows and o.second in blocks.rows)

    def _outline(self) -> None:
        blocks = self._selection.blocks
        rows = {} if blocks is None else blocks.rows
        hovered, selected = self._selection.hovered, self._selection.tensor
        self._overlay.set_rows(
            None if hovered is None else rows.get(hovered), None if selected is None else rows.get(selected)
        )

    def _moved_by_hand(self) -> None:
        self._fitted = False

    def _resized(self) -> None:
        """Whoever saw everything sees everything after a change of size, too."""
        if self._fitted:
            self.fit()
        self._moved()

    def _moved(self) -> None:
        self._item.place()
        self._grid.update()
        self._overlay.update()
        self._update_card()

    # -- mouse and keys -----------------------------------------------------------------------

    def _row_under(self, scene_position: QPointF) -> int | None:
        blocks = self._selection.blocks
        if blocks is None or not self._box.sceneBoundingRect().contains(scene_position):
            return None
        inside = self._box.mapSceneToView(scene_position)
        row = blocks.hit(inside.x(), inside.y())
        if row is not None:
            return row
        return self._item.thin_row_near(self._box.mapFromScene(scene_position))

    def _mouse_moved(self, scene_position: QPointF) -> None:
        self._cursor = self._view.mapFromScene(scene_position)
        blocks = self._selection.blocks
        row = self._row_under(scene_position)
        self._selection.hover(None if blocks is None or row is None else blocks.placements[row].key)

    def _mouse_clicked(self, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton or event.isAccepted():
            return
        blocks = self._selection.blocks
        row = self._row_under(event.scenePos())
        if blocks is None:
            return
        if row is None:
            if self._box.sceneBoundingRect().contains(event.scenePos()):
                self._selection.set_step(int(np.floor(self._box.mapSceneToView(event.scenePos()).x())))
            return
        key = blocks.placements[row].key
        if event.double():
            self.fit_tensor(key)
        self._pinned = key
        self._selection.select(key)
        self._update_card()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ten = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        match event.key():
            case Qt.Key.Key_Left if not alt:
                self._selection.move_step(-ten)
            case Qt.Key.Key_Right if not alt:
                self._selection.move_step(ten)
            case Qt.Key.Key_Home:
                self._selection.set_step(0)
            case Qt.Key.Key_End:
                self._selection.set_step(self._selection.step_count - 1)
            case Qt.Key.Key_Up:
                self._walk(1)
            case Qt.Key.Key_Down:
                self._walk(-1)
            case Qt.Key.Key_F:
                self.fit()
            case Qt.Key.Key_0:
                self.reset()
            case Qt.Key.Key_Escape if self._pinned is not None:
                self.unpin()
            case _ if event.matches(QKeySequence.StandardKey.Copy):
                self.copy_card()
            case _:
                super().keyPressEvent(event)

    def _walk(self, by: int) -> None:
        """The tensor above or below, among those alive at the step; pinned, so that its card is shown."""
        key = self._selection.neighbour_alive(by)
        if key is not None:
            self._pinned = key
            self._selection.select(key)

    def _scrubbed(self, step: int) -> None:
        self._selection.set_step(step)

    def _scope_chosen(self, index: int) -> None:
        self._selection.set_scope(*self._selection.scopes()[index])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._selection.hover(None)
        return super().eventFilter(watched, event)

    def mark_focus(self, focused: bool) -> None:
        self._overlay.focused = focused
        self._overlay.update()

    # -- card ---------------------------------------------------------------------------------

    def _update_card(self) -> None:
        blocks, capture = self._selection.blocks, self._selection.capture
        key = self._selection.hovered if self._selection.hovered is not None else self._pinned
        row = blocks.rows.get(key) if blocks is not None and key is not None else None
        if capture is None or blocks is None or key is None or row is None or not self.isVisible():
            self._card.hide()
            return
        shown = self.block_rect(key)
        if shown.isEmpty():
            self._card.hide()
            return
        self._card.show_card(tensor_card(blocks.placements[row], capture.layout), pinned=key == self._pinned)
        cursor = self._cursor if self._selection.hovered is not None else shown.center()
        self._card.show_beside(self._view, shown, cursor)

    def hideEvent(self, event: QHideEvent) -> None:
        self._card.hide()
        super().hideEvent(event)

    # -- pictures -----------------------------------------------------------------------------

    def _picture_title(self) -> str:
        capture, blocks = self._selection.capture, self._selection.blocks
        if capture is None or blocks is None:
            return "Arena map"
        scope = scope_title(blocks.subgraph, blocks.kind, True)
        return f"Arena map of {plain(capture.model.name, 60)} · {scope}"

    def _paint_picture(self, painter: QPainter) -> None:
        settle(self)
        hovered = self._selection.hovered
        self._selection.hover(None)
        view = self._view if self._view.isVisibleTo(self) else self._empty.text
        paint_plot(painter, picture_size(self), self._picture_title(), self._legend, view, self._theme)
        self._selection.hover(hovered)
