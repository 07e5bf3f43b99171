"""ArenaScope from Python: connect to a device, inspect a model, keep the run.

    from arenascope import api

    with api.connect("pi@10.0.0.7") as device:
        capture = device.inspect("model.tflite", batch=4)
    print(capture.totals.arena_rw, capture.outcome.status)
    api.save(capture, "run.ascope")

Every error is an ``arenascope.errors.ArenaScopeError`` with ``message``, ``hint`` and ``detail``; how a
run ended, a crash or a kill included, is ``capture.outcome`` and no error.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .domain.board import Board
from .domain.capture import Capture
from .remote.prompts import Prompts
from .store import capture as _store
from .workflow import connect as _connect
from .workflow import inspect as _inspect
from .workflow import watch as _watch
from .workflow.events import RunEvent, SetupEvent, SweepEvent
from .workflow.jobs import CancelToken

if TYPE_CHECKING:
    from types import TracebackType

    from .domain.measurement import BoardSample
    from .domain.plan import Plan
    from .domain.rebatch import Rebatched
    from .domain.sweep import LargestFit, Sweep

__all__ = ["CancelToken", "Device", "connect", "load", "plan", "rebatch", "save", "undo_setup"]

StrPath = str | os.PathLike[str]


class Device:
    """A connected device. Close it, or use it in a ``with``: nothing of ours then runs on it."""

    def __init__(self, device: _connect.Device) -> None:
        self._device = device

    @property
    def name(self) -> str:
        return self._device.name

    @property
    def board(self) -> Board:
        """What the device said of itself when it was connected. Bytes; unknown facts are None."""
        return self._device.board

    def inspect(
        self,
        model: StrPath,
        *,
        batch: int | None = None,
        inputs: Mapping[str, Sequence[int]] | None = None,
        threads: int | None = None,
        delegate: str = "default",
        preserve_all: bool = False,
        invoke: bool = True,
        timeout: float = 300.0,
        seed: int = 0,
        on_event: Callable[[RunEvent], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Capture:
        """Run a model and bring back where its memory lies.

        ``inputs``: name → shape of the inputs to resize; ``batch``: the first dimension of the others.
        ``timeout``: seconds for the run on the device. ``on_event`` is called on another thread.
        Raises InputError for the model, UsageError for the request, LinkError for the device.
        """
        request = _inspect.InspectRequest(
            batch=batch,
            inputs={name: tuple(shape) for name, shape in (inputs or {}).items()},
            threads=threads,
            delegate=delegate,
            preserve_all=preserve_all,
            invoke=invoke,
            timeout=timeout,
            seed=seed,
        )
        return _inspect.inspect(self._device, Path(model), request, on_event, cancel)

    def sweep(
        self,
        model: StrPath,
        batches: Sequence[int],
        *,
        measure: bool = False,
        threads: int | None = None,
        delegate: str = "default",
        preserve_all: bool = False,
        timeout: float = 300.0,
        on_event: Callable[[SweepEvent], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Sweep:
        """What each batch will need here and whether it fits; with ``measure`` each is run as well, in a
        process of its own. ``timeout``: seconds for each run. ``arenascope.workflow.sweep`` takes other
        shapes than batches, and several devices.

        Raises what ``inspect`` raises.
        """
        from .domain.whatif import WhatIf
        from .workflow import sweep as _sweep

        variants = [WhatIf(batch, {}, threads, delegate, preserve_all) for batch in batches]
        runs = _sweep.Runs(timeout) if measure else None
        tell = on_event or (lambda event: None)
        return _sweep.sweep([self._device], Path(model), variants, runs=runs, tell=tell, cancel=cancel)

    def fit(
        self,
        model: StrPath,
        *,
        measure: bool = True,
        inputs: Mapping[str, Sequence[int]] | None = None,
        threads: int | None = None,
        delegate: str = "default",
        preserve_all: bool = False,
        timeout: float = 300.0,
        on_event: Callable[[SweepEvent], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> LargestFit:
        """The largest batch that fits here, by plans; with ``measure`` confirmed by runs on both sides of it.

        Raises what ``inspect`` raises.
        """
        from .domain.whatif import WhatIf
        from .workflow import fit as _fit
        from .workflow.sweep import Runs

        shapes = {name: tuple(shape) for name, shape in (inputs or {}).items()}
        asked = WhatIf(None, shapes, threads, delegate, preserve_all)
        runs = Runs(timeout) if measure else None
        tell = on_event or (lambda event: None)
        found = _fit.fit([self._device], Path(model), asked, runs=runs, tell=tell, cancel=cancel)
        return found.largest_fit[0]

    def setup(
        self,
        on_event: Callable[[SetupEvent], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Board:
        """Give a board on which no runtime works what it needs, as ``arenascope devices setup`` does.

        Nobody is asked. Nothing is done where a runtime works. Raises SetupError where none can be had or
        what was brought does not work; then nothing of it stays.
        """
        from .workflow import setup as _setup  # few need it

        plan = _setup.plan_setup(self._device, on_event, cancel)
        self._device = _setup.setup(self._device, plan, on_event, cancel)
        return self.board

    def watch(
        self,
        on_sample: Callable[[BoardSample], None],
        *,
        seconds: float | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        """Call ``on_sample``, on another thread, until ``seconds`` are over or ``cancel`` comes."""
        _watch.watch(self._device, on_sample, seconds=seconds, cancel=cancel)

    def close(self) -> None:
        self._device.close()

    def __enter__(self) -> Device:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(target: str = "local", prompts: Prompts | None = None) -> Device:
    """Connect to 'local', a saved device, 'user@host[:port]' or an alias of ~/.ssh/config.

    Without ``prompts`` no unknown host key is accepted and no password is given.
    """
    return Device(_connect.connect(target, prompts))


def undo_setup(target: str, prompts: Prompts | None = None) -> int | None:
    """Take away everything that ArenaScope keeps on a board, to which nothing may be connected.

    The bytes of it; 0 where there was nothing, None where it is not known how much there was.
    """
    from .workflow import setup as _setup

    return _setup.undo(target, prompts).bytes


def plan(
    model: StrPath,
    *,
    runtime: str | None = None,
    machine: str | None = None,
    batch: int | None = None,
    inputs: Mapping[str, Sequence[int]] | None = None,
    threads: int | None = None,
    delegate: str = "default",
    preserve_all: bool = False,
    timeout: float = 30.0,
    cancel: CancelToken | None = None,
) -> Plan:
    """Where the memory of a model will lie, without running it: nothing has an address in a plan.

    ``runtime``: 'litert-2.3', 'tflite-2.14', …; ``machine``: 'armv7l', 'aarch64' or 'x86_64'; without them
    those of this computer. ``timeout``: seconds that this computer's runtime may take for the shapes. For
    many plans use ``arenascope.workflow.planning.Planning``, which keeps the runtime.

    A model that does not take these shapes is ``Plan.refusal`` and no error. Raises UsageError for the
    request, InputError for a file that is no model or one that the runtime cannot take at all.
    """
    from .domain.whatif import WhatIf
    from .workflow.planning import plan_model

    shapes = {name: tuple(shape) for name, shape in (inputs or {}).items()}
    asked = WhatIf(batch, shapes, threads, delegate, preserve_all)
    return plan_model(Path(model), asked, runtime=runtime, machine=machine, limit=timeout, cancel=cancel)


def rebatch(
    model: StrPath,
    batch: int,
    output: StrPath,
    *,
    timeout: float = 300.0,
    seed: int = 0,
    cancel: CancelToken | None = None,
) -> Rebatched:
    """Write a model for another batch, when both are proved, on this computer, to compute the same.

    Raises ModelError where the batch cannot be changed safely or results differ, RunFailed where a run did
    not come to its end, UsageError and FileError; then nothing is written.
    """
    from .workflow import rebatch as _rebatch  # few need it

    return _rebatch.rebatch(Path(model), batch, Path(output), timeout=timeout, seed=seed, cancel=cancel)


def save(capture: Capture, path: StrPath) -> None:
    """Keep a run as a file (.ascope) that opens on any machine. Raises FileError."""
    _store.save(capture, Path(path))


def load(path: StrPath) -> Capture:
    """A run that was kept. Raises FileError, or StoreError where it is no capture or a damaged one."""
    return _store.load(Path(path))
