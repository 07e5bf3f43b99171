"""The task inspect in real workers: its events, its figures, and every way it can end."""

from __future__ import annotations

import os
import signal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arenascope.domain.attribution import attribute
from arenascope.domain.measurement import PHASES
from arenascope.remote import translate
from arenascope.remote.reading import ReadingCollector
from arenascope_agent import copied, probes, protocol
from arenascope_agent.runtimes import NoRuntimeError
from arenascope_agent.tasks.inspect import Inspect
from tests.agent import tiny_models, workers
from tests.agent.workers import inspect
from tests.data import make_models
from tests.support.models import own

MIB = 1024 * 1024
DELEGATES = ("none", "default")


def names(ended: workers.Ended) -> list[str]:
    return [name for name, _ in ended.events]


def phases(ended: workers.Ended) -> dict[str, dict[str, Any]]:
    return {data["name"]: data for data in ended.all("phase")}


# --------------------------------------------------------------------------------- the usual run


@pytest.mark.parametrize("delegate", DELEGATES)
@pytest.mark.parametrize("recipe", make_models.SOUND, ids=lambda r: r.__name__)
def test_every_sound_model_comes_to_its_end(recipe: make_models.Recipe, delegate: str) -> None:
    model = own(f"{recipe.__name__}.tflite")
    ended = inspect(model, delegate=delegate)
    assert ended.status == 0, ended.all("failure")
    assert ended.events[-1] == ("result", {})
    assert list(phases(ended)) == list(PHASES)
    collector = ReadingCollector()
    for name, data in ended.events:
        collector.feed(name, data)
    assert all(raw.source == "runtime structures" for raw in collector.subgraphs())
    process = collector.process(ended.one("memory")["model_path"])
    assert process is not None
    assert sum(part.bytes for part in attribute(process)) == process.rss


def test_the_order_of_events() -> None:
    sent = names(inspect(own("cnn_float.tflite")))
    first = sent.index("subgraph")
    assert sent[:2] == ["phase_started", "phase"]
    assert sent[2] == "runtime"
    assert sent[first + 1] == "tensors"
    # The layout is on the wire before the first invoke, in which the process may be killed.
    started = [i for i, name in enumerate(sent) if name == "phase_started"]
    assert started[2] < first < started[3]
    assert sent.count("memory") == 1 and sent.index("memory") > started[3]
    assert sent[-1] == "result"


def test_the_desktop_understands_every_event() -> None:
    ended = inspect(own("while_loop.tflite"), delegate="default")
    assert [translate.phase(data).name for data in ended.all("phase")] == list(PHASES)
    for data in ended.all("phase_started"):
        translate.phase_start(data)
    board = translate.with_runtime(translate.board({}, "here"), ended.one("runtime"))
    assert board.runtime and board.runtime_version and board.numpy and board.bits in (32, 64)
    assert board.address_space.ceiling and board.address_space.largest_gap


def test_the_phases_stand_on_one_clock() -> None:
    ended = inspect(own("cnn_float.tflite"))
    found = ended.all("phase")
    begun = ended.all("phase_started")
    for start, phase in zip(begun, found, strict=True):
        assert 0 <= start["t"] <= phase["start"]
    for before, after in pairwise(found):
        assert before["start"] + before["seconds"] <= after["start"]


def test_a_phase_peaks_no_lower_than_it_began_or_ended() -> None:
    for phase in inspect(own("cnn_float.tflite"), delegate="default").all("phase"):
        assert phase["rss_peak"] >= max(phase["rss_before"], phase["rss_after"])
        assert phase["rss_after"] == phase["anon_after"] + phase["file_after"]


def test_the_memory_is_that_of_the_phase() -> None:
    """One smaps text gives the figures of the phase and their explanation."""
    ended = inspect(own("cnn_float.tflite"))
    memory, phase = ended.one("memory"), phases(ended)["invoke_first"]
    assert memory["when"] == "invoke_first"
    assert (memory["rss"], memory["anon"], memory["file"]) == (
        phase["rss_after"], phase["anon_after"], phase["file_after"],
    )  # fmt: skip
    assert sum(rss for _, rss, _ in memory["mappings"]) == memory["rss"]
    assert sum(anon for _, _, anon in memory["mappings"]) == memory["anon"]
    steps = memory["anon_steps"]
    assert list(steps) == [
        "start", "numpy", "runtime_import", "load", "allocate", "inputs", "invoke_first",
    ]  # fmt: skip
    assert steps["invoke_first"] == memory["anon"]
    assert steps["start"] < steps["numpy"] < steps["runtime_import"]
    assert any("interpreter" in path for path in memory["runtime_paths"])
    assert not any("/numpy" in path for path in memory["runtime_paths"])


