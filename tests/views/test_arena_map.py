"""The arena map, by what it paints, what it answers and what it leaves behind."""

from __future__ import annotations

import gc
import weakref
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from arenascope.domain.capture import Capture
from arenascope.domain.layout import Kind, MemoryLayout
from arenascope.domain.measurement import Status
from arenascope.qtmodels.search_state import SearchState
from arenascope.qtmodels.selection import Selection
from arenascope.views.plots.arena_map import ArenaMap
from arenascope.views.plots.axes import binary_step, byte_labels
from arenascope.views.plots.coloring import RULES, color_by
from arenascope.views.plots.hover_card import HoverCard, place_card
from arenascope.views.theme import Theme
from tests.support.captures import (
    bare_capture,
    big_capture,
    ended_capture,
    example_capture,
    hostile_capture,
    loop_capture,
)
from tests.views.probes import grabbed, mask_of, pixels, share_of

DARK = Theme.load("dark")
CONV3 = (0, 28)  # the scratch of the busiest step: the largest block of the example


def shown(qtbot: QtBot, capture: Capture | None, theme: Theme = DARK) -> ArenaMap:
    made = ArenaMap(theme)
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.show()
    made.set_capture(capture)
    QApplication.processEvents()
    return made


@pytest.fixture
def arena(qtbot: QtBot) -> ArenaMap:
    return shown(qtbot, example_capture())


def overlapping() -> Capture:
    """The example with one tensor moved onto another that is still needed."""
    capture = example_capture()
    layout = capture.layout
    under = layout.by_key[(0, 0)]
    moved = replace(layout.by_key[(0, 17)], offset=under.offset, address=under.address)
    placements = tuple(moved if p.key == moved.key else p for p in layout.placements)
    return replace(capture, layout=MemoryLayout(placements, layout.operators, layout.arenas))


def in_view(arena: ArenaMap, key: tuple[int, int]) -> QPoint:
    """The middle of a block, in the coordinates of the widget that draws."""
    blocks = arena.selection.blocks
    assert blocks is not None
    row = blocks.rows[key]
    middle = QPointF((blocks.first[row] + blocks.end[row]) / 2, blocks.offset[row] + blocks.size[row] / 2)
    return arena.graphics.mapFromScene(arena.view_box.mapViewToScene(middle))


def colour_at(arena: ArenaMap, point: QPoint) -> np.ndarray:
    return grabbed(arena.graphics)[point.y(), point.x()].astype(int)


def hover(arena: ArenaMap, point: QPoint) -> None:
    arena.graphics.scene().sigMouseMoved.emit(arena.graphics.mapToScene(point))
    QApplication.processEvents()


def card(arena: ArenaMap) -> HoverCard:
    return next(c for c in arena.window().findChildren(HoverCard))


# -- what is painted ------------------------------------------------------------------------------


def test_a_block_is_painted_where_its_tensor_lies(arena: ArenaMap) -> None:
    at = in_view(arena, CONV3) + QPoint(-15, 30)  # beside the step cursor, off the label
    assert np.abs(colour_at(arena, at) - np.array(DARK.role("scratch").getRgb()[:3])).max() < 20
    free = arena.view_box.mapViewToScene(QPointF(9.5, 500_000))
    beside = colour_at(arena, arena.graphics.mapFromScene(free))
    assert np.abs(beside - np.array(DARK.panel.getRgb()[:3])).max() < 20


def test_what_is_alive_at_the_step_is_brighter(arena: ArenaMap) -> None:
    at = in_view(arena, (0, 27)) + QPoint(-15, 30)
    before = colour_at(arena, at)
    arena.selection.set_step(0)
    QApplication.processEvents()
    after = colour_at(arena, at)
    scratch = np.array(DARK.role("scratch").getRgb()[:3])
    assert np.abs(after - scratch).max() < np.abs(before - scratch).max()


def test_what_the_search_does_not_find_is_faint(arena: ArenaMap) -> None:
    search = SearchState()
    search.set_capture(arena.selection.capture)
    arena.set_search(search)
    at = in_view(arena, CONV3) + QPoint(-15, 30)
    before = colour_at(arena, at)
    search.set_text("input_nobody")
    QApplication.processEvents()
    panel = np.array(DARK.panel.getRgb()[:3])
    faint = colour_at(arena, at)
    assert np.abs(faint - panel).max() < np.abs(before - panel).max() / 3
    search.set_text("im2col")
    QApplication.processEvents()
    assert np.abs(colour_at(arena, at) - before).max() < 12


