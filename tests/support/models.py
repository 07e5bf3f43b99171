"""The models beside this repository, where they are present. They are never copied into it."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED_MODELS = Path(__file__).resolve().parents[3] / "shared" / "models"


def shared_models() -> list[Path]:
    return sorted(SHARED_MODELS.glob("*.tflite"))


def shared_model(name: str) -> Path:
    """Path of one of them; the test is skipped, with the reason, where it is absent."""
    path = SHARED_MODELS / name
    if not path.exists():
        pytest.skip(f"../shared/models/{name} is not here")
    return path
