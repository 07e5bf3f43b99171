"""Follow a device's memory without running anything on it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ..domain.measurement import BoardSample
from ..errors import ArenaScopeError, LinkLost
from ..remote import translate
from .connect import Device
from .jobs import CancelToken


def watch(
    device: Device,
    on_sample: Callable[[BoardSample], None],
    *,
    seconds: float | None = None,
    hz: float = 2.0,
    cancel: CancelToken | None = None,
) -> None:
    """Call ``on_sample`` (on the reader thread) until ``seconds`` are over or ``cancel`` comes.

    Raises LinkLost if the connection ends first.
    """
    cancel = cancel or CancelToken()
    finished = threading.Event()
    errors: list[ArenaScopeError] = []

    def on_event(name: str, data: dict[str, Any]) -> None:
        try:
            if name == "board":
                on_sample(translate.board_sample(data))
            elif name == "lost":
                raise LinkLost(str(data.get("message") or "The connection to the device ended."))
            elif name == "ended":
                finished.set()
        except ArenaScopeError as error:
            errors.append(error)
            finished.set()

    run_id = device.link.start_watch(on_event, hz=hz)
    forget = cancel.on_cancel(finished.set)
    try:
        finished.wait(seconds)
    finally:
        forget()
        if not errors:
            device.link.cancel_run(run_id)
    if errors:
        raise errors[0]