def test_nothing_thinner_than_a_pixel_vanishes(qtbot: QtBot) -> None:
    arena = shown(qtbot, example_capture())
    last = in_view(arena, (0, 25))  # 16 bytes of 900 KiB
    column = grabbed(arena.graphics)[last.y() - 3 : last.y() + 4, last.x()].astype(int)
    panel = np.array(DARK.panel.getRgb()[:3])
    assert (np.abs(column - panel).max(axis=1) > 30).any()


def test_a_tensor_in_the_memory_of_another_is_painted_over_it(qtbot: QtBot) -> None:
    """Even where the one below is alive at the step and the one above is not."""
    capture = example_capture()
    layout = capture.layout
    root = replace(layout.by_key[(0, 15)], last_op=3)
    later = replace(layout.by_key[(0, 16)], offset=root.offset, address=root.address, first_op=1, last_op=3)
    changed = {root.key: root, later.key: later}
    placements = tuple(changed.get(p.key, p) for p in layout.placements)
    arena = shown(qtbot, replace(capture, layout=MemoryLayout(placements, layout.operators, layout.arenas)))
    arena.selection.set_step(0)
    QApplication.processEvents()
    below, above = in_view(arena, root.key), in_view(arena, later.key)
    left = arena.block_rect(root.key).left() + 4
    under, over = colour_at(arena, QPoint(left, below.y() - 12)), colour_at(arena, above - QPoint(0, 12))
    assert np.abs(under - over).max() > 30
    assert arena.selection.blocks is not None
    assert arena.selection.blocks.hit(1.5, (root.offset or 0) + 1) == arena.selection.blocks.rows[later.key]


def test_an_overlap_of_live_tensors_is_drawn_and_named_as_an_error(qtbot: QtBot) -> None:
    right, wrong = shown(qtbot, example_capture()), shown(qtbot, overlapping())
    error = DARK.role("error")
    assert share_of(grabbed(right.graphics), error) < 0.0005
    assert share_of(grabbed(wrong.graphics), error) > 0.002
    labels = [e.label for e in wrong.legend.entries]
    assert labels[-1].endswith("of live tensors")
    assert wrong.legend.entries[-1].hatched
    assert not any("overlap" in e.label for e in right.legend.entries)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_every_theme_paints_its_own_panel(name: str, qtbot: QtBot) -> None:
    theme = Theme.load(name)
    arena = shown(qtbot, example_capture())
    arena.set_theme(theme)
    QApplication.processEvents()
    assert share_of(grabbed(arena.graphics), theme.panel) > 0.2


# -- axes and words -------------------------------------------------------------------------------


def test_axes_say_what_they_are_in_true_units(arena: ArenaMap) -> None:
    axes = arena.plot.axes
    assert "program order (operators 0–11), not time" in axes["bottom"]["item"].labelString()
    assert axes["left"]["item"].labelString() == "offset in arena"
    (_, ticks), *_ = axes["left"]["item"].tickValues(0, 1_000_000, 400)
    assert all(tick % 1024 == 0 for tick in ticks)
    assert byte_labels([0.0, 131072.0], 131072) == ["0 KiB", "128 KiB"]
    assert byte_labels([64.0], 64) == ["64 B"]
    assert byte_labels([1.25 * 2**20], 2**18) == ["1.25 MiB"]


@given(st.floats(1, 1e12), st.floats(1, 40))
def test_steps_between_ticks_are_powers_of_two(span: float, count: float) -> None:
    step = binary_step(span, count)
    assert step & (step - 1) == 0
    assert span / step <= max(count, 1) + 1e-6


def test_the_line_of_the_arena_tells_its_step_and_bound(arena: ArenaMap, qtbot: QtBot) -> None:
    assert arena.line_text == "arena 900.0 KiB · reached at step 4 = lower bound"
    loose = replace(example_capture(), layout=loop_capture().layout)
    assert "above the lower bound" in shown(qtbot, loose).line_text


def test_the_chip_tells_step_operator_and_sum(arena: ArenaMap) -> None:
    assert arena.chip_text == "step 4 · CONV_2D · 4 alive, 900.0 KiB"
    arena.selection.set_step(0)
    assert arena.chip_text.startswith("step 0 · CONV_2D · 3 alive, ")


