"""The models that tests run: our own small ones, and those beside this repository where they are present."""

from __future__ import annotations

from pathlib import Path

import pytest

OWN = Path(__file__).resolve().parents[1] / "data"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "models"
#: All that are beside this repository. They are never copied into it.
MODELS = sorted(SHARED.glob("*.tflite"))


def own(name: str) -> Path:
    """Path of a model of tests/data; ``make_models.py`` there says how each was made."""
    return OWN / name


def shared(name: str) -> Path:
    """Path of a model of ../shared/models; the test is skipped, with the reason, where it is absent."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"../shared/models/{name} is not here")
    return path
