"""Bring a model to where the device can read it: nowhere for this computer, its cache otherwise."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path

from ..domain.graph import Graph
from ..errors import BoardError, LinkError, LinkLost, WireError
from ..remote.link import FILE_TIMEOUT
from .connect import Device, relied_on
from .events import Connecting, UploadProgress
from .jobs import CancelToken

_BLOCK = 1024 * 1024
#: Seconds that somebody who cancels waits at most.
_DROP_TIMEOUT = 10.0
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
    """The path of a file's content in the device's cache, sent there if it is not there yet; of one whose
    upload broke off, only what is missing.

    The upload goes to a temporary name; the agent verifies the hash on the device and renames it. When the
    connection is lost and comes back, the upload goes on; when it does not, what has arrived stays for
    the next time. When somebody cancels, it is removed. ``name``: what it is called while it is sent.
    """
    wanted: dict[str, object] = {"sha256": sha256, "bytes": size}

    def stop() -> bool:
        return cancel.cancelled

    while True:
        # Both hash the file there; on a slow board with a slow card 100 MB may take a while.
        status = device.link.request("file_status", wanted, timeout=FILE_TIMEOUT, stop=stop)
        if status.get("present") is True:
            return _path(device, status, "path")
        tell(Connecting(f"Sending {name} to {device.name}"))
        upload = {"sha256": sha256, "upload": _path(device, status, "upload")}
        try:
            _send(device, file, status, tell, cancel)
        except LinkLost:
            if not device.link.wait_until_up(stop):
                raise
            wanted["broken"] = upload["upload"]
            continue
        except LinkError:
            raise  # what is there stays
        except BaseException:
            with contextlib.suppress(LinkError, BoardError, WireError):
                if device.link.is_up:  # a part that stays is removed by the agent after a day
                    device.link.request("file_drop", upload, timeout=_DROP_TIMEOUT)
            raise
        adopted = device.link.request("file_adopt", upload, timeout=FILE_TIMEOUT, stop=stop)
        return _path(device, adopted, "path")


def _send(device: Device, file: Path, status: dict[str, object], tell: Tell, cancel: CancelToken) -> None:
    def progress(done: int, total: int) -> None:
        cancel.raise_if_cancelled()
        tell(UploadProgress(done, total))

    start, upload = _good_part(file, status), _path(device, status, "upload")
    try:
        device.transport.put_file(file, upload, progress, start=start, keep=True)
    except BoardError as error:
        if not start or error.board_code != "not_found":
            raise
        device.transport.put_file(file, upload, progress, keep=True)  # somebody took the part away


def _good_part(local: Path, status: dict[str, object]) -> int:
    """How many bytes of the file the device has already: as many as it says, if they are the same."""
    have = status.get("have")
    if type(have) is not int or have <= 0:
        return 0
    digest, left = hashlib.sha256(), have
    with contextlib.suppress(OSError), local.open("rb") as file:  # sending it says what is wrong
        while left and (block := file.read(min(left, _BLOCK))):
            digest.update(block)
            left -= len(block)
    return have if not left and digest.hexdigest() == status.get("have_sha256") else 0


def _path(device: Device, data: dict[str, object], key: str) -> str:
    """It is given to the device again, as a line of bytes among others."""
    value = data.get(key)
    usable = isinstance(value, str) and value[:1] == "/" and len(value) <= _MAX_PATH
    if isinstance(value, str) and usable and not {"\0", "\n"}.intersection(value):
        with contextlib.suppress(UnicodeEncodeError):  # half of a surrogate pair
            value.encode("utf-8", "surrogateescape")
            return value
    with relied_on(device):
        raise WireError(f"The agent's answer has no {key} that can be used.")