@pytest.mark.parametrize("rule", RULES)
def test_the_legend_tells_the_rule_and_every_class_that_is_there(rule: str, arena: ArenaMap) -> None:
    arena.set_color_by(rule)
    blocks = arena.selection.blocks
    assert blocks is not None
    coloring = color_by(rule, blocks, DARK)
    assert arena.color_rule == rule
    assert arena.legend.title == f"colour = {coloring.title}"
    assert [e.label for e in arena.legend.entries] == [coloring.entries[c][0] for c in coloring.present()]
    assert all(e.tip for e in arena.legend.entries)


def test_colour_rules_put_sizes_and_lives_in_order() -> None:
    capture = big_capture(400)
    selection = Selection()
    selection.set_capture(capture)
    blocks = selection.blocks
    assert blocks is not None
    by_size = color_by("size", blocks, DARK)
    assert (np.diff(by_size.class_of[np.argsort(blocks.size, kind="stable")]) >= 0).all()
    by_life = color_by("lifetime", blocks, DARK)
    assert (np.diff(by_life.class_of[np.argsort(blocks.end - blocks.first, kind="stable")]) >= 0).all()


@pytest.mark.parametrize(
    ("capture", "words"),
    [
        (None, "Open a model"),
        (ended_capture(Status.KILLED), "killed during allocate"),
        (bare_capture(), "cancelled"),
    ],
)
def test_an_empty_map_says_what_is_missing(capture: Capture | None, words: str, qtbot: QtBot) -> None:
    arena = shown(qtbot, capture)
    assert words in arena.empty_text
    assert not arena.graphics.isVisible()
    arena.set_capture(example_capture())
    assert arena.graphics.isVisible()
    assert not arena.render_image().isNull()


# -- zoom, pan, choice ----------------------------------------------------------------------------


def ranges(arena: ArenaMap) -> np.ndarray:
    return np.array(arena.view_box.viewRange())


def test_fit_shows_everything_and_reset_starts_anew(arena: ArenaMap) -> None:
    whole = ranges(arena)
    assert whole[0] == pytest.approx([0, 12])
    assert whole[1][0] == pytest.approx(0)
    assert whole[1][1] > 900 * 1024
    arena.view_box.scaleBy((0.3, 0.3))
    arena.selection.select(CONV3)
    arena.selection.set_step(9)
    QTest.keyClick(arena, Qt.Key.Key_F)
    assert ranges(arena) == pytest.approx(whole)
    assert arena.selection.tensor == CONV3
    QTest.keyClick(arena, Qt.Key.Key_0)
    assert (arena.selection.tensor, arena.selection.step) == (None, 4)


def test_the_wheel_zooms_at_the_cursor(arena: ArenaMap, qtbot: QtBot) -> None:
    at = in_view(arena, (0, 18))
    before = arena.view_box.mapSceneToView(arena.graphics.mapToScene(at))
    span = np.ptp(ranges(arena)[0])
    wheel(arena, at)
    after = arena.view_box.mapSceneToView(arena.graphics.mapToScene(at))
    assert np.ptp(ranges(arena)[0]) < span
    assert after.x() == pytest.approx(before.x(), abs=0.02)
    assert after.y() == pytest.approx(before.y(), rel=0.01)


