"""The boards that the user gave a name. No secret stands here, only where they are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ..errors import StoreError
from .fields import Fields, JsonObject, damaged, parse
from .files import read_bounded, write_atomic
from .folders import make_private

SCHEMA = "arenascope.saved-devices/1"
_LARGEST_FILE = 1024**2


@dataclass(frozen=True, slots=True)
class SavedDevice:
    """``address`` as the user wrote it: user@host:port, or an alias of ~/.ssh/config."""

    name: str
    address: str


def load(path: Path) -> tuple[SavedDevice, ...]:
    """The saved devices in the user's order; none where there is no file yet.

    Raises StoreError for a damaged file, FileError for one that cannot be read.
    """
    if not path.exists():
        return ()
    try:
        top = Fields(parse(read_bounded(path, _LARGEST_FILE)))
        if top.text("schema") != SCHEMA:
            raise damaged(f"its schema is not {SCHEMA}")
        found = tuple(SavedDevice(f.text("name"), f.text("address")) for f in top.children("devices"))
        if len({device.name for device in found}) != len(found):
            raise damaged("a name stands in it twice")
    except StoreError as error:
        raise StoreError(
            f"The list of saved devices cannot be used. {error.message}",
            hint=f"Correct or delete {path}; deleting it forgets the names of the devices and nothing else.",
            detail=error.detail,
        ) from error
    return found


def save(devices: tuple[SavedDevice, ...], path: Path) -> None:
    """Writes the list whole or not at all. Raises FileError."""
    document: JsonObject = {
        "schema": SCHEMA,
        "devices": [{"name": device.name, "address": device.address} for device in devices],
    }
    make_private(path.parent)
    write_atomic(path, (json.dumps(document, indent=1) + "\n").encode("ascii"))
