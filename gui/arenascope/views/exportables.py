"""The views of the window as things that can become pictures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from ..domain.capture import Capture
from ..qtmodels.search_state import SearchState
from ..qtmodels.selection import Selection
from .export import Exportable
from .grab import grab_svg
from .panels.live_panel import LivePanel
from .panels.operators import OperatorsPanel
from .panels.run_panel import RunPanel
from .panels.tensor_panel import TensorTable
from .plots.arena_map import ArenaMap

if TYPE_CHECKING:
    from .main_window import MainWindow


def exportables(window: MainWindow) -> tuple[Exportable, ...]:
    theme = window.themes.theme

    def map_of(capture: Capture) -> QWidget:
        made = ArenaMap(theme)
        made.set_color_by(window.map.color_rule)
        selection = window.session.selection
        made.set_capture(capture)
        made.selection.set_scope(selection.subgraph, selection.kind)
        made.selection.set_step(selection.step)
        return made

    def tensors_of(capture: Capture) -> QWidget:
        made = TensorTable(theme)
        made.set_selection(_selection_of(capture, made))
        return made

    def operators_of(capture: Capture) -> QWidget:
        owner = QWidget()
        made = OperatorsPanel(_selection_of(capture, owner), SearchState(owner))
        owner.setParent(made)
        return made

    def run_of(capture: Capture) -> QWidget:
        made = RunPanel()
        made.set_capture(capture)
        return made

    def live_of(capture: Capture) -> QWidget:
        made = LivePanel(theme)
        made.set_capture(capture)
        made.chart.look_as(window.live.chart)
        return made

    # A run that goes on and a watch are in no capture; their chart names phases and sizes alone.
    live = live_of if window.live.capture is not None else None
    return (
        _view("arena-map", "Arena map", window.map, map_of),
        _view("tensors", "Tensors", window.tensors, tensors_of),
        _view("operators", "Operators", window.operators, operators_of),
        _view("live", "Live", window.live, live, names_hosts=True),
        _view("what-if", "What-if", window.whatif),
        _view("memory", "Memory", window.memory),
        _view("run", "Run", window.run, run_of, names_hosts=True),
    )


def _selection_of(capture: Capture, owner: QWidget) -> Selection:
    made = Selection(owner)
    made.set_capture(capture)
    return made


def _view(
    key: str,
    title: str,
    widget: QWidget,
    make: Callable[[Capture], QWidget] | None = None,
    *,
    names_hosts: bool = False,
) -> Exportable:
    def copy(capture: Capture) -> Exportable:
        assert make is not None
        made = make(capture)
        made.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        made.resize(widget.size())
        made.show()
        return _view(key, title, made)

    return Exportable(
        key,
        title,
        widget.render_image,  # type: ignore[attr-defined]
        getattr(widget, "render_svg", None) or partial(grab_svg, widget),
        copy if make is not None else None,
        widget,
        names_hosts,
    )