def wheel(arena: ArenaMap, at: QPoint) -> None:
    from PySide6.QtGui import QWheelEvent

    viewport = arena.graphics.viewport()
    event = QWheelEvent(
        QPointF(at), QPointF(viewport.mapToGlobal(at)), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(viewport, event)


def test_toggles_never_move_the_view(arena: ArenaMap) -> None:
    arena.view_box.scaleBy((0.4, 0.4))
    arena.selection.select(CONV3)
    before = ranges(arena)
    for rule in RULES:
        arena.set_color_by(rule)
    arena.set_theme(Theme.load("light"))
    search = SearchState()
    search.set_capture(arena.selection.capture)
    arena.set_search(search)
    search.set_text("conv")
    arena.selection.set_step(2)
    assert ranges(arena) == pytest.approx(before)
    assert arena.selection.tensor == CONV3


def test_a_map_that_shows_everything_does_so_in_another_size(arena: ArenaMap) -> None:
    arena.resize(600, 300)
    QApplication.processEvents()
    top = arena.view_box.viewRange()[1][1]
    assert top > 900 * 1024 * 1.1  # room for the words above the line
    arena.view_box.sigRangeChangedManually.emit([True, True])
    arena.view_box.scaleBy((0.5, 0.5))
    kept = ranges(arena)
    arena.resize(700, 400)
    QApplication.processEvents()
    assert ranges(arena) == pytest.approx(kept)


def test_subgraphs_and_arenas_can_be_chosen(qtbot: QtBot) -> None:
    arena = shown(qtbot, loop_capture())
    chooser = next(c for c in arena.findChildren(QComboBox) if c.accessibleName() == "Arena in view")
    assert [chooser.itemText(i) for i in range(chooser.count())] == [
        "subgraph 0 · arena",
        "subgraph 1 · arena",
        "subgraph 2 · arena",
        "subgraph 2 · persistent arena",
    ]
    chooser.activated.emit(3)
    assert (arena.selection.subgraph, arena.selection.kind) == (2, Kind.ARENA_RW_PERSISTENT)
    assert arena.line_text.startswith("persistent arena 4.0 KiB")
    arena.selection.select((1, 1))
    assert chooser.currentIndex() == 1


# -- the card, the mouse, the keys ----------------------------------------------------------------


def test_hovering_shows_the_card_beside_its_block(arena: ArenaMap) -> None:
    assert not card(arena).isVisible()
    for key in ((0, 18), CONV3, (0, 17), (0, 20)):
        hover(arena, in_view(arena, key))
        assert arena.selection.hovered == key
        assert card(arena).isVisible()
        block = arena.block_rect(key)
        over = QRect(card(arena).mapTo(arena.window(), QPoint(0, 0)), card(arena).size())
        corner = arena.graphics.mapTo(arena.window(), block.topLeft())
        assert not over.intersects(QRect(corner, block.size()))
    hover(arena, QPoint(2, 2))
    assert arena.selection.hovered is None
    assert not card(arena).isVisible()


def test_a_thin_block_can_be_hovered_where_it_is_seen(arena: ArenaMap) -> None:
    hover(arena, in_view(arena, (0, 25)) - QPoint(0, 1))
    assert arena.selection.hovered in {(0, 25), (0, 24), (0, 26)}


def test_clicking_pins_and_escape_unpins(arena: ArenaMap) -> None:
    viewport = arena.graphics.viewport()
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=in_view(arena, (0, 17)))
    assert arena.selection.tensor == (0, 17)
    hover(arena, QPoint(2, 2))
    assert card(arena).isVisible()
    QTest.keyClick(arena, Qt.Key.Key_Escape)
    assert arena.selection.tensor is None
    assert not card(arena).isVisible()


def test_a_double_click_fits_the_tensor(arena: ArenaMap) -> None:
    viewport, at = arena.graphics.viewport(), in_view(arena, (0, 17))
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=at)
    (x0, x1), (y0, y1) = arena.view_box.viewRange()
    assert (x0, x1) == pytest.approx((1, 5))
    assert y1 - y0 == pytest.approx(2 * 294_912, rel=0.01)


def test_a_click_on_free_memory_goes_to_that_step(arena: ArenaMap) -> None:
    free = arena.graphics.mapFromScene(arena.view_box.mapViewToScene(QPointF(9.5, 500_000)))
    QTest.mouseClick(arena.graphics.viewport(), Qt.MouseButton.LeftButton, pos=free)
    assert arena.selection.step == 9
    assert arena.selection.tensor is None


def test_keys_walk_steps_and_tensors(arena: ArenaMap) -> None:
    for key, modifier, step in (
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, 5),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, 4),
        (Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier, 11),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier, 1),
        (Qt.Key.Key_End, Qt.KeyboardModifier.NoModifier, 11),
        (Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier, 0),
    ):
        QTest.keyClick(arena, key, modifier)
        assert arena.selection.step == step
    QTest.keyClick(arena, Qt.Key.Key_Up)
    first = arena.selection.tensor
    QTest.keyClick(arena, Qt.Key.Key_Up)
    assert first != arena.selection.tensor
    QTest.keyClick(arena, Qt.Key.Key_Down)
    assert first == arena.selection.tensor
    assert card(arena).isVisible()


