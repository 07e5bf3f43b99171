"""Bring a file to where the device can read it: nowhere for this computer, its cache otherwise."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..domain.graph import Graph
from ..errors import WireError
from ..remote.link import FILE_TIMEOUT
from .connect import Device
from .events import Connecting, UploadProgress
from .jobs import CancelToken

_MAX_PATH = 4096

Tell = Callable[[Connecting | UploadProgress], None]


def stage_model(device: Device, model: Path, graph: Graph, tell: Tell, cancel: CancelToken) -> str:
    """The model's path on the device. A model that is there already (by its SHA-256) costs no bytes."""
    if device.is_local:
        return str(model.resolve())
    return stage_file(device, model, graph.sha256, graph.file_bytes, graph.name, tell, cancel)


def stage_file(
    device: Device, file: Path, sha256: str, size: int, name: str, tell: Tell, cancel: CancelToken
) -> str:
    """The path of a file's content in the device's cache, sent there if it is not there yet.

    The upload goes to a temporary name; the agent verifies the hash on the device and renames it.
    ``name``: what it is called while it is sent.
    """
    wanted = {"sha256": sha256, "bytes": size}
    # Both hash the file there; on a slow board with a slow card 100 MB may take a while.
    status = device.link.request("file_status", wanted, timeout=FILE_TIMEOUT)
    if status.get("present") is True:
        return _path(status, "path")
    tell(Connecting(f"Sending {name} to {device.name}"))

    def progress(done: int, total: int) -> None:
        cancel.raise_if_cancelled()
        tell(UploadProgress(done, total))

    upload = _path(status, "upload")
    device.transport.put_file(file, upload, progress)
    answer = {"sha256": sha256, "upload": upload}
    adopted = device.link.request("file_adopt", answer, timeout=FILE_TIMEOUT)
    return _path(adopted, "path")


def _path(data: dict[str, object], key: str) -> str:
    """It is given to the device again, as a line of bytes among others."""
    value = data.get(key)
    usable = isinstance(value, str) and value[:1] == "/" and len(value) <= _MAX_PATH
    if isinstance(value, str) and usable and not {"\0", "\n"}.intersection(value):
        with suppress(UnicodeEncodeError):  # half of a surrogate pair
            value.encode("utf-8", "surrogateescape")
            return value
    raise WireError(f"The agent's answer has no {key} that can be used.")
