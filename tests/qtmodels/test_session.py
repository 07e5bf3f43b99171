"""One sitting: what is open, what runs, what is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from arenascope.domain.capture import Capture
from arenascope.domain.measurement import Outcome, Status
from arenascope.errors import LinkLost
from arenascope.qtmodels.documents import OpenModel
from arenascope.qtmodels.history_model import HistoryEntry
from arenascope.qtmodels.notices import Level, Notice
from arenascope.qtmodels.session import Session
from arenascope.resources import resource_path
from arenascope.workflow.connect import Device
from arenascope.workflow.events import PhaseStarted
from arenascope.workflow.inspect import InspectRequest
from arenascope.workflow.jobs import CancelToken
from tests.support.captures import ended_capture, example_capture, loop_capture
from tests.support.window import FakeBook, connects

MODEL = OpenModel("lstm.tflite", "0" * 64, 1, 8, Path("/models/lstm.tflite"))


class Run:
    """Stands in for ``workflow.inspect``: what it was asked, and what it answers."""

    def __init__(self) -> None:
        self.requests: list[InspectRequest] = []
        self.answer: Capture | Exception = example_capture()
        self.waits = False
        self.until_cancelled = ended_capture(Status.CANCELLED)

    def __call__(
        self, device: Device, model: Path, request: InspectRequest, tell: Any, cancel: CancelToken
    ) -> Capture:
        self.requests.append(request)
        tell(PhaseStarted("load", 0.1))
        if self.waits:
            cancel.wait()
            return self.until_cancelled
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def run() -> Run:
    return Run()


@pytest.fixture
def session(qtbot: QtBot, run: Run) -> Iterator[Session]:
    made = Session(book=FakeBook(), connect=connects, run=run)
    yield made
    made.close()


@pytest.fixture
def notices(session: Session) -> list[Notice]:
    heard: list[Notice] = []
    session.noticed.connect(heard.append)
    return heard


def test_a_run_is_shown_and_kept(session: Session, run: Run, qtbot: QtBot) -> None:
    session.show_model(MODEL)
    session.set_request(InspectRequest(batch=4, threads=2))
    phases: list[object] = []
    session.bridge.phaseStarted.connect(lambda event, source: phases.append((event, source)))
    with qtbot.waitSignals([session.runStarted, session.runStopped, session.entryChanged]):
        session.inspect()
    assert run.requests == [InspectRequest(batch=4, threads=2)]
    assert session.capture == example_capture()
    entry = session.entry
    assert entry is not None
    assert entry.model_path == MODEL.path
    assert session.running is None
    assert phases


def test_only_one_run_at_a_time(session: Session, run: Run, qtbot: QtBot) -> None:
    run.waits = True
    session.show_model(MODEL)
    with qtbot.waitSignal(session.bridge.phaseStarted):
        session.inspect()
        session.inspect()
    with qtbot.waitSignal(session.runStopped):
        assert session.cancel()
    assert len(run.requests) == 1
    assert not session.cancel(), "nothing goes on any more"


def test_a_cancelled_run_is_in_the_history_and_not_on_show(
    session: Session, run: Run, qtbot: QtBot, notices: list[Notice]
) -> None:
    session.add_and_show(HistoryEntry(example_capture()))
    session.show_model(MODEL)
    run.waits = True
    with qtbot.waitSignal(session.bridge.phaseStarted):
        session.inspect()
    shown = session.entry
    session.cancel()
    qtbot.waitUntil(lambda: session.running is None)
    assert session.entry is shown
    assert session.history.entries[0].capture.outcome.status is Status.CANCELLED
    assert notices[-1].level is Level.INFO


def test_what_a_cancelled_run_had_found_out_is_shown(
    session: Session, run: Run, qtbot: QtBot, notices: list[Notice]
) -> None:
    example = example_capture()
    run.until_cancelled = replace(example, outcome=Outcome(Status.CANCELLED, "invoke_first"))
    run.waits = True
    session.show_model(MODEL)
    with qtbot.waitSignal(session.bridge.phaseStarted):
        session.inspect()
    session.cancel()
    qtbot.waitUntil(lambda: session.running is None)
    assert session.capture is run.until_cancelled
    assert notices[-1].hint == "What was measured until then is shown."


def test_a_run_that_ended_badly_is_shown_with_words(
    session: Session, run: Run, qtbot: QtBot, notices: list[Notice]
) -> None:
    run.answer = ended_capture(Status.KILLED)
    session.show_model(MODEL)
    session.inspect()
    qtbot.waitUntil(lambda: bool(notices))
    assert session.capture == run.answer
    assert "killed" in notices[0].message
    assert notices[0].hint


def test_a_lost_link_is_a_notice_and_the_next_run_works(
    session: Session, run: Run, qtbot: QtBot, notices: list[Notice]
) -> None:
    session.show_model(MODEL)
    run.answer = LinkLost("the cable was pulled", hint="plug it in")
    session.inspect()
    qtbot.waitUntil(lambda: bool(notices))
    assert notices[0].message == "the cable was pulled"
    run.answer = example_capture()
    with qtbot.waitSignal(session.entryChanged):
        session.inspect()
    assert session.capture == example_capture()


def test_what_was_recorded_before_the_link_was_lost_stays(
    session: Session, run: Run, qtbot: QtBot, notices: list[Notice]
) -> None:
    """The bridge delivers in order: what a run told comes before how it ended."""
    told: list[str] = []
    session.bridge.phaseStarted.connect(lambda event, source: told.append(event.name))
    session.runStopped.connect(lambda: told.append("stopped"))
    session.show_model(MODEL)
    run.answer = LinkLost("the cable was pulled")
    session.inspect()
    qtbot.waitUntil(lambda: bool(notices))
    assert told == ["load", "stopped"]


def test_without_a_model_or_its_file_inspect_says_what_is_missing(
    session: Session, run: Run, notices: list[Notice]
) -> None:
    session.inspect()
    assert [step.action for step in notices[-1].steps] == ["open"]
    session.add_and_show(HistoryEntry(example_capture()))
    session.inspect()
    assert "only a capture" in notices[-1].message
    session.with_graph(lambda model: pytest.fail("there is no file"))
    assert run.requests == []


def test_where_nothing_can_be_measured_a_board_is_asked_for(qtbot: QtBot, run: Run) -> None:
    session = Session(book=FakeBook(), connect=connects, run=run, measures_here=False)
    heard: list[Notice] = []
    session.noticed.connect(heard.append)
    session.show_model(MODEL)
    session.inspect()
    assert "Only plans" in heard[0].message
    assert [step.action for step in heard[0].steps] == ["add_board"]
    assert run.requests == []
    session.close()


def test_another_model_forgets_shapes_and_keeps_the_rest(session: Session) -> None:
    session.show_model(MODEL)
    session.set_request(InspectRequest(batch=4, inputs={"x": (1, 2)}, threads=2, delegate="none"))
    session.show_model(MODEL)
    assert session.request.batch == 4
    session.show_model(replace(MODEL, sha256="1" * 64))
    assert session.request == InspectRequest(threads=2, delegate="none")


def test_opening_a_model_again_shows_its_last_run(session: Session) -> None:
    session.add_and_show(HistoryEntry(example_capture()))
    other = loop_capture()
    session.add_and_show(HistoryEntry(replace(other, model=replace(other.model, sha256="2" * 64))))
    facts = example_capture().model
    session.show_model(OpenModel(facts.name, facts.sha256, facts.bytes, facts.operators, Path("/m.tflite")))
    assert session.capture == example_capture()
    session.show_model(MODEL)
    assert session.capture is None


def test_taking_the_shown_capture_off_the_list_shows_the_next(session: Session) -> None:
    first, second = HistoryEntry(example_capture()), HistoryEntry(loop_capture())
    session.add_and_show(first)
    session.add_and_show(second)
    session.remove(second)
    assert session.entry is first
    session.remove(first)
    assert session.entry is None
    assert session.capture is None


def test_the_graph_is_read_when_it_is_wanted(session: Session, qtbot: QtBot) -> None:
    path = resource_path("examples", "lstm.tflite")
    with qtbot.waitSignal(session.modelChanged):
        session.open(path)
    opened = session.model
    assert opened is not None
    session._model = replace(opened, graph=None)  # as after showing a capture of it
    found: list[OpenModel] = []
    session.with_graph(found.append)
    qtbot.waitUntil(lambda: bool(found))
    assert found[0].graph == opened.graph