def test_copying_puts_the_card_on_the_clipboard(arena: ArenaMap) -> None:
    arena.selection.select((0, 18))
    QTest.keyClick(arena, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().startswith("#18 doorbell/depthwise2/Relu6\ntype")
    assert "0xbd000" in arena.card_text()


def test_one_selection_drives_two_maps(arena: ArenaMap, qtbot: QtBot) -> None:
    other = ArenaMap(DARK)
    qtbot.addWidget(other)
    other.set_selection(arena.selection)
    before = arena.selection
    other.selection.select((0, 30))
    assert before.tensor == (0, 30)
    replacement = Selection()
    other.set_selection(replacement)
    before.select((0, 0))
    assert other.selection.tensor is None


rects = st.builds(QRect, st.integers(0, 700), st.integers(0, 500), st.integers(1, 900), st.integers(1, 700))


@given(rects, st.integers(60, 380), st.integers(40, 260))
def test_the_card_never_covers_its_block_while_the_window_has_room(block: QRect, w: int, h: int) -> None:
    near, far = QRect(200, 100, 700, 450), QRect(0, 0, 1280, 800)
    block = block & near
    if block.isEmpty():
        return
    card_rect = QRect(place_card(block, QSize(w, h), near, far, block.center()), QSize(w, h))
    assert far.contains(card_rect)
    room = max(
        far.right() - block.right() - w, block.left() - far.left() - w,
        far.bottom() - block.bottom() - h, block.top() - far.top() - h,
    )  # fmt: skip
    if room >= 20:
        assert not card_rect.intersects(block)


# -- untrusted names, pictures, leftovers ---------------------------------------------------------


def test_hostile_names_are_harmless_in_the_card_and_the_pictures(qtbot: QtBot, tmp_path: Path) -> None:
    arena = shown(qtbot, hostile_capture())
    blocks = arena.selection.blocks
    assert blocks is not None
    for placement in blocks.placements:
        hover(arena, in_view(arena, placement.key))
    from PySide6.QtWidgets import QLabel

    for label in card(arena).findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText
    arena.render_svg(tmp_path / "map.svg")
    root = ET.fromstring((tmp_path / "map.svg").read_text())
    assert {element.tag.rpartition("}")[2] for element in root.iter()}.isdisjoint({"script", "img", "style"})


def test_pictures_are_drawn_at_their_own_size(arena: ArenaMap, tmp_path: Path) -> None:
    one, two = arena.render_image(1), arena.render_image(2)
    assert (two.width(), two.height()) == (2 * one.width(), 2 * one.height())
    assert share_of(pixels(two), DARK.role("input"), 25) == pytest.approx(
        share_of(pixels(one), DARK.role("input"), 25), rel=0.2
    )
    arena.selection.hover((0, 18))
    hovered = arena.selection.hovered
    arena.render_svg(tmp_path / "map.svg")
    assert arena.selection.hovered == hovered
    texts = "".join(ET.fromstring((tmp_path / "map.svg").read_text()).itertext())
    for words in ("doorbell_cnn.tflite", "role in the model", "offset in arena", "not time", "step 4"):
        assert words in texts, words


def test_everything_painted_stays_inside_of_the_svg(arena: ArenaMap, tmp_path: Path) -> None:
    arena.view_box.scaleBy((0.3, 0.3))
    QApplication.processEvents()
    arena.render_svg(tmp_path / "map.svg")
    root = ET.fromstring((tmp_path / "map.svg").read_text())
    rects = [e for e in root.iter() if e.tag.endswith("rect")]
    assert rects
    for rect in rects:
        assert float(rect.get("width", "0")) <= 900 + 2  # the ground of the scene laps over by one
        assert float(rect.get("height", "0")) <= 600 + 2


def test_the_copy_that_hovering_uses_shows_the_same(arena: ArenaMap) -> None:
    arena.selection.hover(None)
    first = grabbed(arena.graphics)
    again = grabbed(arena.graphics)
    third = grabbed(arena.graphics)
    assert (first == again).all()
    assert (first == third).all()
    assert mask_of(first, DARK.role("input"), 25).any()


def test_a_closed_map_is_gone_with_everything_it_made(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    arena = ArenaMap(DARK)
    column.addWidget(arena)
    selection = Selection(window)
    arena.set_selection(selection)
    window.resize(700, 500)
    window.show()
    selection.set_capture(example_capture())
    hover(arena, in_view(arena, (0, 18)))
    watched = weakref.ref(arena)
    scene = weakref.ref(arena.graphics.scene())
    column.removeWidget(arena)
    arena.close()
    arena.setParent(None)
    del arena
    for _ in range(3):
        gc.collect()
        QApplication.processEvents()
    assert watched() is None
    assert scene() is None
    assert not [c for c in window.findChildren(HoverCard) if c.isVisible()]
    selection.select((0, 17))  # nobody is left to be told
