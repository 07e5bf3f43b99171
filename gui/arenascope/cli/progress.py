"""What a run tells while it goes on, on stderr: bars on a terminal, lines elsewhere, or nothing."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from ..domain.plain_text import plain
from ..domain.units import format_bytes
from ..workflow.events import (
    Connecting,
    DownloadProgress,
    LinkAway,
    LinkBack,
    PhaseStarted,
    PointDone,
    PointStarted,
    RunEnded,
    RunEvent,
    SetupEvent,
    Step,
    SweepEvent,
    UploadProgress,
)

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Event = RunEvent | SetupEvent | SweepEvent
Reporter = Callable[[Event], None]
#: A run that is over sooner is not worth a bar, nor the time to load one.
BAR_AFTER = 0.3
WORDS = {
    "runtime_import": "Loading the runtime",
    "load": "Loading the model",
    "allocate": "Allocating tensors",
    "invoke_first": "First invoke",
    "invoke": "Second invoke",
}


@contextmanager
def reporter(*, quiet: bool) -> Iterator[Reporter]:
    """A callable for the events of a connection and a run. It may be called on any thread."""
    if quiet or sys.stderr is None:
        yield lambda event: None
    elif sys.stderr.isatty():
        bars = Bars()
        try:
            yield bars
        finally:
            bars.close()
    else:
        yield Lines(sys.stderr)


def link_words(event: LinkAway | LinkBack) -> str:
    """What is going on with the connection."""
    if isinstance(event, LinkBack):
        return f"Connected again after {event.seconds:.1f} s; nothing was lost."
    return (
        f"{plain(event.message)} Trying again for up to {event.give_up / 60:g} minutes (Ctrl+C stops); "
        "what runs there goes on as long as the device is on."
    )


def point_words(event: PointStarted | PointDone) -> str:
    """'pi4, run 2 of 8: batch 16', and how it went once it is done."""
    if isinstance(event, PointStarted):
        device, asked = event.device, event.asked
    else:
        device, asked = event.point.device, event.point.asked
    what = f"batch {asked.batch:,}" if asked.batch is not None else "other input shapes"
    of = "" if event.total is None else f" of {event.total}"
    text = f"{plain(device)}, run {event.number}{of}: {what}"
    measured = event.point.measured if isinstance(event, PointDone) else None
    if measured is not None:
        status = measured.outcome.status.value.replace("_", " ")
        text += f": {status}, peak {format_bytes(measured.process_peak)}"
    return text


class Lines:
    """One line a step, for logs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._uploading = False
        self._in_points = False

    def __call__(self, event: Event) -> None:
        if isinstance(event, PointStarted):
            self._in_points = True
            self._say(f"{point_words(event)} …")
        if isinstance(event, Connecting | Step):
            self._say(plain(event.text))
        elif isinstance(event, PointDone):
            if event.point.measured is not None:  # a thousand plans are no news
                self._say(point_words(event))
        elif isinstance(event, PhaseStarted) and not self._in_points:
            self._say(WORDS.get(event.name, plain(event.name)))
        elif isinstance(event, UploadProgress) and not self._uploading:
            self._uploading = True
            self._say(f"Sending {format_bytes(event.total)}")
        elif isinstance(event, LinkAway | LinkBack):
            self._say(link_words(event))

    def _say(self, text: str) -> None:
        with suppress(OSError):  # a log that cannot be written is no reason to end a run
            self._stream.write(f"{text}\n")
            self._stream.flush()


class Bars:
    """Rich's bars, loaded when a run turns out to be long. Connecting may ask questions: no bar then."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._progress: Progress | None = None
        self._bytes: dict[type, TaskID] = {}
        self._phase: TaskID | None = None
        self._text = self._point = ""

    def __call__(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, RunEnded):
                return
            if isinstance(event, PointDone):
                if event.point.measured is not None:
                    self._say(point_words(event))
                return
            if isinstance(event, Connecting):
                self._say(plain(event.text))
                return
            if isinstance(event, PhaseStarted):
                self._text = WORDS.get(event.name, plain(event.name))
            elif isinstance(event, LinkAway | LinkBack):
                self._text = link_words(event)
            elif isinstance(event, Step):
                self._text = plain(event.text)
            elif isinstance(event, PointStarted):
                self._point = self._text = point_words(event)
            if isinstance(event, PhaseStarted) and self._point:
                self._text = f"{self._point}, {self._text.lower()}"
            if time.monotonic() - self._started < BAR_AFTER and self._progress is None:
                return
            self._show(event)

    @property
    def shows(self) -> bool:
        return self._progress is not None

    def close(self) -> None:
        with self._lock:
            if self._progress is not None:
                self._progress.stop()
                self._progress = None

    def _say(self, text: str) -> None:
        """A line of its own, above the bars where there are some."""
        if self._progress is not None:
            self._progress.console.print(text)
        else:
            sys.stderr.write(f"{text}\n")

    def _show(self, event: Event) -> None:
        progress = self._progress = self._progress or _rich_progress()
        if isinstance(event, UploadProgress | DownloadProgress):
            kind = type(event)
            if kind not in self._bytes:
                words = "Sending" if kind is UploadProgress else "Fetching"
                self._bytes[kind] = progress.add_task(words, total=event.total or None)
            progress.update(self._bytes[kind], completed=event.done)
        elif self._phase is None:
            self._phase = progress.add_task(self._text, total=None)
        else:
            progress.update(self._phase, description=self._text)


def _rich_progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    progress.start()
    return progress
