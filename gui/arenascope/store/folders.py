"""Folders of this program, made when the first file goes into them."""

from __future__ import annotations

from pathlib import Path

from ..errors import FileError


def make_private(folder: Path) -> None:
    """Make a folder that only the user enters, and those above it. Raises FileError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"Cannot make the folder {folder}: {error.strerror or error}",
            hint="Check the permissions of the folder above it.",
            detail=str(error),
        ) from error
