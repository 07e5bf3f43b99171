"""From worker threads to the GUI thread: in order, on the right thread, with nothing left running."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from PySide6.QtCore import QThread
from pytestqt.qtbot import QtBot

from arenascope.domain.measurement import Outcome, Samples, Status
from arenascope.qtmodels.bridge import GuiBridge
from arenascope.workflow import events


@pytest.fixture
def bridge(qapp: object) -> Iterator[GuiBridge]:
    made = GuiBridge()
    made.start()
    yield made
    made.stop()


def test_events_of_a_worker_arrive_in_order_on_the_gui_thread(bridge: GuiBridge, qtbot: QtBot) -> None:
    seen: list[tuple[str, object, bool]] = []
    here = QThread.currentThread()

    def note(name: str):  # type: ignore[no-untyped-def]
        return lambda event, source: seen.append((name, source, QThread.currentThread() is here))

    bridge.connecting.connect(note("connecting"))
    bridge.phaseStarted.connect(note("phase"))
    bridge.samplesArrived.connect(note("samples"))
    bridge.runEnded.connect(note("ended"))
    bridge.posted.connect(note("other"))

    def work() -> None:
        bridge.post(events.Connecting("to pi4"), "run 1")
        bridge.post(events.PhaseStarted("load", 0.5), "run 1")
        bridge.post(events.SamplesArrived(Samples((0.0,), (1,), (2,), (3,))), "run 1")
        bridge.post("something else")
        bridge.post(events.RunEnded(Outcome(Status.OK)), "run 1")

    worker = threading.Thread(target=work)
    worker.start()
    with qtbot.waitSignal(bridge.runEnded):
        worker.join()
    assert seen == [
        ("connecting", "run 1", True),
        ("phase", "run 1", True),
        ("samples", "run 1", True),
        ("other", None, True),
        ("ended", "run 1", True),
    ]


def test_many_threads_lose_nothing(bridge: GuiBridge, qtbot: QtBot) -> None:
    got: list[tuple[int, int]] = []
    bridge.posted.connect(lambda event, source: got.append((source, event)))

    def work(number: int) -> None:
        for i in range(500):
            bridge.post(i, number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    qtbot.waitUntil(lambda: len(got) == 2000)
    for number in range(4):
        assert [event for source, event in got if source == number] == list(range(500))


def test_a_future_is_answered_on_the_gui_thread(bridge: GuiBridge, qtbot: QtBot) -> None:
    results: list[object] = []
    errors: list[BaseException] = []
    here = threading.get_ident()

    def on_result(value: object) -> None:
        assert threading.get_ident() == here
        results.append(value)

    def fail() -> None:
        raise ValueError("no")

    with ThreadPoolExecutor(1) as pool:
        bridge.follow(pool.submit(lambda: 42), on_result, errors.append)
        bridge.follow(pool.submit(fail), on_result, errors.append)
        qtbot.waitUntil(lambda: len(results) + len(errors) == 2)
    assert results == [42]
    assert [str(e) for e in errors] == ["no"]


def test_a_cancelled_future_is_not_answered(bridge: GuiBridge) -> None:
    future: Future[int] = Future()
    answers: list[object] = []
    bridge.follow(future, answers.append, answers.append)
    assert future.cancel()
    bridge.drain()
    assert answers == []


def test_a_storm_is_delivered_over_several_passes(bridge: GuiBridge, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr("arenascope.qtmodels.bridge.time.monotonic", lambda: next(clock) * 0.01)
    got: list[int] = []
    bridge.posted.connect(lambda event, _: got.append(event))
    for n in range(10):
        bridge.post(n)
    bridge.drain()
    assert 0 < len(got) < 10
    while len(got) < 10:
        bridge.drain()
    assert got == list(range(10))


def test_after_stop_nothing_is_delivered(bridge: GuiBridge) -> None:
    got: list[object] = []
    bridge.posted.connect(lambda event, _: got.append(event))
    bridge.post("waits")
    bridge.stop()
    bridge.drain()
    assert got == []
    assert not bridge.running
