"""One selection: what it tells, what it remembers, and what it survives."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from arenascope.domain.layout import Kind
from arenascope.domain.measurement import Status
from arenascope.qtmodels.selection import Selection
from tests.support.captures import bare_capture, ended_capture, example_capture, loop_capture


@pytest.fixture
def selection(qapp: object) -> Selection:
    made = Selection()
    made.set_capture(example_capture())
    return made


def test_a_new_capture_starts_at_its_busiest_step_with_nothing_selected(qtbot: QtBot) -> None:
    selection = Selection()
    told: list[str] = []
    selection.captureChanged.connect(lambda _: told.append("capture"))
    selection.scopeChanged.connect(lambda *_: told.append("scope"))
    selection.tensorChanged.connect(lambda _: told.append("tensor"))
    selection.stepChanged.connect(lambda _: told.append("step"))
    selection.set_capture(example_capture())
    assert told == ["capture", "scope", "tensor", "step"]
    assert (selection.step, selection.tensor, selection.subgraph, selection.kind) == (
        4, None, 0, Kind.ARENA_RW,
    )  # fmt: skip


def test_selecting_tells_once_and_unknown_tensors_are_refused(selection: Selection) -> None:
    told: list[object] = []
    selection.tensorChanged.connect(told.append)
    selection.select((0, 17))
    selection.select((0, 17))
    selection.select((0, 999))
    assert told == [(0, 17)]
    assert selection.placement is not None
    assert selection.placement.name == "doorbell/conv2/Relu6"


def test_back_and_forward_walk_what_was_selected(selection: Selection) -> None:
    for index in (15, 16, 17):
        selection.select((0, index))
    selection.back()
    selection.back()
    assert selection.tensor == (0, 15)
    selection.forward()
    assert selection.tensor == (0, 16)
    selection.select((0, 0))
    assert not selection.can_forward
    selection.back()
    assert selection.tensor == (0, 16)
    for _ in range(9):
        selection.back()
    assert (selection.tensor, selection.can_back) == (None, False)


def test_the_history_has_an_end(selection: Selection) -> None:
    for n in range(500):
        selection.select((0, 15 + n % 2))
    steps = 0
    while selection.can_back:
        selection.back()
        steps += 1
    assert steps < 250


def test_steps_stop_at_both_ends(selection: Selection) -> None:
    selection.move_step(-100)
    assert selection.step == 0
    selection.move_step(1000)
    assert selection.step == 11
    selection.to_busiest_step()
    assert selection.step == 4


def test_a_tensor_of_another_arena_brings_its_arena_into_view(selection: Selection) -> None:
    selection.select((0, 30))
    assert selection.kind is Kind.ARENA_RW_PERSISTENT
    selection.select((0, 1))  # a constant lies in no arena: the view stays
    assert selection.kind is Kind.ARENA_RW_PERSISTENT
    selection.set_capture(loop_capture())
    selection.select((2, 3))
    assert (selection.subgraph, selection.step_count) == (2, 2)
    assert selection.tensor == (2, 3)


def test_the_same_tensor_stays_selected_in_the_next_capture_of_the_model(selection: Selection) -> None:
    selection.select((0, 18))
    selection.set_capture(replace(example_capture(), created="2026-11-21T08:00:00Z"))
    assert selection.tensor == (0, 18)
    selection.set_capture(loop_capture())
    assert selection.tensor is None


def test_captures_without_a_layout_have_no_step(selection: Selection) -> None:
    for capture in (ended_capture(Status.KILLED), bare_capture(), None):
        selection.set_capture(capture)
        selection.set_step(3)
        selection.move_step(1)
        assert selection.step == -1
        assert selection.scopes() == ()
        assert selection.neighbour_alive(1) is None


def test_up_and_down_walk_the_tensors_alive_at_the_step_by_offset(selection: Selection) -> None:
    blocks = selection.blocks
    assert blocks is not None
    walked = []
    for _ in range(int(blocks.alive(4).sum())):
        selection.select(selection.neighbour_alive(1))
        assert selection.placement is not None
        walked.append(selection.placement.offset)
    assert walked == sorted(walked, key=lambda offset: offset or 0)
    assert len(set(walked)) == len(walked)
    selection.select(selection.neighbour_alive(-1))
    assert selection.placement is not None
    assert selection.placement.offset == walked[-2]
