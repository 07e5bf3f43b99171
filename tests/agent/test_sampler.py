"""Samples of a real worker: on one clock, at the rate asked for, nothing filled in."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from arenascope_agent import sampler
from arenascope_agent.loop import Loop
from tests.agent.harness import Agent


def curves(model: str, **options: Any) -> tuple[dict[str, list[Any]], list[tuple[str, dict[str, Any]]]]:
    with Agent() as agent:
        events = agent.events(agent.run(model, **options))
    joined: dict[str, list[Any]] = {key: [] for key in ("t", "rss", "available", "swap_free")}
    for name, data in events:
        if name == "samples":
            assert len({len(values) for values in data.values()}) == 1
            for key, values in data.items():
                joined[key] += values
    return joined, events


@pytest.mark.parametrize("hz", [2, 20, 100])
def test_the_rate_is_the_one_asked_for_on_an_absolute_grid(hz: int) -> None:
    curve, _ = curves("hang", timeout=1.2, sample_hz=hz)
    assert len(curve["t"]) <= 1.2 * hz + 2
    assert len(curve["t"]) >= 2
    assert curve["t"] == sorted(curve["t"])
    # Each moment is at or after its own place on the grid: late at most, never early, and no drift.
    places = [int(t * hz + 1e-3) for t in curve["t"]]
    assert len(set(places)) == len(places)


def test_available_is_read_four_times_a_second_and_null_between() -> None:
    curve, _ = curves("hang", timeout=1.2, sample_hz=100)
    known = [value for value in curve["available"] if value is not None]
    assert 2 <= len(known) <= 6
    assert curve["available"][0] is not None
    assert [a is None for a in curve["available"]] == [s is None for s in curve["swap_free"]]


def test_slow_sampling_sends_every_sample_at_once() -> None:
    _, events = curves("hang", timeout=1.2, sample_hz=2)
    batches = [data["t"] for name, data in events if name == "samples"]
    assert [len(batch) for batch in batches if batch[0] > 0.4] == [1] * (len(batches) - 1)


def test_samples_are_on_the_wire_before_the_phase_that_follows_them() -> None:
    _, events = curves("lines:a,b,c", sample_hz=100)
    begun = 0.0
    for name, data in events:
        if name == "phase_started":
            begun = data["t"]
        elif name == "samples":
            assert data["t"][0] >= begun


def test_processes_are_told_at_the_start_and_at_the_end() -> None:
    _, events = curves("ok")
    seen = [data for name, data in events if name == "processes"]
    assert len(seen) == 2
    assert seen[0]["t"] < seen[1]["t"]
    assert [name for name, _ in events][-2:] == ["processes", "ended"]


def test_a_worker_has_no_memory_of_its_own_before_its_exec() -> None:
    gate, open_gate = os.pipe()
    begun, ended = os.pipe()  # closed by the exec
    still, leave = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.read(gate, 1)
            os.dup2(still, 0)
            os.execv("/bin/cat", ["cat"])
        finally:
            os._exit(1)
    for fd in (gate, ended, still):
        os.close(fd)
    told: list[dict[str, Any]] = []
    loop = Loop()
    tracked = sampler.RunSampler(loop, pid, time.monotonic(), 1, lambda name, data: told.append({name: data}))
    tracked.flush()
    assert [key for data in told for key in data] == ["processes"]
    os.write(open_gate, b"x")
    assert os.read(begun, 1) == b""
    tracked._sample()
    tracked.stop()
    (samples,) = [data["samples"] for data in told if "samples" in data]
    assert len(samples["rss"]) == 1
    assert samples["available"][0] is not None
    for fd in (open_gate, begun, leave):
        os.close(fd)
    assert os.waitpid(pid, 0)[1] == 0


def test_the_largest_processes_come_first_with_their_names() -> None:
    top = sampler.top_processes()
    assert 1 <= len(top) <= sampler.TOP
    assert [row[2] for row in top] == sorted((row[2] for row in top), reverse=True)
    for pid, name, _ in top:
        if pid == os.getpid():
            assert name == Path("/proc/self/comm").read_text().strip()


def test_memory_of_a_process() -> None:
    held = sampler._rss_of(os.getpid())
    assert held is not None
    assert held > 1_000_000
    assert sampler._rss_of(2**22 + 1) is None  # no such process


def test_the_board_s_memory_is_the_kernel_s() -> None:
    reader = sampler.BoardReader()
    board = reader.read()
    reader.close()
    text = Path("/proc/meminfo").read_text()
    assert board["ram_total"] == int(text.split("MemTotal:")[1].split()[0]) * 1024
    assert board["available"]
    assert board["swap_free"] is not None


def test_own_cost_is_a_share_of_a_core() -> None:
    cost = sampler.OwnCost(time.monotonic() - 1).read()
    assert 0 <= cost["agent_cpu"] < 2
    assert cost["agent_rss"] > 1_000_000


def test_a_late_timer_leaves_out_what_it_missed_and_keeps_its_grid() -> None:
    loop = Loop()
    start = time.monotonic() - 10.25
    timer = loop.every(0.5, loop.stop, start)
    assert timer.due > time.monotonic()
    assert ((timer.due - start) / 0.5) == pytest.approx(21)
    loop.run()
    assert ((timer.due - start) / 0.5) == pytest.approx(22)


# --------------------------------------------------------------------- when memory runs short


class Board:
    """A board of 1000 MB whose memory goes as the test says."""

    available = 900

    def read(self) -> dict[str, int | None]:
        return {"available": self.available * 10**6, "swap_free": 0, "ram_total": 10**9}

    def close(self) -> None:
        pass


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> tuple[sampler.RunSampler, type[Board], list[str]]:
    """A sampler of this process by hand, its board, and the names of what it tells."""
    told: list[str] = []
    monkeypatch.setattr(Board, "available", 900)
    monkeypatch.setattr(sampler, "BoardReader", Board)
    monkeypatch.setattr(sampler, "_command_line", lambda pid: b"%d" % (pid == 0))
    monkeypatch.setattr(sampler.RunSampler, "_begun", lambda self: True)
    monkeypatch.setattr(sampler, "LOOK_PERIOD", 0.0)
    made = sampler.RunSampler(
        Loop(), os.getpid(), time.monotonic(), 20, lambda name, _data: told.append(name)
    )
    told.clear()
    return made, Board, told


def test_processes_are_looked_at_whenever_memory_has_become_less(
    short: tuple[sampler.RunSampler, type[Board], list[str]],
) -> None:
    made, board, told = short
    for available in (800, 500, 200):  # enough is left
        board.available = available
        made._next_board = 0.0
        made._sample()
    assert told.count("processes") == 0
    for available, looks in ((140, 1), (139, 1), (120, 2), (130, 2), (115, 2), (105, 3), (0, 4), (0, 4)):
        board.available = available
        made._next_board = min(made._next_board, time.monotonic())
        made._sample()
        assert (available, told.count("processes")) == (available, looks)
    made.stop()


def test_what_is_left_is_read_with_every_sample_when_it_is_little(
    short: tuple[sampler.RunSampler, type[Board], list[str]],
) -> None:
    made, board, _ = short
    board.available = 100
    made._next_board = 0.0
    made._batch.clear()
    for _ in range(4):
        made._sample()
    assert [row[2] for row in made._batch] == [100 * 10**6] * 4
    assert made.last is not None
    assert made.board["available"] == 100 * 10**6
    made.stop()


def test_nothing_available_and_a_worker_that_grows_is_worth_a_look(
    short: tuple[sampler.RunSampler, type[Board], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, board, told = short
    board.available = 0
    resident = 500 * 10**6
    monkeypatch.setattr(sampler.procfs, "statm_rss", lambda *_: resident)
    made._next_board = 0.0
    made._sample()
    before = told.count("processes")
    resident += 5 * 10**6
    made._sample()
    assert told.count("processes") == before
    resident += 6 * 10**6
    made._sample()
    assert told.count("processes") == before + 1
    made.stop()


def test_there_are_samples_halfway_when_hardly_anything_is_left(
    short: tuple[sampler.RunSampler, type[Board], list[str]],
) -> None:
    made, board, _ = short
    timers = len(made._loop._timers)
    for available, more in ((100, 0), (20, 1), (10, 1), (100, 0), (20, 1)):
        board.available = available
        made._next_board = 0.0
        made._sample()
        assert len(made._loop._timers) == timers + more
    made.stop()
    assert made._loop._timers == []
