"""The style sheet, made from a theme and the size of the system font.

Widgets say what they are with the dynamic property ``role``:

    QFrame    panel (rounded, bordered)   card (floating)   line (one pixel of border)
    QLabel    title  figure  muted  small  error  warn  ok  chip  code
    QPushButton / QToolButton   primary  flat

Sizes of text are multiples of the system font's; lengths are pixels.
"""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

from ..resources import resource_path
from .palette import mix

if TYPE_CHECKING:
    from .theme import Theme

_SHEET = Template("""
* { font-size: ${body}pt; }
QWidget { color: $text; }
QMainWindow, QDialog, QMessageBox { background: $background; }
QToolTip { background: $raised; color: $text; border: 1px solid $border; padding: 4px 6px; }

QFrame[role="panel"] { background: $panel; border: 1px solid $border; border-radius: 8px; }
QFrame[role="card"] { background: $raised; border: 1px solid $card_border; border-radius: 8px; }
QFrame[role="line"] { background: $border; border: none; max-height: 1px; min-height: 1px; }

QLabel { background: transparent; }
QLabel[role="title"] { font-size: ${body}pt; font-weight: 600; }
QLabel[role="figure"] { font-size: ${figure}pt; font-weight: 600; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="small"] { color: $muted; font-size: ${small}pt; }
QLabel[role="error"] { color: $error; }
QLabel[role="warn"] { color: $warn; }
QLabel[role="ok"] { color: $ok; }
QLabel[role="chip"] {
  background: $hover; color: $muted; border-radius: 8px; padding: 1px 8px; font-size: ${small}pt;
}
QLabel[role="code"] { font-family: monospace; }

QPushButton, QToolButton {
  background: $raised; color: $text; border: 1px solid $border; border-radius: 6px; padding: 4px 12px;
}
QToolButton { padding: 4px 8px; }
QPushButton:hover, QToolButton:hover { background: $hover; }
QPushButton:pressed, QToolButton:pressed, QPushButton:checked, QToolButton:checked {
  background: $selection; border-color: $accent;
}
QPushButton:focus, QToolButton:focus { border-color: $accent; }
QPushButton:disabled, QToolButton:disabled { color: $disabled; background: $panel; }
QPushButton[role="primary"], QToolButton[role="primary"], QPushButton:default {
  background: $accent; color: $accent_text; border-color: $accent; font-weight: 600; padding: 4px 16px;
}
QPushButton[role="primary"]:hover, QToolButton[role="primary"]:hover, QPushButton:default:hover {
  background: $accent_hover;
}
QPushButton[role="primary"]:focus { border-color: $text; }
QPushButton[role="primary"]:disabled { background: $hover; color: $disabled; border-color: $border; }
QPushButton[role="flat"], QToolButton[role="flat"] { background: transparent; border-color: transparent; }
QPushButton[role="flat"]:hover, QToolButton[role="flat"]:hover { background: $hover; }
QPushButton[role="flat"]:checked, QToolButton[role="flat"]:checked { background: $selection; }
QPushButton[role="flat"]:focus, QToolButton[role="flat"]:focus { border-color: $accent; }
QToolButton::menu-indicator { image: none; }

QLineEdit, QSpinBox, QDoubleSpinBox, QPlainTextEdit, QTextEdit, QTextBrowser {
  background: $field; color: $text; border: 1px solid $border; border-radius: 6px; padding: 4px 8px;
  selection-background-color: $accent; selection-color: $accent_text;
}
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QPlainTextEdit:focus, QTextEdit:focus,
QComboBox:focus { border-color: $accent; }
QLineEdit[invalid="true"] { border-color: $error; }
QLineEdit:disabled, QSpinBox:disabled, QComboBox:disabled { color: $disabled; background: $panel; }
QSpinBox, QDoubleSpinBox { padding-right: 18px; }
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {
  subcontrol-origin: border; width: 16px; border: none; background: transparent;
}
QSpinBox::up-button, QDoubleSpinBox::up-button { subcontrol-position: top right; margin: 2px 2px 0 0; }
QSpinBox::down-button, QDoubleSpinBox::down-button { subcontrol-position: bottom right; margin: 0 2px 2px 0; }
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow { image: url($chevron_up); width: 9px; height: 9px; }
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow { image: url($chevron_down); width: 9px; height: 9px; }

QComboBox {
  background: $raised; color: $text; border: 1px solid $border; border-radius: 6px; padding: 4px 24px 4px 8px;
}
QComboBox:hover { background: $hover; }
QComboBox::drop-down {
  subcontrol-origin: border; subcontrol-position: center right; width: 22px; border: none;
}
QComboBox::down-arrow { image: url($chevron_down); width: 11px; height: 11px; }
QComboBox QAbstractItemView {
  background: $panel; color: $text; border: 1px solid $border; padding: 4px; outline: none;
  selection-background-color: $selection; selection-color: $text;
}
QComboBox QAbstractItemView::item { min-height: 22px; padding: 2px 6px; }

QCheckBox, QRadioButton { spacing: 7px; background: transparent; }
QCheckBox::indicator, QRadioButton::indicator, QMenu::indicator {
  width: 14px; height: 14px; border: 1px solid $strong_border; border-radius: 4px; background: $raised;
}
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:checked, QMenu::indicator:checked {
  background: $accent; border-color: $accent; image: url($check);
}
QRadioButton::indicator:checked {
  width: 6px; height: 6px; background: $accent_text; border: 5px solid $accent; border-radius: 8px;
}
QCheckBox:focus, QRadioButton:focus { color: $accent; }

QTabWidget::pane { border: none; background: transparent; }
QTabBar { background: transparent; qproperty-drawBase: 0; }
QTabBar::tab {
  background: transparent; color: $muted; padding: 7px 16px; border: none;
  border-bottom: 2px solid transparent;
}
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $text; font-weight: 600; border-bottom-color: $accent; }
QTabBar::tab:focus { color: $accent; }

QTableView, QTreeView, QListView, QListWidget {
  background: $panel; alternate-background-color: $stripe; color: $text; border: none; gridline-color: $grid;
  selection-background-color: $selection; selection-color: $text; outline: none;
}
QTableView::item, QListView::item, QListWidget::item, QTreeView::item { padding: 2px 6px; border: none; }
QTableView::item:selected, QListView::item:selected, QListWidget::item:selected, QTreeView::item:selected {
  background: $selection; color: $text;
}
QListView::item:hover, QListWidget::item:hover, QTreeView::item:hover { background: $hover; }
QTableView:focus, QListView:focus { border: none; }
QHeaderView { background: $panel; border: none; }
QHeaderView::section {
  background: $panel; color: $muted; border: none; border-bottom: 1px solid $border; padding: 5px 9px;
}
QHeaderView::section:hover { color: $text; }
QHeaderView::up-arrow, QHeaderView::down-arrow {
  width: 10px; height: 10px; subcontrol-position: center right;
}
QHeaderView::up-arrow { image: url($chevron_up); }
QHeaderView::down-arrow { image: url($chevron_down); }
QTableCornerButton::section { background: $panel; border: none; }

QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: none; }
QAbstractScrollArea::corner { background: transparent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: $handle; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: $disabled; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QSplitter { background: transparent; }
QSplitter::handle { background: transparent; }
QSplitter::handle:hover { background: $hover; }

QMenuBar { background: $background; color: $text; padding: 2px 6px; }
QMenuBar::item { background: transparent; padding: 4px 9px; border-radius: 5px; }
QMenuBar::item:selected { background: $hover; }
QMenu { background: $panel; color: $text; border: 1px solid $border; padding: 5px; }
QMenu::item { padding: 5px 26px 5px 12px; border-radius: 5px; background: transparent; }
QMenu::item:selected { background: $selection; }
QMenu::item:disabled { color: $disabled; }
QMenu::separator { height: 1px; background: $border; margin: 5px 8px; }
QMenu::indicator { margin-left: 6px; }

QToolBar { background: transparent; border: none; spacing: 6px; }
QStatusBar { background: $background; color: $muted; }
QStatusBar::item { border: none; }
QStatusBar QLabel { color: $muted; }

QProgressBar {
  background: $hover; border: none; border-radius: 4px; min-height: 8px; max-height: 8px;
  color: transparent; text-align: center;
}
QProgressBar::chunk { background: $accent; border-radius: 4px; }
QGroupBox { border: 1px solid $border; border-radius: 8px; margin-top: 10px; padding-top: 8px; }
QGroupBox::title { subcontrol-origin: margin; left: 10px; color: $muted; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $border; }
QSlider::handle:horizontal { width: 14px; margin: -5px 0; border-radius: 7px; background: $accent; }
""")


