"""What if: the answer that is shown is always the one to the knobs as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from arenascope.domain.forecast import Forecast
from arenascope.domain.whatif import WhatIf
from arenascope.errors import InputError, UsageError
from arenascope.qtmodels.batch_scale import LARGEST, STOPS, coarse_to_fine, position
from arenascope.qtmodels.documents import OpenModel
from arenascope.qtmodels.history_model import HistoryEntry
from arenascope.qtmodels.planned_capture import is_planned, planned_capture
from arenascope.qtmodels.session import Session
from arenascope.qtmodels.whatif import Answer, WhatIfModel
from arenascope.qtmodels.whatif_curve import Curve
from arenascope.qtmodels.whatif_knobs import (
    Knobs,
    Where,
    asked_of,
    file_batch,
    full_shapes,
    resolve,
    same_run,
)
from tests.support.captures import example_capture
from tests.support.foretelling import FakeForeteller, forecast_of, planned, small_graph, write_model
from tests.support.window import BOARD, FakeBook, connects

GRAPH = small_graph()


@pytest.fixture
def service() -> FakeForeteller:
    return FakeForeteller()


@pytest.fixture
def session(qtbot: QtBot, service: FakeForeteller, tmp_path: Path) -> Iterator[Session]:
    made = Session(book=FakeBook(), connect=connects, foretell=service)
    made.boards.model.update(made.target, board=BOARD)
    made.show_model(OpenModel.of_graph(GRAPH, write_model(tmp_path, GRAPH)))
    yield made
    made.close()


@pytest.fixture
def whatif(session: Session) -> WhatIfModel:
    return session.whatif


def settled(qtbot: QtBot, whatif: WhatIfModel) -> None:
    """The curve has nothing left to plan."""
    qtbot.waitUntil(lambda: whatif.answer is not None and whatif.curve.next() is None, timeout=30_000)


def arena(forecast: Forecast | None) -> int | None:
    assert forecast is not None
    return forecast.plan.totals.arena_rw


# -- the answer -----------------------------------------------------------------------------------


def test_nothing_is_planned_while_nobody_looks(
    qtbot: QtBot, whatif: WhatIfModel, service: FakeForeteller
) -> None:
    whatif.set_batch(4)
    assert whatif.answer is None
    assert not whatif.waiting
    assert service.asked == []
    with qtbot.waitSignal(whatif.planned, check_params_cb=lambda plan: plan is not None):
        whatif.want("test", True)
    assert whatif.answer is not None
    assert service.asked[0].asked.batch == 4


def test_an_answer_says_what_was_asked(qtbot: QtBot, whatif: WhatIfModel, service: FakeForeteller) -> None:
    whatif.want("test", True)
    whatif.set_batch(8)
    qtbot.waitUntil(lambda: whatif.answer is not None and whatif.answer.whole)
    assert whatif.answer is not None
    assert whatif.answer.question.asked.batch == 8
    assert whatif.plan is not None
    assert is_planned(whatif.plan)
    assert whatif.plan.options.inputs == {"image": (8, 50_000)}
    assert whatif.plan.device.name == BOARD.name


@pytest.mark.parametrize("last", [2, 7, 300])
def test_a_storm_of_changes_ends_in_the_answer_to_the_last(
    qtbot: QtBot, whatif: WhatIfModel, service: FakeForeteller, last: int
) -> None:
    shown: list[Answer] = []

    def check(answer: Answer | None) -> None:
        if answer is not None:
            assert answer.question.asked == whatif.knobs.asked, "an answer to other knobs"
            shown.append(answer)

    whatif.answered.connect(check)
    service.stubborn = True
    service.gate.clear()
    whatif.want("test", True)
    qtbot.waitUntil(lambda: len(service.asked) == 1)
    for batch in [*range(1, 60), last]:
        whatif.set_batch(batch)
        assert whatif.answer is None or whatif.answer.question.asked.batch == batch
    service.gate.set()
    qtbot.waitUntil(lambda: whatif.answer is not None and whatif.answer.whole, timeout=30_000)
    assert shown[-1].question.asked.batch == last
    assert service.asked[1].asked.batch == last, "overtaken questions are not worked on"


def test_an_answer_that_comes_late_is_not_shown(
    qtbot: QtBot, whatif: WhatIfModel, service: FakeForeteller
) -> None:
    whatif.want("test", True)
    service.gate.clear()
    whatif.set_batch(5)
    qtbot.waitUntil(lambda: len(service.asked) > 0)
    whatif.set_asked(preserve_all=True)  # while the answer to batch 5 is on its way
    seen: list[Answer | None] = []
    whatif.answered.connect(seen.append)
    service.gate.set()
    qtbot.waitUntil(lambda: whatif.answer is not None and whatif.answer.whole)
    assert [a.question.asked.preserve_all for a in seen if a is not None] == [True]
    assert whatif.curve.get(5) is not None
    assert whatif.curve.get(5).plan.asked.preserve_all, "the curve is of the present knobs, too"  # type: ignore[union-attr]


def test_answers_out_of_order_are_told_apart(whatif: WhatIfModel, service: FakeForeteller) -> None:
    """Delivered by hand, the newest first: the older ones change nothing on show."""
    whatif.want("test", True)
    service.gate.clear()
    questions = []
    for batch in (3, 9, 27):
        whatif.set_batch(batch)
        questions.append(whatif._question)
    for question in reversed(questions):
        assert question is not None
        whatif._arrived(Answer(question, service.made(question)))
        assert whatif.answer is not None
        assert whatif.answer.question.asked.batch == 27
        assert whatif.plan is not None
        assert whatif.plan.options.inputs["image"][0] == 27
    assert {3, 9, 27} <= set(whatif.curve.batches), "but what they say is kept for the curve"


def test_what_takes_long_is_said_to_be_worked_on(
    qtbot: QtBot, whatif: WhatIfModel, service: FakeForeteller
) -> None:
    service.gate.clear()
    with qtbot.waitSignal(whatif.slow, check_params_cb=bool):
        whatif.want("test", True)
    with qtbot.waitSignal(whatif.slow, check_params_cb=lambda slow: not slow):
        service.gate.set()


def test_a_batch_of_the_curve_is_answered_at_once(
    qtbot: QtBot, whatif: WhatIfModel, service: FakeForeteller
) -> None:
    whatif.want("test", True)
    settled(qtbot, whatif)
    service.gate.clear()
    whatif.set_batch(16)
    assert whatif.answer is not None
    assert not whatif.answer.whole
    assert arena(whatif.answer.forecast) == arena(service.made(whatif.answer.question))
    service.gate.set()
    qtbot.waitUntil(lambda: whatif.answer is not None and whatif.answer.whole)


def test_what_goes_wrong_is_the_answer(qtbot: QtBot, whatif: WhatIfModel, service: FakeForeteller) -> None:
    service.error = InputError("The shapes could not be had.", hint="Try a smaller one.")
    whatif.want("test", True)
    qtbot.waitUntil(lambda: whatif.answer is not None)
    assert whatif.answer is not None
    assert whatif.answer.error is service.error
    assert whatif.plan is None


def test_a_knob_that_cannot_be_meant_is_refused_at_once(whatif: WhatIfModel) -> None:
    with pytest.raises(UsageError, match="batch is 0"):
        whatif.set_batch(0)
    assert whatif.knobs.asked.batch is None


def test_looking_away_stops_and_looking_again_goes_on(
    qtbot: QtBot, whatif: WhatIfModel, service: FakeForeteller
) -> None:
    service.gate.clear()
    whatif.want("test", True)
    qtbot.waitUntil(lambda: len(service.asked) == 1)
    whatif.want("test", False)
    service.gate.set()
    whatif.want("test", True)
    settled(qtbot, whatif)
    assert len(whatif.curve.batches) > 10


def test_another_model_begins_anew(
    qtbot: QtBot, session: Session, whatif: WhatIfModel, tmp_path: Path
) -> None:
    whatif.want("test", True)
    whatif.set_batch(12)
    settled(qtbot, whatif)
    other = replace(small_graph(70_000), sha256="6" * 64, name="other.tflite")
    session.show_model(OpenModel.of_graph(other, write_model(tmp_path, other)))
    assert whatif.knobs == Knobs()
    assert whatif.answer is None
    assert whatif.plan is None
    settled(qtbot, whatif)
    assert arena(whatif.answer.forecast if whatif.answer else None) == 3 * 70_000 * 4


def test_a_model_without_a_file_cannot_be_planned(session: Session, whatif: WhatIfModel) -> None:
    whatif.want("test", True)
    assert whatif.missing == ""
    session.add_and_show(HistoryEntry(example_capture()))
    assert whatif.missing == "file"


def test_the_knobs_begin_with_the_options_and_go_back_to_them(session: Session, whatif: WhatIfModel) -> None:
    session.set_request(replace(session.request, batch=3, threads=2))
    assert whatif.knobs.asked == WhatIf(batch=3, threads=2)
    whatif.set_asked(delegate="none")
    session.set_request(replace(session.request, batch=5))
    assert whatif.knobs.asked.batch == 3, "what a person chose stays"
    whatif.use()
    assert (session.request.batch, session.request.delegate) == (3, "none")
    session.set_request(replace(session.request, batch=6))
    whatif.start_over()
    assert whatif.knobs.asked == WhatIf(batch=6, threads=2, delegate="none")


def test_the_board_decides_and_a_little_memory_does_not(
    qtbot: QtBot, session: Session, whatif: WhatIfModel, service: FakeForeteller
) -> None:
    whatif.want("test", True)
    settled(qtbot, whatif)
    question = whatif.answer.question if whatif.answer else None
    available = BOARD.ram_available or 0
    session.boards.model.update_facts(session.target, ram_available=available - 1_000_000)
    assert whatif.answer is not None
    assert whatif.answer.question is question
    session.boards.model.update_facts(session.target, ram_available=available // 2)
    qtbot.waitUntil(lambda: whatif.answer is not None and whatif.answer.question is not question)


def test_closing_waits_for_nothing_that_hangs(
    qtbot: QtBot, session: Session, whatif: WhatIfModel, service: FakeForeteller
) -> None:
    service.gate.clear()
    whatif.want("test", True)
    qtbot.waitUntil(lambda: len(service.asked) > 0)
    session.close()
    assert service.closed


# -- the curve ------------------------------------------------------------------------------------


def filled(refuses: Callable[[int], bool], available: int | None, own: int = 1) -> Curve:
    """A curve that was refined to its end."""
    from arenascope.domain.profiles import PROFILES
    from arenascope.workflow.whatif import Question

    curve = Curve(own)
    board = replace(BOARD, ram_available=available) if available is not None else None
    question = Question(Path("m"), GRAPH, WhatIf(), PROFILES["tflite-2.14"], "armv7l", board)
    while (batch := curve.next()) is not None:
        curve.add(batch, forecast_of(planned(question.with_batch(batch), refuses), board))
    return curve


def test_the_curve_goes_on_to_what_does_not_fit_and_finds_the_border() -> None:
    curve = filled(lambda batch: False, 60 * 1024**2)
    # 30 MiB and one and a half times an arena of three tensors of 200,000 bytes a sample
    expected = max(b for b in range(1, 200) if 30 * 1024**2 + int(600_000 * b * 1.5) <= 60 * 1024**2)
    assert curve.largest_fit == expected
    assert curve.exact
    assert curve.limit == 64


def test_without_a_limit_the_curve_stays_short() -> None:
    curve = filled(lambda batch: False, None)
    assert curve.largest_fit is None
    assert curve.limit == 64
    assert curve.batches[-1] == 64


def test_a_model_that_takes_its_own_batch_alone() -> None:
    curve = filled(lambda batch: batch != 4, 400 * 1024**2, own=4)
    assert curve.largest_fit == 4
    assert curve.exact
    assert curve.first_refusal is not None
    assert curve.first_refusal[0] == 1
    assert len(curve.batches) < 20, "refusals are not asked for one by one"


@given(st.integers(1, 5000))
def test_the_border_of_a_refusal_is_found_to_the_batch(border: int) -> None:
    curve = filled(lambda batch: batch > border, 4 * 1024**3)
    taken = [b for b in curve.batches if b <= border]
    assert curve.nearest(10**9) == taken[-1]
    if border < min(curve.limit, LARGEST):
        assert taken[-1] == border
        assert curve.first_refusal is not None
        assert curve.first_refusal[0] == border + 1


def test_a_dragged_batch_beyond_it_makes_the_curve_longer() -> None:
    curve = Curve()
    curve.reach(1000)
    assert curve.limit == 2048
    curve.reach(LARGEST)
    assert curve.limit == LARGEST


@given(st.integers(2, LARGEST))
def test_every_beginning_covers_the_whole_range(limit: int) -> None:
    order = list(coarse_to_fine(limit))
    assert sorted(order) == sorted({*(s for s in STOPS if s < limit), limit})
    powers = [b for b in order if b & (b - 1) == 0 or b == limit]
    assert order[: len(powers)] == powers


@given(st.integers(1, 2 * LARGEST))
def test_a_position_is_the_stop_from_above(batch: int) -> None:
    at = position(batch)
    assert STOPS[at] >= min(batch, LARGEST)
    assert at == 0 or STOPS[at - 1] < batch


# -- knobs ----------------------------------------------------------------------------------------


def test_a_target_is_the_board_the_run_or_a_machine() -> None:
    board = replace(BOARD, runtime_version="2.14.0")
    run = replace(
        BOARD, name="pi5", machine="aarch64", bits=64, runtime="ai_edge_litert", runtime_version="1.2.0"
    )
    target = resolve(Knobs(), board, run)
    assert (target.profile.name, target.machine, target.board) == ("tflite-2.14", "armv7l", board)
    target = resolve(Knobs(where=Where.RUN), board, run)
    assert (target.profile.name, target.machine, target.board) == ("litert-1.2", "aarch64", run)
    target = resolve(Knobs(where=Where.MACHINE, machine="x86_64", runtime="tflite-2.7"), board, run)
    assert (target.profile.name, target.machine, target.board) == ("tflite-2.7", "x86_64", None)
    unknown = resolve(Knobs(), replace(board, runtime="tensorflow", runtime_version="2.19.0"), None)
    assert "tensorflow 2.19.0" in unknown.notes[0]


def test_the_knobs_of_a_run_are_its_options() -> None:
    assert file_batch(GRAPH) == 1
    capture = example_capture()
    ran = replace(capture, options=replace(capture.options, inputs={"image": (6, 50_000)}, threads=2))
    asked = asked_of(ran, GRAPH)
    assert asked == WhatIf(batch=6, threads=2, delegate=ran.options.delegate)
    assert same_run(asked, ran, GRAPH)
    assert not same_run(replace(asked, batch=7), ran, GRAPH)
    odd = replace(ran, options=replace(ran.options, inputs={"image": (6, 7)}))
    assert asked_of(odd, GRAPH).inputs == {"image": (6, 7)}
    assert full_shapes(GRAPH, asked_of(odd, GRAPH)) == {"image": (6, 7)}
    plain = replace(ran, options=replace(ran.options, inputs={"image": (1, 50_000)}))
    assert not asked_of(plain, GRAPH).reshapes


def test_the_knobs_of_the_run_on_show(session: Session, whatif: WhatIfModel, qtbot: QtBot) -> None:
    whatif.want("test", True)
    capture = example_capture()
    ran = replace(
        capture,
        model=replace(capture.model, sha256=GRAPH.sha256),
        device=replace(capture.device, name="elsewhere"),
        options=replace(capture.options, inputs={"image": (6, 50_000)}),
    )
    model = session.model
    assert model is not None
    session.add_and_show(HistoryEntry(ran, model_path=model.path))
    assert not whatif.as_the_run
    assert whatif.run_board is not None
    whatif.like_the_run()
    assert whatif.as_the_run
    assert whatif.measured() == (ran,)
    whatif.set_batch(2)
    assert not whatif.as_the_run
    assert whatif.measured() == (ran,), "another batch of the same knobs is a dot of the curve"
    whatif.set_asked(threads=3)
    assert whatif.measured() == ()


def test_a_plan_is_a_capture_that_says_so() -> None:
    from arenascope.domain.profiles import PROFILES
    from arenascope.workflow.whatif import Question

    question = Question(Path("m"), GRAPH, WhatIf(batch=2), PROFILES["tflite-2.14"], "armv7l", None)
    capture = planned_capture(forecast_of(planned(question, lambda b: False), None), None)
    assert is_planned(capture)
    assert not is_planned(example_capture())
    assert capture.device.name == "any armv7l"
    assert capture.device.runtime_text == "tflite_runtime 2.14"
    assert "Planned, not run" in capture.notes[0]
