"""The .ascope file: a capture as JSON (``arenascope.capture/1``), to and fro without a loss.

``to_json`` and ``from_json`` are the contract; ``save`` and ``load`` put it in a file. Reading trusts
nothing: a capture may come from another machine, another version, or a disk with holes in it.
"""

from __future__ import annotations

from pathlib import Path

from ..domain.capture import Capture
from ..errors import FileError, StoreError
from .capture_in import from_json
from .capture_out import to_json
from .fields import parse
from .files import read_bounded, write_document

__all__ = ["LARGEST_FILE", "SUFFIX", "from_json", "load", "save", "to_json"]

SUFFIX = ".ascope"

#: What is read at most. A million samples are 40 MB, ten thousand tensors 3 MB.
LARGEST_FILE = 256 * 1024**2


def save(capture: Capture, path: Path) -> None:
    """Writes the capture whole or not at all. Raises FileError."""
    write_document(path, to_json(capture))


def load(path: Path) -> Capture:
    """The capture in a file. Raises FileError where it cannot be read, StoreError where it is no capture."""
    data = read_bounded(path, LARGEST_FILE)
    if data[4:8] == b"TFL3":
        raise StoreError(
            f"{path.name} is a model, not a capture", hint=f"Inspect it: arenascope inspect {path.name}"
        )
    try:
        return from_json(parse(data))
    except StoreError as error:
        message = error.message.replace("The file", path.name, 1)
        raise StoreError(message, hint=error.hint, detail=error.detail) from error
    except MemoryError as error:
        raise FileError(
            f"Cannot read {path}: this computer has not enough memory for it", hint="Close other programs."
        ) from error
