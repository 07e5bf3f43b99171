"""Every action of the window, once: its words, its keys, its place in the menu.

Menus, buttons, the command palette and the list of shortcuts are all made from this table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from .icons import icon
from .labels import tip
from .theme import Theme

MENUS = ("File", "Run", "Boards", "View", "Go", "Help")


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """``keys`` are shortcuts of the window. ``shown_key`` is a key that the window itself listens to
    where nothing with the focus wants it (Escape, Space): a shortcut would take it from text fields and
    buttons. ``group`` makes radio actions. ``submenu`` gathers actions under one entry."""

    key: str
    text: str
    menu: str
    keys: tuple[str, ...] = ()
    shown_key: str = ""
    button: str = ""  #: shorter words for a button
    icon: str = ""
    tip: str = ""
    checkable: bool = False
    group: str = ""
    submenu: str = ""
    separator: bool = False  #: a line above it

    @property
    def key_text(self) -> str:
        """For people: 'Ctrl+O', or '' without a key."""
        if self.shown_key:
            return self.shown_key
        native = QKeySequence.SequenceFormat.NativeText
        return "  ".join(QKeySequence(k).toString(native) for k in self.keys)


COLOR_RULES = {
    "role": "What It Is",
    "kind": "Allocation Type",
    "size": "Size",
    "lifetime": "Lifetime",
    "dtype": "Data Type",
}
TABS = ("Tensors", "Operators", "Live", "What-if", "Memory", "Run")
FIGURES = {
    "lower_bound": "Lower Bound",
    "arena": "Arena",
    "overhead": "Overhead",
    "persistent": "Persistent Arena",
    "weights": "Weights",
    "process_peak": "Process Peak",
    "headroom": "Headroom",
    "unexplained": "Unexplained",
}

#: Of the plan that the What-if view shows.
PLANNED_FIGURES = {
    "arena": "Planned Arena",
    "persistent": "Planned Persistent Arena",
    "largest": "Largest Single Allocation",
    "peak": "Predicted Process Peak",
    "verdict": "Verdict",
}
SHOWINGS = {"reading": "Reading", "plan": "Plan", "both": "Both"}

ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("open", "Open…", "File", ("Ctrl+O",), icon="open", tip="Open a model or a capture"),
    ActionSpec("open_example", "Open the Recorded Examples", "File"),
    ActionSpec("save", "Save Capture…", "File", ("Ctrl+S",), icon="save", separator=True),
    ActionSpec(
        "report", "Make a Report…", "File", ("Ctrl+R",), icon="report", tip="One self-contained HTML page"
    ),
    ActionSpec(
        "export", "Export This View…", "File", ("Ctrl+E",), icon="export", tip="PNG or SVG, with its stamp"
    ),
    ActionSpec("copy_image", "Copy Image of This View", "File", ("Ctrl+Shift+C",), icon="copy"),
    ActionSpec("quit", "Quit", "File", ("Ctrl+Q",), separator=True),
    ActionSpec(
        "inspect", "Inspect", "Run", ("Ctrl+I", "F5"), icon="play", tip="Run the model on the chosen board"
    ),
    ActionSpec("inspect_here", "Inspect on This Computer", "Run", ("Ctrl+Shift+I",), icon="computer"),
    ActionSpec("cancel", "Cancel", "Run", shown_key="Esc", icon="stop", tip="Stop what goes on"),
    ActionSpec("inputs", "Inputs…", "Run", icon="inputs", tip="Shapes of the inputs", separator=True),
    ActionSpec("delegate_default", "Default Delegate", "Run", group="delegate", checkable=True),
    ActionSpec("delegate_none", "CPU Kernels Only", "Run", group="delegate", checkable=True),
    ActionSpec(
        "preserve_all",
        "Preserve All Tensors",
        "Run",
        checkable=True,
        tip="The runtime keeps every intermediate tensor: nothing shares memory",
    ),
    ActionSpec(
        "watch",
        "Watch the Board",
        "Run",
        ("Ctrl+L",),
        icon="watch",
        checkable=True,
        tip="Follow the memory of the chosen board without running anything on it",
        separator=True,
    ),
    ActionSpec(
        "whatif_measure",
        "Measure the What-if",
        "Run",
        ("Ctrl+M",),
        button="Measure",
        tip="Run the model with the knobs of the What-if view on the chosen board",
        separator=True,
    ),
    ActionSpec(
        "whatif_use",
        "Use the What-if for the Next Run",
        "Run",
        button="Use for the Next Run",
        tip="Copy the knobs of the What-if view to the options of the next run",
    ),
    ActionSpec(
        "whatif_reset",
        "Set the What-if to the Next Run",
        "Run",
        tip="Copy the options of the next run to the knobs of the What-if view",
    ),
    ActionSpec(
        "whatif_like_run",
        "Set the What-if to the Run on Show",
        "Run",
        tip="Plan what was run, so that plan and reading can be compared",
    ),
    ActionSpec(
        "whatif_learn",
        "Calibrate the Board",
        "Run",
        button="Calibrate",
        tip="A few short runs on the chosen board make its prediction narrow; they are kept",
    ),
    ActionSpec(
        "whatif_largest",
        "Set the What-if to the Largest Batch That Fits",
        "Run",
        tip="The largest that is planned to fit on the chosen board",
    ),
    ActionSpec("add_board", "Add a Board…", "Boards", ("Ctrl+B",), icon="plus"),
    ActionSpec("check_board", "Check the Board", "Boards", icon="refresh"),
    ActionSpec(
        "setup_board",
        "Set Up the Board…",
        "Boards",
        icon="board",
        tip="Give a board without a runtime what it needs, after a yes",
    ),
    ActionSpec(
        "undo_setup",
        "Undo the Setup…",
        "Boards",
        icon="back",
        tip="Take away everything that ArenaScope keeps on the board",
    ),
    ActionSpec("disconnect_board", "Disconnect the Board", "Boards", icon="unlink"),
    ActionSpec("forget_board", "Forget the Board…", "Boards", icon="trash"),
    ActionSpec("reload_boards", "Read the List of Boards Again", "Boards", separator=True),
    ActionSpec("fit", "Fit the Map or the Chart", "View", ("F",), icon="fit"),
    ActionSpec("zoom_tensor", "Zoom to the Selected Tensor", "View", ("Shift+F",)),
    ActionSpec("pause", "Pause the Live View", "View", shown_key="Space", icon="pause"),
    *(
        ActionSpec(
            f"color_{rule}", f"Colour by {text}", "View", group="color", checkable=True, submenu="Colour by"
        )
        for rule, text in COLOR_RULES.items()
    ),
    *(
        ActionSpec(
            f"map_{key}",
            f"Arena Map Shows {text}",
            "View",
            (f"Ctrl+Alt+{number}",),
            button=f"Show the {text}",
            group="map",
            checkable=True,
            submenu="Arena Map",
        )
        for number, (key, text) in enumerate(SHOWINGS.items(), 1)
    ),
    *(
        ActionSpec(f"tab_{name.lower()}", f"Show {name}", "View", (f"Alt+{n}",), submenu="Views")
        for n, name in enumerate(TABS, 1)
    ),
    ActionSpec("theme_system", "Theme of the System", "View", group="theme", checkable=True, submenu="Theme"),
    ActionSpec("theme_light", "Light Theme", "View", group="theme", checkable=True, submenu="Theme"),
    ActionSpec("theme_dark", "Dark Theme", "View", group="theme", checkable=True, submenu="Theme"),
    ActionSpec(
        "copy_tensor", "Copy the Tensor as Text", "Go", icon="copy", tip="What the details say of the tensor"
    ),
    ActionSpec("search", "Search", "Go", ("Ctrl+F",), icon="search"),
    ActionSpec("back", "Back", "Go", ("Alt+Left",), icon="back", tip="The tensor selected before"),
    ActionSpec("forward", "Forward", "Go", ("Alt+Right",), icon="forward"),
    ActionSpec("step_back", "Step Back", "Go", ("Ctrl+Left",), separator=True),
    ActionSpec("step_forward", "Step Forward", "Go", ("Ctrl+Right",)),
    ActionSpec("step_busiest", "Go to the Busiest Step", "Go", ("Ctrl+Home",)),
    *(
        ActionSpec(f"explain_{key}", f"Explain {text}", "Go", submenu="Explain a Number")
        for key, text in FIGURES.items()
    ),
    *(
        ActionSpec(f"explain_whatif_{key}", f"Explain the {text}", "Go", submenu="Explain a Number")
        for key, text in PLANNED_FIGURES.items()
    ),
    ActionSpec("palette", "Every Action…", "Help", ("Ctrl+K", "Ctrl+Shift+P"), icon="command"),
    ActionSpec("shortcuts", "Keys…", "Help", ("?",), icon="keyboard"),
    ActionSpec("help", "Help…", "Help", ("F1",), icon="help"),
    ActionSpec("about", "About ArenaScope…", "Help", separator=True),
)

BY_KEY = {spec.key: spec for spec in ACTIONS}


class Actions(QObject):
    """The table as QActions of one window."""

    def __init__(self, window: QWidget, theme: Theme) -> None:
        super().__init__(window)
        self._made: dict[str, QAction] = {}
        self._groups: dict[str, QActionGroup] = {}
        for spec in ACTIONS:
            action = QAction(spec.text, self)
            action.setObjectName(spec.key)
            action.setShortcuts([QKeySequence(key) for key in spec.keys])
            action.setCheckable(spec.checkable)
            if spec.button:
                action.setIconText(spec.button)
            action.setToolTip(tip(_tip(spec)))
            if spec.group:
                group = self._groups.setdefault(spec.group, QActionGroup(self))
                group.addAction(action)
            self._made[spec.key] = action
            window.addAction(action)
        self.set_theme(theme)

    def __getitem__(self, key: str) -> QAction:
        return self._made[key]

    def __iter__(self) -> Iterator[tuple[ActionSpec, QAction]]:
        return ((BY_KEY[key], action) for key, action in self._made.items())

    def on(self, key: str, do: Callable[[], object]) -> None:
        self._made[key].triggered.connect(lambda _checked=False: do())

    def set_theme(self, theme: Theme) -> None:
        for spec, action in self:
            if spec.icon:
                action.setIcon(icon(spec.icon, theme))

    def menus(self, parent: QWidget) -> list[QMenu]:
        """The menus, in order, each action in exactly one of them."""
        made = {name: QMenu(f"&{name}", parent) for name in MENUS}
        submenus: dict[str, QMenu] = {}
        for spec, action in self:
            menu = made[spec.menu]
            if spec.submenu:
                if spec.submenu not in submenus:
                    submenus[spec.submenu] = menu.addMenu(spec.submenu)
                submenus[spec.submenu].addAction(action)
                continue
            if spec.separator:
                menu.addSeparator()
            menu.addAction(action)
        return list(made.values())


def _tip(spec: ActionSpec) -> str:
    words = spec.tip or spec.text.rstrip("…")
    return f"{words}  ({spec.key_text})" if spec.key_text else words
