"""Which files are models and which are captures."""

from __future__ import annotations

from pathlib import Path

MODEL_SUFFIXES = (".tflite", ".lite")
CAPTURE_SUFFIX = ".ascope"
_MODEL_MARK = b"TFL3"


def is_capture(path: Path) -> bool:
    """By its suffix, else by its first bytes: a capture is a JSON document."""
    if path.suffix.lower() == CAPTURE_SUFFIX:
        return True
    if path.suffix.lower() in MODEL_SUFFIXES:
        return False
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except (OSError, ValueError):
        return False  # whoever reads it as a model says in words what is wrong
    return head[4:8] != _MODEL_MARK and head.lstrip().startswith(b"{")
