"""What this computer's runtime makes of a model's shapes: questions to a process of it, and its answers.

What the process sends is trusted as little as what a device sends. Only what changed since the answer
before comes over for the sets of a sweep; both sides keep that answer.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ..domain.plain_text import plain
from ..domain.reading import RawSubgraph
from ..errors import BoardError, WireError
from .reading import ReadingCollector, changed
from .shapes_process import Ended, ShapesProcess, Wakes
from .translate import runtime_errors, shown

Inputs = Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Divide:
    """How the default delegate divides the model, for these inputs."""

    inputs: Inputs
    preserve_all: bool


@dataclass(frozen=True, slots=True)
class Question:
    """One set of input shapes, by tensor index; those of the file where an input is not named."""

    inputs: Inputs
    divide: Divide | None = None


#: Questions that are under way at once: the process works on the next while the last answer is used.
_AHEAD = 8
#: Seconds for what nobody waits for any more to be done; then the process is ended.
_GRACE = 0.4
#: Seconds for the process to load the runtime.
_START = 60.0
_MAX_TEXT = 4000
_STEPS = ("load", "resize", "allocate", "invoke", "divide")


@dataclass(frozen=True, slots=True)
class Refused:
    """``step``: load, resize, allocate, invoke, or divide for the delegate's own.

    Of a refused run (invoke) also: ``runs_unchanged``, whether it ends well with the file's shapes;
    ``wanted`` and ``available``: bytes, where it was not even tried because it would take too much of this
    computer's memory.
    """

    step: str
    said: str
    error: str
    runs_unchanged: bool = False
    wanted: int | None = None
    available: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one question. After a refusal the reading shows how far it came; it is empty where no
    interpreter was built. ``divided``: nodes and plan as the delegate leaves them, no tensors.
    ``ended``: the process did, in ``ended_in``: allocate (and what is before it), invoke or divide.
    """

    allocated: tuple[RawSubgraph, ...] = ()
    invoked: tuple[RawSubgraph, ...] | None = None
    divided: tuple[RawSubgraph, ...] | None = None
    refused: Refused | None = None
    undivided: Refused | None = None  #: why there is nothing in ``divided``
    ended: Ended | None = None
    ended_in: str = ""


