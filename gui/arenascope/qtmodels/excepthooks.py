"""Faults of ours, wherever they happen, become a message with details; the window goes on."""

from __future__ import annotations

import sys
import threading
import traceback
from types import TracebackType

from .bridge import GuiBridge
from .next_steps import NextStep
from .notices import Level, Notice

_FAULT = "Something went wrong inside ArenaScope."
_NEXT = "Nothing of yours was lost. Copy the details into a report of the problem."


class ExceptHooks:
    """Between ``install`` and ``remove`` every uncaught exception of any thread is posted as a Notice."""

    def __init__(self, bridge: GuiBridge) -> None:
        self._bridge = bridge
        self._before = (sys.excepthook, threading.excepthook)

    def install(self) -> None:
        self._before = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._main
        threading.excepthook = self._thread

    def remove(self) -> None:
        sys.excepthook, threading.excepthook = self._before

    def _main(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._before[0](kind, error, trace)
            return
        self._post(kind, error, trace, "the window")

    def _thread(self, args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread is not None else "a thread"
        self._post(args.exc_type, args.exc_value, args.exc_traceback, f"thread {name}")

    def _post(
        self,
        kind: type[BaseException],
        error: BaseException | None,
        trace: TracebackType | None,
        where: str,
    ) -> None:
        detail = "".join(traceback.format_exception(kind, error, trace))
        told = f"In {where}:\n{detail}"
        steps = (NextStep("Copy Details", copies=told),)
        self._bridge.post(Notice(Level.ERROR, _FAULT, _NEXT, told, steps))
