"""Bring a model to where the device can read it: nowhere for this computer, its cache otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..domain.graph import Graph
from ..errors import WireError
from ..remote.link import FILE_TIMEOUT
from .connect import Device
from .events import Connecting, RunEvent, UploadProgress
from .jobs import CancelToken


def stage_model(
    device: Device, model: Path, graph: Graph, tell: Callable[[RunEvent], None], cancel: CancelToken
) -> str:
    """The model's path on the device. A model that is there already (by its SHA-256) costs no bytes.

    The upload goes to a temporary name; the agent verifies the hash on the device and renames it.
    """
    if device.is_local:
        return str(model.resolve())
    wanted = {"sha256": graph.sha256, "bytes": graph.file_bytes}
    # Both hash the file there; on a slow board with a slow card 100 MB may take a while.
    status = device.link.request("file_status", wanted, timeout=FILE_TIMEOUT)
    if status.get("present") is True:
        return _text(status, "path")
    tell(Connecting(f"Sending {graph.name} to {device.name}"))

    def progress(done: int, total: int) -> None:
        cancel.raise_if_cancelled()
        tell(UploadProgress(done, total))

    upload = _text(status, "upload")
    device.transport.put_file(model, upload, progress)
    answer = {"sha256": graph.sha256, "upload": upload}
    adopted = device.link.request("file_adopt", answer, timeout=FILE_TIMEOUT)
    return _text(adopted, "path")


def _text(data: dict[str, object], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str):
        raise WireError(f"The agent's answer has no {key}.")
    return value
