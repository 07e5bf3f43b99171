"""Readings of real interpreters, made in a process of their own: a model may end it.

    python real_runtime.py

takes one request a line, {"model", "batch", "threads", "delegate", "preserve_all", "invoke", "first"},
and answers with one line: {"subgraphs": {moment: [...]}} or {"refused": text}.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def serve() -> None:
    sys.path.insert(0, str(ROOT / "agent"))
    for line in sys.stdin:
        try:
            answer = _answer(json.loads(line))
        except (RuntimeError, ValueError, MemoryError) as error:
            answer = {"refused": str(error)[-300:] or type(error).__name__}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    import numpy as np

    from arenascope_agent import layout, runtimes

    runtime = runtimes.load()
    interpreter = runtime.open(asked["model"], asked["threads"], asked["delegate"], asked["preserve_all"])
    found = {}
    for moment in ("first", "batch"):
        if asked[moment] is not None:
            for detail in interpreter.get_input_details():
                if len(detail["shape"]):
                    shape = [asked[moment], *(int(n) for n in detail["shape"][1:])]
                    interpreter.resize_tensor_input(detail["index"], shape)
        elif moment == "first":
            continue
        interpreter.allocate_tensors()
        found["first" if moment == "first" else "allocated"] = _subgraphs(
            layout.read(interpreter, layout.AFTER_ALLOCATE, asked["model"])
        )
    if asked["invoke"]:
        for detail in interpreter.get_input_details():
            if detail["dtype"] is not np.object_ and detail["dtype"] is not np.bytes_:
                shape = interpreter.get_tensor(detail["index"]).shape
                interpreter.set_tensor(detail["index"], np.zeros(shape, detail["dtype"]))
        interpreter.invoke()
        found["invoked"] = _subgraphs(layout.read(interpreter, layout.AFTER_INVOKE, asked["model"]))
    return {"runtime": f"{runtime.package} {runtime.version}", "subgraphs": found}


def _subgraphs(read: Any) -> list[dict[str, Any]]:
    return [{**s._asdict(), "tensors": [t._asdict() for t in s.tensors]} for s in read]


class RealRuntime:
    """A process that reads; started again after a model has ended it. It may outlast a test."""

    def __init__(self, python: str = sys.executable) -> None:
        self._python = python
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> RealRuntime:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        from tests.support import leftovers

        if self._process is not None:
            self._process.communicate()
            leftovers.LASTING.discard(self._process.pid)
            self._process = None

    def read(
        self,
        model: Path,
        *,
        batch: int | None = None,
        threads: int | None = None,
        delegate: str = "none",
        preserve_all: bool = False,
        invoke: bool = False,
        first: int | None = None,
    ) -> dict[str, Any]:
        """{"allocated": raw subgraphs, ...} by moment; {"refused": text} where the model does not run so.

        ``first``: a batch to allocate with before ``batch`` is.
        """
        asked = {
            "model": str(model), "batch": batch, "threads": threads, "delegate": delegate,
            "preserve_all": preserve_all, "invoke": invoke, "first": first,
        }  # fmt: skip
        from tests.support import leftovers

        if self._process is None:
            self._process = subprocess.Popen(
                [self._python, __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            leftovers.LASTING.add(self._process.pid)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            self.close()
            return {"refused": f"the process ended with {status}"}
        answer = json.loads(line)
        if "refused" in answer:
            return {"refused": answer["refused"]}
        return {moment: _raw(subgraphs) for moment, subgraphs in answer["subgraphs"].items()}


def _raw(subgraphs: list[dict[str, Any]]) -> tuple[Any, ...]:
    from arenascope.domain.layout import Kind
    from arenascope.domain.reading import RawNode, RawSubgraph, RawTensor

    def numbers(found: list[int] | None) -> tuple[int, ...] | None:
        return None if found is None else tuple(found)

    return tuple(
        RawSubgraph(
            s["number"], s["when"], s["source"],
            tuple(s["inputs"]), tuple(s["outputs"]), tuple(s["variables"]),
            tuple(
                RawTensor(
                    t["number"], t["name"], t["dtype"], numbers(t["shape"]), t["bytes"], Kind(t["kind"]),
                    t["address"],
                )
                for t in s["tensors"]
            ),
            None
            if s["nodes"] is None
            else tuple(
                RawNode(
                    n["index"], n["name"], tuple(n["inputs"]), tuple(n["outputs"]),
                    numbers(n["temporaries"]), n["delegate"],
                )
                for n in s["nodes"]
            ),
            numbers(s["plan"]),
        )
        for s in subgraphs
    )  # fmt: skip


if __name__ == "__main__":
    serve()
