"""How the runtime of a device divides a model between its delegate and its own kernels."""

from __future__ import annotations

from pathlib import Path

from ..domain.capture import Capture
from ..domain.measurement import Status
from ..domain.reading import RawNode
from ..domain.shapes import Delegation
from ..errors import BoardError
from .connect import Device
from .inspect import InspectRequest, inspect
from .jobs import CancelToken

_TIMEOUT = 120.0


def of_device(
    device: Device,
    model: Path,
    *,
    threads: int | None = None,
    timeout: float = _TIMEOUT,
    cancel: CancelToken | None = None,
) -> Delegation:
    """The partition as the device's runtime makes it, read there with the file's own shapes and without an
    invoke. Without plans where its delegate takes no operator, or where it has none.

    Raises what ``inspect`` raises, and BoardError where the model could not be loaded and allocated there.
    """
    request = InspectRequest(threads=threads, delegate="default", invoke=False, timeout=timeout)
    capture = inspect(device, model, request, cancel=cancel)
    if cancel is not None:
        cancel.raise_if_cancelled()
    if capture.outcome.status is not Status.OK:
        raise BoardError(
            f"How {device.name} divides the model for its delegate could not be read.",
            board_code="no_partition",
            hint="Plan without the delegate, or inspect the model there to see what is wrong.",
            detail=capture.outcome.message,
        )
    return of_capture(capture)


def of_capture(capture: Capture) -> Delegation:
    """The partition that a run with the default delegate had; without plans where nothing was delegated."""
    layout = capture.layout
    plans = (
        (
            subgraph,
            [
                RawNode(node.index, node.name, node.inputs, node.outputs, node.temporaries, node.is_delegate)
                for node in layout.plan(subgraph)
            ],
        )
        for subgraph in layout.subgraphs
    )
    return Delegation.of(plans, f"{capture.device.runtime_text} on {capture.device.name}")
