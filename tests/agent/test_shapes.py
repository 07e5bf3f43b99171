"""The service ``shapes`` as a process, asked in the frames of the protocol; with the real runtime."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from arenascope_agent import layout, protocol, runtimes
from tests.agent.harness import AGENT_MAIN, PATIENCE, watched_end
from tests.support.models import own

STATIC = ("cnn_float", "cnn_int8", "fully_connected", "mean", "transpose_conv", "fp16_weights", "split_many")


class Asked:
    """``with Asked() as asked:`` the process, greeted already."""

    def __init__(self, *before: str) -> None:
        self._command = (*before, sys.executable, str(AGENT_MAIN), "shapes")
        self._frames = protocol.FrameReader()
        self._messages: list[dict[str, Any]] = []
        self._number = 0

    def __enter__(self) -> Asked:
        self.process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, protocol.ENV_SERVER_PID: str(os.getpid())},
        )
        self.greeting = self.next()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        self.process.wait()

    def next(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        while not self._messages:
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            assert data, "it ended"
            self._messages = [protocol.decode_payload(p) for p in self._frames.feed(data)]
        return self._messages.pop(0)

    def ask(
        self, model: Path, inputs: dict[int, list[int]], divide: dict[str, Any] | None = None, **more: Any
    ) -> tuple[list[tuple[str, Any]], dict[str, Any]]:
        """Events and the result."""
        self._number += 1
        params = {"model": str(model), "inputs": inputs, "divide": divide, "whole": False, **more}
        assert self.process.stdin is not None
        self.process.stdin.write(protocol.encode(protocol.request(self._number, "shapes", params)))
        self.process.stdin.flush()
        events = []
        while (message := self.next())["type"] == "event":
            events.append((message["name"], message["data"]))
        assert message["id"] == self._number
        return events, message["result"]


@pytest.fixture
def asked() -> Iterator[Asked]:
    with Asked() as service:
        yield service


def truth(model: Path, inputs: dict[int, list[int]]) -> list[tuple[Any, ...]]:
    """(shape, bytes, kind) of every tensor, read from an interpreter of this process."""
    interpreter = runtimes.load().open(str(model), 1, "none", False)
    for index, shape in inputs.items():
        interpreter.resize_tensor_input(index, shape)
    interpreter.allocate_tensors()
    return [
        (t.shape, t.bytes, t.kind)
        for s in layout.read(interpreter, "after_allocate", str(model), by_type=True)
        for t in s.tensors
    ]


def tensors(events: list[tuple[str, Any]]) -> list[list[Any]]:
    return [row for name, data in events if name == "tensors" for row in data["tensors"]]


def names(events: list[tuple[str, Any]]) -> list[str]:
    return [name for name, _ in events]


def test_it_says_first_what_it_runs(asked: Asked) -> None:
    assert asked.greeting["name"] == "runtime"
    assert asked.greeting["data"]["runtime"] == runtimes.load().package


@pytest.mark.parametrize("name", STATIC)
def test_what_differs_makes_of_one_reading_the_next(asked: Asked, name: str) -> None:
    """Up, down, up and back, each as a new interpreter of another process reads it."""
    model = own(f"{name}.tflite")
    detail = runtimes.load().open(str(model), 1, "none", False).get_input_details()[0]
    index, rest = int(detail["index"]), [int(extent) for extent in detail["shape"][1:]]
    events, result = asked.ask(model, {})
    assert result == {"refused": None, "undivided": None}
    assert events[0] == ("reading", {"whole": True})
    now = [tuple(row[3:6]) for row in tensors(events)]
    assert [(tuple(s) if s is not None else None, b, k) for s, b, k in now] == truth(model, {})
    rows = {row[0]: row for row in tensors(events)}
    for batch in (3, 64, 2, 64, 1):
        events, _ = asked.ask(model, {index: [batch, *rest]})
        assert set(names(events)) <= {"reading", "changes"}
        for event, data in events:
            for number, shape, size, kind, _placed in data["tensors"] if event == "changes" else ():
                rows[number][3:6] = [shape, size, kind]
        found = [(tuple(r[3]) if r[3] is not None else None, r[4], r[5]) for r in rows.values()]
        assert found == truth(model, {index: [batch, *rest]})


def test_the_same_shapes_again_change_nothing(asked: Asked) -> None:
    asked.ask(own("cnn_float.tflite"), {})
    events, _ = asked.ask(own("cnn_float.tflite"), {})
    assert events == [("reading", {"whole": False})]


def test_another_model_and_a_file_that_changed_are_read_whole(asked: Asked, tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(own("cnn_float.tflite").read_bytes())
    asked.ask(model, {})
    os.utime(model, ns=(1, 1))
    assert asked.ask(model, {})[0][0] == ("reading", {"whole": True})
    assert asked.ask(own("mean.tflite"), {})[0][0] == ("reading", {"whole": True})
    assert asked.ask(own("mean.tflite"), {}, whole=True)[0][0] == ("reading", {"whole": True})


def test_nothing_runs_that_need_not(asked: Asked) -> None:
    """This loop never ends; its sizes are known without it."""
    events, result = asked.ask(own("hang_while.tflite"), {})
    assert result["refused"] is None
    assert "invoking" not in names(events)


def test_a_run_with_zeros_tells_sizes_that_depend_on_values(asked: Asked) -> None:
    events, result = asked.ask(own("dynamic_where.tflite"), {})
    at = names(events).index("invoking")
    before, after = tensors(events[:at]), tensors(events[at:])
    assert result["refused"] is None
    # WHERE found no place that is more than zero: a tensor of no rows.
    assert [row[3] for row in after if row[1] == "places"] == [[0, 2]]
    assert [row[3] for row in before if row[1] == "places"] != [[0, 2]]


def test_shapes_are_all_known_where_there_is_no_memory_for_them(asked: Asked) -> None:
    """512 TiB cannot be had; LiteRT says so with an empty text, after everything was prepared."""
    events, result = asked.ask(own("refused_allocate.tflite"), {0: [3_000_000, 8388608]})
    assert result["refused"] == {"step": "allocate", "said": "", "error": "RuntimeError"}
    rows = tensors(events)
    assert [row[3] for row in rows] == [[3_000_000, 8388608]] * len(rows)
    assert {row[5] for row in rows} == {"arena_rw"}


def test_a_refusal_comes_in_the_runtimes_words_with_the_shapes_so_far(asked: Asked) -> None:
    events, result = asked.ask(own("inplace_chain.tflite"), {0: [3, 8]})
    assert result["refused"]["step"] == "allocate"
    assert result["refused"]["said"].endswith("Node number 1 (RESHAPE) failed to prepare.")
    assert tensors(events)[0][3] == [3, 8]


def test_the_delegates_plan_is_told_in_its_order(asked: Asked) -> None:
    divide = {"inputs": {}, "preserve_all": False}
    events, result = asked.ask(own("cnn_float.tflite"), {}, divide)
    at = names(events).index("dividing")
    (name, head), *rest = events[at + 1 :]
    assert name == "subgraph"
    assert not rest
    assert result["undivided"] is None
    delegates = [node["index"] for node in head["nodes"] if node["delegate"]]
    assert delegates
    assert set(delegates) <= set(head["plan"])


def test_a_file_that_is_no_model_ends_nothing(asked: Asked, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.tflite"
    wrong.write_bytes(b"not a model at all")
    assert asked.ask(wrong, {})[1]["refused"]["step"] == "load"
    assert asked.ask(own("cnn_float.tflite"), {})[1]["refused"] is None


def test_what_the_runtime_prints_never_meets_the_frames(asked: Asked) -> None:
    """XNNPACK announces itself where a program prints."""
    asked.ask(own("cnn_float.tflite"), {}, {"inputs": {}, "preserve_all": False})
    assert asked.process.stdin is not None
    asked.process.stdin.close()
    assert asked.process.stdout is not None
    assert asked.process.stdout.read() == b""
    assert asked.process.stderr is not None
    assert b"XNNPACK" in asked.process.stderr.read()


def test_it_ends_with_its_stdin() -> None:
    with Asked() as asked:
        assert asked.process.stdin is not None
        asked.process.stdin.close()
        assert asked.process.wait(PATIENCE) == 0


def test_it_dies_with_who_started_it() -> None:
    """Although its stdin stays open: the process between it and us is killed."""
    starter = (
        "import os, subprocess, sys\n"
        f"os.environ['{protocol.ENV_SERVER_PID}'] = str(os.getpid())\n"
        "child = subprocess.Popen(sys.argv[1:])\n"
        "sys.stderr.write('%d\\n' % child.pid); sys.stderr.flush()\n"
        "child.wait()\n"
    )
    with Asked(sys.executable, "-c", starter) as asked:
        assert asked.process.stderr is not None
        pid = int(asked.process.stderr.readline())
        with watched_end(pid) as ended:
            asked.process.send_signal(signal.SIGKILL)
            assert ended()
