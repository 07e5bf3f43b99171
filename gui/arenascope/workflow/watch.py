"""Follow a device's memory without running anything on it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ..domain.measurement import BoardSample
from ..errors import ArenaScopeError, WireError
from ..remote import translate
from ..remote.exchange import AWAY, BACK, LOST, again
from .connect import Device
from .events import LinkAway, LinkBack
from .jobs import CancelToken


def watch(
    device: Device,
    on_sample: Callable[[BoardSample], None],
    *,
    seconds: float | None = None,
    hz: float = 2.0,
    cancel: CancelToken | None = None,
    on_link: Callable[[LinkAway | LinkBack], None] | None = None,
) -> None:
    """Call ``on_sample`` (on the reader thread) until ``seconds`` are over or ``cancel`` comes.

    ``on_link`` hears when the connection is lost and when it is back; the samples of that time follow.
    Raises LinkLost if it ends for good first.
    """
    cancel = cancel or CancelToken()
    finished = threading.Event()
    errors: list[ArenaScopeError] = []

    def on_event(name: str, data: dict[str, Any]) -> None:
        try:
            if name == "board":
                on_sample(translate.board_sample(data))
            elif name == AWAY and on_link is not None:
                on_link(LinkAway(str(data["message"])))
            elif name == BACK and on_link is not None:
                on_link(LinkBack(float(data["seconds"])))
            elif name in (LOST, "ended"):
                errors.extend([data["error"]] if name == LOST else [])
                finished.set()
        except ArenaScopeError as error:
            errors.append(again(error))
            finished.set()
            if isinstance(error, WireError):
                raise  # whoever sends that cannot be relied on: the link ends

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
