"""The models of ``tests/data`` are what their script makes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.data.make_models import HERE, files

ROOT = Path(__file__).parents[2]


def test_making_them_again_gives_the_same_bytes() -> None:
    made = files()
    changed = [name for name, content in made.items() if (HERE / name).read_bytes() != content]
    assert not changed, "run: python -m tests.data.make_models"


def test_another_process_with_other_hashes_makes_the_same_bytes() -> None:
    script = (
        "import hashlib; from tests.data.make_models import files\n"
        "for n, c in files().items(): print(n, hashlib.sha256(c).hexdigest())"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60,
            cwd=ROOT, env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(answers) == 1


def test_nothing_else_lies_there() -> None:
    assert {path.name for path in HERE.glob("*.tflite")} == {n for n in files() if n.endswith(".tflite")}
    assert sum(path.stat().st_size for path in HERE.glob("*.tflite")) < 2 * 1024 * 1024
