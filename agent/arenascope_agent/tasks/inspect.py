"""The task ``inspect``: load a model, run it, and say where its memory lies.

The measured process does what any program does that uses the model, and little else: readings are
taken by copies of it (copied.py), between the phases.

    runtime_import → load → allocate → [reading] → [inputs] → invoke_first → [reading, memory] → invoke

The reading after allocate is on the wire before the first invoke starts, so that a kill or a crash
there still shows the layout.
"""

from __future__ import annotations

import errno
import math
import struct
import sys
import time
from collections.abc import Callable
from typing import Any

from .. import copied, inputs, memory, runtimes
from ..runtimes import NoRuntimeError, Runtime

Emit = Callable[[str, "dict[str, Any]"], None]

_MAX_MESSAGE = 1500
_INVOKING = ("allocate", "invoke_first", "invoke")

#: Texts of errors that mean "not that much memory" (tflite-memory.md §7, pi-facts.md §2.6): allocators,
#: NumPy's limits, a size beyond size_t, a file that no longer fits into the address space.
_REFUSALS = (
    "bad_alloc", "is too big", "Maximum allowed dimension", "Unable to allocate", "failed with error '12'",
)  # fmt: skip
#: A library for which there is no room, or whose disk may hold no programs: the loader says it alike.
_UNMAPPED = "failed to map segment"
#: XNNPACK says no more than this, for shapes that do not fit and for memory that there is not.
_RESHAPE = "XNNPack delegate failed to reshape"
#: Inputs of this share of the memory leave no doubt which of the two it was.
_LARGE_SHARE = 0.25
#: The same, but while loading it means that the file is wrong.
_OVERFLOW = "BytesRequired number of"


