"""The desktop's side of the service: answers in order, crashes, limits, cancels, and words that make no sense."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenascope.domain.layout import Kind
from arenascope.domain.reading import RawSubgraph, RawTensor
from arenascope.errors import Cancelled, WireError
from arenascope.remote import shapes
from arenascope.remote.reading import changed
from arenascope.remote.shapes import Answer, Divide, Question, ShapeService
from arenascope.workflow.jobs import CancelToken
from tests.support.models import own

MODEL = own("cnn_float.tflite")
#: Seconds; never a measure of anything.
LONG = 60.0


@pytest.fixture
def service() -> Iterator[ShapeService]:
    with ShapeService() as made:
        yield made


class CancelledWhileWaiting(CancelToken):
    """Somebody cancels it as soon as anybody waits."""

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        forget = super().on_cancel(callback)
        self.cancel()
        return forget


def batch(number: int) -> Question:
    return Question({0: (number, 16, 16, 3)})


def sizes(answer: Answer) -> list[tuple[Any, ...]]:
    return [(t.name, t.dtype, t.shape, t.bytes, t.kind) for s in answer.allocated for t in s.tensors]


def one(service: ShapeService, model: Path, question: Question, limit: float = LONG) -> Answer:
    (answer,) = service.shapes(model, [question], limit)
    return answer


def test_many_at_once_are_what_each_is_alone(service: ShapeService) -> None:
    wanted = (1, 7, 3, 3, 64, 1, 2)
    many = list(service.shapes(MODEL, map(batch, wanted), LONG))
    for number, answer in zip(wanted, many, strict=True):
        with ShapeService() as fresh:
            assert sizes(one(fresh, MODEL, batch(number))) == sizes(answer)


def test_models_may_take_turns(service: ShapeService) -> None:
    first = sizes(one(service, MODEL, batch(2)))
    other = one(service, own("mean.tflite"), Question({}))
    assert other.allocated[0].tensors[0].name != first[0][0]
    assert sizes(one(service, MODEL, batch(2))) == first


def test_questions_are_taken_only_a_few_ahead(service: ShapeService) -> None:
    taken = []

    def questions() -> Iterator[Question]:
        for number in range(1, 100):
            taken.append(number)
            yield batch(number)

    answers = service.shapes(MODEL, questions(), LONG)
    next(answers)
    assert len(taken) <= 8
    answers.close()  # type: ignore[attr-defined]
    assert sizes(one(service, MODEL, batch(9)))[0][2] == (9, 16, 16, 3)


@pytest.mark.parametrize(("name", "signal_name"), [("crash_load", "SIGSEGV"), ("crash_allocate", "SIGSEGV")])
def test_a_crash_is_an_answer_and_the_next_question_has_one(
    service: ShapeService, name: str, signal_name: str
) -> None:
    answer = one(service, own(f"{name}.tflite"), Question({}))
    assert answer.ended is not None
    assert (answer.ended.signal, answer.ended.timed_out, answer.ended_in) == (signal_name, False, "allocate")
    assert answer.allocated == ()
    assert one(service, MODEL, batch(2)).ended is None


def test_a_crash_in_the_middle_loses_no_other_question(service: ShapeService) -> None:
    wanted = (1, 2, 3, 4, 5, 6, 7, 8)
    answers = service.shapes(MODEL, map(batch, wanted), LONG)
    found = [next(answers)]
    assert service.pid is not None
    os.kill(service.pid, signal.SIGKILL)
    found += answers
    lost = [number for number, answer in enumerate(found) if answer.ended is not None]
    assert len(found) == len(wanted)
    assert len(lost) <= 1  # none, where it had answered all of them before it was killed
    for number, answer in zip(wanted, found, strict=True):
        assert answer.ended is not None or answer.allocated[0].tensors[0].shape == (number, 16, 16, 3)


def test_a_process_that_says_nothing_is_ended_at_the_limit(service: ShapeService) -> None:
    service.runtime()
    pid = service.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    answer = one(service, MODEL, batch(2), limit=0.01)
    assert answer.ended is not None
    assert answer.ended.timed_out
    assert one(service, MODEL, batch(2)).allocated
    assert service.pid != pid


def test_a_cancel_is_heard_while_it_waits(service: ShapeService) -> None:
    service.runtime()
    pid = service.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(Cancelled):
        list(service.shapes(MODEL, [batch(2)], LONG, CancelledWhileWaiting()))
    # What does not answer is ended before the next question.
    assert one(service, MODEL, batch(2)).allocated
    assert service.pid != pid


def test_a_cancel_costs_no_new_process_where_the_answer_comes(service: ShapeService) -> None:
    service.runtime()
    pid, token = service.pid, CancelToken()
    answers = service.shapes(MODEL, map(batch, range(1, 9)), LONG, token)
    next(answers)
    token.cancel()
    with pytest.raises(Cancelled):
        list(answers)
    assert sizes(one(service, MODEL, batch(3)))[0][2] == (3, 16, 16, 3)
    assert service.pid == pid


def test_a_process_that_died_between_two_questions_is_replaced(service: ShapeService) -> None:
    one(service, MODEL, batch(2))
    assert service.pid is not None
    os.kill(service.pid, signal.SIGKILL)
    answer = one(service, MODEL, batch(3))
    if answer.ended is not None:  # it was asked before its end was seen
        answer = one(service, MODEL, batch(3))
    assert sizes(answer)[0][2] == (3, 16, 16, 3)


def test_the_delegates_plan_comes_with_the_shapes(service: ShapeService) -> None:
    answer = one(service, MODEL, Question({0: (4, 16, 16, 3)}, Divide({}, preserve_all=False)))
    assert answer.divided is not None
    nodes = answer.divided[0].nodes
    assert nodes is not None
    assert any(node.delegate for node in nodes)
    assert answer.allocated[0].tensors[0].shape == (4, 16, 16, 3)


def test_what_a_run_found_is_apart(service: ShapeService) -> None:
    answer = one(service, own("dynamic_where.tflite"), Question({}))
    assert answer.invoked is not None
    assert answer.invoked[0].tensors != answer.allocated[0].tensors


def test_a_run_that_needs_too_much_memory_is_not_tried(service: ShapeService) -> None:
    answer = one(service, own("strings.tflite"), Question({0: (2**31 - 1,)}))
    assert answer.refused is not None
    assert answer.refused.step == "invoke"
    assert answer.refused.wanted is not None
    assert answer.refused.available is not None
    assert answer.refused.wanted > answer.refused.available / 2


def subgraph() -> RawSubgraph:
    tensor = RawTensor(0, "x", "float32", (1, 2), 8, Kind.ARENA_RW, None)
    return RawSubgraph(0, "after_allocate", "runtime structures", (0,), (0,), (), (tensor,), (), ())


def test_a_changed_row_replaces_sizes_and_nothing_else() -> None:
    (tensor,) = changed(subgraph(), {"tensors": [[0, [3, 2], 24, "dynamic", False]]}).tensors
    assert tensor == RawTensor(0, "x", "float32", (3, 2), 24, Kind.DYNAMIC, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(JSON)
def test_changes_that_make_no_sense_are_an_error_of_the_wire(rows: Any) -> None:
    try:
        made = changed(subgraph(), {"tensors": rows})
    except WireError:
        return
    assert [t.name for t in made.tensors] == ["x"]


@given(JSON)
def test_messages_that_make_no_sense_are_an_error_of_the_wire(message: Any) -> None:
    class Process:
        def next(self, _deadline: float, _cancel: object) -> dict[str, Any]:
            return {"type": "response", "result": message}

    try:
        answer = ShapeService()._take(Process(), 0.0, None)  # type: ignore[arg-type]
    except WireError:
        return
    assert isinstance(answer, Answer)


@pytest.mark.parametrize("refused", ["load", 7, [], {}, {"step": "nowhere"}, {"step": {}}])
def test_a_refusal_without_a_meaning_is_an_error_of_the_wire(refused: Any) -> None:
    with pytest.raises(WireError):
        shapes._refused(refused)


@pytest.mark.parametrize(
    "event",
    [
        ("changes", {"subgraph": 0, "tensors": []}),
        ("tensors", {"subgraph": 0, "tensors": []}),
        ("reading", {"whole": False}, "subgraph", {}),
        ("unknown", {}),
    ],
)
def test_events_out_of_turn_are_an_error_of_the_wire(event: tuple[Any, ...]) -> None:
    reading = shapes._Reading({})
    with pytest.raises(WireError):
        for at in range(0, len(event), 2):
            reading.take(event[at], event[at + 1])