class ShapeService:
    """Close it, or use it in a ``with``. For one thread at a time."""

    def __init__(self) -> None:
        self._process: ShapesProcess | None = None
        self._runtime: tuple[str, str] | None = None  #: once it has greeted
        self._last_runtime = ("", "")
        self._model: Path | None = None
        self._before: dict[int, RawSubgraph] = {}

    def start(self) -> None:
        """Begin to load the runtime, if it was not begun. DeployError when no process can be started."""
        if self._process is None:
            self._process, self._model, self._runtime = ShapesProcess(), None, None

    def runtime(self, cancel: Wakes | None = None) -> tuple[str, str]:
        """Package and version: ('ai_edge_litert', '2.3.0'). BoardError where none works here."""
        self._ready(cancel)
        assert self._runtime is not None
        return self._runtime

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return None if self._process is None else self._process.pid

    @property
    def known_runtime(self) -> tuple[str, str]:
        """The same without asking: what greeted last."""
        return self._runtime or self._last_runtime

    def shapes(
        self, model: Path, questions: Iterable[Question], limit: float, cancel: Wakes | None = None
    ) -> Iterator[Answer]:
        """One answer for each question, in their order; they are taken a few ahead.

        ``limit``: seconds for each. Raises Cancelled, DeployError, BoardError, WireError.
        """
        more, waiting, asked = iter(questions), deque[Question](), 0
        try:
            while True:
                if len(waiting) <= _AHEAD // 2:  # several in one go: both sides are woken less often
                    waiting.extend(islice(more, _AHEAD - len(waiting)))
                if not waiting:
                    return
                process = self._ready(cancel, asked)
                if asked < len(waiting):
                    process.ask("shapes", [self._params(model, q) for q in islice(waiting, asked, None)])
                    asked = len(waiting)
                answer = self._take(process, time.monotonic() + limit, cancel)
                waiting.popleft()
                asked = 0 if answer.ended is not None else asked - 1
                yield answer
        finally:
            self._leave()

    def close(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    def __enter__(self) -> ShapeService:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ready(self, cancel: Wakes | None, asked: int = 0) -> ShapesProcess:
        """A process that has greeted and owes nothing to anybody but who has ``asked``."""
        if cancel is not None:
            cancel.raise_if_cancelled()
        if self._process is not None and not asked and self._runtime is not None:
            if self._process.owed:
                self._model = None  # what comes now is not taken up here
            if not self._process.settle(_GRACE):
                self.close()
        self.start()
        process = self._process
        assert process is not None
        if self._runtime is None:
            try:
                name, data = _part(process.next(time.monotonic() + _START, cancel))
            except Ended as ended:
                self.close()
                raise BoardError(
                    "The TensorFlow Lite runtime of this computer cannot be loaded.",
                    board_code="no_runtime",
                    hint="Plans need it; install it again: pip install --force-reinstall ai-edge-litert",
                    detail=ended.detail,
                ) from ended
            if name != "runtime":
                self.close()
                errors = runtime_errors({"runtime_errors": data.get("errors")})
                raise BoardError(
                    "No TensorFlow Lite runtime works on this computer, and plans need one.",
                    board_code="no_runtime",
                    hint="Install it beside ArenaScope: pip install ai-edge-litert",
                    detail="; ".join(f"{package}: {text}" for package, text in errors.items()),
                )
            self._runtime = plain(str(data.get("runtime")), 80), plain(str(data.get("version")), 80)
            self._last_runtime = self._runtime
        return process

    def _leave(self) -> None:
        if self._process is not None:
            self._process.abandon(_GRACE)

    def _params(self, model: Path, question: Question) -> dict[str, Any]:
        divide = question.divide
        params = {
            "model": str(model),
            "inputs": _inputs(question.inputs),
            "whole": model != self._model,
            "divide": None
            if divide is None
            else {"inputs": _inputs(divide.inputs), "preserve_all": divide.preserve_all},
        }
        self._model = model
        return params

    def _take(self, process: ShapesProcess, deadline: float, cancel: Wakes | None) -> Answer:
        """The answer to the oldest question."""
        parts = {"allocate": _Reading(self._before)}
        step = "allocate"
        try:
            while True:
                name, data = _part(process.next(deadline, cancel))
                if name is None:
                    break
                if name in ("invoking", "dividing"):
                    step = "invoke" if name == "invoking" else "divide"
                    parts[step] = _Reading({})
                else:
                    parts[step].take(name, data)
        except Ended as ended:
            self.close()
            divided = parts["divide"].subgraphs() if step == "invoke" and "divide" in parts else None
            return Answer(parts["allocate"].subgraphs(), divided=divided, ended=ended, ended_in=step)
        self._before = parts["allocate"].now() or self._before
        invoked = parts["invoke"].subgraphs() if "invoke" in parts else ()
        return Answer(
            parts["allocate"].subgraphs(),
            invoked or None,
            parts["divide"].subgraphs() if "divide" in parts else None,
            _refused(data.get("refused")),
            _refused(data.get("undivided")),
        )


class _Reading:
    """A reading as it arrives: whole, or as what differs from the one before."""

    def __init__(self, before: dict[int, RawSubgraph]) -> None:
        self._now = dict(before)
        self._collector: ReadingCollector | None = ReadingCollector()
        self._said = False

    def take(self, name: str, data: dict[str, Any]) -> None:
        self._said = True
        if name == "reading":
            if data.get("whole") is not True:
                self._collector = None
        elif name == "changes" and self._collector is None:
            index = data.get("subgraph")
            if not isinstance(index, int) or index not in self._now:
                raise WireError(f"There are changes to subgraph {shown(index)}, which was never read.")
            self._now[index] = changed(self._now[index], data)
        elif self._collector is None or not self._collector.feed(name, data):
            raise WireError(f"The runtime of this computer sent {shown(name)} about a model's shapes.")

    def now(self) -> dict[int, RawSubgraph]:
        if not self._said:
            return {}
        if self._collector is not None:
            return {s.index: s for s in self._collector.subgraphs()}
        return self._now

    def subgraphs(self) -> tuple[RawSubgraph, ...]:
        now = self.now()
        return tuple(now[index] for index in sorted(now))


def _inputs(inputs: Inputs) -> dict[str, list[int]]:
    return {str(index): list(shape) for index, shape in inputs.items()}


def _part(message: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """(name, data) of an event; (None, result) of the response."""
    if message.get("type") == "response":
        name, data = None, message.get("result")
    else:
        name, data = message.get("name"), message.get("data")
    if not isinstance(data, dict) or not (name is None or isinstance(name, str)):
        raise WireError("The runtime of this computer sent a message without a meaning.")
    return name, data


def _refused(result: Any) -> Refused | None:
    if result is None:
        return None
    if not isinstance(result, dict):
        raise WireError(f"The runtime of this computer refused with {shown(result)}.")
    step = result.get("step")
    if step not in _STEPS:
        raise WireError(f"The runtime of this computer refused in the unknown step {shown(step)}.")
    sizes = [
        v if type(v) is int and v >= 0 else None for v in (result.get("wanted"), result.get("available"))
    ]
    said = " ".join(str(result.get("said", "")).split())
    return Refused(
        step,
        plain(said, _MAX_TEXT),
        plain(str(result.get("error", "")), 80),
        result.get("runs_unchanged") is True,
        *sizes,
    )
