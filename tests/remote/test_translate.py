"""Wire dicts → domain values: the good ones arrive whole, everything else is a WireError."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenascope.domain.board import AddressSpace, Board, Environment
from arenascope.domain.measurement import Evidence, Finding, ProcessMemory, Samples, Source, Status
from arenascope.errors import WireError
from arenascope.remote import translate

BOARD: dict[str, Any] = {
    "machine": "armv7l",
    "bits": 32,
    "kernel": "Linux 6.1.21-v7+",
    "page_size": 4096,
    "ram_total": 970_063_872,
    "ram_available": 700_000_000,
    "swap_total": 104_853_504,
    "python": "3.9.2",
    "address_space": {"ceiling": 2_130_706_432, "largest_gap": 1_900_000_000},
    "numpy": "1.26.4",
    "runtime": "tflite_runtime",
    "runtime_version": "2.14.0",
    "runtime_errors": {"ai_edge_litert": "ModuleNotFoundError"},
}
PHASE: dict[str, Any] = {
    "name": "allocate",
    "start": 0.5,
    "seconds": 0.25,
    "rss_before": 1,
    "rss_peak": None,
    "rss_after": 3,
    "anon_after": 2,
    "file_after": 1,
}
SAMPLES: dict[str, Any] = {"t": [0.0, 0.05], "rss": [10, 20], "available": [5, None], "swap_free": [0, None]}
PROCESSES: dict[str, Any] = {"t": 1, "top": [[1, "init", 100], [2, "a\x1b[2Jb", 50]]}
ENDED: dict[str, Any] = {
    "status": "crashed",
    "phase": "allocate",
    "signal": "SIGABRT",
    "exit_code": None,
    "message": "aborted",
    "log": ["one", "two\u202e"],
    "agent_rss": 10_900_000,
    "agent_cpu": 0.004,
    "findings": [{"cause": "It gave up", "proof": "SIGABRT", "remedy": "Try \u202e another"}],
    "evidence": {"source": "exit_status", "text": "Process 5 was ended", "t": None},
}
WATCHED: dict[str, Any] = {
    "t": 0.5,
    "ram_total": 10,
    "available": 5,
    "swap_free": 0,
    "agent_rss": 1,
    "agent_cpu": 0.01,
    "top": [[1, "init", 100]],
}


def test_a_board() -> None:
    board = translate.board(BOARD, "pi3")
    assert board == Board(
        "pi3", "armv7l", 32, "Linux 6.1.21-v7+", 4096, 970_063_872, 700_000_000, 104_853_504, "3.9.2",
        "1.26.4", "tflite_runtime", "2.14.0", AddressSpace(2_130_706_432, 1_900_000_000),
        (("ai_edge_litert", "ModuleNotFoundError"),),
    )  # fmt: skip
    assert not board.lacks_runtime
    assert translate.runtime_errors(BOARD) == {"ai_edge_litert": "ModuleNotFoundError"}


def test_facts_of_a_board_s_system() -> None:
    system = {
        "multiarch": "arm-linux-gnueabihf", "libc": "glibc 2.36", "abi": "cp311", "disk_free": 5, "swap_free": 0,
        "user": "pi", "uptime": 1.5, "psi": False, "memory_cgroup": True, "kernel_log": None,
        "environment": {"packages": [["numpy", "1.24.2"], ["tflite-runtime", "2.14.0"]], "bytes": 7},
    }  # fmt: skip
    board = translate.board(system, "pi3")
    found = (
        board.multiarch,
        board.libc,
        board.abi,
        board.disk_free,
        board.swap_free,
        board.user,
        board.uptime,
    )
    assert found == ("arm-linux-gnueabihf", "glibc 2.36", "cp311", 5, 0, "pi", 1.5)
    assert (board.psi, board.memory_cgroup, board.kernel_log) == (False, True, None)
    assert board.environment == Environment((("numpy", "1.24.2"), ("tflite-runtime", "2.14.0")), 7)


@pytest.mark.parametrize(
    "facts",
    [
        {"psi": "yes"}, {"disk_free": -1}, {"uptime": "long"}, {"multiarch": 7}, {"environment": []},
        {"environment": {}}, {"environment": {"packages": ["numpy"]}},
        {"environment": {"packages": [["numpy"]]}}, {"environment": {"packages": [[1, "2"]]}},
        {"environment": {"packages": [], "bytes": -1}},
    ],
)  # fmt: skip
def test_facts_of_another_form_are_no_facts(facts: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        translate.board(facts, "pi3")


def test_what_is_not_known_stays_unknown() -> None:
    assert translate.board({}, "x") == Board("x")
    assert translate.runtime_errors({}) == {}


def test_a_board_with_what_the_worker_found() -> None:
    found = {
        "runtime": "ai_edge_litert", "runtime_version": "2.3.0", "numpy": "2.4.6", "python": "3.11.7",
        "bits": 64, "address_space": {"ceiling": 8, "largest_gap": 4},
    }  # fmt: skip
    board = translate.with_runtime(translate.board(BOARD, "x"), found)
    assert (board.runtime, board.numpy, board.bits) == ("ai_edge_litert", "2.4.6", 64)
    assert board.address_space == AddressSpace(8, 4)
    assert board.ram_total == BOARD["ram_total"]
    kept = translate.with_runtime(translate.board(BOARD, "x"), {})
    assert (kept.python, kept.bits, kept.runtime) == ("3.9.2", 32, None)
    assert kept.address_space.ceiling == 2_130_706_432


def test_phases_and_samples() -> None:
    phase = translate.phase(PHASE)
    assert (phase.name, phase.start, phase.rss_peak, phase.file_after) == ("allocate", 0.5, None, 1)
    assert translate.phase({**PHASE, "start": None}).start is None
    assert translate.phase_start({"name": "load", "t": 2}) == ("load", 2.0)
    assert translate.samples(SAMPLES) == Samples((0.0, 0.05), (10, 20), (5, None), (0, None))


def test_names_lose_what_cannot_be_shown() -> None:
    top = translate.processes(PROCESSES)
    assert top.processes == (ProcessMemory(1, "init", 100), ProcessMemory(2, "a�[2Jb", 50))
    assert translate.outcome(ENDED).log == ("one", "two�")


def test_an_end() -> None:
    outcome = translate.outcome(ENDED)
    assert (outcome.status, outcome.phase, outcome.signal) == (Status.CRASHED, "allocate", "SIGABRT")
    assert outcome.findings == (Finding("It gave up", "SIGABRT", "Try � another"),)
    assert outcome.evidence == Evidence(Source.EXIT_STATUS, "Process 5 was ended")
    assert not outcome.proven
    early = {**ENDED, "evidence": {"source": "kernel_log", "text": "Out of memory: …", "t": -0.25}}
    assert translate.outcome(early).evidence == Evidence(Source.KERNEL_LOG, "Out of memory: …", -0.25)
    assert translate.outcome(early).proven
    without = translate.outcome({**ENDED, "evidence": None, "findings": None})
    assert (without.findings, without.evidence) == ((), None)
    assert translate.agent_cost(ENDED) == (10_900_000, 0.004)
    assert translate.agent_cost({}) == (None, None)


def test_a_moment_of_a_watch() -> None:
    sample = translate.board_sample(WATCHED)
    assert (sample.t, sample.available, sample.agent_cpu) == (0.5, 5, 0.01)
    assert sample.top == (ProcessMemory(1, "init", 100),)
    assert translate.board_sample({"t": 0}).available is None


FUNCTIONS: list[tuple[Callable[[dict[str, Any]], object], dict[str, Any]]] = [
    (lambda data: translate.board(data, "x"), BOARD),
    (translate.runtime_errors, BOARD),
    (lambda data: translate.with_runtime(Board("x"), data), BOARD),
    (translate.phase_start, {"name": "load", "t": 1.0}),
    (translate.phase, PHASE),
    (translate.samples, SAMPLES),
    (translate.processes, PROCESSES),
    (translate.board_sample, WATCHED),
    (translate.outcome, ENDED),
    (translate.agent_cost, ENDED),
]
nasty = st.sampled_from(
    [None, True, -1, 2**70, 10**400, 10**5000, 1.5, math.nan, math.inf, -math.inf, "", "\ud800", "x" * 10_000, [], {},
     [[]], [None], [{}], [[1]], [[1, 2, 3]], [["1", "a", 1]], {"ceiling": -1}, {"a": 1}, {1: 2}]
)  # fmt: skip
values = nasty | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from(FUNCTIONS), st.data())
def test_hostile_input_is_a_wire_error_and_nothing_else(
    case: tuple[Callable[[dict[str, Any]], object], dict[str, Any]], data: st.DataObject
) -> None:
    function, good = case
    key = data.draw(st.sampled_from(sorted(good)))
    changed = {**good, key: data.draw(values)}
    try:
        function(changed)
    except WireError as error:
        assert len(error.message) < 400


@pytest.mark.parametrize(
    ("function", "change"),
    [
        (FUNCTIONS[0][0], {"bits": 33}),
        (FUNCTIONS[0][0], {"bits": True}),
        (FUNCTIONS[0][0], {"ram_total": -1}),
        (FUNCTIONS[0][0], {"ram_total": 1.5}),
        (FUNCTIONS[0][0], {"machine": 5}),
        (FUNCTIONS[0][0], {"address_space": []}),
        (translate.phase, {"seconds": None}),
        (translate.phase, {"seconds": math.inf}),
        (translate.phase, {"seconds": -1}),
        (translate.phase, {"name": ""}),
        (translate.samples, {"rss": [1]}),
        (translate.samples, {"t": [0.0, math.nan]}),
        (translate.samples, {"available": [1, -1]}),
        (translate.processes, {"top": [[1, "x"]]}),
        (translate.processes, {"top": [[None, "x", 1]]}),
        (translate.outcome, {"status": "great"}),
        (translate.outcome, {"status": ["ok"]}),
        (translate.outcome, {"log": [1]}),
        (translate.outcome, {"findings": [1]}),
        (translate.outcome, {"findings": [{"cause": 1}]}),
        (translate.outcome, {"findings": [{}] * 21}),
        (translate.outcome, {"evidence": []}),
        (translate.outcome, {"evidence": {"source": "hearsay"}}),
        (translate.outcome, {"evidence": {"source": "vmstat", "t": math.nan}}),
        (translate.runtime_errors, {"runtime_errors": {"a": 1}}),
    ],
)
def test_each_rule(function: Callable[[dict[str, Any]], object], change: dict[str, Any]) -> None:
    good = {**BOARD, **PHASE, **SAMPLES, **ENDED}
    if "top" in change:
        good = dict(PROCESSES)
    with pytest.raises(WireError):
        function({**good, **change})