def stylesheet(theme: Theme, point_size: float) -> str:
    """The whole sheet for ``theme``; ``point_size`` is that of the system font."""

    def icon(name: str) -> str:
        return resource_path("icons", f"{name}-{theme.name}.svg").as_posix()

    colors = {
        "background": theme.background,
        "panel": theme.panel,
        "raised": theme.raised,
        "field": theme.field,
        "text": theme.text,
        "muted": theme.muted,
        "disabled": theme.disabled,
        "border": theme.border,
        "strong_border": mix(theme.border, theme.muted, 0.6),
        "card_border": mix(theme.border, theme.muted, 0.35),
        "grid": theme.grid,
        "stripe": mix(theme.panel, theme.text, 0.02),
        "hover": theme.hover,
        "selection": theme.selection,
        "accent": theme.accent,
        "accent_hover": mix(theme.accent, theme.text, 0.15),
        "accent_text": theme.accent_text,
        "handle": mix(theme.border, theme.muted, 0.3),
        "error": theme.error,
        "warn": theme.warn,
        "ok": theme.ok,
    }
    return _SHEET.substitute(
        {key: color.name() for key, color in colors.items()},
        body=f"{point_size:.2f}",
        small=f"{point_size * 0.92:.2f}",
        figure=f"{point_size * 1.4:.2f}",
        chevron_up=icon("chevron-up"),
        chevron_down=icon("chevron-down"),
        check=icon("check"),
    )