def test_the_model_file_is_counted_apart(tmp_path: Path) -> None:
    link = tmp_path / "another name.tflite"
    link.symlink_to(own("lstm_fused.tflite"))
    memory = inspect(link).one("memory")
    assert memory["model_path"] == str(own("lstm_fused.tflite"))
    assert memory["model_resident"] == 4096


def test_the_arena_is_resident_when_it_was_used(tmp_path: Path) -> None:
    path = tmp_path / "long.tflite"
    path.write_bytes(tiny_models.chain(20, elements=500_000))
    ended = inspect(path)
    (arena,) = ended.one("memory")["arenas"]
    rows = ended.subgraphs()[0][1]
    placed = [row for row in rows.values() if row[5] == "arena_rw"]
    assert arena["kind"] == "arena_rw"
    assert arena["base"] == min(row[6] for row in placed)
    assert arena["bytes"] == max(row[6] + row[4] for row in placed) - arena["base"]
    assert arena["resident"] == arena["bytes"]
    growth = phases(ended)["invoke_first"]["rss_after"] - phases(ended)["allocate"]["rss_after"]
    assert arena["bytes"] - MIB < growth < arena["bytes"] + 2 * MIB


def test_dynamic_tensors_are_counted_where_they_lie() -> None:
    memory = inspect(own("dynamic_where.tflite")).one("memory")
    assert 0 < memory["dynamic_resident"] <= 24 * 2 * 8


def test_a_second_reading_replaces_the_first_where_it_shows_more() -> None:
    ended = inspect(own("dynamic_where.tflite"))
    assert [head["when"] for head in ended.all("subgraph")] == ["after_allocate", "after_invoke"]
    head, rows = ended.subgraphs()[0]
    assert head["when"] == "after_invoke"
    assert all(row[6] for row in rows.values() if row[5] == "dynamic")


def test_a_second_reading_that_shows_nothing_new_is_not_sent() -> None:
    ended = inspect(own("cnn_float.tflite"))
    assert [head["when"] for head in ended.all("subgraph")] == ["after_allocate"]


def test_arenas_that_are_given_back_are_shown_as_they_were() -> None:
    """WHILE releases the arenas of its subgraphs after each invoke; the earlier reading stays."""
    ended = inspect(own("while_loop.tflite"))
    heads = {index: head["when"] for index, (head, _) in ended.subgraphs().items()}
    assert heads == {0: "after_allocate", 1: "after_allocate", 2: "after_allocate"}
    body = ended.subgraphs()[2][1].values()
    assert any(row[5] == "arena_rw" and row[6] for row in body)
    assert {arena["subgraph"] for arena in ended.one("memory")["arenas"]} == {0}


def test_without_invoke_the_memory_is_that_after_allocate() -> None:
    ended = inspect(own("cnn_float.tflite"), invoke=False)
    assert list(phases(ended)) == list(PHASES[:3])
    memory = ended.one("memory")
    assert memory["when"] == "allocate"
    assert memory["rss"] == phases(ended)["allocate"]["rss_after"]
    assert list(memory["anon_steps"])[-1] == "allocate"
    assert len(ended.subgraphs()) == 1
    assert ended.events[-1] == ("result", {})


def test_inputs_are_resized_before_they_are_allocated() -> None:
    ended = inspect(own("cnn_float.tflite"), inputs={"0": [3, 16, 16, 3]}, invoke=False)
    rows = ended.subgraphs()[0][1].values()
    shapes = {row[1]: row[3] for row in rows}
    assert shapes["image"] == [3, 16, 16, 3]
    assert shapes["conv/out"] == [3, 8, 8, 8]


def test_all_tensors_can_be_preserved() -> None:
    plain = inspect(own("cnn_float.tflite"))
    kept = inspect(own("cnn_float.tflite"), preserve_all=True)
    sizes = [e.one("memory")["arenas"][0]["bytes"] for e in (plain, kept)]
    assert sizes[0] < sizes[1]


def test_threads_reach_the_runtime() -> None:
    assert inspect(own("cnn_float.tflite"), threads=2, delegate="default").status == 0
    refused = inspect(own("cnn_float.tflite"), threads=0)
    assert refused.one("failure")["message"] == "num_threads should >= 1"


def test_the_same_seed_is_the_same_run() -> None:
    """How many places WHERE finds depends on the inputs alone."""
    found = [places(inspect(own("dynamic_where.tflite"), seed=seed)) for seed in (5, 5, 6)]
    assert found[0] == found[1]
    assert 0 < found[0] < 24


def places(ended: workers.Ended) -> int:
    (shape,) = [row[3] for row in ended.subgraphs()[0][1].values() if row[1] == "places"]
    return int(shape[0])


