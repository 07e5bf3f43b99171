"""The models that plans are held against runtimes with, and what of a comparison is a complaint."""

from __future__ import annotations

from pathlib import Path

from arenascope.domain.verification import Verified
from tests.data import make_models

from .models import MODELS, own

#: conv_huge_im2col takes four gigabytes and a long while.
ALL = (
    *(own(f"{recipe.__name__}.tflite") for recipe in make_models.SOUND),
    *(path for path in MODELS if path.name != "conv_huge_im2col.tflite"),
)


def written(models: dict[str, bytes], folder: Path) -> list[Path]:
    """The models as files."""
    for name, content in models.items():
        (folder / f"{name}.tflite").write_bytes(content)
    return sorted(folder.glob("*.tflite"))


def complaints(verified: Verified, but: str = "") -> list[str]:
    """What is not as planned, but with the delegate ``but``."""
    found = [
        f"{verified.model}, {asked}: {difference}"
        for asked, comparison in verified.compared
        for difference in comparison.differences
        if asked.delegate != but
    ]
    return found + [
        f"{verified.model}, {asked}: {why}" for asked, why in verified.disagreements if asked.delegate != but
    ]