class Inspect:
    """One inspection. ``clock``: the CLOCK_MONOTONIC second at which the run began."""

    def __init__(self, emit: Emit, clock: float) -> None:
        self._params: dict[str, Any] = {}
        self._model = ""
        self._emit = emit
        self._clock = clock
        self._anon: dict[str, int | None] = {}
        self._maps: list[bytes] = []
        self._homeless = False
        self._interpreter: Any = None
        #: What is being done: a phase, or "reading" or "inputs" between them.
        self.phase = "start"

    def begin(self) -> Runtime:
        """The phase that no parameter changes."""
        self._anon["start"] = memory.resident().anon
        runtime: Runtime = self._phase("runtime_import", self._import)
        self._say_runtime(runtime)
        return runtime

    def run(self, runtime: Runtime, params: dict[str, Any]) -> None:
        """All other phases. ``params`` are those of the contract, checked by the server.

        Emits every event but "failure" and "result". What the runtime raises passes through.
        """
        self._params, self._model = params, params["model"]
        interpreter = self._phase(
            "load",
            lambda: runtime.open(self._model, params["threads"], params["delegate"], params["preserve_all"]),
        )
        self._interpreter = interpreter
        if not params["invoke"]:
            self._last_phase("allocate", lambda: self._allocate(interpreter), interpreter, [])
            return
        self._phase("allocate", lambda: self._allocate(interpreter))
        self._between("reading")
        first = copied.run(lambda _pid: _reading().after_allocate(interpreter, self._model, self._emit))
        self._homeless = first["homeless"]
        self._between("inputs")
        inputs.write(interpreter, first["inputs"], first["exact"], params["seed"])
        self._anon["inputs"] = memory.resident().anon
        self._last_phase("invoke_first", interpreter.invoke, interpreter, first["sent"])
        self._phase("invoke", interpreter.invoke)

    def failure(self, error: BaseException) -> dict[str, Any]:
        """The event of what ended the run.

        ``kind`` "refused": there is not that much memory here, with the reason among ``findings``;
        "killed": a copy of this process was, ``pid``; "failed": anything else.
        """
        said = text = str(error)
        refused = is_refusal(error, self.phase in _INVOKING)
        if self.phase in _INVOKING:
            refused = refused or (_RESHAPE in text and self._inputs_are_large())
            if isinstance(error, RuntimeError) and not text:  # LiteRT from 2.1.6 on
                refused = True
                text = "the runtime could not get the memory for its arena (it gives no text of its own)"
            elif self._homeless and "lacks data" in text:  # LiteRT before 2.1.6 does not look
                refused = True
                text = "there is no memory behind the runtime's arena: " + text
        found: dict[str, Any] = {}
        if refused:
            found = self._reason(said)
        elif isinstance(error, copied.CopyError) and error.killed is not None:
            found = {"kind": "killed", "pid": error.killed}
        if not text:
            text = "out of memory" if refused else type(error).__name__
        return {
            "phase": self.phase,
            "kind": "refused" if refused else "failed",
            "message": runtimes.shorten(text, _MAX_MESSAGE),
            "error": type(error).__name__,
            **found,
        }

    def _reason(self, said: str) -> dict[str, Any]:
        """Message and findings of a refusal, worked out in a copy: it may meet the same limit, and the
        interpreter is not asked for anything by which this process could still crash."""
        at = self.phase
        try:
            return dict(copied.run(lambda _pid: _refusal().reason(self._interpreter, self._model, at, said)))
        except (copied.CopyError, MemoryError, OSError):
            return {}

    def _between(self, step: str) -> None:
        """What is done next is no phase; the server is told, should this process end in it."""
        self.phase = step
        self._emit("step", {"name": step})

    def _phase(
        self, name: str, step: Callable[[], Any], after: Callable[[], memory.Resident] = memory.resident
    ) -> Any:
        """Run one phase, measured, between its two events."""
        self.phase = name
        self._emit("phase_started", {"name": name, "t": time.monotonic() - self._clock})
        measured = memory.measure(step, after)
        self._anon[name] = measured.after.anon
        self._emit(
            "phase",
            {
                "name": name,
                "start": measured.start - self._clock,
                "seconds": measured.seconds,
                "rss_before": measured.before.rss,
                "rss_peak": measured.peak,
                "rss_after": measured.after.rss,
                "anon_after": measured.after.anon,
                "file_after": measured.after.file,
            },
        )
        return measured.result

    def _last_phase(
        self, name: str, step: Callable[[], Any], interpreter: Any, sent: list[list[int]]
    ) -> None:
        """The phase at whose end the memory is looked through: its figures and the event "memory" come
        from one smaps text, so that they add up."""
        trouble: list[copied.CopyError] = []

        def look() -> memory.Resident:
            self._between("reading")
            try:
                found = copied.run(
                    lambda pid: _reading().with_memory(
                        interpreter, self._model, self._emit, name, sent, pid, self._anon, self._maps
                    )
                )
            except copied.CopyError as error:
                trouble.append(error)
                found = None
            return memory.Resident(*found) if found else memory.resident()

        self._phase(name, step, look)
        if trouble:
            raise trouble[0]

    def _import(self) -> Runtime:
        try:
            import numpy  # noqa: F401  # apart from the runtime, to tell their shares
        except runtimes.BROKEN as error:
            raise NoRuntimeError({"numpy": runtimes.brief(error)}) from error
        self._anon["numpy"] = memory.resident().anon
        self._maps.append(memory.maps_text())
        runtime = runtimes.load()
        self._maps.append(memory.maps_text())
        return runtime

    def _inputs_are_large(self) -> bool:
        """Whether the inputs alone would take a good part of what a process can have here."""
        dtype = sys.modules["numpy"].dtype
        wanted = sum(
            math.prod(int(extent) for extent in detail["shape"]) * dtype(detail["dtype"]).itemsize
            for detail in (self._interpreter.get_input_details() if self._interpreter else ())
        )
        limit = _probes().memory_limit()
        return limit is not None and wanted >= _LARGE_SHARE * limit

    def _say_runtime(self, runtime: Runtime) -> None:
        self._emit(
            "runtime",
            {
                "runtime": runtime.package,
                "runtime_version": runtime.version,
                "numpy": sys.modules["numpy"].__version__,
                "python": "%d.%d.%d" % sys.version_info[:3],
                "bits": struct.calcsize("P") * 8,
                "address_space": copied.run(lambda _pid: _probes().address_space()),
            },
        )

    def _allocate(self, interpreter: Any) -> None:
        """Resize first, allocate once: the other order costs memory (tflite-memory.md §4)."""
        for number, shape in self._params["inputs"].items():
            interpreter.resize_tensor_input(int(number), shape)
        interpreter.allocate_tensors()


def is_refusal(error: BaseException, invoking: bool) -> bool:
    """Whether an error means "not that much memory". ``invoking``: the file was taken, and is being run."""
    text = str(error)
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or (not isinstance(error, NoRuntimeError) and any(word in text for word in _REFUSALS))
        or (_UNMAPPED in text and bool(_refusal().limited()))
        or (invoking and _OVERFLOW in text)
    )


def _reading() -> Any:
    """The module that reads, imported where it is used: in the copy."""
    from . import reading

    return reading


def _probes() -> Any:
    """Likewise."""
    from .. import probes

    return probes


def _refusal() -> Any:
    """Likewise."""
    from .. import refusal

    return refusal