def test_ten_thousand_tensors(tmp_path: Path) -> None:
    path = tmp_path / "long.tflite"
    path.write_bytes(tiny_models.chain(10_000))
    ended = inspect(path)
    assert ended.status == 0
    assert len(ended.subgraphs()[0][1]) == 10_000
    assert max(len(data["tensors"]) for data in ended.all("tensors")) == 2000


def test_an_index_that_comes_in_stays_inside_its_table(tmp_path: Path) -> None:
    path = tmp_path / "gather.tflite"
    path.write_bytes(tiny_models.picked_row())
    assert inspect(path).status == 0


def test_a_worker_may_begin_before_it_knows_the_model() -> None:
    """It imports the runtime, then waits for the parameters."""
    ended = inspect(own("cnn_float.tflite"), ahead=True)
    assert ended.status == 0
    assert list(phases(ended)) == list(PHASES)
    assert names(ended)[:3] == ["phase_started", "phase", "runtime"]


# ---------------------------------------------------------------------------------- the ways to end


def test_what_native_code_prints_does_not_reach_the_wire() -> None:
    ended = inspect(own("cnn_float.tflite"), delegate="default")
    assert b"XNNPACK" in ended.output
    assert ended.events[-1] == ("result", {})


@pytest.mark.parametrize(
    ("content", "said"), [(b"", ""), (b"not a model at all", ""), (b"\x1c\0\0\0TFL3" + b"\xff" * 64, "")]
)
def test_a_file_that_is_no_model(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x.tflite"
    path.write_bytes(content)
    ended = inspect(path)
    assert ended.status == protocol.EXIT_REPORTED
    failure = ended.one("failure")
    assert (failure["phase"], failure["kind"], failure["error"]) == ("load", "failed", "ValueError")
    assert failure["message"]
    assert ended.events[-1][0] == "failure"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    failure = inspect(tmp_path / "absent.tflite").one("failure")
    assert failure["phase"] == "load" and "absent.tflite" in failure["message"]


def test_an_operator_that_the_runtime_does_not_know() -> None:
    failure = inspect(own("unknown_operator.tflite")).one("failure")
    assert (failure["phase"], failure["kind"]) == ("allocate", "failed")
    assert "FancyNewOp" in failure["message"]


def test_a_size_that_no_memory_has_is_refused_in_allocate() -> None:
    ended = inspect(own("refused_allocate.tflite"))
    failure = ended.one("failure")
    assert (failure["phase"], failure["kind"]) == ("allocate", "refused")
    assert failure["message"]
    assert list(phases(ended)) == ["runtime_import", "load"]


def test_a_size_that_no_memory_has_is_refused_in_invoke_and_the_layout_is_known() -> None:
    ended = inspect(own("refused_invoke.tflite"))
    failure = ended.one("failure")
    assert (failure["phase"], failure["kind"]) == ("invoke_first", "refused")
    assert ended.subgraphs()[0][1]
    assert not ended.all("memory")


def test_a_shape_that_overflows_is_a_fault_of_the_file() -> None:
    failure = inspect(own("overflowing_shape.tflite")).one("failure")
    assert (failure["phase"], failure["kind"]) == ("load", "failed")


def test_a_batch_that_overflows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "add.tflite"
    path.write_bytes(tiny_models.add())
    most = 2**31 - 1
    failure = inspect(path, inputs={"0": [most, most, most, most]}).one("failure")
    assert (failure["phase"], failure["kind"]) == ("allocate", "refused")


def test_a_shape_that_the_model_cannot_take_is_a_failure() -> None:
    failure = inspect(own("lstm_fused.tflite"), inputs={"0": [1, 2, 3]}).one("failure")
    assert (failure["phase"], failure["kind"]) == ("allocate", "failed")
    assert "failed to prepare" in failure["message"]


@pytest.mark.parametrize(
    ("name", "number", "phase", "layout"),
    [
        ("crash_load.tflite", signal.SIGSEGV, "load", False),
        ("crash_allocate.tflite", signal.SIGSEGV, "allocate", False),
        ("crash_invoke.tflite", signal.SIGABRT, "invoke_first", True),
    ],
)
def test_a_crash_leaves_what_was_known(name: str, number: int, phase: str, layout: bool) -> None:
    ended = inspect(own(name))
    assert ended.status == -number
    assert ended.all("phase_started")[-1]["name"] == phase
    assert bool(ended.subgraphs()) is layout
    assert not ended.all("failure") and not ended.all("result")


def test_a_constant_as_an_input_is_survived() -> None:
    assert inspect(own("crash_input.tflite")).status == 0


# ------------------------------------------------------------------------------- in words, directly


def task(phase: str = "allocate") -> Inspect:
    made = Inspect(lambda _name, _data: None, 0.0)
    made.phase = phase
    return made


@pytest.mark.parametrize(
    ("error", "phase", "kind"),
    [
        (MemoryError(), "load", "refused"),
        (MemoryError("std::bad_alloc"), "allocate", "refused"),
        (RuntimeError("std::bad_alloc"), "invoke", "refused"),
        (RuntimeError(""), "allocate", "refused"),
        (RuntimeError(""), "load", "failed"),
        (RuntimeError("Node number 3 (ADD) failed to prepare."), "allocate", "failed"),
        (RuntimeError("XNNPack delegate failed to reshape runtimeNode number 31"), "allocate", "failed"),
        (RuntimeError("BytesRequired number of bytes overflowed."), "allocate", "refused"),
        (ValueError("BytesRequired number of bytes overflowed."), "load", "failed"),
        (ValueError("array is too big; `arr.size * arr.dtype.itemsize` is larger"), "inputs", "refused"),
        (ValueError("Maximum allowed dimension exceeded"), "inputs", "refused"),
        (ValueError("Mmap of '3' at offset '0' failed with error '12'."), "load", "refused"),
        (ValueError("Mmap of '3' at offset '0' failed with error '19'."), "load", "failed"),
        (OSError(12, "Cannot allocate memory"), "runtime_import", "refused"),
        (OSError(13, "Permission denied"), "load", "failed"),
        (NoRuntimeError({"tflite_runtime": "ImportError: bad_alloc"}), "runtime_import", "failed"),
        (copied.CopyError("reading the layout was ended by signal 11"), "reading", "failed"),
    ],
)
def test_what_a_failure_is_called(error: Exception, phase: str, kind: str) -> None:
    failure = task(phase).failure(error)
    assert (failure["phase"], failure["kind"], failure["error"]) == (phase, kind, type(error).__name__)
    assert failure["message"]


@pytest.mark.parametrize(("share", "kind"), [(0.3, "refused"), (0.01, "failed")])
def test_a_reshape_that_failed_is_a_refusal_only_where_the_inputs_are_large(share: float, kind: str) -> None:
    class Interpreter:
        def get_input_details(self) -> list[dict[str, Any]]:
            limit = probes.memory_limit()
            assert limit is not None
            return [{"shape": [1, int(share * limit / 4)], "dtype": np.float32}]

    failing = task("invoke_first")
    failing._interpreter = Interpreter()
    error = RuntimeError("XNNPack delegate failed to reshape runtimeNode number 31")
    assert failing.failure(error)["kind"] == kind


def test_a_failure_is_short_enough_to_be_opened() -> None:
    for text in ("x" * 50_000, "ä" * 50_000, "\u2028" * 50_000):
        failure = task().failure(RuntimeError(text))
        assert len(protocol.encode(protocol.event("failure", failure))) < 4096


def test_an_allocation_that_failed_unseen_is_told_as_one() -> None:
    """LiteRT before 2.1.6 does not look at what malloc says."""
    made = task("invoke_first")
    error = RuntimeError("Input tensor 0 lacks data")
    assert made.failure(error)["kind"] == "failed"
    made._homeless = True
    assert made.failure(error)["kind"] == "refused"


def test_a_reader_that_is_ended_is_told_after_the_phase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[tuple[str, Any]] = []
    made = Inspect(lambda name, data: events.append((name, data)), 0.0)

    def ended(_work: Any) -> Any:
        raise copied.CopyError("reading the layout was ended by signal 11")

    monkeypatch.setattr(copied, "run", ended)
    with pytest.raises(copied.CopyError):
        made._last_phase("invoke_first", lambda: None, None, [])
    assert [name for name, _ in events] == ["phase_started", "step", "phase"]
    assert events[2][1]["rss_after"] > 0
    assert made.phase == "reading"


def test_a_task_that_nobody_knows() -> None:
    ended = workers.run("dance", {})
    assert ended.status not in (0, protocol.EXIT_REPORTED)
    assert b"dance" in ended.output
    assert ended.events == []


def test_no_runtime_is_told_with_every_reason(tmp_path: Path) -> None:
    for package in ("ai_edge_litert", "tflite_runtime", "tensorflow"):
        (tmp_path / f"{package}.py").write_text("raise ImportError('not on this board')")
    environment = dict(os.environ)
    try:
        os.environ["PYTHONPATH"] = str(tmp_path)
        ended = inspect(own("cnn_float.tflite"))
    finally:
        os.environ.clear()
        os.environ.update(environment)
    failure = ended.one("failure")
    assert (failure["phase"], failure["error"]) == ("runtime_import", "NoRuntimeError")
    assert failure["message"].count("not on this board") == 3
